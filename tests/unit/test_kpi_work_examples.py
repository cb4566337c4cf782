"""Hand-computed examples of the KPIs of projects and activity. The sum stands beside each number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from tests import stored
from tests.cast import ANNA, BORIS, GRETA, GUEST, INSIDE, SALES, SUPPORT, SVETA
from tests.crm_rows import PORTAL, deal, won
from tests.stored import rows, value
from tests.work_rows import activity, budget, call, hours, mail, meeting, task

Make = Callable[..., int]

NOVEMBER = "from=2026-11-01&to=2026-12-01"
HOUR = 3600
SITE, SHOP = 5, 12
PROJECTS = [{"ID": "5", "NAME": "Site"}, {"ID": "12", "NAME": "Shop", "CLOSED": "Y"}]
NOTHING_OFF = {"week_holidays": ["SA", "SU"]}


@pytest.fixture
def make(engine: Engine) -> Make:
    """Makes a portal with these rows and settings; everything of it is read."""

    def portal(settings: dict[str, Any] | None = None, **records: Any) -> int:
        portal_id = stored.new_portal(engine)
        stored.choose(engine, portal_id, **(settings or {}))
        stored.save(engine, portal_id, {**PORTAL, "projects": PROJECTS, **records})
        return portal_id

    return portal


def numbers(found: dict[str, Any]) -> tuple[Any, Any, Any]:
    return found["value"], found["numerator"], found["denominator"]


def left_out(found: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["count"] for one in found["left_out"]}


DUE = [
    task(1, deadline="2026-11-10 18:00", closed="2026-11-10 18:00"),  # at the deadline: in time
    task(2, deadline="2026-11-10 18:00", closed="2026-11-10 18:00:01", project=SITE),  # a second late
    task(3, deadline="2026-11-12 18:00"),  # not completed
    task(4, deadline="2026-11-12 18:00", status=6),  # deferred: left out
    task(5, deadline="2026-11-23 13:15:02", closed="2026-11-20 10:00", owner=BORIS),  # due this second
    task(6, deadline="2026-11-23 13:15:03", closed="2026-11-20 10:00"),  # due in a second: not yet
    task(7, closed="2026-11-10 10:00"),  # no deadline
    task(8, deadline="2026-10-31 23:59:59", closed="2026-10-01 10:00"),  # October
    task(9, deadline="2026-11-12 18:00", closed="2026-11-11 10:00", status=4),  # handed in, not completed
]


def test_on_time_rate_judges_the_deadlines_that_have_come(engine: Engine, make: Make) -> None:
    portal = make(tasks=DUE)
    # in time: 1, 5; due: 1, 2, 3, 5, 9
    found = value(engine, portal, f"metric=on_time_rate&scope=company&{NOVEMBER}")
    assert numbers(found) == ("0.4", 2, 5)
    assert left_out(found) == {"not_due": 1, "deferred": 1}  # 6; 4
    assert found["few_data"] is True
    assert numbers(value(engine, portal, f"metric=on_time_rate&scope=user:{ANNA}&{NOVEMBER}")) == (
        "0.25", 1, 4,
    )  # fmt: skip
    later = datetime(2026, 11, 23, 10, 15, 3, tzinfo=UTC)
    # a second later 6 is due too, and was in time: 3 / 6
    found = value(engine, portal, f"metric=on_time_rate&scope=company&{NOVEMBER}", now=later)
    assert numbers(found) == ("0.5", 3, 6)


def test_tasks_are_split_by_project_and_limited_to_the_chosen_ones(engine: Engine, make: Make) -> None:
    portal = make(tasks=DUE)
    parts = rows(engine, portal, f"metric=on_time_rate&scope=company&by=project&{NOVEMBER}")
    # no project: 1, 5 of 1, 3, 5, 9; project 5: none of task 2
    assert {key: numbers(part) for key, part in parts.items()} == {
        "project:0": ("0.5", 2, 4),
        "project:5": ("0", 0, 1),
    }
    chosen = make({"projects": [SITE]}, tasks=DUE)
    assert numbers(value(engine, chosen, f"metric=on_time_rate&scope=company&{NOVEMBER}")) == ("0", 0, 1)


def test_rows_of_projects_have_names_and_stand_in_order(engine: Engine, make: Make) -> None:
    closed = [task(n, closed="2026-11-10 10:00", project=p) for n, p in enumerate((SHOP, SITE, 0, 77), 1)]
    portal = make(tasks=closed)
    answer = stored.ask(engine, portal, f"metric=tasks_done&scope=company&by=project&{NOVEMBER}")
    keys = [row["key"] for row in answer["values"][0]["rows"]]
    assert keys == ["project:0", "project:5", "project:12", "project:77"]
    assert answer["names"] == {"project:0": "No project", "project:5": "Site", "project:12": "Shop"}


CLOSED = [
    task(1, closed="2026-11-01 00:00", estimate_h=2, spent_h=3, mark="P", changes=[(4, 2), (4, 5)]),
    task(2, closed="2026-11-30 23:59:59", estimate_h=4, spent_h=2, mark="N", changes=[(3, 5)]),
    task(3, closed="2026-11-05 10:00", spent_h=9, mark="P", changes=[(5, 3), (3, 5)], owner=BORIS),
    task(4, closed="2026-11-06 10:00", estimate_h=1, mark="P", changes=[], owner=GUEST),  # no employee
    task(5, closed="2026-12-01 00:00", estimate_h=8, spent_h=8, mark="N", changes=[]),  # December
    task(6, estimate_h=8, spent_h=8, mark="N"),  # in progress
]


def test_tasks_done_counts_tasks_closed_in_the_period(engine: Engine, make: Make) -> None:
    portal = make(tasks=CLOSED)
    # 1, 2, 3, 4
    assert value(engine, portal, f"metric=tasks_done&scope=company&{NOVEMBER}")["value"] == 4
    # 1, 2 of Anna, 3 of Boris; an extranet user is nobody's employee
    assert value(engine, portal, f"metric=tasks_done&scope=department:{SALES}&{NOVEMBER}")["value"] == 3
    parts = rows(engine, portal, f"metric=tasks_done&scope=company&by=user&{NOVEMBER}")
    assert {key: part["value"] for key, part in parts.items() if part["value"]} == {
        f"user:{ANNA}": 2,
        f"user:{BORIS}": 1,
    }


def test_budget_deviation_compares_the_hours_of_estimated_tasks(engine: Engine, make: Make) -> None:
    portal = make(tasks=CLOSED)
    found = value(engine, portal, f"metric=budget_deviation&scope=company&{NOVEMBER}")
    # 1: 3 of 2 h, 2: 2 of 4 h, 4: 0 of 1 h; 3 has no estimate. (5 - 7) / 7 = -0.2857142857…
    assert numbers(found) == ("-0.2857142857", -2 * HOUR, 7 * HOUR)
    assert left_out(found) == {"no_estimate": 1}
    assert found["few_data"] is True  # three tasks
    # 3 has no estimate: nothing to compare
    assert numbers(value(engine, portal, f"metric=budget_deviation&scope=user:{BORIS}&{NOVEMBER}")) == (
        None, 0, 0,
    )  # fmt: skip


MONEY = [
    budget(1, "2026-11-10 10:00", 1000, "1200.50", category=0),
    budget(2, "2026-11-11 10:00", "100", 50, currency="USD", owner=BORIS),  # at 80.5 RUB
    budget(3, "2026-11-12 10:00", 500, 500, currency="XXX"),  # no rate: out of both sides
    budget(4, "2026-11-13 10:00", 300, 0, semantics="F"),  # closed without success: closed
    budget(5, "2026-10-13 10:00", 300, 900),  # October
    budget(6, "2026-11-13 10:00", 300, 900, semantics="P"),  # not closed
]
FIELDS = {"planned_field": "ufPlan", "actual_field": "ufFact"}


def test_a_money_budget_takes_the_place_of_hours(engine: Engine, make: Make) -> None:
    chosen = {"budget": {"entity_type_id": 1042, **FIELDS}}
    portal = make(chosen, tasks=CLOSED, budget={"entity_type_id": 1042, "items": MONEY})
    found = value(engine, portal, f"metric=budget_deviation&scope=company&{NOVEMBER}")
    # planned 1000 + 100 × 80.5 + 300 = 9350; actual 1200.50 + 50 × 80.5 + 0 = 5225.50; -4124.50 / 9350
    assert numbers(found) == ("-0.4411229947", "-4124.50", "9350.00")
    assert found["left_out"] == [{"reason": "no_rate", "count": 1, "currency": "XXX"}]


def test_chosen_pipelines_limit_budgets_of_deals_only(engine: Engine, make: Make) -> None:
    items = [
        budget(1, "2026-11-10 10:00", 100, 150),
        budget(2, "2026-11-10 10:00", 100, 100, category=3),
    ]
    for entity_type_id, expected in ((2, "0.5"), (1042, "0.25")):  # 50 / 100; 50 / 200
        chosen = {"pipelines": [0], "budget": {"entity_type_id": entity_type_id, **FIELDS}}
        portal = make(chosen, budget={"entity_type_id": entity_type_id, "items": items})
        found = value(engine, portal, f"metric=budget_deviation&scope=company&{NOVEMBER}")
        assert found["value"] == expected


def test_rework_rate_counts_tasks_that_were_sent_back(engine: Engine, make: Make) -> None:
    portal = make(tasks=CLOSED)
    # returned: 1 (4 → 2), 3 (5 → 3); closed in November: 1, 2, 3, 4
    found = value(engine, portal, f"metric=rework_rate&scope=company&{NOVEMBER}")
    assert (numbers(found), found["provisional"]) == (("0.5", 2, 4), False)


def test_tasks_whose_history_is_not_read_yet_make_rework_provisional(engine: Engine, make: Make) -> None:
    unread = task(9, closed="2026-11-07 10:00", changes=None, owner=BORIS)
    portal = make(tasks=[*CLOSED, unread])
    found = value(engine, portal, f"metric=rework_rate&scope=company&{NOVEMBER}")
    assert (numbers(found), found["provisional"]) == (("0.5", 2, 4), True)
    assert found["left_out"] == [{"reason": "not_read", "count": 1}]
    only = make(tasks=[unread])
    found = value(engine, only, f"metric=rework_rate&scope=company&{NOVEMBER}")
    assert (found["value"], found["reason"], found["provisional"]) == (None, "not_synced", False)


def test_task_rating_is_the_share_of_good_marks(engine: Engine, make: Make) -> None:
    portal = make(tasks=CLOSED)
    # good: 1, 3, 4; bad: 2
    found = value(engine, portal, f"metric=task_rating&scope=company&{NOVEMBER}")
    assert (numbers(found), left_out(found)) == (("0.75", 3, 4), {})
    portal = make(tasks=[*CLOSED, task(7, closed="2026-11-07 10:00")])
    found = value(engine, portal, f"metric=task_rating&scope=company&{NOVEMBER}")
    assert (numbers(found), left_out(found)) == (("0.75", 3, 4), {"no_mark": 1})


LOGGED = [
    hours(1, "2026-11-01 00:00", 2),
    hours(2, "2026-11-30 23:59:59", 1.5, task=2),
    hours(3, "2026-12-01 00:00", 8),  # December
    hours(4, "2026-11-10 10:00", 4, owner=GRETA),  # dismissed: in totals
    hours(5, "2026-11-10 10:00", 1, owner=GUEST, task=999),  # a task that is not known
]
PLANNED = [
    task(1, deadline="2026-11-10 10:00", estimate_h=4, project=SITE),
    task(2, deadline="2026-11-30 10:00", estimate_h=6, status=6),  # deferred: still planned
    task(3, deadline="2026-12-10 10:00", estimate_h=9),  # December
    task(4, deadline="2026-11-30 10:00", owner=BORIS),  # no estimate
]


def test_resource_plan_lays_hours_logged_beside_hours_planned(engine: Engine, make: Make) -> None:
    portal = make(tasks=PLANNED, time_records=LOGGED)
    found = value(engine, portal, f"metric=resource_plan&scope=company&{NOVEMBER}")
    # logged 2 + 1.5 + 4 + 1 = 8.5 h; planned 4 + 6 = 10 h
    assert numbers(found) == ("0.85", int(8.5 * HOUR), 10 * HOUR)
    assert left_out(found) == {"no_estimate": 1}
    parts = rows(engine, portal, f"metric=resource_plan&scope=company&by=project&{NOVEMBER}")
    # project 5: 1 and 4 on task 1, 6 h of 4 h; none: 1.5 + 1 h of task 2 and an unknown one, of 6 h
    assert {key: numbers(part) for key, part in parts.items()} == {
        "project:0": ("0.4166666667", int(2.5 * HOUR), 6 * HOUR),
        "project:5": ("1.5", 6 * HOUR, 4 * HOUR),
    }
    chosen = make({"projects": [SITE]}, tasks=PLANNED, time_records=LOGGED)
    found = value(engine, chosen, f"metric=resource_plan&scope=company&{NOVEMBER}")
    assert numbers(found) == ("1.5", 6 * HOUR, 4 * HOUR)


def test_utilization_is_hours_logged_of_working_hours(engine: Engine, make: Make) -> None:
    portal = make(tasks=PLANNED, time_records=LOGGED)
    found = value(engine, portal, f"metric=utilization&scope=user:{ANNA}&{NOVEMBER}")
    # November 2026 has 21 days from Monday to Friday: 168 h; logged 2 + 1.5 h
    assert numbers(found) == ("0.0208333333", int(3.5 * HOUR), 168 * HOUR)
    found = value(engine, portal, f"metric=utilization&scope=department:{INSIDE}&{NOVEMBER}")
    # Anna and Boris work; what dismissed Greta logged counts, her days do not: 7.5 h of 2 × 168 h
    assert numbers(found) == ("0.0223214286", int(7.5 * HOUR), 336 * HOUR)
    found = value(engine, portal, f"metric=utilization&scope=company&{NOVEMBER}")
    # five active employees; the guest's hour counts for the company: 8.5 h of 5 × 168 h
    assert numbers(found) == ("0.0101190476", int(8.5 * HOUR), 840 * HOUR)


def test_capacity_follows_the_calendar_and_the_hours_of_a_day(engine: Engine, make: Make) -> None:
    calendar = {
        "week_holidays": ["SA", "SU"],
        "year_holidays": "4.11",  # a Wednesday
        "year_workdays": "7.11",  # a Saturday
    }
    portal = make({"hours_per_day": 7.5}, calendar=calendar, time_records=LOGGED)
    week = "from=2026-11-02&to=2026-11-09"
    found = value(engine, portal, f"metric=utilization&scope=user:{ANNA}&{week}")
    # Monday, Tuesday, Thursday, Friday and the extra Saturday: 5 × 7.5 h
    assert numbers(found) == ("0", 0, int(37.5 * HOUR))
    days = rows(engine, portal, f"metric=utilization&scope=department:{INSIDE}&by=day&{week}")
    # two people × 7.5 h; no capacity on the holiday and on Sunday: no value there
    assert {key[-2:]: (part["value"], part["denominator"]) for key, part in days.items()} == {
        "02": ("0", 15 * HOUR),
        "03": ("0", 15 * HOUR),
        "04": (None, 0),
        "05": ("0", 15 * HOUR),
        "06": ("0", 15 * HOUR),
        "07": ("0", 15 * HOUR),
        "08": (None, 0),
    }
    people = rows(engine, portal, f"metric=utilization&scope=department:{INSIDE}&by=user&{week}")
    # everybody who works has a row; Greta was dismissed and logged nothing in the week
    assert {key: part["denominator"] for key, part in people.items()} == {
        f"user:{ANNA}": int(37.5 * HOUR),
        f"user:{BORIS}": int(37.5 * HOUR),
    }


CALLS = [
    call(1, "2026-11-01 00:00", kind=1, seconds=60),
    call(2, "2026-11-30 23:59:59", kind=4, seconds=30),  # a call-back
    call(3, "2026-11-10 10:00", kind=1, code="304", seconds=5),  # nobody answered
    call(4, "2026-11-10 10:00", kind=2, seconds=100, owner=BORIS),
    call(5, "2026-11-10 10:00", kind=3, seconds=10),  # forwarded
    call(6, "2026-11-10 10:00", kind=2, code="304", seconds=0, owner=0),  # missed by nobody in particular
    call(7, "2026-11-10 10:00", kind=3, code="603-S", seconds=0),
    call(8, "2026-11-10 10:00", kind=5, seconds=500),  # a robot
    call(9, "2026-12-01 00:00", kind=1, seconds=600),  # December
    call(10, "2026-11-10 10:00", kind=2, seconds=-5),  # clock skew
]


@pytest.mark.parametrize(
    ("metric", "scope", "expected"),
    [
        ("calls_out", "company", (2, None, None)),  # 1, 2
        ("calls_in", "company", (3, None, None)),  # 4, 5, 10
        ("calls_in", f"user:{BORIS}", (1, None, None)),  # 4
        ("calls_missed_rate", "company", ("0.4", 2, 5)),  # 6, 7 of 4, 5, 6, 7, 10
        ("calls_missed_rate", f"user:{ANNA}", ("0.3333333333", 1, 3)),  # 7 of 5, 7, 10
        ("talk_time", "company", (200, None, None)),  # 60 + 30 + 100 + 10
        ("talk_time", f"user:{SVETA}", (0, None, None)),
        ("calls_missed_rate", f"user:{SVETA}", (None, 0, 0)),
    ],
)
def test_calls(engine: Engine, make: Make, metric: str, scope: str, expected: tuple[Any, ...]) -> None:
    portal = make(calls=CALLS)
    assert numbers(value(engine, portal, f"metric={metric}&scope={scope}&{NOVEMBER}")) == expected


def test_mails_that_cannot_be_tracked_are_left_out_and_reported(engine: Engine, make: Make) -> None:
    portal = make(activities=ACTIVITIES)
    found = value(engine, portal, f"metric=email_open_rate&scope=company&{NOVEMBER}")
    assert left_out(found) == {"not_tracked": 1}  # 8


def test_a_call_of_negative_duration_is_no_talk_and_reported(engine: Engine, make: Make) -> None:
    portal = make(calls=CALLS)
    found = value(engine, portal, f"metric=talk_time&scope=company&{NOVEMBER}")
    assert found["left_out"] == [{"reason": "negative_duration", "count": 1}]


ACTIVITIES = [
    meeting(1, "2026-11-01 00:00"),
    meeting(2, "2026-11-30 23:59:59", owner=BORIS),
    meeting(3, "2026-12-01 00:00"),  # December
    meeting(4, "2026-11-10 10:00", done=False),  # planned
    meeting(5, None, updated="2026-11-10 10:00"),  # completed without an end: no meeting held on a day
    mail(6, "2026-11-05 10:00", settings={"IS_BATCH_EMAIL": False}, done=True),
    mail(7, "2026-11-05 10:00", settings={"IS_BATCH_EMAIL": False, "READ_CONFIRMED": 1790000000}, done=True),
    mail(8, "2026-11-05 10:00", settings={"IS_BATCH_EMAIL": True}),  # a mass letter
    mail(9, "2026-11-05 10:00", settings={"READ_CONFIRMED": "1790000000"}, owner=BORIS),
    mail(10, "2026-11-05 10:00", direction=1, settings={"IS_BATCH_EMAIL": False}),  # incoming
    mail(11, "2026-10-31 23:59:59", settings={"IS_BATCH_EMAIL": False}),  # October
    activity(12, done=True, created="2026-10-05 10:00", updated="2026-11-06 10:00"),  # a to-do
    activity(13, done=True, type_id=2, provider="VOXIMPLANT_CALL", end="2026-11-07 10:00"),
    activity(
        14, done=True, provider="IMOPENLINES_SESSION", end="2026-11-08 10:00", updated="2026-12-02 10:00"
    ),
    activity(15, done=True, updated="2026-12-02 10:00"),  # changed last in December
]


@pytest.mark.parametrize(
    ("metric", "scope", "expected"),
    [
        ("meetings", "company", (2, None, None)),  # 1, 2
        ("meetings", f"user:{BORIS}", (1, None, None)),  # 2
        ("emails_sent", "company", (4, None, None)),  # 6, 7, 8, 9
        ("email_open_rate", "company", ("0.6666666667", 2, 3)),  # 7, 9 of 6, 7, 9
        # meetings 1, 2, 5 (by its last change), mails 6, 7, to-do 12, call 13, session 14
        ("activities_done", "company", (8, None, None)),
    ],
)
def test_crm_activities(
    engine: Engine, make: Make, metric: str, scope: str, expected: tuple[Any, ...]
) -> None:
    portal = make(activities=ACTIVITIES)
    assert numbers(value(engine, portal, f"metric={metric}&scope={scope}&{NOVEMBER}")) == expected


def test_activities_overdue_are_the_open_ones_whose_deadline_has_passed(engine: Engine, make: Make) -> None:
    portal = make(
        activities=[
            activity(1, deadline="2026-11-23 13:15:01"),  # a second ago
            activity(2, deadline="2026-11-23 13:15:02"),  # now: not passed
            activity(3, deadline="2026-01-01 10:00", owner=BORIS),
            activity(4, deadline="2026-01-01 10:00", done=True),
            activity(5),  # no deadline
        ]
    )
    found = value(engine, portal, "metric=activities_overdue&scope=company&period=last_year")
    assert found["value"] == 2  # 1, 3: whatever the period
    later = datetime(2026, 11, 23, 10, 15, 3, tzinfo=UTC)
    found = value(engine, portal, f"metric=activities_overdue&scope=user:{ANNA}&period=month", now=later)
    assert found["value"] == 2  # 1, 2
    days = rows(engine, portal, "metric=activities_overdue&scope=company&period=last_week&by=day")
    assert {row["value"] for row in days.values()} == {None}  # what it was on other days is not known


def test_deals_idle_are_deals_in_progress_with_nothing_open_bound_to_them(engine: Engine, make: Make) -> None:
    portal = make(
        {"pipelines": [0]},
        deals=[
            deal(1),  # a call is planned
            deal(2),  # bound to the same call
            deal(3),  # only a completed activity
            deal(4, owner=BORIS),  # nothing at all
            deal(5, category=3, stage="C3:NEW"),  # a pipeline that was not chosen
            deal(6, recurring=True),
            won(7, "2026-11-10 10:00"),
        ],
        activities=[activity(1, deal=1, also=[2]), activity(2, deal=3, done=True)],
    )
    assert value(engine, portal, f"metric=deals_idle&scope=company&{NOVEMBER}")["value"] == 2  # 3, 4
    assert value(engine, portal, f"metric=deals_idle&scope=user:{ANNA}&{NOVEMBER}")["value"] == 1  # 3
    parts = rows(engine, portal, f"metric=deals_idle&scope=company&by=stage&{NOVEMBER}")
    assert {key: part["value"] for key, part in parts.items()} == {"stage:0:NEW": 2}


def test_what_is_not_read_is_not_zero(engine: Engine, make: Make) -> None:
    portal = make(calls=CALLS, tasks=CLOSED, activities=ACTIVITIES)
    with engine.begin() as conn:
        stored.set_source(conn, portal, "calls", state="off", reason="missing_scope")
        stored.set_source(conn, portal, "tasks", state="reading")
        stored.set_source(conn, portal, "activities", state="off", reason="source_off")
    expected = {
        "calls_out": "missing_scope",
        "talk_time": "missing_scope",
        "tasks_done": "not_synced",
        "on_time_rate": "not_synced",
        "resource_plan": "not_synced",
        "deals_idle": "source_off",
        "emails_sent": "source_off",
    }
    answer = stored.ask(engine, portal, f"metric={','.join(expected)}&scope=company&{NOVEMBER}")
    assert {one["metric"]: (one["value"], one["reason"]) for one in answer["values"]} == {
        key: (None, reason) for key, reason in expected.items()
    }


def test_a_second_portal_sees_nothing_of_the_first(engine: Engine, make: Make) -> None:
    make(tasks=CLOSED, time_records=LOGGED, calls=CALLS, activities=[*ACTIVITIES, activity(99, deal=1)])
    other = make(deals=[deal(1)])
    keys = "tasks_done,calls_in,talk_time,meetings,emails_sent,activities_done,activities_overdue"
    answer = stored.ask(engine, other, f"metric={keys},deals_idle&scope=company&{NOVEMBER}")
    assert [one["value"] for one in answer["values"]] == [0, 0, 0, 0, 0, 0, 0, 1]


def test_people_and_departments_add_up(engine: Engine, make: Make) -> None:
    portal = make(tasks=CLOSED, calls=CALLS)
    answer = stored.ask(engine, portal, f"metric=tasks_done,calls_in&scope=company&by=department&{NOVEMBER}")
    for found in answer["values"]:
        parts = {row["key"]: row["value"] for row in found["rows"]}
        # Anna is in Inside sales and in Support, and counts in both, once in each
        assert parts[f"department:{SALES}"] == 3
        assert parts[f"department:{SUPPORT}"] == 2
