"""Tasks and their history: `tasks.task.list`, `tasks.task.history.list`. Source: bitrix24 tasks/fields.

Fields are asked for in UPPER_SNAKE and answered in camelCase. No titles, no descriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from b24app.facts import values
from b24app.facts.activities import deadline
from b24app.facts.values import BadRow, Border, Row

FIELDS = (
    "ID", "RESPONSIBLE_ID", "STATUS", "GROUP_ID", "CREATED_DATE", "CLOSED_DATE", "DEADLINE", "TIME_ESTIMATE",
    "TIME_SPENT_IN_LOGS", "MARK", "CHANGED_DATE",
)  # fmt: skip

WAITING, RUNNING, CONTROL, DONE, DEFERRED = 2, 3, 4, 5, 6
"""`status`"""
HANDED_IN = (CONTROL, DONE)
AT_WORK = (WAITING, RUNNING)


@dataclass(frozen=True, slots=True)
class Task:
    """`closed_at`: only of a task that is completed now. Whether it was returned is in its history."""

    task_id: int
    owner_id: int
    status: int
    project_id: int
    created_at: int
    closed_at: int | None
    closed_day: date | None
    deadline_at: int | None
    deadline_day: date | None
    estimate_s: int
    spent_s: int
    mark: str | None
    changed_at: int


def parse(row: Row, border: Border) -> Task:
    """The fact in a row of `tasks.task.list`. Raises: BadRow without an id or any moment."""
    task_id = values.required_id(row, "id")
    created, changed, closed = (
        values.moment(row.get(key), border.zone) for key in ("createdDate", "changedDate", "closedDate")
    )
    some = next((found for found in (created, changed, closed) if found is not None), None)
    if some is None:
        raise BadRow("no createdDate")
    status = values.whole(row.get("status")) or 0
    closed = closed if status == DONE else None
    due = deadline(row.get("deadline"), border.zone)
    mark = (values.text(row.get("mark"), 1) or "").upper()
    return Task(
        task_id=task_id,
        owner_id=values.link(row.get("responsibleId")) or 0,
        status=status,
        project_id=values.link(row.get("groupId")) or 0,
        created_at=some if created is None else created,
        closed_at=closed,
        closed_day=None if closed is None else border.day(closed),
        deadline_at=due,
        deadline_day=None if due is None else border.day(due),
        estimate_s=max(0, values.whole(row.get("timeEstimate")) or 0),
        spent_s=max(0, values.whole(row.get("timeSpentInLogs")) or 0),
        mark=mark if mark in ("P", "N") else None,
        changed_at=some if changed is None else changed,
    )


def was_returned(history: Iterable[Row]) -> bool:
    """True when the rows of a task's history show that it was sent back after it had been handed in.

    A renewal says so too, unless the change of status at the same moment shows a task that was not
    handed in, such as a deferred one that is taken up again.
    """
    renewed: set[Any] = set()
    taken_up: set[Any] = set()
    for row in history:
        field = str(row.get("field") or "").upper()
        if field == "RENEW":
            renewed.add(row.get("createdDate"))
        elif field in ("STATUS", "REAL_STATUS"):
            change = row.get("value")
            before, after = (
                (values.whole(change.get("from")), values.whole(change.get("to")))
                if isinstance(change, Mapping)
                else (None, None)
            )
            if before in HANDED_IN and after in AT_WORK:
                return True
            if before is not None and before not in HANDED_IN:
                taken_up.add(row.get("createdDate"))
    return bool(renewed - taken_up)
