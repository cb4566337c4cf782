"""`tasks.task.*` and the positional `task.elapseditem.getlist`: UPPER names asked, camelCase answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.filters import Column, FilterError, Query, compile_filter, parse_order, split
from emulator.listing import PAGE, select_page
from emulator.rights import visible_owners
from emulator.times import moment_text
from emulator.world import Row

INTEGERS = (
    "ID", "PARENT_ID", "STATUS_CHANGED_BY", "CREATED_BY", "RESPONSIBLE_ID", "CHANGED_BY", "CLOSED_BY",
    "TIME_ESTIMATE", "TIME_SPENT_IN_LOGS", "DURATION_FACT", "DURATION_PLAN", "GROUP_ID", "STAGE_ID",
    "FLOW_ID", "PRIORITY", "STATUS",
)  # fmt: skip
MOMENTS = (
    "STATUS_CHANGED_DATE", "CREATED_DATE", "CHANGED_DATE", "CLOSED_DATE", "DATE_START", "START_DATE_PLAN",
    "END_DATE_PLAN", "DEADLINE",
)  # fmt: skip
TEXTS = ("TITLE", "DESCRIPTION", "MARK", "DURATION_TYPE")
FLAGS = ("TASK_CONTROL", "ALLOW_TIME_TRACKING")
PEOPLE = ("ACCOMPLICES", "AUDITORS")
NAMES = (*INTEGERS, *MOMENTS, *TEXTS, *FLAGS, *PEOPLE, "UF_CRM_TASK", "SUB_STATUS")
DEFAULT_NAMES = (
    "ID", "TITLE", "DESCRIPTION", "DEADLINE", "CREATED_DATE", "RESPONSIBLE_ID", "PRIORITY", "MARK", "STATUS",
    "AUDITORS", "ACCOMPLICES", "SUB_STATUS",
)  # fmt: skip

COLUMNS: dict[str, Column] = {
    **{name: Column(name, "integer") for name in INTEGERS},
    **{name: Column(name, "datetime") for name in MOMENTS},
    **{name: Column(name) for name in TEXTS},
    **{name: Column(name, "boolean") for name in FLAGS},
    "REAL_STATUS": Column("STATUS", "integer"),
    "ACCOMPLICE": Column("ACCOMPLICES", "list"),
    "AUDITOR": Column("AUDITORS", "list"),
}
OPERATORS = frozenset({"=", "!", "<", "<=", ">", ">="})
"""All that the filter of tasks knows, besides lists; keys with others are dropped."""

OVERDUE, ALMOST_OVERDUE = -1, -3  # values of the STATUS filter that are no statuses
CLOSED_STATUSES = frozenset({4, 5, 6})  # these are never overdue
ALMOST_S = 86_400

HISTORY_COLUMNS = {
    "ID": Column("ID", "integer"),
    "FIELD": Column("FIELD"),
    "USER_ID": Column("USER_ID", "integer"),
    "CREATED_DATE": Column("CREATED_DATE", "datetime"),
}
TIME_COLUMNS = {
    "ID": Column("ID", "integer"),
    "TASK_ID": Column("TASK_ID", "integer"),
    "USER_ID": Column("USER_ID", "integer"),
    "CREATED_DATE": Column("CREATED_DATE", "datetime"),
}
TIME_FIELDS = (
    "ID", "TASK_ID", "USER_ID", "COMMENT_TEXT", "SECONDS", "MINUTES", "SOURCE", "CREATED_DATE", "DATE_START",
    "DATE_STOP",
)  # fmt: skip
POSITIONS = ("TASKID", "ORDER", "FILTER", "SELECT", "PARAMS")


@method("tasks.task.list", scope=("task", "tasks"))
def task_list(call: Call) -> Result:
    query = _query(call)
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        query.tests.append(lambda row: _involves(row, owners))
    try:
        order = parse_order(call.param("order"), COLUMNS)
    except FilterError as error:
        raise PortalError("0", str(error)) from None
    page = select_page(
        call.portal.records["task"],
        query,
        order or [("ID", True)],
        id_key="ID",
        start=call.integer("start"),
    )
    names = _selected(call, DEFAULT_NAMES)
    rows = [shown_task(call, row, names) for row in page.rows]
    return Result({"tasks": rows}, page.total, page.next, rows=len(rows), counted=page.total or 0)


@method("tasks.task.get", scope=("task", "tasks"))
def task_get(call: Call) -> Result:
    task = _readable_task(call, task_number(call))
    return Result({"task": shown_task(call, task, _selected(call, NAMES))} if task else [])


@method("tasks.task.history.list", scope=("task", "tasks"))
def task_history(call: Call) -> Result:
    task = _readable_task(call, call.integer("taskId"))
    if task is None:
        raise PortalError("0", "Access denied or task not found")
    try:
        query = compile_filter(
            call.param("filter"), HISTORY_COLUMNS, call.zone, id_key="ID", drops_unknown=True
        )
        order = parse_order(call.param("order"), HISTORY_COLUMNS, drops_unknown=True)
    except FilterError as error:
        raise PortalError("0", str(error)) from None
    query.restrict("TASK_ID", [task["ID"]])
    records = call.portal.records["task_history"]
    page = select_page(records, query, order or [("ID", True)], id_key="ID", start=-1, size=len(records) or 1)
    return Result({"list": [_history_row(call, row) for row in page.rows]}, rows=len(page.rows))


@method("task.elapseditem.getlist", scope=("task", "tasks"))
def elapsed_items(call: Call) -> Result:
    """Positional: TASKID, ORDER, FILTER, SELECT, PARAMS; no task, or the number 0, asks for all tasks."""
    task_id, arguments = _positional(call)
    filter_, navigation = arguments.get("FILTER"), php.as_map(arguments.get("PARAMS"))
    try:
        query = compile_filter(filter_, TIME_COLUMNS, call.zone, id_key="ID")
        order = parse_order(arguments.get("ORDER"), TIME_COLUMNS)
    except FilterError as error:
        raise _wrong_argument(2, str(error)) from None
    if task_id is not None:
        if _readable_task(call, task_id) is None:
            raise PortalError(
                "ERROR_CORE", "TASKS_ERROR_EXCEPTION_#8; Action failed; 8/TE/ACTION_NOT_ALLOWED"
            )
        query.restrict("TASK_ID", [task_id])
    else:
        _keep_readable_times(call, query)
    paging = php.as_map(navigation.get("NAV_PARAMS"))
    size = min(PAGE, php.as_int(paging.get("nPageSize"), PAGE) or PAGE)
    records = call.portal.records["time_record"]
    if task_id is not None and not paging:
        size = len(records) or 1  # a task's own records come all at once
    start = (max(1, php.as_int(paging.get("iNumPage"), 1)) - 1) * size
    page = select_page(records, query, order, id_key="ID", start=start, floors=False, size=size)
    wanted = {str(name) for name in php.as_list(arguments.get("SELECT"))}
    names = [name for name in TIME_FIELDS if not wanted or "*" in wanted or name in wanted]
    rows = [{name: _text(call, row.get(name)) for name in names} for row in page.rows]
    return Result(rows, page.total, rows=len(rows), counted=page.total or 0)


def _query(call: Call) -> Query:
    """The filter of a task list: own operators, meta statuses, CRM links; unknown keys are dropped."""
    plain: dict[str, Any] = {}
    special: list[Any] = []
    for name, value in call.mapping("filter").items():
        operator, field = split(name)
        if operator not in OPERATORS:
            continue
        if field == "STATUS":
            special.append(_status_test(call, operator, value))
        elif field == "UF_CRM_TASK":
            links = {str(link) for link in php.as_list(value)}
            special.append(lambda row, links=links: not links.isdisjoint(row.get("UF_CRM_TASK") or ()))
        elif field == "ONLY_ROOT_TASKS":
            if php.is_yes(value):
                special.append(lambda row: not row.get("PARENT_ID"))
        else:
            plain[name] = value
    try:
        query = compile_filter(plain, COLUMNS, call.zone, id_key="ID", drops_unknown=True)
    except FilterError as error:
        raise PortalError("0", str(error)) from None
    query.tests += special
    return query


def _status_test(call: Call, operator: str, value: Any) -> Any:
    wanted = {php.as_int(status) for status in php.as_list(value)}
    is_not = operator == "!"

    def matches(row: Row) -> bool:
        found = row["STATUS"] in wanted or _sub_status(call, row) in wanted
        return found != is_not

    return matches


def _sub_status(call: Call, row: Row) -> int:
    deadline = row.get("DEADLINE")
    if deadline is None or row["STATUS"] in CLOSED_STATUSES:
        return int(row["STATUS"])
    left_s = (deadline - call.now).total_seconds()
    if left_s < 0:
        return OVERDUE
    return ALMOST_OVERDUE if left_s < ALMOST_S else int(row["STATUS"])


def _involves(row: Row, people: frozenset[int]) -> bool:
    if row.get("RESPONSIBLE_ID") in people or row.get("CREATED_BY") in people:
        return True
    return any(user in people for name in PEOPLE for user in row.get(name) or ())


def task_number(call: Call) -> int:
    """The id in `taskId`. Raises: PortalError as the portal refuses a missing or wrong one."""
    given = call.param("taskId")
    if given is None:
        raise PortalError(
            "100", "CTaskItem All parameters in the constructor must have real class type (internal error)"
        )
    if not str(given).isdecimal():
        raise PortalError("0", "wrong task id")
    return int(given)


def _readable_task(call: Call, task_id: int) -> Row | None:
    task = call.portal.records["task"].get(task_id)
    owners = visible_owners(call.site, call.user_id)
    return task if task is not None and (owners is None or _involves(task, owners)) else None


def _keep_readable_times(call: Call, query: Query) -> None:
    owners = visible_owners(call.site, call.user_id)
    tasks = call.portal.records["task"]
    if owners is None:
        return

    def is_readable(row: Row) -> bool:
        task = tasks.get(row["TASK_ID"])
        return task is not None and _involves(task, owners)

    query.tests.append(is_readable)


def _positional(call: Call) -> tuple[int | None, dict[str, Any]]:
    """(task id or None for all tasks, arguments by name). Raises: PortalError for an extra argument."""
    values: list[Any] = []
    for name, value in call.params.items():
        if name.isdecimal() or name.upper() in POSITIONS:
            values.append(value)
        else:
            raise _wrong_argument(len(values), f"Unexpected argument {name}")
    if values and isinstance(values[0], (dict, list)):  # the task id is left out
        return None, dict(zip(POSITIONS[1:], values, strict=False))
    arguments = dict(zip(POSITIONS, values, strict=False))
    given = arguments.pop("TASKID", None)
    asks_for_all = given is None or (given == 0 and not isinstance(given, str))
    return None if asks_for_all else php.as_int(given), arguments


def _wrong_argument(place: int, text: str) -> PortalError:
    return PortalError(
        "ERROR_CORE", f"TASKS_ERROR_EXCEPTION_#8; Param #{place} is wrong: {text}; 8/TE/WRONG_ARGUMENTS"
    )


def _selected(call: Call, default: tuple[str, ...]) -> list[str]:
    """Names to answer, the id always among them; names are taken in either spelling."""
    wanted = {str(name) for name in call.values("select")}
    if not wanted:
        return list(default)
    if "*" in wanted:
        return list(NAMES)
    return [name for name in NAMES if name == "ID" or name in wanted or camel(name) in wanted]


def shown_task(call: Call, row: Row, names: list[str]) -> Row:
    """A task as the portal answers it, with what comes along with a chosen field."""
    answer: Row = {}
    for name in names:
        if name == "SUB_STATUS":
            answer["subStatus"] = str(_sub_status(call, row))
        elif name in PEOPLE:
            people = [str(user) for user in row.get(name) or ()]
            answer[camel(name)] = people
            data = {user: _person(call, int(user)) for user in people}
            answer[f"{camel(name)}Data"] = data or []
        elif name == "UF_CRM_TASK":
            answer["ufCrmTask"] = list(row.get(name) or ()) or False
        else:
            answer[camel(name)] = _text(call, row.get(name))
    if "GROUP_ID" in names:
        answer["groupId"] = str(row.get("GROUP_ID") or 0)
        group = call.portal.records["group"].get(row.get("GROUP_ID") or 0)
        answer["group"] = _group(group) if group else []
    else:
        answer["group"] = []
    if "RESPONSIBLE_ID" in names:
        answer["responsible"] = _person(call, row["RESPONSIBLE_ID"])
    if "CREATED_BY" in names:
        answer["creator"] = _person(call, row["CREATED_BY"])
    return answer


def _group(row: Row) -> Row:
    return {
        "id": str(row["ID"]),
        "name": row["NAME"],
        "opened": bool(row.get("OPENED")),
        "image": "",
        "additionalData": [],
    }


def _person(call: Call, user_id: int) -> Row:
    user = call.site.user(user_id) or {}
    return {
        "id": str(user_id),
        "name": f"{user.get('NAME', '')} {user.get('LAST_NAME', '')}".strip(),
        "link": f"/company/personal/user/{user_id}/",
        "icon": user.get("PERSONAL_PHOTO") or "/bitrix/images/tasks/default_avatar.png",
        "workPosition": user.get("WORK_POSITION") or "",
    }


def _history_row(call: Call, row: Row) -> Row:
    user = call.site.user(row["USER_ID"]) or {}
    return {
        "id": row["ID"],
        "createdDate": moment_text(row["CREATED_DATE"], call.zone),
        "field": row["FIELD"],
        "value": {"from": _plain(row.get("FROM")), "to": _plain(row.get("TO"))},
        "user": {
            "id": row["USER_ID"],
            "name": user.get("NAME") or "",
            "lastName": user.get("LAST_NAME") or "",
            "secondName": user.get("SECOND_NAME") or "",
            "login": user.get("EMAIL") or "",
        },
    }


def _plain(value: Any) -> Any:
    return value if value is None else str(value)


def _text(call: Call, value: Any) -> Any:
    """A scalar as tasks answer it: text, Y or N, or null."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, datetime):
        return moment_text(value, call.zone)
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)


def camel(name: str) -> str:
    """`RESPONSIBLE_ID` as `responsibleId`."""
    first, *rest = name.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)
