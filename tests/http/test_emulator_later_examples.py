"""Examples of the documentation: smart processes, custom fields, activities, and what events carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emulator import seed
from emulator.server import Emulator
from emulator.times import parse_moment
from emulator.world import Portal, Row
from tests.http.emulated import Asker, asker, inbox

SAMPLES = Path(__file__).parent.parent / "samples" / "docs"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return loaded


def portal_of(emulator: Emulator, zone: str) -> tuple[Portal, Asker]:
    """A portal with an admin of a high id and nothing else."""
    portal = emulator.add_portal(timezone=zone, is_empty=True)
    emulator.app(portal).is_installed = True
    portal.put("user", {"ID": 900, "NAME": "Reader", "ACTIVE": True, "IS_ADMIN": True, "USER_TYPE": "bot"})
    return portal, asker(emulator, portal, 900)


def python(row: Row, zone: str) -> Row:
    """Flags and moments of an example as Python values."""
    return {
        name: parse_moment(value, ZoneInfo(zone))
        if isinstance(value, str) and len(value) == 25 and value[10] == "T"
        else value == "Y"
        if value in ("Y", "N")
        else value
        for name, value in row.items()
    }


def test_smart_processes(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Berlin")
    expected = sample("crm.type.list")
    for row in expected["result"]["types"]:
        portal.put("type", python(row, "Europe/Berlin"))
    answer = admin.answer("crm.type.list", order={"id": "DESC"}, filter={"%title": "Smart"})
    assert answer["result"] == expected["result"]
    assert answer["total"] == expected["total"]
    assert admin.result("crm.type.fields") == sample("crm.type.fields")["result"]


def test_one_smart_process(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Berlin")
    expected = sample("crm.type.get")["result"]
    row = python(expected["type"], "Europe/Berlin")
    links = {name: value == "Y" for name, value in row["linkedUserFields"].items()}
    portal.put("type", {**row, "linkedUserFields": links})
    assert admin.result("crm.type.get", id=16) == expected
    assert admin.result("crm.type.getByEntityTypeId", entityTypeId=2024) == expected


def test_fields_of_a_smart_process(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Berlin")
    seed.add_smart_process(portal, "Smart Process #16", entity_type_id=1248)
    seed.add_smart_process(portal, "Other", entity_type_id=1268, parents=(1, 2, 1248))
    expected = sample("crm.item.fields")["result"]["fields"]
    pipeline = admin.result("crm.category.list", entityTypeId=1268)["categories"][0]["id"]
    for name in ("stageId", "previousStageId"):
        expected[name]["statusType"] = f"DYNAMIC_1268_STAGE_{pipeline}"  # ids of pipelines are made up
    assert admin.result("crm.item.fields", entityTypeId=1268)["fields"] == expected


def test_settings_of_custom_fields(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Berlin")
    one = sample("userfieldconfig.get")["result"]["field"]
    listed = sample("userfieldconfig.list")["result"]["fields"][0]
    choices = [
        {"ID": int(each["id"]), "VALUE": each["value"], "DEF": each["def"] == "Y", "XML_ID": each["xmlId"]}
        for each in one["enum"]
    ]
    row = {**python(one, "Europe/Berlin"), "id": int(one["id"]), "sort": int(one["sort"]), "enum": choices}
    row["showFilter"] = "N"
    portal.put("user_field", {**row, **dict.fromkeys(("listColumnLabel", "listFilterLabel"))})
    expected = {
        **one,
        **{name: dict.fromkeys(("en", "de")) for name in ("listColumnLabel", "listFilterLabel")},
    }
    assert admin.result("userfieldconfig.get", moduleId="crm", id=7095) == {"field": expected}
    portal.change(
        "user_field", 7095, editFormLabel=listed["editFormLabel"], errorMessage=None, helpMessage=None
    )
    asked: dict[str, Any] = {"select": {"0": "*", "language": "de"}, "filter": {"multiple": "Y"}}
    answer = admin.answer("userfieldconfig.list", moduleId="crm", order={"id": "DESC"}, start=0, **asked)
    assert answer["result"]["fields"] == [listed]


def test_an_activity(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Berlin")
    portal.timezone = "Etc/GMT-2"  # the page mixes winter and summer under one offset
    expected = sample("crm.activity.get")["result"]
    row = {**python(expected, "Etc/GMT-2"), "ID": 999, "SETTINGS": {}, "PROVIDER_PARAMS": {}}
    portal.put("activity", {**row, "OWNER_ID": 15, "OWNER_TYPE_ID": 3, "TYPE_ID": 2})
    assert admin.result("crm.activity.get", id=999) == expected
    assert admin.result("crm.activity.fields") == sample("crm.activity.fields")["result"]


def test_what_the_event_of_a_smart_process_carries(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "UTC")
    seed.add_smart_process(portal, "SPA", entity_type_id=1220)
    expected = sample("onCrmDynamicItemAdd")
    with inbox() as box:
        admin.result("event.bind", event="onCrmDynamicItemAdd", handler=box.url)
        portal.put("dynamic_1220", {"id": 22, "title": "x"})
        emulator.events(portal).settle()
    assert [(form["event"], form["data"]) for form in box.forms] == [(expected["event"], expected["data"])]


@pytest.mark.parametrize("name", ["onTaskAdd", "onTaskUpdate", "onTaskDelete"])
def test_what_the_events_of_tasks_carry(emulator: Emulator, name: str) -> None:
    portal, admin = portal_of(emulator, "UTC")
    expected = sample(name)
    with inbox() as box:
        admin.result("event.bind", event=name, handler=box.url)
        portal.put("task", {"ID": 123, "TITLE": "x"})
        portal.change("task", 123, TITLE="y")
        portal.remove("task", 123)
        emulator.events(portal).settle()
    texts = json.loads(json.dumps(expected["data"]), parse_int=str)  # a form knows only texts
    assert [(form["event"], form["data"]) for form in box.forms] == [(expected["event"], texts)]


def test_what_the_event_of_a_call_carries(emulator: Emulator) -> None:
    portal, admin = portal_of(emulator, "Europe/Moscow")
    expected = sample("onVoximplantCallEnd")
    data = expected["data"]
    start = parse_moment(data["CALL_START_DATE"], ZoneInfo("Europe/Moscow"))
    with inbox() as box:
        admin.result("event.bind", event="onVoximplantCallEnd", handler=box.url)
        portal.put("call", {**data, "CALL_START_DATE": start, "CALL_DURATION": 0, "CALL_TYPE": 1})
        emulator.events(portal).settle()
    assert [(form["event"], form["data"]) for form in box.forms] == [(expected["event"], data)]
