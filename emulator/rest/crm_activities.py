"""`crm.activity.list`: texts, by START_TIME unless ordered otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emulator.answers import Result, object_or_list
from emulator.crm import ENTITY_TYPES
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.crm_items import refuse_extranet
from emulator.rights import visible_owners
from emulator.times import moment_text
from emulator.world import Row

MOMENTS = ("CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE")
NUMBERS = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "ASSOCIATED_ENTITY_ID", "STATUS", "RESPONSIBLE_ID",
    "AUTHOR_ID", "EDITOR_ID", "PRIORITY", "DIRECTION", "RESULT_MARK", "RESULT_STATUS", "RESULT_STREAM",
    "NOTIFY_TYPE", "NOTIFY_VALUE", "DESCRIPTION_TYPE", "AUTOCOMPLETE_RULE",
)  # fmt: skip
FLAGS = ("COMPLETED", "IS_INCOMING_CHANNEL")
FIELDS = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "PROVIDER_ID", "PROVIDER_TYPE_ID", "PROVIDER_GROUP_ID",
    "ASSOCIATED_ENTITY_ID", "SUBJECT", "CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE",
    "COMPLETED", "STATUS", "RESPONSIBLE_ID", "PRIORITY", "NOTIFY_TYPE", "NOTIFY_VALUE", "DESCRIPTION",
    "DESCRIPTION_TYPE", "DIRECTION", "LOCATION", "SETTINGS", "ORIGINATOR_ID", "ORIGIN_ID", "AUTHOR_ID",
    "EDITOR_ID", "PROVIDER_PARAMS", "PROVIDER_DATA", "RESULT_MARK", "RESULT_VALUE", "RESULT_SUM",
    "RESULT_CURRENCY_ID", "RESULT_STATUS", "RESULT_STREAM", "RESULT_SOURCE_ID", "AUTOCOMPLETE_RULE",
)  # fmt: skip
OBJECTS = ("SETTINGS", "PROVIDER_PARAMS")
ON_DEMAND = ("IS_INCOMING_CHANNEL", "BINDINGS", "COMMUNICATIONS", "FILES")
DEFAULTS = {"PRIORITY": "2", "NOTIFY_TYPE": "0", "NOTIFY_VALUE": "0", "DESCRIPTION_TYPE": "1"}
NO_DEADLINE = "9999-12-31T00:00:00+00:00"
COLUMNS = {
    name: Column(
        name,
        "datetime"
        if name in MOMENTS
        else "integer"
        if name in NUMBERS
        else "boolean"
        if name in FLAGS
        else "string",
    )
    for name in (*FIELDS, "IS_INCOMING_CHANNEL")
    if name not in OBJECTS
}


@method("crm.activity.list", scope="crm")
def activity_list(call: Call) -> Result:
    refuse_extranet(call)
    conditions = call.mapping("filter", "FILTER")
    bindings = [pair for pair in _pairs(conditions.pop("BINDINGS", None)) if pair]
    query = compile_filter(conditions, COLUMNS, call.zone, id_key="ID", drops_unknown=True)
    order = parse_order(call.param("order", "ORDER"), COLUMNS, drops_unknown=True) or [("START_TIME", False)]
    if bindings:
        query.tests.append(lambda row: any(pair in _bindings(row) for pair in bindings))
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        query.tests.append(lambda row: _may_see(call, row, owners))
    start = call.integer("start")
    page = select_page(call.portal.records["activity"], query, order, id_key="ID", start=start)
    rows = page.rows
    if len(bindings) > 1:  # a row comes once for each binding that matches
        rows = [row for row in rows for pair in bindings if pair in _bindings(row)]
    wanted = [str(name) for name in call.values("select", "SELECT")]
    names = FIELDS if not wanted else tuple(n for n in FIELDS if n in wanted or n == "ID" or "*" in wanted)
    names += tuple(name for name in ON_DEMAND if name in wanted)
    shown = [{name: _value(call, row, name) for name in names} for row in rows]
    return Result(shown, page.total or 0, page.next, rows=len(shown), counted=page.total or 0)


def _pairs(value: Any) -> list[tuple[int, int]]:
    if isinstance(value, dict):
        value = [value] if "OWNER_ID" in value else list(value.values())
    return [(int(one.get("OWNER_TYPE_ID", 0)), int(one.get("OWNER_ID", 0))) for one in value or ()]


def _bindings(row: Row) -> list[tuple[int, int]]:
    own = [(int(row.get("OWNER_TYPE_ID") or 0), int(row.get("OWNER_ID") or 0))]
    more = [(int(one["OWNER_TYPE_ID"]), int(one["OWNER_ID"])) for one in row.get("BINDINGS") or ()]
    return own + [pair for pair in more if pair not in own]


def _may_see(call: Call, row: Row, owners: frozenset[int]) -> bool:
    """An activity follows its owner item; without one it is its responsible person's."""
    kind = ENTITY_TYPES.get(int(row.get("OWNER_TYPE_ID") or 0))
    item = call.portal.records[kind].get(int(row.get("OWNER_ID") or 0)) if kind else None
    if item is not None:
        return item.get("assignedById") in owners
    return row.get("RESPONSIBLE_ID") in owners


def _value(call: Call, row: Row, name: str) -> Any:
    value = row.get(name)
    if name == "BINDINGS":
        return [
            {"OWNER_TYPE_ID": str(owner_type), "OWNER_ID": str(owner)} for owner_type, owner in _bindings(row)
        ]
    if name in OBJECTS:
        return object_or_list(dict(value or {}))
    if name in FLAGS:
        return "Y" if value in (True, "Y") else "N"
    if name in ON_DEMAND:
        return value or []
    if isinstance(value, datetime):
        return moment_text(value, call.zone)
    if name == "DEADLINE" and value is None:
        return NO_DEADLINE
    if value is None:
        return DEFAULTS.get(name, "0" if name in NUMBERS else None)
    return str(value)
