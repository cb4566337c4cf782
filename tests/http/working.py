"""Tasks, hours, calls and CRM activities of a portal that is being read, and the plain truth to compare."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from b24app import tables
from emulator import activities, tasks
from emulator.world import Portal
from tests.http.syncing import ANNA, BORIS, Syncing

DEAL = 2


def fill_work(portal: Portal, *, each: int, days: int = 200, seed_: int = 1) -> None:
    """So many tasks, time records, calls and CRM activities of the last `days`, by Anna and Boris."""
    chance = random.Random(seed_)
    now = datetime.now(UTC).replace(microsecond=0)
    portal.put("group", {"NAME": "Site", "OWNER_ID": ANNA, "OPENED": True, "CLOSED": False, "ACTIVE": True})
    for number in range(each):
        at = now - timedelta(days=chance.uniform(0, days))
        who = chance.choice((ANNA, BORIS))
        task_id = tasks.add_task(
            portal, {"RESPONSIBLE_ID": who, "GROUP_ID": number % 2, "TIME_ESTIMATE": 3600}, by=1, at=at
        )
        for status in ((tasks.RUNNING, tasks.DONE), (tasks.DONE, tasks.RUNNING, tasks.DONE), ())[number % 3]:
            at = min(now, at + timedelta(hours=1))
            tasks.update_task(portal, task_id, {"STATUS": status}, by=who, at=at)
        tasks.log_time(portal, task_id, who, 600 + number, at=at)
        add_call(portal, who, at=at, vote=number % 6)
        activity_id = activities.add_activity(
            portal, DEAL, 1 + number, {"TYPE_ID": (1, 2, 4, 6)[number % 4], "RESPONSIBLE_ID": who}, at=at
        )
        if number % 2:
            activities.update_activity(portal, activity_id, {"COMPLETED": True}, at=at)


def add_call(portal: Portal, who: int, *, at: datetime | None = None, vote: int = 0) -> int:
    """A call taken; the id of its row."""
    started = (at or datetime.now(UTC)).replace(microsecond=0)
    return portal.put(
        "call",
        {
            "PORTAL_USER_ID": who, "CALL_TYPE": 2, "CALL_DURATION": 60, "CALL_START_DATE": started,
            "CALL_FAILED_CODE": "200", "CALL_VOTE": vote, "CRM_ENTITY_TYPE": "COMPANY", "CRM_ENTITY_ID": 7,
        },
    )  # fmt: skip


def check_work(portal: Syncing) -> None:
    """What is stored is what the portal holds, record by record."""
    made = portal.portal
    assert {
        row["task_id"]: (
            row["owner_id"], row["status"], row["project_id"], row["closed_at"], row["spent_s"],
            row["was_returned"],
        )
        for row in portal.rows(tables.tasks)
    } == {row["ID"]: true_task(made, row) for row in made.records["task"]}  # fmt: skip
    assert {
        row["record_id"]: (row["task_id"], row["owner_id"], row["seconds"], row["worked_at"])
        for row in portal.rows(tables.time_records)
    } == {
        row["ID"]: (row["TASK_ID"], row["USER_ID"], row["SECONDS"], epoch(row["CREATED_DATE"]))
        for row in made.records["time_record"]
    }
    assert {
        row["call_id"]: (row["owner_id"], row["started_at"], row["vote"]) for row in portal.rows(tables.calls)
    } == {
        row["ID"]: (row["PORTAL_USER_ID"], epoch(row["CALL_START_DATE"]), row["CALL_VOTE"] or None)
        for row in made.records["call"]
    }
    assert {
        row["activity_id"]: (row["owner_id"], row["type_id"], row["is_completed"], row["item_id"])
        for row in portal.rows(tables.activities)
    } == {
        row["ID"]: (row["RESPONSIBLE_ID"], row["TYPE_ID"], bool(row["COMPLETED"]), row["OWNER_ID"])
        for row in made.records["activity"]
    }
    assert {
        (row["item_type_id"], row["item_id"], row["activity_id"])
        for row in portal.rows(tables.activity_bindings)
    } == {
        (one["OWNER_TYPE_ID"], one["OWNER_ID"], row["ID"])
        for row in made.records["activity"]
        if not row["COMPLETED"]
        for one in row["BINDINGS"]
    }


def true_task(portal: Portal, row: dict[str, Any]) -> tuple[Any, ...]:
    """(owner, status, project, closed, spent, was it returned) of a task; the last only of closed ones."""
    moves = [
        (one["FROM"], one["TO"])
        for one in portal.records["task_history"]
        if one["TASK_ID"] == row["ID"] and one["FIELD"] == "STATUS"
    ]
    was_returned = any(before in (4, 5) and after in (2, 3) for before, after in moves)
    is_closed = row["STATUS"] == tasks.DONE
    return (
        row["RESPONSIBLE_ID"],
        row["STATUS"],
        row["GROUP_ID"] or 0,
        epoch(row["CLOSED_DATE"]) if is_closed else None,
        row["TIME_SPENT_IN_LOGS"] or 0,
        was_returned if is_closed else None,
    )


def epoch(moment: datetime) -> int:
    return int(moment.timestamp())
