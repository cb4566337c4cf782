"""Ids cut into pages: each row exactly once, whatever is missing, comes, goes and fails meanwhile."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.rest.decipher import Reply
from b24app.rest.errors import GarbageAnswer, RestError, RetryLater
from b24app.rest.paging import PAGE_SIZE, Listing
from b24app.sync.lanes import FIRST_PAGES, Lanes, Outcome, Span
from b24app.sync.list_read import page_rows

DEALS = Listing("crm.item.list", rows_at=("items",))


@dataclass
class Portal:
    """Rows by id, and what was asked of it."""

    ids: set[int]
    asked: int = 0

    def page(self, page: Span) -> Reply:
        self.asked += 1
        span = range(page.last, page.first - 1, -1)
        is_short = len(span) < len(self.ids)  # a few ids looked up, or a few rows sorted
        rows = (
            (i for i in span if i in self.ids)
            if is_short
            else sorted(filter(span.__contains__, self.ids), reverse=True)
        )
        found = list(itertools.islice(rows, PAGE_SIZE))
        return Reply({"items": [{"id": row_id} for row_id in found]})


def settled(portal: Portal, page: Span) -> tuple[list[int], Outcome]:
    rows, rest = page_rows(DEALS, page, portal.page(page))
    return [row["id"] for row in rows], Outcome(page, len(rows), rest)


def some(count: int, top: int, dense_from: int, seed: int) -> set[int]:
    """So many ids up to `top`, and 400 without a hole from `dense_from` on."""
    chance = random.Random(seed)
    return {chance.randrange(1, top + 1) for _ in range(count)} | set(range(dense_from, dense_from + 400))


IDS = st.one_of(
    st.sets(st.integers(1, 6000), max_size=100),
    st.builds(some, st.integers(0, 3000), st.integers(1, 9000), st.integers(1, 90_000), st.integers(0, 99)),
)


@settings(max_examples=80)
@given(IDS, st.booleans(), st.integers(0, 2**32))
def test_each_row_is_read_once_in_any_order_of_answers_and_after_any_kill(
    ids: set[int], is_even: bool, seed: int
) -> None:
    portal, top = Portal(set(ids)), max(ids, default=0)
    stored = [Span(1, top)] if top else []
    lanes = Lanes(stored, is_even=is_even)
    read: list[int] = []
    under_way: list[list[Span]] = []
    chance = random.Random(seed)
    while not lanes.is_done:
        pages = lanes.take(chance.choice([1, 7, 50])) if len(under_way) < 8 else []
        if pages:
            under_way.append(pages)
            continue
        assert under_way, "nothing is under way, nothing is handed out, and not all is read"
        answered = under_way.pop(chance.randrange(len(under_way)))
        failing = {page for page in answered if chance.random() < 0.05}
        outcomes = []
        for page in answered:
            if page not in failing:
                rows, outcome = settled(portal, page)
                read += rows
                outcomes.append(outcome)
        stored = lanes.unread(outcomes)  # what is committed together with the rows
        lanes.settle(outcomes)
        lanes.give_back(failing)
        assert lanes.unread() == stored
        if chance.random() < 0.1:  # killed: what is under way is lost, the cursor is not
            lanes, under_way = Lanes(stored, is_even=is_even), []
    assert sorted(read) == sorted(ids)


@settings(max_examples=60)
@given(IDS, st.integers(0, 2**32))
def test_rows_that_stay_are_read_once_while_others_come_and_go(ids: set[int], seed: int) -> None:
    portal, top = Portal(set(ids)), max(ids, default=0)
    chance = random.Random(seed)
    lanes = Lanes([Span(1, top)] if top else [], is_even=True)
    read: list[int] = []
    changed: set[int] = set()
    while pages := lanes.take(50):
        for page in pages:
            row_id = chance.randrange(1, top + 1)
            changed.add(row_id)
            (portal.ids.discard if row_id in portal.ids else portal.ids.add)(row_id)
            rows, outcome = settled(portal, page)
            read += rows
            lanes.settle([outcome])
    assert lanes.is_done
    assert len(read) == len(set(read))
    assert set(read) - changed == ids - changed


def read_all(portal: Portal, top: int, *, is_even: bool) -> None:
    lanes = Lanes([Span(1, top)], is_even=is_even)
    while pages := lanes.take(50):
        lanes.settle([settled(portal, page)[1] for page in pages])


def test_a_list_without_holes_costs_as_many_pages_as_its_rows_fill() -> None:
    portal = Portal(set(range(1, 20_001)))
    read_all(portal, 20_000, is_even=True)
    assert portal.asked == 20_000 / PAGE_SIZE


@pytest.mark.parametrize("every", [2, 3, 10, 1000])
def test_a_list_with_holes_costs_hardly_more(every: int) -> None:
    portal = Portal(set(range(1, 200_001, every)))
    read_all(portal, 200_000, is_even=True)
    pages = 200_000 / every / PAGE_SIZE
    assert portal.asked <= 1.3 * pages + FIRST_PAGES + 50


def test_an_empty_past_is_skipped_in_a_few_strides() -> None:
    portal = Portal(set(range(499_001, 500_001)))
    read_all(portal, 500_000, is_even=False)
    assert portal.asked <= 250


def test_the_newest_go_out_first_and_a_thin_list_is_not_stormed() -> None:
    lanes = Lanes([Span(1, 1_000_000)], is_even=False)
    first = lanes.take(50)
    assert len(first) == FIRST_PAGES
    assert first[0] == Span(999_951, 1_000_000)
    assert lanes.take(50) == []  # nobody knows yet how many rows there are
    lanes.settle([Outcome(page, 50, None) for page in first])
    assert len(lanes.take(50)) + len(lanes.take(50)) == 3 * FIRST_PAGES
    assert lanes.take(50) == []


def test_short_lists_take_one_request() -> None:
    assert len(Lanes([Span(1, 2_500)], is_even=False).take(50)) == 50


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": 70}],  # above the page
        [{"id": 10}],  # below it
        [{"id": 30}, {"id": 40}],  # the wrong way round
        [{"title": "no id"}],
    ],
)
def test_rows_that_are_not_of_the_page_are_not_believed(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(GarbageAnswer):
        page_rows(DEALS, Span(11, 60), Reply({"items": rows}))


def test_a_failed_page_stays_unread() -> None:
    error: RestError = RetryLater("internal_server_error")
    with pytest.raises(RetryLater):
        page_rows(DEALS, Span(1, 50), error)


def test_a_full_page_leaves_what_is_below_its_last_row() -> None:
    full = Reply({"items": [{"id": row_id} for row_id in range(100, 50, -1)]})
    assert page_rows(DEALS, Span(1, 100), full)[1] == Span(1, 50)
    assert page_rows(DEALS, Span(51, 100), full)[1] is None


def test_a_row_that_a_join_repeats_counts_once() -> None:
    told = [{"id": 9}, {"id": 9}, *({"id": row_id} for row_id in range(8, 0, -1))]
    rows, rest = page_rows(DEALS, Span(1, 50), Reply({"items": told}))
    assert [row["id"] for row in rows] == list(range(9, 0, -1))
    assert rest is None
