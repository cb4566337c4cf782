"""Reference data of the CRM: pipelines, stages and other lists, currencies, the mode."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator import crm
from emulator.answers import PortalError, Result
from emulator.crm_types import categories, kind_of
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter, parse_order
from emulator.listing import select_page
from emulator.times import moment_text
from emulator.world import Row

STATUS_COLUMNS = {
    name: Column(name, "integer" if name in ("ID", "SORT", "CATEGORY_ID") else "string")
    for name in (
        "ID",
        "ENTITY_ID",
        "STATUS_ID",
        "NAME",
        "NAME_INIT",
        "SORT",
        "CATEGORY_ID",
        "COLOR",
        "SEMANTICS",
    )
} | {"SYSTEM": Column("SYSTEM", "boolean")}
_STAGES = ("STATUS", "DEAL_STAGE", "SMART_INVOICE_STAGE", "DYNAMIC_", "QUOTE_STATUS")
_SEMANTICS = {None: "process", "": "process", "P": "process", "S": "success", "F": "failure"}
_NAMES = {1: "LEAD", 5: "INVOICE", 14: "ORDER"}
ALL = 1_000_000


@method("crm.category.list", scope="crm")
def category_list(call: Call) -> Result:
    entity_type = call.integer("entityTypeId")
    if entity_type in _NAMES:
        raise PortalError("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {_NAMES[entity_type]} is not supported")
    if kind_of(call.portal, entity_type) is None:
        raise PortalError("NOT_FOUND", "Smart process not found")
    rows = categories(call.portal, entity_type)
    return Result({"categories": [_category(row) for row in rows]}, total=len(rows))


@method("crm.status.list", scope="crm")
def status_list(call: Call) -> Result:
    columns = STATUS_COLUMNS
    query = compile_filter(
        call.param("filter", "FILTER"), columns, call.zone, id_key="ID", drops_unknown=True
    )
    order = parse_order(call.param("order", "ORDER"), columns, drops_unknown=True)
    page = select_page(call.portal.records["status"], query, order, id_key="ID", start=0, size=ALL)
    return Result([_status(row) for row in page.rows], total=len(page.rows))


@method("crm.currency.list", scope="crm")
def currency_list(call: Call) -> Result:
    rows = sorted(call.portal.records["currency"], key=lambda row: (int(row.get("SORT") or 0), row["ID"]))
    order = call.mapping("order")
    if order:
        name, direction = next(iter(order.items()))
        rows.sort(key=lambda row: str(row.get(name) or ""), reverse=str(direction).upper() == "DESC")
    return Result([_currency(call, row) for row in rows], total=0)


@method("crm.currency.base.get", scope="crm")
def currency_base_get(call: Call) -> Result:
    return Result(crm.base_currency(call.portal))


@method("crm.settings.mode.get", scope="crm")
def mode_get(call: Call) -> Result:
    return Result(1 if call.portal.uses_leads else 2)


def _category(row: Row) -> dict[str, Any]:
    category = {
        "id": row["id"],
        "name": row.get("name") or "",
        "sort": row.get("sort") or 500,
        "entityTypeId": row.get("entityTypeId", 2),
        "isDefault": "Y" if row["id"] == 0 or row.get("isDefault") in (True, "Y") else "N",
    }
    if row["id"] != 0:  # the default pipeline of deals is no record and has no origin
        category |= {"originId": row.get("originId") or "", "originatorId": row.get("originatorId") or ""}
    return category


def _status(row: Row) -> dict[str, Any]:
    entity = str(row["ENTITY_ID"])
    semantics = row.get("SEMANTICS")
    status: dict[str, Any] = {
        "ID": str(row["ID"]),
        "ENTITY_ID": entity,
        "STATUS_ID": row["STATUS_ID"],
        "NAME": row.get("NAME") or "",
        "NAME_INIT": row.get("NAME_INIT") or "",
        "SORT": str(row.get("SORT") or 0),
        "SYSTEM": "Y" if row.get("SYSTEM") else "N",
        "CATEGORY_ID": str(row["CATEGORY_ID"]) if row.get("CATEGORY_ID") else None,
        "COLOR": row.get("COLOR") or None,
        "SEMANTICS": None if semantics == "P" else semantics,
    }
    if entity.startswith(_STAGES):
        status["EXTRA"] = row.get("EXTRA") or {
            "SEMANTICS": _SEMANTICS[semantics],
            "COLOR": row.get("COLOR") or None,
        }
    return status


def _currency(call: Call, row: Row) -> dict[str, Any]:
    updated = row.get("DATE_UPDATE")
    return {
        "CURRENCY": row["CURRENCY"],
        "AMOUNT_CNT": str(row.get("AMOUNT_CNT") or 1),
        "AMOUNT": str(Decimal(row.get("AMOUNT") or 1).quantize(Decimal("0.0001"))),
        "SORT": str(row.get("SORT") or 100),
        "BASE": "Y" if row.get("BASE") else "N",
        "FULL_NAME": row.get("FULL_NAME") or row["CURRENCY"],
        "LID": row.get("LID") or call.portal.lang,
        "FORMAT_STRING": row.get("FORMAT_STRING") or "#&nbsp;" + str(row["CURRENCY"]),
        "DEC_POINT": row.get("DEC_POINT") or ".",
        "THOUSANDS_SEP": row.get("THOUSANDS_SEP", "&nbsp;"),
        "DECIMALS": str(row.get("DECIMALS", 2)),
        "DATE_UPDATE": moment_text(updated, call.zone) if updated else None,
    }
