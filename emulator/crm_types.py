"""The types of CRM items that a portal has: stock ones, invoices, smart processes; their fields, stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.crm_fields import (
    COLUMNS,
    FIELDS,
    INVOICE,
    OLD_COLUMNS,
    OLD_FIELDS,
    SPA,
    Field,
    custom_field,
    smart_fields,
)
from emulator.filters import Column
from emulator.world import DYNAMIC, Portal, Row

STOCK = {1: "lead", 2: "deal", 3: "contact", 4: "company", 31: "invoice"}
INVOICES = 31
_ENTITY_TYPES = {kind: number for number, kind in STOCK.items()}
_CUSTOM_OWNERS = {
    "lead": "CRM_LEAD", "deal": "CRM_DEAL", "contact": "CRM_CONTACT", "company": "CRM_COMPANY",
    "invoice": "CRM_SMART_INVOICE",
}  # fmt: skip
_TITLES = {1: "Lead", 2: "Deal", 3: "Contact", 4: "Company", 31: "Invoice"}
_PARENTS_OF_INVOICES = (2,)
ALL_SWITCHES = (
    "isCategoriesEnabled", "isStagesEnabled", "isBeginCloseDatesEnabled", "isClientEnabled",
    "isUseInUserfieldEnabled", "isLinkWithProductsEnabled", "isMycompanyEnabled", "isDocumentsEnabled",
    "isSourceEnabled", "isObserversEnabled", "isRecyclebinEnabled", "isAutomationEnabled", "isBizProcEnabled",
    "isSetOpenPermissions", "isPaymentsEnabled", "isCountersEnabled",
)  # fmt: skip
"""The settings of a smart process that are on or off, as `crm.type.list` names them."""


@dataclass(frozen=True)
class Schema:
    """What the items of one kind have; names as `crm.item.*` and as the older methods know them."""

    fields: Mapping[str, Field]
    columns: Mapping[str, Column]  # filterable and sortable
    original_columns: Mapping[str, Column]  # the same, custom fields by their original names
    old_fields: Mapping[str, Field]
    old_columns: Mapping[str, Column]
    originals: Mapping[str, str]  # original name of a custom field -> camelCase


def kind_of(portal: Portal, entity_type: int) -> str | None:
    """The kind of record that items of this type are; None when the portal has no such type."""
    stock = STOCK.get(entity_type)
    if stock is not None:
        return stock
    return f"{DYNAMIC}{entity_type}" if smart_process(portal, entity_type) else None


def entity_type(kind: str) -> int:
    """The entityTypeId of a kind of item. Raises: KeyError for a kind that is no CRM item."""
    return int(kind.removeprefix(DYNAMIC)) if is_dynamic(kind) else _ENTITY_TYPES[kind]


def is_item(kind: str) -> bool:
    """Whether records of this kind are CRM items."""
    return kind in _ENTITY_TYPES or is_dynamic(kind)


def is_dynamic(kind: str) -> bool:
    return kind.startswith(DYNAMIC)


def smart_process(portal: Portal, entity_type: int) -> Row | None:
    """The `type` record of a smart process."""
    return next((row for row in portal.records["type"] if row["entityTypeId"] == entity_type), None)


def has_stages(portal: Portal, kind: str) -> bool:
    """Whether items of this kind stand in stages, of which a history is kept."""
    if is_dynamic(kind):
        row = smart_process(portal, entity_type(kind))
        return row is not None and bool(row.get("isStagesEnabled"))
    return kind in ("lead", "deal", "invoice")


def categories(portal: Portal, entity_type: int) -> list[Row]:
    """The pipelines of a type, in order."""
    rows = [
        row
        for name in ("category", "item_category")
        for row in portal.records[name]
        if row.get("entityTypeId", 2) == entity_type
    ]
    return sorted(rows, key=lambda row: (row.get("sort") or 0, row["id"]))


def default_category(portal: Portal, kind: str) -> int:
    """The pipeline of an item that names none: 0 for deals, the default one of other types."""
    if kind in ("lead", "deal", "contact", "company"):
        return 0
    rows = categories(portal, entity_type(kind))
    chosen = next((row for row in rows if row.get("isDefault")), rows[0] if rows else None)
    return int(chosen["id"]) if chosen else 0


def stage_list(kind: str, category_id: int) -> str:
    """The ENTITY_ID of the reference list that holds a pipeline's stages."""
    if kind == "lead":
        return "STATUS"
    if kind == "deal":
        return f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"
    if kind == "invoice":
        return f"SMART_INVOICE_STAGE_{category_id}"
    return f"DYNAMIC_{entity_type(kind)}_STAGE_{category_id}"


def stage_id(kind: str, category_id: int, code: str) -> str:
    """The full id of a stage: `WON`, `C3:WON`, `DT1036_5:SUCCESS`."""
    if kind == "lead" or (kind == "deal" and not category_id):
        return code
    return f"C{category_id}:{code}" if kind == "deal" else f"DT{entity_type(kind)}_{category_id}:{code}"


def history_kind(kind: str) -> str:
    """The kind of record that the stage history of such items is."""
    return "stage_history" if kind in ("lead", "deal") else "item_stage_history"


def custom_owner(portal: Portal, kind: str) -> str:
    """The entityId under which the custom fields of such items are set up: `CRM_DEAL`, `CRM_<type id>`."""
    if not is_dynamic(kind):
        return _CUSTOM_OWNERS[kind]
    row = smart_process(portal, entity_type(kind))
    return f"CRM_{row['id']}" if row else ""


def schema(portal: Portal, kind: str) -> Schema:
    """The fields of a kind of item as this portal has them now."""
    key = tuple(portal.versions[name] for name in ("type", "user_field", "item_category"))
    known = portal.schemas.get(kind)
    if known is None or known[0] != key:
        known = portal.schemas[kind] = (key, _schema(portal, kind))
    found: Schema = known[1]
    return found


def _schema(portal: Portal, kind: str) -> Schema:
    owner = custom_owner(portal, kind)
    custom = [custom_field(row) for row in portal.records["user_field"] if row["entityId"] == owner]
    by_name = {field.name: field for field in custom}
    by_upper = {field.upper_name: field for field in custom}
    linked = {
        f"parentId{number}": Column(f"parentId{number}", "integer")
        for number in (*STOCK, *(row["entityTypeId"] for row in portal.records["type"]))
    }
    if kind in FIELDS:
        fields = {**FIELDS[kind], **by_name}
        columns = {**COLUMNS[kind], **linked}
        old_fields = {**OLD_FIELDS[kind], **by_upper}
        old_columns = {**OLD_COLUMNS[kind], **{name: field.column for name, field in by_upper.items()}}
    else:
        fields = {**_smart_fields(portal, kind), **by_name}
        columns = {"ID": fields["id"].column, **linked}
        columns |= {name: field.column for name, field in fields.items()}
        old_fields, old_columns = {}, {}
    return Schema(
        fields,
        {**columns, **{name: field.column for name, field in by_name.items()}},
        {
            **{name: column for name, column in columns.items() if name not in by_name},
            **{name: field.column for name, field in by_upper.items()},
        },
        old_fields,
        old_columns,
        {name: field.name for name, field in by_upper.items()},
    )


def _smart_fields(portal: Portal, kind: str) -> dict[str, Field]:
    stages = stage_list(kind, default_category(portal, kind))
    if kind == "invoice":
        switches: Row = dict.fromkeys(ALL_SWITCHES, True)
        parents = {number: type_title(portal, number) for number in _PARENTS_OF_INVOICES}
        return smart_fields(INVOICE, switches, stages, parents)
    row = smart_process(portal, entity_type(kind)) or {}
    relations = (row.get("relations") or {}).get("parent") or ()
    # links to the client's contact and company are fields of their own
    numbers = [one["entityTypeId"] for one in relations if one["entityTypeId"] not in (3, 4)]
    return smart_fields(SPA, row, stages, {number: type_title(portal, number) for number in numbers})


def type_title(portal: Portal, entity_type: int) -> str:
    """What a type is called."""
    row = smart_process(portal, entity_type)
    return str(row["title"]) if row else _TITLES.get(entity_type, str(entity_type))
