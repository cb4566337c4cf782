"""Paging over HTTP: what the emulated portal holds comes out whole, in few requests, within its limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from b24app.rest import errors as e
from b24app.rest.paging import (
    Chain,
    Listing,
    read_all,
    read_batch,
    read_offsets,
)
from emulator import crm
from emulator.seed import add_department, add_user
from emulator.server import Emulator
from tests.http.reading import Reading

HISTORY = Listing("crm.stagehistory.list", {"entityTypeId": 2}, ("items",), "ID")
USERS = Listing("user.get", id_key="ID", filter_name="FILTER", is_sorted_by_text=True)
LEADS = Listing("crm.item.list", {"entityTypeId": 1, "select": ["id"]}, ("items",))
DEALS = Listing("crm.item.list", {"entityTypeId": 2, "select": ["id"]}, ("items",))


@pytest.fixture
def reading(engine: Engine) -> Iterator[Reading]:
    with Emulator() as emulator:
        yield Reading(emulator, emulator.add_portal(), engine)


def fill(reading: Reading, deals: int) -> list[int]:
    """Ids of new deals, every third number missing."""
    moment = datetime(2026, 5, 5, tzinfo=UTC)
    ids = [crm.add_item(reading.portal, "deal", {"title": "x"}, at=moment) for _ in range(deals * 3 // 2)]
    for deal_id in ids[2::3]:
        crm.delete_item(reading.portal, "deal", deal_id)
    return [deal_id for place, deal_id in enumerate(ids) if place % 3 != 2]


def ids_of(batches: Any) -> list[int]:
    return [int(row.get("id") or row["ID"]) for rows in batches for row in rows]


@pytest.mark.one_database
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("count", [0, 1, 50, 151, 700])
def test_all_deals_come_once(reading: Reading, count: int, descending: bool) -> None:
    deals = fill(reading, count)
    assert ids_of(read_all(reading.client(), DEALS, descending=descending)) == sorted(
        deals, reverse=descending
    )


def test_nothing_is_counted_on_the_portal(reading: Reading) -> None:
    fill(reading, 120)
    ids_of(read_all(reading.client(), DEALS))
    lists = [params for name, params in reading.emulator.calls(reading.portal) if name == "crm.item.list"]
    assert {str(params["start"]) for params in lists} == {"-1"}


@pytest.mark.parametrize("listing", [HISTORY, USERS])
def test_history_and_people_come_whole(reading: Reading, listing: Any) -> None:
    fill(reading, 130)
    for number in range(130):
        add_user(reading.portal, f"N{number}", "Clerk", departments=[1], is_active=number % 2 == 0)
    kind = "stage_history" if listing.rows_at else "user"
    expected = sorted(int(row["ID"]) for row in reading.portal.records[kind])
    assert ids_of(read_all(reading.client(), listing)) == expected


def test_several_lists_share_a_batch(reading: Reading) -> None:
    deals = fill(reading, 260)
    chains = [Chain(DEALS), Chain(HISTORY), Chain(LEADS)]
    client = reading.client()
    first = read_batch(client, chains, 5)
    assert reading.emulator.counters(reading.portal).http_requests == 1
    assert [len(rows) for rows in first] == [250, 250, 0]
    assert [chain.is_done for chain in chains] == [False, False, True]
    rest = read_batch(client, chains, 5)
    assert ids_of([first[0], rest[0]]) == deals
    assert [chain.is_done for chain in chains] == [True, True, True]
    assert [len(rows) for rows in rest] == [10, 10, 0]


def test_ranges_are_read_apart_and_make_the_whole(reading: Reading) -> None:
    deals = fill(reading, 400)
    read: list[int] = []
    for low in range(0, deals[-1] + 1, 150):
        read += ids_of(read_all(reading.client(), DEALS, after=low, before=low + 151))
    assert read == deals


def test_rows_that_come_and_go_meanwhile_shift_nothing(reading: Reading) -> None:
    deals = fill(reading, 400)
    read: list[int] = []
    for rows in read_all(reading.client(), DEALS, first_pages=1):
        if not read:
            crm.delete_item(reading.portal, "deal", deals[10])
            late = crm.add_item(reading.portal, "deal", {"title": "late"})
        read += [row["id"] for row in rows]
    assert read == [*deals, late]


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["500", "503", "html500", "half_body", "close", "expired"])
def test_trouble_in_the_middle_loses_and_doubles_nothing(reading: Reading, kind: str) -> None:
    deals = fill(reading, 500)
    reading.emulator.faults(reading.portal).add(kind, method="crm.item.list", skip=2, times=1)
    assert ids_of(read_all(reading.client(), DEALS)) == deals


def test_a_blocked_method_stops_the_reading_where_it_stands(reading: Reading) -> None:
    deals = fill(reading, 500)
    reading.emulator.faults(reading.portal).add("429", method="crm.item.list", skip=4, times=1)
    read: list[int] = []

    def read_on() -> None:
        for rows in read_all(reading.client(), DEALS):
            read.extend(row["id"] for row in rows)

    with pytest.raises(e.RateLimited) as caught:
        read_on()
    assert read == deals[:200]
    reading.clock.sleep(caught.value.retry_after_s)
    assert ids_of(read_all(reading.client(), DEALS, after=read[-1])) == deals[200:]


def test_a_missing_scope_is_told_as_such(engine: Engine) -> None:
    with Emulator() as emulator:
        reading = Reading(emulator, emulator.add_portal(scopes={"user"}), engine)
        with pytest.raises(e.ScopeMissing):
            ids_of(read_all(reading.client(), DEALS))


@pytest.mark.one_database
@pytest.mark.parametrize("count", [0, 30, 49, 60, 170])
def test_departments_come_whole_though_they_know_no_keyset(reading: Reading, count: int) -> None:
    for number in range(count):
        add_department(reading.portal, f"D{number}", parent_id=1)
    read = ids_of(read_offsets(reading.client(), "department.get"))
    assert sorted(read) == list(range(1, count + 2))
    assert reading.emulator.counters(reading.portal).http_requests <= 2


def test_a_big_portal_is_read_within_its_limits(reading: Reading) -> None:
    deals = fill(reading, 6000)
    limits = reading.emulator.limits(
        reading.portal, bucket=True, operating=True, cost_model=True, time_scale=0, page_s=5.0
    )
    client = reading.client()
    read: list[int] = []
    after = None
    while True:
        try:
            for rows in read_all(client, DEALS, after=after):
                read += [row["id"] for row in rows]
                after = read[-1]
                reading.clock.sleep(len(rows) / 50 * limits.page_s)  # what the portal took
            break
        except e.RateLimited as error:
            reading.clock.sleep(error.retry_after_s)  # 600 s of operating time: more than it has at once
    assert read == deals
    counters = reading.emulator.counters(reading.portal)
    assert (counters.refused_503, counters.refused_429) == (0, 0)
