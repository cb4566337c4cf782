"""The response examples of the platform's documentation, reproduced field by field from stored records.

The examples are files under tests/samples/docs, named after the method; `page` says where each stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emulator.events import OfflineRow
from emulator.server import Emulator
from emulator.site import Handler, PlacementHandler
from emulator.times import parse_date, parse_moment
from emulator.world import Portal, Row
from tests.http.emulated import asker

SAMPLES = Path(__file__).parent.parent / "samples" / "docs"
DATES = {"begindate", "closedate", "BEGINDATE", "CLOSEDATE", "PERSONAL_BIRTHDAY"}
MONEY = {"opportunity", "taxValue", "AMOUNT"}
OLD_DEAL_NAMES = {
    "DATE_CREATE": "createdTime", "DATE_MODIFY": "updatedTime", "CREATED_BY_ID": "createdBy",
    "MODIFY_BY_ID": "updatedBy", "MOVED_BY_ID": "movedBy",
}  # fmt: skip


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def sample(method: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{method}.json").read_text())
    return loaded


def portal_of(emulator: Emulator, zone: str) -> Portal:
    """A portal with an admin of a high id and nothing else."""
    portal = emulator.add_portal(timezone=zone, is_empty=True)
    portal.put("user", {"ID": 900, "NAME": "Reader", "ACTIVE": True, "IS_ADMIN": True, "USER_TYPE": "bot"})
    return portal


def check(
    emulator: Emulator, portal: Portal, method: str, *, extra: frozenset[str] = frozenset(), **asked: Any
) -> None:
    """The emulator's answer is the example; `extra` names fields that only the emulator has."""
    expected = sample(method)
    answer = asker(emulator, portal, 900).answer(method, **asked)
    for key in set(expected) - {"page"}:
        assert without(answer[key], extra) == expected[key], key
    assert set(answer) == (set(expected) - {"page"}) | {"time"}


def without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(inner, names) for key, inner in value.items() if key not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


def record(row: Row, zone: str) -> Row:
    """Python values of an example row: moments, dates, money, yes and no, numbers in texts."""
    return {name: python(name, value, ZoneInfo(zone)) for name, value in row.items()}


def python(name: str, value: Any, zone: ZoneInfo) -> Any:
    if name in DATES and value:
        return parse_date(value, zone)
    if name in MONEY and value is not None:
        return Decimal(str(value))
    if value in ("Y", "N"):
        return value == "Y"
    if isinstance(value, str) and len(value) == 25 and value[10] == "T":
        return parse_moment(value, zone)
    if isinstance(value, str) and value.isdecimal() and (name == "ID" or name.endswith(("_ID", "_BY"))):
        return int(value)
    return value


def old_deal(row: Row, zone: str) -> Row:
    """The record behind a row of crm.deal.*: camelCase names."""

    def name_of(upper: str) -> str:
        if upper in OLD_DEAL_NAMES:
            return OLD_DEAL_NAMES[upper]
        if upper.startswith("PARENT_ID"):
            return upper.replace("PARENT_ID_", "parentId")
        head, *tail = upper.lower().split("_")
        return head + "".join(part.title() for part in tail)

    deal = {name_of(upper): value for upper, value in record(row, zone).items()}
    return {**deal, "opportunity": Decimal(row["OPPORTUNITY"]), "id": int(row["ID"])}


def test_deals_of_the_universal_methods(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    item = sample("crm.item.add")["result"]["item"]
    portal.put("deal", record(item, "Europe/Berlin"))
    emulator.site(portal).quirks.empty_links_are_null = True
    answer = asker(emulator, portal, 900).answer("crm.item.get", entityTypeId=2, id=item["id"])
    assert answer["result"]["item"] == item
    listed = asker(emulator, portal, 900).result("crm.item.list", entityTypeId=2)["items"]
    assert listed == [item]


def test_leads_of_the_list(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    example = sample("crm.item.list")["result"]["items"]
    for place, row in enumerate(example):
        portal.put(
            "lead", {**record(row, "Europe/Berlin"), "createdTime": datetime(2024, 1, place + 1, tzinfo=UTC)}
        )
    asked = {
        "0": {"logic": "OR", "0": {"!=name": ""}, "1": {"!=lastName": ""}},
        "@stageId": ["NEW", "IN_PROCESS"],
        "@sourceId": ["WEB", "ADVERTISING"],
        "@assignedById": [1, 6],
        ">=opportunity": 5000,
        "<=opportunity": 20000,
        "isManualOpportunity": "Y",
    }
    check(
        emulator,
        portal,
        "crm.item.list",
        entityTypeId=1,
        select=list(example[0]),
        order={"createdTime": "ASC"},
        filter=asked,
    )


def test_stage_history(emulator: Emulator) -> None:
    portal = portal_of(emulator, "UTC")
    for row in sample("crm.stagehistory.list")["result"]["items"]:
        portal.put("stage_history", {**record(row, "UTC"), "ENTITY_TYPE_ID": 2})
    check(
        emulator,
        portal,
        "crm.stagehistory.list",
        entityTypeId=2,
        filter={"OWNER_ID": 21},
        order={"ID": "ASC"},
    )


def test_deals_of_the_older_methods(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    for row in sample("crm.deal.list")["result"]:
        portal.put("deal", old_deal(row, "Europe/Berlin"))
    names = list(sample("crm.deal.list")["result"][0])
    check(emulator, portal, "crm.deal.list", select=names, order={"ID": "ASC"})
    deal = sample("crm.deal.get")["result"]
    own = {name for name in deal if name.startswith(("UF_", "PARENT_"))}
    portal.put("deal", old_deal({name: deal[name] for name in deal if name not in own}, "Europe/Berlin"))
    answer = asker(emulator, portal, 900).result("crm.deal.get", id=deal["ID"])
    for name in set(deal) - own:
        assert answer[name] == deal[name], name


def test_pipelines_stages_and_currencies(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    for row in sample("crm.category.list")["result"]["categories"]:
        portal.put("category", {name: row[name] for name in ("id", "name", "sort", "entityTypeId")})
    check(emulator, portal, "crm.category.list", entityTypeId=2)
    for row in sample("crm.status.list")["result"]:
        portal.put("status", {**record(row, "Europe/Berlin"), "SORT": int(row["SORT"])})
    check(emulator, portal, "crm.status.list", order={"SORT": "ASC"}, filter={"ENTITY_ID": "DEAL_STAGE"})
    for row in sample("crm.currency.list")["result"]:
        portal.put("currency", record(row, "Europe/Berlin"))
    # the page mixes winter and summer under one offset: a zone without daylight saving shows the same
    portal.timezone = "Etc/GMT-2"
    check(emulator, portal, "crm.currency.list")


def test_activities(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Moscow")
    expected = sample("crm.activity.list")["result"]
    for row in expected:
        portal.put("activity", {**record(row, "Europe/Moscow"), "SETTINGS": {}, "PROVIDER_PARAMS": {}})
    assert asker(emulator, portal, 900).result("crm.activity.list") == expected


def test_people(emulator: Emulator) -> None:
    portal = portal_of(emulator, "UTC")
    for row in sample("user.get")["result"]:
        portal.put("user", record(row, "UTC"))
    check(emulator, portal, "user.get", sort="ID", order="ASC", FILTER={"ACTIVE": True})
    portal.put("user", {**(portal.records["user"].get(1) or {}), "IS_ADMIN": True, "TIME_ZONE": ""})
    expected = sample("profile")["result"]
    answer = asker(emulator, portal, 1).result("profile")
    assert answer == {**expected, "NAME": "Anna", "LAST_NAME": "Example"}


def test_departments(emulator: Emulator) -> None:
    portal = portal_of(emulator, "UTC")
    portal.put("department", {"ID": 1, "NAME": "Company"})
    for row in sample("department.get")["result"]:
        portal.put("department", {**row, "ID": int(row["ID"]), "PARENT": int(row["PARENT"])})
    expected = sample("department.get")
    answer = asker(emulator, portal, 900).answer("department.get", PARENT=1)
    assert answer["total"] == expected["total"]
    by_id = sorted(expected["result"], key=lambda row: int(row["ID"]))
    assert answer["result"] == by_id  # one sort value for all: tree order falls back to the id


def test_event_handlers_and_the_offline_queue(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    app = emulator.app(portal)
    for number, row in enumerate(sample("event.get")["result"], 1):
        app.handlers.append(Handler(number, row["event"], row["handler"], int(row["auth_type"])))
    check(emulator, portal, "event.get")
    queue = emulator.events(portal).offline.setdefault(app.client_id, [])
    emulator.clock.advance(datetime(2024, 7, 19, tzinfo=UTC).timestamp() - emulator.clock.time())
    for row in sorted(sample("event.offline.list")["result"], key=lambda row: int(row["ID"])):
        moment = parse_moment(row["TIMESTAMP_X"], UTC)
        assert moment is not None
        queue.append(OfflineRow(int(row["ID"]), moment, row["EVENT_NAME"], {}, {}, row["MESSAGE_ID"]))
    check(emulator, portal, "event.offline.list", order={"ID": "DESC"})
    check(emulator, portal, "event.offline.get", filter={"EVENT_NAME": "ONCRMLEADADD"})


def test_placements(emulator: Emulator) -> None:
    portal = portal_of(emulator, "Europe/Berlin")
    for number, row in enumerate(sample("placement.get")["result"], 1):
        emulator.app(portal).placements.append(
            PlacementHandler(
                number, row["placement"], row["handler"], row["userId"], row["title"], row["description"],
                lang_all=row["langAll"], options=dict(row["options"]),
            )
        )  # fmt: skip
    check(emulator, portal, "placement.get")


def test_the_app_itself(emulator: Emulator) -> None:
    portal = portal_of(emulator, "UTC")
    app = emulator.app(portal)
    app.options = {"data": "value", "data2": "value2"}
    check(emulator, portal, "app.option.get")
    check(emulator, portal, "method.get", name="profile")
    answer = asker(emulator, portal, 900).result("app.info")
    assert set(answer) == set(sample("app.info")["result"])
    assert {name: type(value) for name, value in answer.items() if name not in ("DAYS", "INSTALLED")} == {
        name: type(value)
        for name, value in sample("app.info")["result"].items()
        if name not in ("DAYS", "INSTALLED")
    }


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_says_where_it_comes_from(path: Path) -> None:
    assert json.loads(path.read_text())["page"].endswith(".md")
