"""`tasks.task.add`, `update` and `delete`."""

from __future__ import annotations

from typing import Any

from emulator import params as php
from emulator import tasks
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.rest.tasks import FLAGS, INTEGERS, MOMENTS, NAMES, PEOPLE, TEXTS, shown_task, task_number
from emulator.rights import visible_owners
from emulator.times import parse_moment
from emulator.world import Row

READ_ONLY = frozenset({
    "ID", "STATUS_CHANGED_BY", "STATUS_CHANGED_DATE", "CREATED_DATE", "CHANGED_BY", "CHANGED_DATE",
    "CLOSED_BY", "CLOSED_DATE", "DATE_START", "TIME_SPENT_IN_LOGS", "DURATION_FACT", "SUB_STATUS",
})  # fmt: skip
MARKS = frozenset({"P", "N"})
LINE_END = "<br>"


@method("tasks.task.add", scope="task")
def task_add(call: Call) -> Result:
    fields = _fields(call)
    if not fields.get("TITLE"):
        raise _core("Task title is not specified")
    if not fields.get("RESPONSIBLE_ID"):
        raise _core("Responsible person not specified")
    _check(call, fields, 0)
    task_id = tasks.add_task(
        call.portal, {"CREATED_BY": call.user_id, **fields}, by=call.user_id, at=call.now
    )
    return _task(call, task_id)


@method("tasks.task.update", scope="task")
def task_update(call: Call) -> Result:
    task = _editable(call, "0", "Action on the task is not allowed (internal error)")
    fields = _fields(call)
    if "TITLE" in fields and not fields["TITLE"]:
        raise _core("Task title is not specified")
    _check(call, fields, task["ID"])
    tasks.update_task(call.portal, task["ID"], fields, by=call.user_id, at=call.now)
    return _task(call, task["ID"])


@method("tasks.task.delete", scope="task")
def task_delete(call: Call) -> Result:
    task = _editable(call, "1048582", "No access to delete the task")
    call.portal.remove("task", task["ID"])
    return Result({"task": True})


def _task(call: Call, task_id: int) -> Result:
    return Result({"task": shown_task(call, call.portal.records["task"].get(task_id) or {}, list(NAMES))})


def _editable(call: Call, code: str, text: str) -> Row:
    """The task of the parameters, if the user may change it: creator, responsible, their heads, an admin."""
    task = call.portal.records["task"].get(task_number(call))
    owners = visible_owners(call.site, call.user_id)
    if task is None or (
        owners is not None and owners.isdisjoint({task.get("CREATED_BY"), task.get("RESPONSIBLE_ID")})
    ):
        raise PortalError(code, text)
    return task


def _fields(call: Call) -> Row:
    """Python values of `fields`; names that cannot be written are passed over."""
    given = call.mapping("fields")
    if not given:
        raise PortalError("100", "Could not find value for parameter {fields} (internal error)")
    return {
        name: _read(call, name, value)
        for name, value in given.items()
        if name in NAMES and name not in READ_ONLY
    }


def _read(call: Call, name: str, value: Any) -> Any:
    if name in MOMENTS:
        return parse_moment(value, call.zone) if value else None
    if name in PEOPLE:
        return [php.as_int(one) for one in php.as_list(value)]
    if name in FLAGS:
        return php.is_yes(value)
    if name in INTEGERS:
        return php.as_int(value)
    if name == "MARK":
        return value if value in MARKS else None
    if name == "UF_CRM_TASK":
        return [str(one) for one in php.as_list(value)]
    return str(value or "") if name in TEXTS else value


def _check(call: Call, fields: Row, task_id: int) -> None:
    """Raises: PortalError ERROR_CORE for values that no task can have."""
    if "RESPONSIBLE_ID" in fields and call.site.user(fields["RESPONSIBLE_ID"]) is None:
        raise _core("The user specified in the “Responsible” field was not found")
    if "STATUS" in fields and fields["STATUS"] not in tasks.STATUSES:
        raise _core("Invalid status")
    parent = fields.get("PARENT_ID")
    if parent:
        if parent == task_id:
            raise _core("Cannot bind the node to itself")
        if call.portal.records["task"].get(parent) is None:
            raise _core("The task specified in the “Parent Task” field was not found")
    start, end = fields.get("START_DATE_PLAN"), fields.get("END_DATE_PLAN")
    if start and end and end < start:
        raise _core("The end date specified in the scheduling is earlier than the start date")


def _core(text: str) -> PortalError:
    return PortalError("ERROR_CORE", text + LINE_END)
