"""Changes of tasks as the portal makes them: statuses with their moments, and the history they leave.

REST writes and tests use the same functions. `at` is the moment of the change, now by default; `by` the user.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emulator.world import Portal, Row

WAITING, RUNNING, CONTROL, DONE, DEFERRED = 2, 3, 4, 5, 6
STATUSES = frozenset({WAITING, RUNNING, CONTROL, DONE, DEFERRED})
NOTED = (
    "TITLE", "DESCRIPTION", "RESPONSIBLE_ID", "ACCOMPLICES", "AUDITORS", "DEADLINE", "START_DATE_PLAN",
    "END_DATE_PLAN", "PRIORITY", "MARK", "GROUP_ID", "STAGE_ID", "PARENT_ID", "TIME_ESTIMATE", "CREATED_BY",
    "TASK_CONTROL",
)  # fmt: skip
"""What the history tells of, besides the status."""


def add_task(portal: Portal, fields: Row, *, by: int = 1, at: datetime | None = None) -> int:
    """Set a task; the id. UPPER names as in `tasks.task.list`, Python values."""
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    task: Row = {
        "TITLE": "", "DESCRIPTION": "", "PARENT_ID": None, "STATUS": WAITING, "STATUS_CHANGED_DATE": moment,
        "STATUS_CHANGED_BY": None, "CREATED_BY": by, "CREATED_DATE": moment, "RESPONSIBLE_ID": by,
        "ACCOMPLICES": [], "AUDITORS": [], "CHANGED_BY": by, "CHANGED_DATE": moment, "CLOSED_BY": None,
        "CLOSED_DATE": None, "DATE_START": None, "START_DATE_PLAN": None, "END_DATE_PLAN": None,
        "DEADLINE": None, "TIME_ESTIMATE": 0, "TIME_SPENT_IN_LOGS": None, "DURATION_FACT": None,
        "DURATION_PLAN": None, "DURATION_TYPE": "days", "GROUP_ID": 0, "STAGE_ID": 0, "FLOW_ID": None,
        "MARK": None, "TASK_CONTROL": False, "PRIORITY": 1, "ALLOW_TIME_TRACKING": False, "UF_CRM_TASK": [],
        **fields,
    }  # fmt: skip
    with portal.lock:
        # history first: who hears of the new task finds it complete
        task_id = max(portal.records["task"].next_id(), portal.last_ids.get("task", 0) + 1)
        _note(portal, task_id, moment, by, "NEW", None, None)
        return portal.put("task", {**task, "ID": task_id})


def update_task(portal: Portal, task_id: int, fields: Row, *, by: int = 1, at: datetime | None = None) -> Row:
    """Change a task. A finished one that must be checked goes to its creator first. Raises: KeyError."""
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    with portal.lock:
        before = portal.records["task"].get(task_id)
        if before is None:
            raise KeyError(f"no task {task_id}")
        changes = dict(fields)
        status = int(changes.pop("STATUS", before["STATUS"]))
        if status == DONE and before.get("TASK_CONTROL") and by != before["CREATED_BY"]:
            status = CONTROL
        for name in NOTED:
            if name in changes and changes[name] != before.get(name):
                _note(portal, task_id, moment, by, name, before.get(name), changes[name])
        if status != before["STATUS"]:
            _note(portal, task_id, moment, by, "STATUS", before["STATUS"], status)
            if before["STATUS"] in (CONTROL, DONE) and status in (WAITING, RUNNING):
                _note(portal, task_id, moment, by, "RENEW", None, None)
            changes |= _turned(before, status, by, moment)
        return portal.change("task", task_id, **changes, CHANGED_BY=by, CHANGED_DATE=moment)


def log_time(
    portal: Portal, task_id: int, user_id: int, seconds: int, *, at: datetime | None = None, text: str = ""
) -> int:
    """Add a time record, by hand; the id. The portal has no event for it. Raises: KeyError."""
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    with portal.lock:
        task = portal.records["task"].get(task_id)
        if task is None:
            raise KeyError(f"no task {task_id}")
        spent = (task.get("TIME_SPENT_IN_LOGS") or 0) + seconds
        portal.put("task", {**task, "TIME_SPENT_IN_LOGS": spent}, quiet=True)
        return portal.put("time_record", {
            "TASK_ID": task_id, "USER_ID": user_id, "COMMENT_TEXT": text, "SECONDS": seconds,
            "MINUTES": seconds // 60, "SOURCE": 2, "CREATED_DATE": moment, "DATE_START": moment,
            "DATE_STOP": moment,
        })  # fmt: skip


def _turned(before: Row, status: int, by: int, moment: datetime) -> Row:
    changes: Row = {"STATUS": status, "STATUS_CHANGED_DATE": moment, "STATUS_CHANGED_BY": by}
    if status == RUNNING and before.get("DATE_START") is None:
        changes["DATE_START"] = moment
    is_closed = status == DONE
    if is_closed or before["STATUS"] == DONE:
        changes |= {"CLOSED_DATE": moment if is_closed else None, "CLOSED_BY": by if is_closed else None}
    return changes


def _note(portal: Portal, task_id: int, at: datetime, by: int, name: str, old: Any, new: Any) -> None:
    portal.put("task_history", {
        "TASK_ID": task_id, "CREATED_DATE": at, "FIELD": name, "USER_ID": by, "FROM": _told(name, old),
        "TO": _told(name, new),
    })  # fmt: skip


def _told(name: str, value: Any) -> Any:
    """A value as the history writes it: moments are unix times, people a list with commas."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    if isinstance(value, bool):
        return "Y" if value else "N"
    return "" if value is None and name == "MARK" else value
