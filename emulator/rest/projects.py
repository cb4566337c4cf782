"""Workgroups and projects: `sonet_group.get`, `sonet_group.user.get`, `socialnetwork.api.workgroup.list`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.filters import Column, FilterError, Query, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.tasks import camel
from emulator.times import moment_text
from emulator.world import Row

SCOPES = ("sonet_group", "sonet", "socialnetwork")
FIELDS = (
    "ID", "SITE_ID", "NAME", "DESCRIPTION", "DATE_CREATE", "DATE_UPDATE", "ACTIVE", "VISIBLE", "OPENED",
    "CLOSED", "SUBJECT_ID", "OWNER_ID", "KEYWORDS", "NUMBER_OF_MEMBERS", "DATE_ACTIVITY", "SUBJECT_NAME",
    "PROJECT", "IS_EXTRANET",
)  # fmt: skip
DEFAULTS: Row = {
    "SITE_ID": "s1", "SUBJECT_ID": 1, "SUBJECT_NAME": "Workgroups", "IS_EXTRANET": False, "DESCRIPTION": None,
    "KEYWORDS": None,
}  # fmt: skip
COLUMNS = {
    **{name: Column(name) for name in ("NAME", "DESCRIPTION", "KEYWORDS")},
    **{name: Column(name, "integer") for name in ("ID", "OWNER_ID", "NUMBER_OF_MEMBERS")},
    **{name: Column(name, "boolean") for name in ("ACTIVE", "VISIBLE", "OPENED", "CLOSED", "PROJECT")},
    **{name: Column(name, "datetime") for name in ("DATE_CREATE", "DATE_UPDATE", "DATE_ACTIVITY")},
}
LIST_FIELDS = (
    "ID", "NAME", "DESCRIPTION", "ACTIVE", "VISIBLE", "OPENED", "CLOSED", "PROJECT", "OWNER_ID",
    "NUMBER_OF_MEMBERS", "DATE_CREATE", "DATE_UPDATE", "DATE_ACTIVITY", "PROJECT_DATE_START",
    "PROJECT_DATE_FINISH", "TYPE",
)  # fmt: skip


@method("sonet_group.get", scope=SCOPES)
def groups(call: Call) -> Result:
    query, order = _read(call, ("FILTER", "filter"), ("ORDER", "order"))
    page = select_page(call.portal.records["group"], query, order, id_key="ID", start=call.integer("start"))
    rows = [{name: _text(call, {**DEFAULTS, **row}.get(name)) for name in FIELDS} for row in page.rows]
    total = page.total if page.total is not None else 0
    return Result(rows, total, page.next, rows=len(rows), counted=total)


@method("sonet_group.user.get", scope=SCOPES)
def members(call: Call) -> Result:
    group = call.portal.records["group"].get(call.integer("ID"))
    if group is None or not _may_see(call, group):
        raise PortalError("", "Socialnetwork group not found.")
    roles = {group["OWNER_ID"]: "A"}
    roles |= dict.fromkeys(group.get("MODERATORS") or (), "E")
    for user in group.get("MEMBERS") or ():
        roles.setdefault(user, "K")
    return Result([{"USER_ID": str(user), "ROLE": role} for user, role in roles.items()])


@method("socialnetwork.api.workgroup.list", scope=SCOPES)
def workgroups(call: Call) -> Result:
    query, order = _read(call, ("filter",), ("order",))
    page = select_page(call.portal.records["group"], query, order, id_key="ID", start=call.integer("start"))
    wanted = {str(name) for name in call.values("select")}
    names = [
        name
        for name in LIST_FIELDS
        if name == "ID" or "*" in wanted or name in wanted or camel(name) in wanted
    ]
    rows = [{camel(name): _text(call, _value(row, name)) for name in names} for row in page.rows]
    return Result({"workgroups": rows}, page.total, page.next, rows=len(rows), counted=page.total or 0)


def _read(
    call: Call, filters: tuple[str, ...], orders: tuple[str, ...]
) -> tuple[Query, list[tuple[str, bool]]]:
    try:
        query = compile_filter(call.param(*filters), COLUMNS, call.zone, id_key="ID", drops_unknown=True)
        order = parse_order(call.param(*orders), COLUMNS, drops_unknown=True)
    except FilterError as error:
        raise PortalError("ERROR_CORE", str(error)) from None
    query.tests.append(lambda row: _may_see(call, row))
    return query, order


def _may_see(call: Call, group: Row) -> bool:
    """Open groups, one's own, and for an admin all."""
    if call.is_admin or group.get("OPENED"):
        return True
    return call.user_id == group["OWNER_ID"] or call.user_id in (group.get("MEMBERS") or ())


def _value(row: Row, name: str) -> Any:
    if name == "TYPE":
        return "project" if row.get("PROJECT") else "group"
    return row.get(name)


def _text(call: Call, value: Any) -> Any:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, datetime):
        return moment_text(value, call.zone)
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)
