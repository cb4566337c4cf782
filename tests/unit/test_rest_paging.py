"""Paging against a portal of a few lines that answers references as oddly as the real one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.rest.calls import Call, pack, unpack
from b24app.rest.decipher import Reply
from b24app.rest.errors import GarbageAnswer, MethodBlocked, RestError, RetryLater
from b24app.rest.paging import (
    Chain,
    Listing,
    read_all,
    read_batch,
    read_offsets,
    rows_at,
)

HISTORY = Listing("crm.stagehistory.list", {"entityTypeId": 2}, ("items",), "ID")
USERS = Listing("user.get", id_key="ID", filter_name="FILTER", is_sorted_by_text=True)
DEALS = Listing("crm.item.list", {"entityTypeId": 2, "select": ["id"]}, ("items",))


class SmallPortal:
    """Lists ids by keyset. `follows` tells whether it understands `$result` at all."""

    def __init__(self, ids: Iterable[int], *, follows: bool = True, rows_in: str = "items") -> None:
        self.ids = sorted(ids)
        self.follows = follows
        self.rows_in = rows_in
        self.batches: list[int] = []
        self.failing: dict[str, RestError] = {}  # command → error, once

    def batch(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]:
        self.batches.append(len(calls))
        results: dict[str, Any] = {}
        outcome: dict[str, Reply | RestError] = {}
        for name, call in unpack(pack(calls)).items():  # over the wire everything is text
            error = self.failing.pop(name, None)
            if error is not None:
                outcome[name] = error
                continue
            results[name] = self._list(call.params, results)
            outcome[name] = Reply(results[name])
        return outcome

    def _list(self, params: Any, results: dict[str, Any]) -> Any:
        found = self.ids
        for key, value in params.get("filter", params.get("FILTER", {})).items():
            limit = self._resolved(value, results)
            if not isinstance(limit, int):
                continue  # a filter by a list or a text: dropped in silence
            if key.lower() == ">id":
                found = [i for i in found if i > limit]
            elif key.lower() == "<id":
                found = [i for i in found if i < limit]
        order = params["order"]
        direction = order if isinstance(order, str) else next(iter(order.values()))
        page = (found if direction == "ASC" else found[::-1])[:50]
        rows = [{"id": i, "ID": str(i)} for i in page]
        return {self.rows_in: rows} if self.rows_in else rows

    def _resolved(self, value: str, results: dict[str, Any]) -> Any:
        if value.lstrip("-").isdecimal():
            return int(value)
        if not self.follows:
            return 0
        level: Any = results
        for key in re.findall(r"\[([^\]]*)\]", value):
            if isinstance(level, dict) and key in level:
                level = level[key]
            elif isinstance(level, list) and key.isdecimal() and int(key) < len(level):
                level = level[int(key)]
            else:
                break
        return int(level) if isinstance(level, int | str) else level


def ids_of(batches: Iterable[list[dict[str, Any]]]) -> list[int]:
    return [int(row["id"]) for rows in batches for row in rows]


IDS = st.sets(st.integers(1, 3000), max_size=900)


@settings(max_examples=60)
@given(IDS, st.booleans(), st.booleans(), st.integers(1, 50))
def test_each_row_comes_once_and_in_order(ids: set[int], descending: bool, follows: bool, first: int) -> None:
    portal = SmallPortal(ids, follows=follows)
    read = ids_of(read_all(portal, DEALS, descending=descending, first_pages=first))
    assert read == sorted(ids, reverse=descending)


@settings(max_examples=60)
@given(IDS, st.integers(0, 3001), st.integers(0, 3001), st.booleans())
def test_both_ends_of_a_range_are_exclusive(ids: set[int], after: int, before: int, descending: bool) -> None:
    read = ids_of(read_all(SmallPortal(ids), DEALS, after=after, before=before, descending=descending))
    assert sorted(read) == sorted(i for i in ids if after < i < before)


@settings(max_examples=60)
@given(IDS, st.integers(1, 7), st.booleans())
def test_ranges_together_bring_each_row_once(ids: set[int], parts: int, descending: bool) -> None:
    portal = SmallPortal(ids)
    edges = [3000 * number // parts for number in range(parts + 1)]
    ranges = [(low, high + 1) for low, high in itertools.pairwise(edges)]  # both ends are exclusive
    chains = [
        Chain(
            DEALS, last=high if descending else low, bound=low if descending else high, descending=descending
        )
        for low, high in ranges
    ]
    read: list[int] = []
    while not all(chain.is_done for chain in chains):
        read += ids_of(read_batch(portal, chains, 50 // len(chains)))
    assert sorted(read) == sorted(ids)


def test_a_full_portal_is_read_fifty_pages_at_a_time() -> None:
    portal = SmallPortal(range(1, 6001))
    assert len(ids_of(read_all(portal, DEALS))) == 6000
    assert portal.batches == [3, 12, 48, 50, 50]  # 150, 600, 2,400, 2,500 rows and the rest


def test_a_last_page_that_is_full_costs_one_more_look() -> None:
    portal = SmallPortal(range(1, 151))
    assert len(ids_of(read_all(portal, DEALS))) == 150
    assert len(portal.batches) == 2


@pytest.mark.parametrize("listing", [HISTORY, USERS])
def test_other_lists_write_their_ids_elsewhere_and_as_text(listing: Any) -> None:
    portal = SmallPortal(range(5, 500, 3), rows_in="items" if listing.rows_at else "")
    assert ids_of(read_all(portal, listing)) == list(range(5, 500, 3))


def test_a_page_that_fails_in_the_middle_is_read_again_from_there() -> None:
    portal = SmallPortal(range(1, 1001))
    portal.failing = {"c0_1": RetryLater("internal_server_error")}
    assert ids_of(read_all(portal, DEALS)) == list(range(1, 1001))


def test_the_first_page_s_error_reaches_the_caller_and_the_place_is_kept() -> None:
    portal = SmallPortal(range(1, 1001))
    chain = Chain(DEALS)
    chain.take("c", portal.batch(chain.calls("c", 2)))
    portal.failing = {"c_0": MethodBlocked("operation_time_limit", until=9.0)}
    outcome = portal.batch(chain.calls("c", 2))
    with pytest.raises(MethodBlocked):
        chain.take("c", outcome)
    assert (chain.last, chain.is_done) == (100, False)
    assert ids_of([chain.take("c", portal.batch(chain.calls("c", 1)))]) == list(range(101, 151))


def test_a_portal_that_ignores_the_filter_is_not_read_for_ever() -> None:
    class Deaf(SmallPortal):
        def _list(self, params: Any, results: dict[str, Any]) -> Any:
            return super()._list({**params, "filter": {}}, results)

    with pytest.raises(GarbageAnswer, match="out of the asked range"):
        ids_of(read_all(Deaf(range(1, 101)), DEALS))


def test_a_row_repeated_by_a_join_comes_once() -> None:
    class Joining(SmallPortal):
        def _list(self, params: Any, results: dict[str, Any]) -> Any:
            rows = super()._list(params, results)["items"]
            return {"items": sorted(rows + rows[:1], key=lambda row: row["id"])}

    assert ids_of(read_all(Joining(range(1, 30)), DEALS)) == list(range(1, 30))


def test_an_empty_portal_answers_with_an_empty_list_instead_of_an_object() -> None:
    assert rows_at([], ("items",)) == []
    assert rows_at({"0": {"id": 1}, "2": {"id": 3}}, ()) == [{"id": 1}, {"id": 3}]
    for result in ({}, None, "x", {"items": None}, {"items": [1]}):
        with pytest.raises(GarbageAnswer):
            rows_at(result, ("items",))


class Departments:
    """Pages by offset; `total` only if told."""

    def __init__(self, count: int, *, tells_total: bool) -> None:
        self.count = count
        self.tells_total = tells_total
        self.requests = 0

    def batch(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]:
        self.requests += 1
        return {name: self._page(int(call.params["start"])) for name, call in calls.items()}  # type: ignore[call-overload]

    def _page(self, start: int) -> Reply:
        rows = [{"ID": str(i)} for i in range(self.count)][start : start + 50]
        following = start + 50 if start + 50 < self.count else None
        return Reply(rows, self.count if self.tells_total else None, following)


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 230])
def test_lists_by_offset_come_whole(count: int, tells_total: bool) -> None:
    portal = Departments(count, tells_total=tells_total)
    read = [row["ID"] for rows in read_offsets(portal, "department.get") for row in rows]
    assert read == [str(i) for i in range(count)]
    if tells_total:
        assert portal.requests <= 2


def test_offsets_that_do_not_grow_end_the_reading() -> None:
    class Stuck(Departments):
        def _page(self, start: int) -> Reply:
            return Reply([{"ID": "1"}], None, 50)

    assert len(list(read_offsets(Stuck(1, tells_total=False), "department.get"))) == 2
