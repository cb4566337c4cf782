"""Portals whose records are made when asked for behave as ones that hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator import crm, large
from emulator.large import Large
from emulator.server import Emulator
from emulator.world import Moments, Portal
from tests.http.emulated import Asker, asker

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DEALS = 1_000


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    portal = emulator.add_portal()
    large.fill(portal, DEALS, NOW)
    return portal


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def pages(admin: Asker, method: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """All rows by keyset, in the order in which they came."""
    found: list[dict[str, Any]] = []
    while True:
        bounds = {f">{key}": found[-1][key]} if found else {}
        given = params | {"filter": params.get("filter", {}) | bounds, "order": {key: "ASC"}, "start": -1}
        page = admin.result(method, **given)["items"]
        found += page
        if len(page) < 50:
            return found


def test_every_deal_has_the_history_that_leads_to_its_stage(admin: Asker) -> None:
    deals = {row["id"]: row for row in pages(admin, "crm.item.list", "id", entityTypeId=2)}
    history = pages(admin, "crm.stagehistory.list", "ID", entityTypeId=2)
    assert sorted(deals) == list(range(1, DEALS + 1))
    assert [row["ID"] for row in history] == list(range(1, len(history) + 1))
    assert [row["CREATED_TIME"] for row in history] == sorted(row["CREATED_TIME"] for row in history)
    assert len(history) > 3 * DEALS
    for row in history:  # the last one of each deal wins
        deals[row["OWNER_ID"]]["last"] = row
    for deal in deals.values():
        assert (deal["stageId"], deal["movedTime"]) == (
            deal["last"]["STAGE_ID"],
            deal["last"]["CREATED_TIME"],
        )
    assert set(Counter(deal["stageSemanticId"] for deal in deals.values())) == {"P", "S", "F"}


def test_filters_by_moment_and_owner_find_what_a_look_at_all_rows_finds(admin: Asker) -> None:
    since = (NOW - timedelta(days=60)).isoformat()
    everything = pages(admin, "crm.item.list", "id", entityTypeId=2)
    wanted = [
        row["id"]
        for row in everything
        if datetime.fromisoformat(row["movedTime"]) >= NOW - timedelta(days=60) and row["assignedById"] == 3
    ]
    found = pages(
        admin, "crm.item.list", "id", entityTypeId=2, filter={">=movedTime": since, "assignedById": 3}
    )
    assert wanted
    assert [row["id"] for row in found] == wanted


def test_offsets_count_and_reach_the_end(admin: Asker) -> None:
    answer = admin.answer("crm.stagehistory.list", entityTypeId=2, start=3_400)
    assert answer["total"] == Large(DEALS, NOW).history
    assert [row["ID"] for row in answer["result"]["items"]] == list(range(3_401, answer["total"] + 1))


def test_changes_additions_and_removals_are_kept(portal: Portal, admin: Asker) -> None:
    crm.update_item(portal, "deal", 7, {"title": "Changed"}, at=NOW)
    crm.delete_item(portal, "deal", 8)
    added = crm.add_item(portal, "deal", {"title": "Added"}, at=NOW)
    crm.delete_item(portal, "deal", crm.add_item(portal, "deal", {"title": "Short-lived"}, at=NOW))
    rows = {row["id"]: row["title"] for row in pages(admin, "crm.item.list", "id", entityTypeId=2)}
    assert added == DEALS + 1
    assert sorted(rows) == [*range(1, 8), *range(9, DEALS + 2)]
    assert (rows[7], rows[added]) == ("Changed", "Added")
    assert len(portal.records["deal"]) == len(rows)
    latest = pages(admin, "crm.item.list", "id", entityTypeId=2, filter={">=updatedTime": NOW.isoformat()})
    assert {7, added} <= {row["id"] for row in latest}
    owners = {row["OWNER_ID"] for row in pages(admin, "crm.stagehistory.list", "ID", entityTypeId=2)}
    assert 8 not in owners
    assert added in owners


def test_portals_of_one_size_share_nothing_that_changes(emulator: Emulator, portal: Portal) -> None:
    other = emulator.add_portal()
    large.fill(other, DEALS, NOW)
    crm.update_item(portal, "deal", 7, {"title": "Changed"}, at=NOW)
    crm.delete_item(portal, "deal", 8)
    seventh = other.records["deal"].get(7)
    assert seventh is not None
    assert seventh["title"] == "Deal 7"
    assert other.records["deal"].get(8) is not None


def test_moments_stay_in_order_whatever_is_added_and_dropped() -> None:
    index = Moments([(5.0, 1), (3.0, 2), (5.0, 3)])
    index.add(5.0, 2)
    index.drop(3.0, 2)
    index.add(1.0, 9)
    index.drop(7.0, 1)  # not there
    assert index.ids_from(index.place(5.0)) == [1, 2, 3]
    assert index.ids_from(0) == [1, 2, 3, 9]
