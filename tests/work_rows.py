"""Rows of tasks, hours, calls and CRM activities for tests: only what matters is said."""

from __future__ import annotations

from typing import Any

from tests.cast import ANNA
from tests.crm_rows import Row, at

DEADLINE_NONE = "9999-12-31T00:00:00+03:00"


def task(
    task_id: int,
    *,
    owner: int = ANNA,
    closed: str | None = None,
    deadline: str | None = None,
    status: int | None = None,
    project: int = 0,
    estimate_h: float = 0,
    spent_h: float = 0,
    mark: str | None = None,
    changes: list[tuple[int, int]] | None = None,
    created: str = "2026-10-01 10:00",
) -> Row:
    """A task; with `closed` a completed one. `changes`: its history as (from, to) statuses."""
    return {
        "id": str(task_id),
        "responsibleId": str(owner),
        "status": str(status or (5 if closed else 3)),
        "groupId": str(project),
        "createdDate": at(created),
        "changedDate": at(closed or created),
        "closedDate": at(closed) if closed else None,
        "deadline": at(deadline) if deadline else None,
        "timeEstimate": str(int(estimate_h * 3600)),
        "timeSpentInLogs": str(int(spent_h * 3600)) if spent_h else None,
        "mark": mark,
        "history": None
        if changes is None
        else [
            {"field": "STATUS", "createdDate": at(created), "value": {"from": str(a), "to": str(b)}}
            for a, b in changes
        ],
    }


def hours(record_id: int, worked: str, number: float, *, owner: int = ANNA, task: int = 1) -> Row:
    """A time record."""
    return {
        "ID": str(record_id),
        "TASK_ID": str(task),
        "USER_ID": str(owner),
        "SECONDS": str(int(number * 3600)),
        "CREATED_DATE": at(worked),
    }


def call(
    call_id: int,
    started: str,
    *,
    owner: int = ANNA,
    kind: int = 1,
    code: str = "200",
    seconds: int = 60,
) -> Row:
    return {
        "ID": str(call_id),
        "PORTAL_USER_ID": str(owner),
        "CALL_TYPE": str(kind),
        "CALL_DURATION": str(seconds),
        "CALL_START_DATE": at(started),
        "CALL_FAILED_CODE": code,
    }


def activity(
    activity_id: int,
    *,
    owner: int = ANNA,
    type_id: int = 6,
    provider: str = "CRM_TODO",
    direction: int = 0,
    created: str = "2026-11-02 10:00",
    updated: str | None = None,
    end: str | None = None,
    deadline: str | None = None,
    done: bool = False,
    settings: Any = (),
    deal: int | None = None,
    also: list[int] | None = None,
) -> Row:
    """A CRM activity of `deal`, bound to the deals in `also` too."""
    return {
        "ID": str(activity_id),
        "OWNER_ID": str(deal or 1),
        "OWNER_TYPE_ID": "2" if deal else "3",
        "TYPE_ID": str(type_id),
        "PROVIDER_ID": provider,
        "DIRECTION": str(direction),
        "CREATED": at(created),
        "LAST_UPDATED": at(updated or created),
        "START_TIME": at(created),
        "END_TIME": at(end) if end else None,
        "DEADLINE": at(deadline) if deadline else DEADLINE_NONE,
        "COMPLETED": "Y" if done else "N",
        "RESPONSIBLE_ID": str(owner),
        "SETTINGS": dict(settings) or [],
        "BINDINGS": [{"OWNER_ID": str(one), "OWNER_TYPE_ID": "2"} for one in also or ()],
    }


def mail(activity_id: int, created: str, *, direction: int = 2, **how: Any) -> Row:
    return activity(activity_id, type_id=4, provider="CRM_EMAIL", direction=direction, created=created, **how)


def meeting(activity_id: int, end: str | None, *, done: bool = True, **how: Any) -> Row:
    return activity(activity_id, type_id=1, provider="CRM_MEETING", end=end, done=done, **how)


def budget(
    item_id: int,
    closed: str,
    planned: Any,
    actual: Any,
    *,
    owner: int = ANNA,
    category: int = 0,
    currency: str | None = "RUB",
    semantics: str = "S",
) -> Row:
    """An item with a money budget, in its final stage since `closed`."""
    return {
        "id": item_id,
        "assignedById": owner,
        "categoryId": category,
        "stageId": "DONE",
        "stageSemanticId": semantics,
        "createdTime": at(closed),
        "movedTime": at(closed),
        "updatedTime": at(closed),
        "currencyId": currency,
        "ufPlan": planned,
        "ufFact": actual,
    }
