"""Users and departments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter
from emulator.listing import PAGE, Page, select_page
from emulator.times import date_text, moment_text
from emulator.world import Row

USER_SCOPES = ("user", "user_basic", "user_brief")
BRIEF = (
    "ID", "XML_ID", "ACTIVE", "NAME", "LAST_NAME", "SECOND_NAME", "TITLE", "IS_ONLINE", "TIME_ZONE",
    "TIME_ZONE_OFFSET", "TIMESTAMP_X", "DATE_REGISTER", "LAST_LOGIN", "LAST_ACTIVITY_DATE",
    "PERSONAL_PROFESSION", "PERSONAL_GENDER", "PERSONAL_BIRTHDAY", "PERSONAL_PHOTO", "PERSONAL_CITY",
    "PERSONAL_STATE", "PERSONAL_COUNTRY", "WORK_POSITION", "WORK_CITY", "WORK_STATE", "WORK_COUNTRY",
    "UF_EMPLOYMENT_DATE", "UF_DEPARTMENT", "USER_TYPE",
)  # fmt: skip
CONTACTS = ("EMAIL", "PERSONAL_PHONE", "PERSONAL_MOBILE", "PERSONAL_WWW", "WORK_PHONE", "UF_PHONE_INNER")
ALWAYS = (
    "ID", "ACTIVE", "NAME", "LAST_NAME", "LAST_LOGIN", "DATE_REGISTER", "IS_ONLINE", "TIMESTAMP_X",
    "LAST_ACTIVITY_DATE", "PERSONAL_GENDER", "PERSONAL_BIRTHDAY", "WORK_POSITION", "UF_EMPLOYMENT_DATE",
    "UF_DEPARTMENT", "USER_TYPE",
)  # fmt: skip
"""Fields that come although a record lacks them; the others are left out."""

ONLY_IF_SET = ("PERSONAL_PHOTO",)

_KINDS = {
    "ID": "integer", "ACTIVE": "boolean", "UF_DEPARTMENT": "list", "LAST_LOGIN": "datetime",
    "DATE_REGISTER": "datetime", "UF_EMPLOYMENT_DATE": "date",
}  # fmt: skip
COLUMNS = {name: Column(name, _KINDS.get(name, "string")) for name in (*BRIEF, *CONTACTS)}
LISTED_TYPES = frozenset({"employee", "extranet"})
DEPARTMENT_FIELDS = {
    "ID": "ID",
    "NAME": "Department name",
    "SORT": "Sort order",
    "PARENT": "Parent department",
    "UF_HEAD": "Manager",
}


@method("user.current", scope=USER_SCOPES)
def user_current(call: Call) -> Result:
    return Result(_user(call, call.user, _fields(call)))


@method("user.admin")
def user_admin(call: Call) -> Result:
    return Result(call.is_admin)


@method("user.access")
def user_access(call: Call) -> Result:
    wanted = [str(code) for code in call.values("ACCESS", "access")]
    if not wanted:
        raise PortalError("ERROR_ARGUMENT", "Argument 'ACCESS' is null or empty", argument="ACCESS")
    own = {f"U{call.user_id}", "AU", "G2"}
    own |= {f"D{department}" for department in call.user.get("UF_DEPARTMENT") or ()}
    own |= {f"DR{department}" for department in call.user.get("UF_DEPARTMENT") or ()}
    return Result(call.is_admin or not own.isdisjoint(wanted))


@method("user.get", scope=USER_SCOPES)
def user_get(call: Call) -> Result:
    has_filter = "FILTER" in call.params or "filter" in call.params
    conditions = call.mapping("FILTER", "filter") if has_filter else dict(call.params)
    return _user_page(call, conditions)


@method("user.search", scope=USER_SCOPES)
def user_search(call: Call) -> Result:
    conditions = call.mapping("FILTER", "filter") or dict(call.params)
    text = str(conditions.pop("FIND", "")).casefold()
    wanted: dict[str, Any] = {"ACTIVE": True}
    for name in ("NAME", "LAST_NAME", "WORK_POSITION"):
        if conditions.get(name):
            wanted[f"%{name}"] = str(conditions[name]).strip("%")
    if conditions.get("USER_TYPE"):
        wanted["USER_TYPE"] = conditions["USER_TYPE"]
    return _user_page(call, wanted, text)


@method("department.get", scope="department")
def department_get(call: Call) -> Result:
    """Exact filters at the root only: an operator is no known name and is passed over."""
    rows = [row for row in _tree(call) if row.get("ACTIVE", True)]
    for name in DEPARTMENT_FIELDS:
        if name in call.params:
            accepted = {_department_key(name, value) for value in php.as_list(call.params[name])}
            rows = [row for row in rows if _department_key(name, row.get(name)) in accepted]
    sort = str(call.param("sort", default=""))
    if sort in DEPARTMENT_FIELDS:
        descending = str(call.param("order", default="ASC")).upper() == "DESC"
        rows.sort(key=lambda row: _department_key(sort, row.get(sort)), reverse=descending)
    start = call.integer("start", "START")
    if start < 0:
        page = rows[:PAGE]
        return Result([_department(row) for row in page], total=0, rows=len(page))
    offset = start // PAGE * PAGE
    page = rows[offset : offset + PAGE]
    after = offset + PAGE if offset + PAGE < len(rows) else None
    return Result([_department(row) for row in page], len(rows), after, rows=len(page), counted=len(rows))


@method("department.fields", scope="department")
def department_fields(call: Call) -> Result:
    return Result(dict(DEPARTMENT_FIELDS))


def _user_page(call: Call, conditions: dict[str, Any], text: str = "") -> Result:
    query = compile_filter(conditions, COLUMNS, call.zone, id_key="ID", drops_unknown=True)
    is_admin = call.is_admin
    query.tests.append(lambda row: _is_listed(row, is_admin))
    if text:
        query.tests.append(lambda row: text in _search_text(row))
    sort = str(call.param("sort", "SORT", default="")).upper()
    descending = str(call.param("order", "ORDER", default="ASC")).upper() == "DESC"
    order = [(COLUMNS[sort].key, descending)] if sort in COLUMNS else []
    start = call.integer("start")
    page: Page = select_page(call.portal.records["user"], query, order, id_key="ID", start=start)
    if not page.rows:
        return Result([])  # an empty answer of user.get has no total
    fields = _fields(call)
    rows = [_user(call, row, fields) for row in page.rows]
    return Result(rows, page.total or 0, page.next, rows=len(rows), counted=page.total or 0)


def _is_listed(row: Row, for_admin: bool) -> bool:
    if row.get("USER_TYPE", "employee") not in LISTED_TYPES:
        return False
    return for_admin or bool(row.get("UF_DEPARTMENT"))


def _search_text(row: Row) -> str:
    return " ".join(str(row.get(name) or "") for name in ("NAME", "LAST_NAME", "WORK_POSITION")).casefold()


def _fields(call: Call) -> tuple[str, ...]:
    allowed: tuple[str, ...] = BRIEF
    if not call.scopes.isdisjoint(("user", "user_basic")):
        allowed += CONTACTS
    wanted = {str(name) for name in call.values("select", "SELECT")}
    if not wanted or "*" in wanted:
        return allowed
    return tuple(name for name in allowed if name in wanted or (name.startswith("UF_") and "UF_*" in wanted))


def _user(call: Call, row: Row, fields: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: _user_value(call, row, name)
        for name in fields
        if name in ALWAYS or (name in row and (row[name] or name not in ONLY_IF_SET))
    }


def _user_value(call: Call, row: Row, name: str) -> Any:
    value = row.get(name)
    if name == "ID":
        return str(value)
    if name == "ACTIVE":
        return value is not False
    if name == "UF_DEPARTMENT":
        return value if value is not None else []
    if name in ("TIMESTAMP_X", "LAST_ACTIVITY_DATE"):
        return value or {}
    if name == "USER_TYPE":
        return value or "employee"
    if name == "IS_ONLINE":
        return "Y" if value in (True, "Y") else "N"
    if isinstance(value, datetime):
        return moment_text(value, call.zone)
    if isinstance(value, date):
        return date_text(value, call.zone)
    return value if value is not None else ""


def _tree(call: Call) -> list[Row]:
    """Departments in tree order: parents before children, siblings by SORT; a broken tree's circles last."""
    rows = list(call.portal.records["department"])
    ids = {row["ID"] for row in rows}
    children: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.get("SORT") or 0, row["ID"])):
        parent = int(row.get("PARENT") or 0)
        children.setdefault(parent if parent in ids else 0, []).append(row)
    ordered: list[Row] = []
    waiting = list(reversed(children.get(0, [])))
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting.extend(reversed(children.pop(row["ID"], [])))
    ordered += [row for parent, circle in children.items() if parent for row in circle if row not in ordered]
    return ordered


def _department(row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ID": str(row["ID"]),
        "NAME": row.get("NAME") or "",
        "SORT": row.get("SORT") or 500,
    }
    if row.get("PARENT"):
        shown["PARENT"] = str(row["PARENT"])
    if row.get("UF_HEAD"):
        shown["UF_HEAD"] = str(row["UF_HEAD"])
    return shown


def _department_key(name: str, value: Any) -> Any:
    return str(value or "") if name == "NAME" else php.as_int(value)
