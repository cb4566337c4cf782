"""`crm.stagehistory.list` of leads, deals, invoices and smart processes: camelCase method, UPPER rows."""

from __future__ import annotations

from typing import Any

from emulator.answers import PortalError, Result
from emulator.crm_types import has_stages, history_kind, kind_of
from emulator.dispatch import Call, method
from emulator.filters import Column, Query, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.crm_items import refuse_extranet
from emulator.rights import visible_owners
from emulator.times import moment_text
from emulator.world import Row

_COMMON = {
    "ID": Column("ID", "integer"),
    "TYPE_ID": Column("TYPE_ID", "integer"),
    "OWNER_ID": Column("OWNER_ID", "integer"),
    "CREATED_TIME": Column("CREATED_TIME", "datetime"),
}
COLUMNS = {
    "lead": {**_COMMON, "STATUS_SEMANTIC_ID": Column("STATUS_SEMANTIC_ID"), "STATUS_ID": Column("STATUS_ID")},
    "item": {
        **_COMMON,
        "CATEGORY_ID": Column("CATEGORY_ID", "integer"),
        "STAGE_SEMANTIC_ID": Column("STAGE_SEMANTIC_ID"),
        "STAGE_ID": Column("STAGE_ID"),
    },
}
_NAMES = {3: "CONTACT", 4: "COMPANY", 7: "QUOTE", 14: "ORDER", 15: "SHIPMENT_DOCUMENT"}


@method("crm.stagehistory.list", scope="crm")
def stage_history_list(call: Call) -> Result:
    refuse_extranet(call)
    entity_type = call.integer("entityTypeId")
    kind = kind_of(call.portal, entity_type)
    if kind is None or not has_stages(call.portal, kind):
        name = _NAMES.get(entity_type, str(entity_type))
        raise PortalError("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {name} is not supported")
    columns = COLUMNS["lead" if kind == "lead" else "item"]
    query, order = _read(call, columns)
    _keep_readable(call, kind, entity_type, query)
    page = select_page(
        call.portal.records[history_kind(kind)], query, order, id_key="ID", start=call.integer("start")
    )
    wanted = [str(name) for name in call.values("select")]
    names = [name for name in columns if name == "ID" or not wanted or name in wanted or "*" in wanted]
    rows = [{name: _value(call, row, name) for name in names} for row in page.rows]
    total = page.total
    if total is None and call.site.quirks.uncounted_total_is_zero:
        total = 0
    return Result({"items": rows}, total, page.next, rows=len(rows), counted=page.total or 0)


def _read(call: Call, columns: dict[str, Column]) -> tuple[Query, list[tuple[str, bool]]]:
    drops = not call.site.quirks.unknown_history_order_fails
    query = compile_filter(call.param("filter"), columns, call.zone, id_key="ID")
    return query, parse_order(call.param("order"), columns, drops_unknown=drops)


def _keep_readable(call: Call, kind: str, entity_type: int, query: Query) -> None:
    if not call.portal.records[history_kind(kind)].all_have("ENTITY_TYPE_ID", entity_type):
        query.tests.insert(0, lambda row: row["ENTITY_TYPE_ID"] == entity_type)
    owners = visible_owners(call.site, call.user_id)
    if owners is None:
        return
    items = call.portal.records[kind]

    def is_readable(row: Row) -> bool:
        item = items.get(row["OWNER_ID"])
        return item is not None and item.get("assignedById") in owners

    query.tests.append(is_readable)


def _value(call: Call, row: Row, name: str) -> Any:
    value = row.get(name)
    return moment_text(value, call.zone) if name == "CREATED_TIME" and value else value
