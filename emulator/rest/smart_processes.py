"""`crm.type.*`: the settings of smart processes, read only."""

from __future__ import annotations

from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.crm_types import ALL_SWITCHES, smart_process
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.crm_items import refuse_extranet
from emulator.times import moment_text
from emulator.world import Row

_SWITCH_TITLES = (
    "Use custom funnels and sales tunnels in the smart process",
    "Use custom stages and Kanban in the smart process",
    "Fields 'Start Date' and 'End Date'",
    "Field 'Client'",
    "Use in user field",
    "Link with catalog products",
    "Field 'Your Company Details'",
    "Document Printing",
    "Fields 'Source' and 'Additional Information about Source'",
    "Field 'Observers'",
    "Use Recycle Bin",
    "Use Automation rules and triggers in the smart process",
    "Use business process designer in the smart process",
    "Make new funnels available to everyone",
)
_FIELDS = (
    # name, type, title, flags: q required, r read-only, i immutable
    ("id", "integer", "ID", "r"),
    ("title", "string", "Title", "q"),
    ("code", "string", "Symbolic Code", ""),
    ("createdBy", "user", "Created By", "r"),
    ("entityTypeId", "integer", "Type Identifier", "qi"),
    ("customSectionId", "integer", "Digital Workspace", "i"),
    *(
        (name, "boolean", title, "")
        # the two newest switches are answered but not described
        for name, title in zip(ALL_SWITCHES, _SWITCH_TITLES, strict=False)
    ),
    ("createdTime", "datetime", "Creation Date", ""),
    ("updatedTime", "datetime", "Modification Date", ""),
    ("updatedBy", "user", "Modified By", "r"),
)
COLUMNS = {name: Column(name, {"user": "integer"}.get(kind, kind)) for name, kind, _, _ in _FIELDS} | {
    name: Column(name, "boolean") for name in ALL_SWITCHES
}


@method("crm.type.list", scope="crm")
def type_list(call: Call) -> Result:
    _require_crm_admin(call)
    query = compile_filter(call.param("filter"), COLUMNS, call.zone, id_key="id")
    order = parse_order(call.param("order"), COLUMNS)
    page = select_page(call.portal.records["type"], query, order, id_key="id", start=call.integer("start"))
    total = page.total
    if total is None and call.site.quirks.uncounted_total_is_zero:
        total = 0
    types = [_settings(call, row) for row in page.rows]
    return Result({"types": types}, total, page.next, rows=len(types), counted=page.total or 0)


@method("crm.type.get", scope="crm")
def type_get(call: Call) -> Result:
    refuse_extranet(call)
    return _one(call, call.portal.records["type"].get(call.integer("id")))


@method("crm.type.getByEntityTypeId", scope="crm")
def type_get_by_entity_type(call: Call) -> Result:
    refuse_extranet(call)
    return _one(call, smart_process(call.portal, call.integer("entityTypeId")))


@method("crm.type.fields", scope="crm")
def type_fields(call: Call) -> Result:
    _require_crm_admin(call)
    return Result({
        "fields": {
            name: {
                "type": kind,
                "isRequired": "q" in flags,
                "isReadOnly": "r" in flags,
                "isImmutable": "i" in flags,
                "isMultiple": False,
                "isDynamic": False,
                "title": title,
                "upperName": "".join(f"_{sign}" if sign.isupper() else sign for sign in name).upper(),
            }
            for name, kind, title, flags in _FIELDS
        }
    })  # fmt: skip


def _require_crm_admin(call: Call) -> None:
    refuse_extranet(call)
    if not call.is_admin:
        raise PortalError("ACCESS_DENIED", "Access denied")


def _one(call: Call, row: Row | None) -> Result:
    if row is None:
        raise PortalError(0, "SPA not found")
    links = {str(link): "Y" if is_on else "N" for link, is_on in (row.get("linkedUserFields") or {}).items()}
    return Result({
        "type": {
            **_settings(call, row),
            "relations": {
                side: [_relation(one) for one in (row.get("relations") or {}).get(side) or ()]
                for side in ("parent", "child")
            },
            "linkedUserFields": links or [],
            "customSections": [],
        }
    })  # fmt: skip


def _relation(row: Row) -> Row:
    flags = ("isChildrenListEnabled", "isPredefined")
    return {"entityTypeId": row["entityTypeId"]} | {
        name: "Y" if php.is_yes(row.get(name, False)) else "N" for name in flags
    }


def _settings(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row.get("title") or "",
        "code": row.get("code") or "",
        "createdBy": row.get("createdBy") or 1,
        "entityTypeId": row["entityTypeId"],
        "customSectionId": row.get("customSectionId"),
        **{name: "Y" if row.get(name) else "N" for name in ALL_SWITCHES},
        "createdTime": moment_text(row["createdTime"], call.zone) if row.get("createdTime") else None,
        "updatedTime": moment_text(row["updatedTime"], call.zone) if row.get("updatedTime") else None,
        "updatedBy": row.get("updatedBy") or 1,
    }
