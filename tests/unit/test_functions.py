from __future__ import annotations

from itertools import chain, combinations

import pytest

from b24app.metrics.catalog import BY_KEY
from b24app.metrics.functions import FUNCTIONS, MOST, Sign, home_of
from b24app.metrics.kpi_sets import READY
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA, ORG, SALES, SUPPORT, SVETA

BY_NAME = {one.key: one for one in FUNCTIONS}


def test_there_are_four_functions_of_known_kpis_each_with_a_ready_made_set() -> None:
    assert list(BY_NAME) == ["sales", "marketing", "support", "projects"]
    assert set(BY_NAME) <= set(READY)
    named = [candidate.metric for one in FUNCTIONS for candidate in one.candidates]
    assert set(named) <= set(BY_KEY)
    assert len(set(named)) == len(named)


def test_never_more_than_five_are_suggested_whatever_is_found() -> None:
    for found in chain.from_iterable(combinations(Sign, size) for size in range(len(Sign) + 1)):
        for one in FUNCTIONS:
            suggested = one.suggested(found)
            assert len(suggested) <= MOST
            assert bool(suggested) or not one.is_found(found)


@pytest.mark.parametrize(
    ("key", "found", "expected"),
    [
        ("sales", {Sign.DEALS}, ("revenue", "deals_won", "win_rate", "average_check", "processing_time")),
        ("sales", set(), ()),
        ("marketing", {Sign.LEADS}, ("leads_new", "lead_conversion")),
        ("marketing", {Sign.DEALS, Sign.COSTS}, ("leads_new", "cac", "channel_roi")),  # without leads
        ("support", {Sign.CALLS}, ("fcr", "calls_missed_rate", "cases")),
        (
            "support",
            {Sign.CHATS, Sign.CALLS},
            ("first_response_time", "csat", "fcr", "resolution_time", "calls_missed_rate"),
        ),
        (
            "projects",
            {Sign.TASKS},
            ("on_time_rate", "tasks_done", "rework_rate", "task_rating", "resource_plan"),
        ),
        ("projects", {Sign.HOURS}, ("budget_deviation", "utilization")),
    ],
)
def test_what_a_portal_can_have_is_suggested(key: str, found: set[Sign], expected: tuple[str, ...]) -> None:
    assert BY_NAME[key].suggested(found) == expected


def test_marketing_needs_more_than_deals_to_be_found() -> None:
    assert not BY_NAME["marketing"].is_found({Sign.DEALS, Sign.CALLS, Sign.TASKS})
    assert BY_NAME["marketing"].is_found({Sign.CAMPAIGNS})


@pytest.mark.parametrize(
    ("owned", "expected"),
    [
        ({}, None),
        ({BORIS: 10}, INSIDE),
        ({BORIS: 8, IVAN: 2}, INSIDE),  # four of five
        ({BORIS: 7, IVAN: 3}, SALES),
        ({SVETA: 9, BORIS: 1}, SUPPORT),
        ({SVETA: 5, BORIS: 5, OLGA: 2}, 1),
        ({999: 10}, None),  # nobody known
    ],
)
def test_a_function_is_at_home_where_most_of_its_work_is_done(
    owned: dict[int, int], expected: int | None
) -> None:
    assert ANNA not in owned
    assert home_of(ORG, owned) == expected
