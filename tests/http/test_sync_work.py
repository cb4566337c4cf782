"""Tasks, hours, calls, CRM activities, projects and the calendar: read once, then by what changes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from b24app import bootstrap, store, tables
from b24app.portals import settings
from b24app.sync import first_read, reconcile, refresh
from b24app.sync.sources import chosen
from b24app.sync.sources.activities import ACTIVITIES
from emulator import activities, crm, seed, tasks
from tests.http.syncing import ANNA, BORIS, Syncing, fill, syncing
from tests.http.working import DEAL, add_call, check_work, fill_work

NEW_SOURCES = ("projects", "calendar", "activities", "calls", "tasks", "task_history", "time_records")


@pytest.fixture
def empty(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


@pytest.fixture
def portal(empty: Syncing) -> Syncing:
    fill(empty.portal, deals=20, days=40)
    fill_work(empty.portal, each=24, days=60)
    empty.first_read()
    empty.settle()
    return empty


def change_cursor(portal: Syncing, **values: Any) -> None:
    cursor = {**portal.source("changes")["cursor"], **values}
    with portal.parts.engine.begin() as conn:
        conn.execute(
            update(tables.sync_sources).where(tables.sync_sources.c.source == "changes").values(cursor=cursor)
        )


def commands(portal: Syncing, method: str) -> int:
    return int(portal.emulator.counters(portal.portal).as_dict()["by_method"].get(method, 0))


def any_id(portal: Syncing, kind: str, **wanted: Any) -> int:
    for row in portal.portal.records[kind]:
        if all(row[name] == value for name, value in wanted.items()):
            return int(row["ID"])
    raise LookupError(wanted)


def choose(portal: Syncing, **chosen_: Any) -> None:
    """Change settings as the settings page does."""
    with portal.parts.engine.begin() as conn:
        before = settings.load(conn, 1)
        conn.execute(update(tables.portals).values(settings=chosen_))
        chosen.follow(conn, 1, before, settings.load(conn, 1))


def test_everything_is_read_once(empty: Syncing) -> None:
    fill(empty.portal, deals=40, days=90)
    fill_work(empty.portal, each=130, days=150)
    empty.first_read()
    check_work(empty)
    empty.check()
    assert empty.state().complete
    found = {name: empty.state().source(name) for name in NEW_SOURCES}
    assert {source.state for source in found.values()} == {"ready"}
    assert found["tasks"].row_count == found["calls"].row_count == 130
    assert [row["name"] for row in empty.rows(tables.projects)] == ["Site"]
    (calendar,) = empty.rows(tables.work_calendars)
    assert calendar["data"]["ends_s"] == 18 * 3600
    assert [1, 1] in calendar["data"]["holidays"]


def test_the_running_month_of_all_lists_comes_before_the_past_of_any(empty: Syncing) -> None:
    fill(empty.portal, deals=300, days=300)
    fill_work(empty.portal, each=300, days=300)
    assert not first_read.run(empty.parts, 1, is_over=lambda: True)
    for name in ("deals", "activities", "calls", "tasks", "time_records", "task_history"):
        assert empty.state().covered_from(name) is not None, name
    assert empty.state().source("activities").state == "reading"
    while not first_read.run(empty.parts, 1, is_over=lambda: True):
        pass
    check_work(empty)


def test_all_kinds_of_changes_arrive_at_the_next_check(portal: Syncing) -> None:
    made = portal.portal
    refresh.run(portal.parts, 1)
    add_call(made, ANNA)
    open_one = any_id(portal, "activity", COMPLETED=False)
    activities.update_activity(made, open_one, {"COMPLETED": True})
    activities.add_todo(made, DEAL, 3, datetime.now(UTC), responsible_id=BORIS)
    made.remove("activity", any_id(portal, "activity", COMPLETED=False))
    tasks.add_task(made, {"RESPONSIBLE_ID": ANNA, "DEADLINE": datetime.now(UTC).replace(microsecond=0)})
    tasks.update_task(made, any_id(portal, "task", STATUS=tasks.WAITING), {"STATUS": tasks.DONE})
    tasks.update_task(made, any_id(portal, "task", STATUS=tasks.DONE), {"MARK": "P", "RESPONSIBLE_ID": BORIS})
    made.remove("task", any_id(portal, "task", STATUS=tasks.WAITING), quiet=False)
    requests = portal.http_requests()
    assert refresh.run(portal.parts, 1)
    # One batch for all lists, one for the history of the task that was closed.
    assert portal.http_requests() <= requests + 2
    check_work(portal)


def test_nothing_new_costs_one_request_and_changes_nothing(portal: Syncing) -> None:
    assert refresh.run(portal.parts, 1)
    before, requests = portal.row().data_version, portal.http_requests()
    for _ in range(3):
        assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 3
    assert portal.row().data_version == before
    change_cursor(portal, latest_at=0)  # the latest rows of what is rewritten silently: in the same request
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 4
    assert portal.row().data_version == before


def test_new_hours_move_the_task_they_belong_to(portal: Syncing) -> None:
    task_id = any_id(portal, "task", STATUS=tasks.DONE)
    tasks.log_time(portal.portal, task_id, ANNA, 5555)  # the task itself keeps its CHANGED_DATE
    assert refresh.run(portal.parts, 1)
    check_work(portal)


def test_what_is_rewritten_without_notice_is_found_in_the_latest_rows(portal: Syncing) -> None:
    made = portal.portal
    made.change("call", any_id(portal, "call", CALL_VOTE=0), CALL_VOTE=5)
    made.remove("call", any_id(portal, "call", CALL_VOTE=1), quiet=True)
    latest = max(made.records["time_record"], key=lambda row: row["CREATED_DATE"])
    made.change("time_record", latest["ID"], SECONDS=latest["SECONDS"] + 60)
    task = made.records["task"].get(latest["TASK_ID"])
    assert task is not None
    made.put("task", {**task, "TIME_SPENT_IN_LOGS": latest["SECONDS"] + 60}, quiet=True)
    other = next(row for row in made.records["time_record"] if row["ID"] != latest["ID"])
    made.remove("time_record", other["ID"], quiet=True)
    task = made.records["task"].get(other["TASK_ID"])
    assert task is not None
    made.put("task", {**task, "TIME_SPENT_IN_LOGS": 0}, quiet=True)
    # Rows older than a month are left to the night.
    assert refresh.run(portal.parts, 1)
    change_cursor(portal, latest_at=0)
    assert refresh.run(portal.parts, 1)
    reconcile.run(portal.parts, 1)
    assert refresh.run(portal.parts, 1)
    rows = {row["record_id"]: row["seconds"] for row in portal.rows(tables.time_records)}
    assert rows[latest["ID"]] == latest["SECONDS"] + 60
    assert other["ID"] not in rows
    votes = {row["call_id"]: row["vote"] for row in portal.rows(tables.calls)}
    assert votes == {row["ID"]: row["CALL_VOTE"] or None for row in made.records["call"]}


def test_hours_of_a_deleted_task_go_with_them_where_the_portal_drops_them(portal: Syncing) -> None:
    made = portal.portal
    latest = max(made.records["time_record"], key=lambda row: row["CREATED_DATE"])
    made.remove("task", latest["TASK_ID"])
    made.remove("time_record", latest["ID"], quiet=True)
    assert refresh.run(portal.parts, 1)
    assert refresh.run(portal.parts, 1)
    check_work(portal)


def test_a_history_is_read_once_for_each_closing(portal: Syncing) -> None:
    made = portal.portal
    asked = commands(portal, "tasks.task.history.list")
    assert asked == sum(row["STATUS"] == tasks.DONE for row in made.records["task"])
    task_id = next(
        row["task_id"] for row in portal.rows(tables.tasks) if row["closed_at"] and not row["was_returned"]
    )
    tasks.update_task(made, task_id, {"MARK": "N"})
    assert refresh.run(portal.parts, 1)
    assert commands(portal, "tasks.task.history.list") == asked
    later = datetime.now(UTC) + timedelta(seconds=1)
    tasks.update_task(made, task_id, {"STATUS": tasks.RUNNING}, at=later)
    assert refresh.run(portal.parts, 1)
    assert commands(portal, "tasks.task.history.list") == asked
    tasks.update_task(made, task_id, {"STATUS": tasks.DONE}, at=later + timedelta(seconds=1))
    assert refresh.run(portal.parts, 1)
    assert commands(portal, "tasks.task.history.list") == asked + 1
    check_work(portal)
    assert refresh.run(portal.parts, 1)
    assert commands(portal, "tasks.task.history.list") == asked + 1


def test_without_the_scope_of_tasks_the_rest_goes_on_and_a_grant_is_noticed(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    scopes = {"crm", "user", "department", "telephony", "calendar", "sonet_group"}
    with syncing(engine, database_url, tmp_path, binds=False, scopes=scopes) as portal:
        fill(portal.portal, deals=10, days=30)
        fill_work(portal.portal, each=12, days=30)
        portal.first_read()
        found = portal.state()
        for name in ("tasks", "task_history", "time_records"):
            assert (found.source(name).state, found.source(name).reason) == ("off", "missing_scope")
            assert found.gap(name) == "missing_scope"
            assert f"missing_scope:{name}" in found.problems
        assert found.complete  # of what may be read
        assert len(portal.rows(tables.calls)) == 12
        assert refresh.run(portal.parts, 1)
        portal.emulator.app(portal.portal).scopes |= {"task"}
        portal.set_token(1)
        assert refresh.run(portal.parts, 1)
        change_cursor(portal, reference_at=0)
        assert refresh.run(portal.parts, 1)
        deals_read = commands(portal, "crm.item.list")
        portal.first_read()
        assert commands(portal, "crm.item.list") == deals_read  # what is known is not read again
        check_work(portal)
        assert portal.state().problems == ()


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("voximplant.statistic.get", {"calls"}),
        ("tasks.task.history.list", {"task_history"}),
        ("task.elapseditem.getlist", {"time_records"}),
        ("calendar.settings.get", {"calendar"}),
        ("crm.activity.list", {"activities", *(one.name for one in ACTIVITIES.details)}),
    ],
)
@pytest.mark.parametrize(
    "refusal",
    [
        {"kind": "403"},
        {"kind": "error", "status": 404, "error": "ERROR_METHOD_NOT_FOUND"},
    ],
    ids=["no right", "no method"],
)
def test_a_list_that_a_portal_refuses_is_off_alone(
    empty: Syncing, method: str, names: set[str], refusal: dict[str, Any]
) -> None:
    fill_work(empty.portal, each=60, days=60)
    empty.emulator.faults(empty.portal).add(**refusal, times=None, method=method)
    assert first_read.run(empty.parts, 1)
    found = empty.state()
    assert {source.source for source in found.sources if source.state == "off"} == names
    assert {source.state for source in found.sources if source.source not in names} == {"ready"}
    empty.settle()
    requests = empty.http_requests()
    assert refresh.run(empty.parts, 1)
    assert empty.http_requests() == requests + 1
    empty.emulator.faults(empty.portal).clear()
    change_cursor(empty, reference_at=0)
    assert refresh.run(empty.parts, 1)
    empty.first_read()
    check_work(empty)


def test_one_task_that_cannot_be_looked_into_holds_up_no_other(empty: Syncing) -> None:
    fill_work(empty.portal, each=60, days=60)
    empty.emulator.faults(empty.portal).add(kind="403", times=1, method="tasks.task.history.list")
    assert first_read.run(empty.parts, 1)
    closed = [row for row in empty.rows(tables.tasks) if row["closed_at"]]
    assert [row["was_returned"] for row in closed].count(None) == 1
    assert empty.state().source("task_history").state == "ready"
    empty.settle()
    requests = empty.http_requests()
    assert refresh.run(empty.parts, 1)
    assert empty.http_requests() == requests + 1  # it is not asked for at every check


def test_an_idle_company_with_long_lists_stays_within_twelve_requests_an_hour(empty: Syncing) -> None:
    for number in range(2, 75):
        seed.add_department(empty.portal, f"Department {number}", parent_id=1)
    for number in range(320):
        seed.add_user(empty.portal, f"User {number}", "Employee", departments=[1 + number % 70])
    fill(empty.portal, deals=60, days=20)
    fill_work(empty.portal, each=700, days=20)
    empty.first_read()
    assert refresh.run(empty.parts, 1)
    empty.settle()
    requests = empty.http_requests()
    for _ in range(2):  # two checks an hour: everything has become due between them
        change_cursor(empty, reference_at=0, latest_at=0)
        assert refresh.run(empty.parts, 1)
    assert empty.http_requests() - requests <= 12
    requests = empty.http_requests()
    change_cursor(empty, latest_at=0)
    assert refresh.run(empty.parts, 1)
    assert empty.http_requests() - requests <= 3
    check_work(empty)


def test_the_night_repairs_what_nobody_told(portal: Syncing) -> None:
    made = portal.portal
    for kind in ("activity", "task", "call", "time_record"):
        made.records[kind].drop(next(iter(made.records[kind]))["ID"])
    add_call(made, ANNA, at=datetime.now(UTC) - timedelta(days=100))
    repaired = reconcile.run(portal.parts, 1)
    assert repaired == {"activities": 1, "tasks": 1, "calls": 2, "time_records": 1}
    assert refresh.run(portal.parts, 1)
    gone = {row["TASK_ID"] for row in made.records["time_record"]}
    assert gone  # the hours of the task that is gone are the portal's own matter
    check_work(portal)


def test_another_time_zone_cuts_the_days_of_all_records(portal: Syncing) -> None:
    zone = ZoneInfo("America/New_York")
    with portal.parts.engine.begin() as conn:
        store.lock(conn, 1)
        conn.execute(update(tables.portals).values(timezone=zone.key))
        store.recut_days(conn, 1, zone)
    for table in store.CUT_BY_DAYS:
        for row in portal.rows(table):
            for at, day in store.days_of(table):
                moment = row[at]
                expected = None if moment is None else datetime.fromtimestamp(moment, zone).date()
                assert row[day] == expected, (table.name, row)


def test_a_money_budget_is_read_when_chosen_and_forgotten_when_not(portal: Syncing) -> None:
    made = portal.portal
    kind = seed.add_smart_process(made, "Builds")
    fields = [seed.add_custom_field(made, f"dynamic_{kind}", name, "double") for name in ("Plan", "Fact")]
    item = crm.add_item(made, f"dynamic_{kind}", {fields[0]: "100", fields[1]: "130", "assignedById": ANNA})
    assert "budget_items" not in {source.source for source in portal.state().sources}
    choose(
        portal,
        budget={"entity_type_id": kind, "planned_field": fields[0], "actual_field": fields[1]},
    )
    assert portal.state().source("budget_items").state == "pending"
    assert not portal.state().complete
    portal.first_read()
    assert portal.state().complete
    (row,) = portal.rows(tables.budget_items)
    assert (row["item_id"], row["owner_id"], row["planned"], row["actual"]) == (item, ANNA, 100, 130)
    crm.update_item(made, f"dynamic_{kind}", item, {fields[1]: "150"})
    assert refresh.run(portal.parts, 1)
    assert portal.rows(tables.budget_items)[0]["actual"] == 150
    crm.delete_item(made, f"dynamic_{kind}", item)
    assert refresh.run(portal.parts, 1)
    assert portal.rows(tables.budget_items) == []
    choose(portal)
    assert "budget_items" not in {source.source for source in portal.state().sources}


def test_no_texts_and_numbers_of_clients_are_stored(portal: Syncing) -> None:
    made = portal.portal
    secret = "Petrov +79990001122"
    activities.add_todo(made, DEAL, 3, datetime.now(UTC), title=secret, description=secret)
    tasks.add_task(made, {"TITLE": secret, "DESCRIPTION": secret})
    call_id = add_call(made, ANNA)
    made.change("call", call_id, PHONE_NUMBER="+79990001122", COMMENT=secret)
    assert refresh.run(portal.parts, 1)
    check_work(portal)
    for table in tables.metadata.sorted_tables:
        if "portal_id" in table.c:
            assert "79990001122" not in json.dumps(portal.rows(table), default=str), table.name


def test_a_list_out_of_operating_time_falls_behind_alone_and_catches_up(portal: Syncing) -> None:
    made = portal.portal
    refresh.run(portal.parts, 1)
    blocked = activities.add_todo(made, DEAL, 3, datetime.now(UTC), responsible_id=BORIS)
    portal.emulator.faults(made).add(kind="429", times=None, method="crm.activity.list")
    for _ in range(3):
        deal = crm.add_item(made, "deal", {"assignedById": ANNA})
        call = add_call(made, ANNA)
        assert refresh.run(portal.parts, 1)
        assert deal in portal.stored_deals()
        assert call in {row["call_id"] for row in portal.rows(tables.calls)}
    assert blocked not in {row["activity_id"] for row in portal.rows(tables.activities)}
    assert any(problem == "failing:activities" for problem in portal.state().problems)
    # Nobody asks for it again before the portal allows it.
    asked = commands(portal, "crm.activity.list")
    assert refresh.run(portal.parts, 1)
    assert commands(portal, "crm.activity.list") == asked
    portal.emulator.faults(made).clear()
    behind = portal.source("changes")["cursor"]["behind"]
    assert set(behind) == {"activities"}
    change_cursor(portal, behind={name: {**one, "until": 0} for name, one in behind.items()})
    again = bootstrap.build(portal.parts.settings)  # another process, which knows of no block
    assert refresh.run(again, 1)
    again.engine.dispose()
    check_work(portal)
    assert portal.state().problems == ()


def test_a_method_whose_operating_time_is_used_up_is_left_out_of_the_check(portal: Syncing) -> None:
    made = portal.portal
    assert refresh.run(portal.parts, 1)
    budget = portal.parts.budgets.for_portal(made.domain)
    budget.block("tasks.task.list", time.time() + 300)
    deal = crm.add_item(made, "deal", {"assignedById": ANNA})
    tasks.add_task(made, {"RESPONSIBLE_ID": ANNA})
    requests, started = portal.http_requests(), time.monotonic()
    assert refresh.run(portal.parts, 1)
    assert deal in portal.stored_deals()
    assert time.monotonic() - started < 5
    assert portal.http_requests() == requests + 1
    assert "failing:tasks" in portal.state().problems
