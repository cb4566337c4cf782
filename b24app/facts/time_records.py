"""Time records of tasks: `task.elapseditem.getlist`. Source: bitrix24 tasks/elapsed-item.

`CREATED_DATE` is the day worked, also for what was entered later. No comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from b24app.facts import values
from b24app.facts.values import BadRow, Border, Row

FIELDS = ("ID", "TASK_ID", "USER_ID", "SECONDS", "MINUTES", "CREATED_DATE")


@dataclass(frozen=True, slots=True)
class TimeRecord:
    record_id: int
    owner_id: int
    task_id: int
    seconds: int
    worked_at: int
    worked_day: date


def parse(row: Row, border: Border) -> TimeRecord:
    """The fact in a row of the time records. Raises: BadRow without an id or a day."""
    record_id = values.required_id(row, "ID")
    worked = values.moment(row.get("CREATED_DATE"), border.zone)
    if worked is None:
        raise BadRow("no CREATED_DATE")
    seconds = values.whole(row.get("SECONDS"))
    if seconds is None:
        seconds = 60 * (values.whole(row.get("MINUTES")) or 0)
    return TimeRecord(
        record_id=record_id,
        owner_id=values.link(row.get("USER_ID")) or 0,
        task_id=values.link(row.get("TASK_ID")) or 0,
        seconds=seconds,
        worked_at=worked,
        worked_day=border.day(worked),
    )
