"""The fields of CRM items: names in both families of methods, types, and how values are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from emulator.filters import Column
from emulator.times import date_text, moment_text
from emulator.world import Row

KINDS_OF_TYPES = {
    "integer": "integer", "user": "integer", "crm_lead": "integer", "crm_company": "integer",
    "crm_contact": "integer", "crm_quote": "integer", "crm_category": "integer", "crm_entity": "integer",
    "double": "double", "boolean": "boolean", "date": "date", "datetime": "datetime",
    "enumeration": "integer", "employee": "integer",
}  # fmt: skip
"""What a field type is compared as; the rest are texts."""


@dataclass(frozen=True)
class Field:
    name: str
    type: str = "string"
    upper: str = ""  # of the older methods
    is_read_only: bool = False
    is_disabled: bool = False  # always null
    is_hidden: bool = False  # comes only when selected by name
    is_multiple: bool = False
    is_link: bool = False  # empty is 0 or null
    status_type: str = ""
    title: str = ""
    is_required: bool = False
    is_deprecated: bool = False
    switch: str = ""  # the setting of a smart process without which the field is not there
    settings: Mapping[str, Any] | None = None
    upper_name: str = ""  # of a custom field, as its settings have it
    choices: tuple[tuple[int, str], ...] = ()  # of a custom list: (id, text)

    @property
    def is_custom(self) -> bool:
        return self.upper_name != ""

    @property
    def column(self) -> Column:
        kind = "list" if self.is_multiple else KINDS_OF_TYPES.get(self.type, "string")
        if self.is_custom and kind == "boolean":
            kind = "flag"
        return Column(self.name, kind, can_filter=not self.is_disabled)


def _fields(*lines: str) -> tuple[Field, ...]:
    """`name type UPPER flags`; `-` derives the UPPER name.

    Flags: r read-only, d disabled (null), h comes only when selected, m multiple, l link.
    """
    fields = []
    for line in lines:
        name, kind, upper, *rest = [*line.split(), "", ""][:4]
        flags = rest[0] if rest else ""
        kind, _, status_type = kind.partition(":")
        fields.append(
            Field(
                name,
                kind or "string",
                _upper(name) if upper in ("", "-") else upper,
                is_read_only="r" in flags,
                is_disabled="d" in flags,
                is_hidden="h" in flags,
                is_multiple="m" in flags,
                is_link="l" in flags,
                status_type=status_type,
            )
        )
    return tuple(fields)


def _upper(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()


_BEGIN = ("id integer - r",)
_TIMES = (
    "createdTime datetime DATE_CREATE r", "dateCreateShort datetime - d",
    "updatedTime datetime DATE_MODIFY r", "dateModifyShort datetime - d", "createdBy user CREATED_BY_ID r",
    "updatedBy user MODIFY_BY_ID r", "assignedById user", "opened boolean",
)  # fmt: skip
_MOVES = (
    "movedBy user MOVED_BY_ID r", "movedTime datetime - r", "lastActivityBy user - r",
    "lastActivityTime datetime - r",
)  # fmt: skip
_END = (
    "utmSource", "utmMedium", "utmCampaign", "utmContent", "utmTerm", "observers user - m",
    "contactIds crm_contact - m",
)  # fmt: skip
_ORIGIN = ("originatorId", "originId")

LEAD = _fields(
    *_BEGIN, *_TIMES, "companyId crm_company - l", "contactId crm_contact - l",
    "stageId crm_status:STATUS STATUS_ID", "isConvert boolean - d", "statusDescription",
    "stageSemanticId string STATUS_SEMANTIC_ID r", "productId string - d", "opportunity double",
    "currencyId crm_currency", "sourceId crm_status:SOURCE", "sourceDescription", "title", "name",
    "lastName", "secondName", "shortName string - d", "companyTitle", "post", "address string - d",
    "comments", "webformId integer - l", *_ORIGIN, "dateClosed datetime - r", "birthdate date",
    "honorific crm_status:HONORIFIC", "hasPhone boolean - r", "hasEmail boolean - r", "hasImol boolean - r",
    "login string - d", "isReturnCustomer boolean - r", "isManualOpportunity boolean", *_MOVES, *_END,
)  # fmt: skip
DEAL = _fields(
    *_BEGIN, *_TIMES, "leadId crm_lead - l", "companyId crm_company - l", "contactId crm_contact - l",
    "quoteId crm_quote - l", "title", "productId string - d", "categoryId crm_category",
    "stageId crm_status:DEAL_STAGE", "stageSemanticId string - r", "isNew boolean - r",
    "isRecurring boolean - r", "isReturnCustomer boolean - r", "isRepeatedApproach boolean - r",
    "closed boolean - r", "typeId crm_status:DEAL_TYPE", "opportunity double",
    "isManualOpportunity boolean", "taxValue double", "currencyId crm_currency", "probability integer",
    "comments", "begindate date", "begindateShort datetime - d", "closedate date",
    "closedateShort datetime - d", "eventDate datetime - d", "eventDateShort datetime - d",
    "eventId string - d", "eventDescription string - d", "locationId", "webformId integer - l",
    "sourceId crm_status:SOURCE", "sourceDescription", *_ORIGIN, "additionalInfo",
    "searchContent string - d", "orderStage", *_MOVES, "isWork boolean - d", "isWon boolean - d",
    "isLose boolean - d", "receivedAmount double - d", "lostAmount double - d", "hasProducts boolean - d",
    "opportunityAccount double - dh", "accountCurrencyId crm_currency - dh", *_END,
)  # fmt: skip
CONTACT = _fields(
    *_BEGIN, *_TIMES, "companyId crm_company - l", "leadId crm_lead - l", "typeId crm_status:CONTACT_TYPE",
    "sourceId crm_status:SOURCE", "sourceDescription", "name", "lastName", "secondName", "honorific",
    "post", "comments", "birthdate date", "export boolean", "hasPhone boolean - r", "hasEmail boolean - r",
    "webformId integer - l", *_ORIGIN, "lastActivityBy user - r", "lastActivityTime datetime - r",
    *_END[:-1],
)  # fmt: skip
COMPANY = _fields(
    *_BEGIN, *_TIMES, "leadId crm_lead - l", "title", "typeId crm_status:COMPANY_TYPE COMPANY_TYPE",
    "industry crm_status:INDUSTRY", "employees crm_status:EMPLOYEES", "revenue double",
    "currencyId crm_currency", "sourceId crm_status:SOURCE", "comments", "isMyCompany boolean",
    "hasPhone boolean - r", "hasEmail boolean - r", "webformId integer - l", *_ORIGIN,
    "lastActivityBy user - r", "lastActivityTime datetime - r", *_END,
)  # fmt: skip
_SPA_LINES = (
    # name, type, title, flags as above, the switch that brings it
    ("id", "integer", "ID", "r", ""),
    ("title", "string", "Name", "", ""),
    ("xmlId", "string", "External code", "", ""),
    ("createdTime", "datetime", "Created at", "r", ""),
    ("updatedTime", "datetime", "Updated at", "r", ""),
    ("createdBy", "user", "Created by", "r", ""),
    ("updatedBy", "user", "Updated by", "r", ""),
    ("assignedById", "user", "Assigned to", "", ""),
    ("opened", "boolean", "Publicly available", "", ""),
    ("webformId", "integer", "Created by CRM form", "l", ""),
    ("begindate", "date", "Start date", "", "isBeginCloseDatesEnabled"),
    ("closedate", "date", "End date", "", "isBeginCloseDatesEnabled"),
    ("companyId", "crm_company", "Company", "l", "isClientEnabled"),
    ("contactId", "crm_contact", "Contact", "l", "isClientEnabled"),
    ("contactIds", "crm_contact", "CONTACT_IDS", "m", "isClientEnabled"),
    ("contacts", "crm_contact", "CONTACTS", "mh", "isClientEnabled"),
    ("observers", "user", "Observers", "m", "isObserversEnabled"),
    ("categoryId", "crm_category", "Pipeline", "", ""),
    ("movedTime", "datetime", "Moved at", "r", "isStagesEnabled"),
    ("movedBy", "user", "Moved by", "r", "isStagesEnabled"),
    ("stageId", "crm_status", "Stage", "", "isStagesEnabled"),
    ("previousStageId", "crm_status", "Previous stage", "r", "isStagesEnabled"),
    ("sourceId", "crm_status:SOURCE", "Source", "", "isSourceEnabled"),
    ("sourceDescription", "text", "Additional source info", "", "isSourceEnabled"),
    ("currencyId", "crm_currency", "Currency", "", "isLinkWithProductsEnabled"),
    ("isManualOpportunity", "boolean", "Amount calculation mode", "", "isLinkWithProductsEnabled"),
    ("opportunity", "double", "Amount", "", "isLinkWithProductsEnabled"),
    ("taxValue", "double", "Tax amount", "", "isLinkWithProductsEnabled"),
    ("mycompanyId", "crm_company", "Your company details", "l", "isMycompanyEnabled"),
    ("lastActivityBy", "user", "Last activity in timeline by", "r", ""),
    ("lastActivityTime", "datetime", "Last activity", "r", ""),
)
_SPA_MORE: Mapping[str, Mapping[str, Any]] = {
    "opened": {"is_required": True},
    "companyId": {"settings": {"parentEntityTypeId": 4}},
    "contactId": {"is_deprecated": True},
    "mycompanyId": {
        "settings": {"isMyCompany": True, "parentEntityTypeId": 4, "isEmbeddedEditorEnabled": True}
    },
}
SPA: tuple[Field, ...] = tuple(
    Field(
        name,
        kind.partition(":")[0],
        _upper(name),
        is_read_only="r" in flags,
        is_disabled="d" in flags,
        is_hidden="h" in flags,
        is_multiple="m" in flags,
        is_link="l" in flags,
        status_type=kind.partition(":")[2],
        title=title,
        switch=switch,
        **_SPA_MORE.get(name, {}),
    )
    for name, kind, title, flags, switch in _SPA_LINES
)
"""All that an item of a smart process can have; which of it is there its switches say."""
INVOICE: tuple[Field, ...] = (
    *SPA,
    Field("comments", "text", "COMMENTS", title="Comment"),
    Field("accountNumber", "string", "ACCOUNT_NUMBER", title="Invoice number"),
    Field("locationId", "location", "LOCATION_ID", title="Location"),
)
FIELDS: Mapping[str, Mapping[str, Field]] = {
    kind: {one.name: one for one in fields}
    for kind, fields in (("lead", LEAD), ("deal", DEAL), ("contact", CONTACT), ("company", COMPANY))
}
OLD_FIELDS: Mapping[str, Mapping[str, Field]] = {
    kind: {one.upper: one for one in fields.values() if not one.is_disabled and not one.is_multiple}
    for kind, fields in FIELDS.items()
}
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    # `ID` is understood beside `id`: the official SDK pages through crm.item.list with it
    kind: {"ID": fields["id"].column} | {name: one.column for name, one in fields.items()}
    for kind, fields in FIELDS.items()
}
OLD_COLUMNS: Mapping[str, Mapping[str, Column]] = {
    kind: {upper: one.column for upper, one in fields.items()} for kind, fields in OLD_FIELDS.items()
}
_CUSTOM = re.compile(r"^(ufCrm\w+|parentId\d+)$")
_PARENT = re.compile(r"^parentId(\d+)$")
_CUSTOM_UPPER = re.compile(r"^UF_CRM_(?:(\d+)_)?(\w+)$")

Write = Callable[[Row], Any]


def is_custom(name: str) -> bool:
    """Whether a name is a custom field's or a link's to an item of another type."""
    return _CUSTOM.match(name) is not None


def parent_type(name: str) -> int | None:
    """The entityTypeId of a `parentId<n>` field; None for any other name."""
    match = _PARENT.match(name)
    return int(match.group(1)) if match else None


def custom_name(upper: str) -> str:
    """The camelCase name of a custom field, by the two conversions of the portal (crm/universal/index.md).

    `UF_CRM_44_1721812760630` is `ufCrm44_1721812760630`, `UF_CRM_10_DIGIT` is `ufCrm10Digit`; where letters
    and digits are mixed only the prefix changes: `UF_CRM_10_DIGIT10` is `ufCrm_10_DIGIT10`.
    """
    match = _CUSTOM_UPPER.match(upper)
    if match is None:
        raise ValueError(f"{upper!r} is no name of a custom field")
    number, rest = match.group(1) or "", match.group(2)
    plain = rest.replace("_", "")
    if plain.isdecimal():
        return f"ufCrm{number}_{rest}"
    if plain.isalpha():
        return f"ufCrm{number}" + "".join(part.capitalize() for part in rest.split("_"))
    return "ufCrm_" + upper.removeprefix("UF_CRM_")


def smart_fields(
    possible: Iterable[Field], switches: Mapping[str, Any], stages: str, parents: Mapping[int, str]
) -> dict[str, Field]:
    """The fields of a smart process or of invoices.

    `switches`: its settings; `stages`: the list its default pipeline's stages are in; `parents`: titles of
    the types whose items its items can belong to.
    """
    fields = {
        field.name: replace(field, status_type=stages) if field.name in STAGE_FIELDS else field
        for field in possible
        if not field.switch or switches.get(field.switch)
    }
    return fields | {f"parentId{number}": _parent(number, title) for number, title in parents.items()}


STAGE_FIELDS = frozenset({"stageId", "previousStageId"})


def _parent(entity_type: int, title: str) -> Field:
    return Field(
        f"parentId{entity_type}",
        "crm_entity",
        f"PARENT_ID_{entity_type}",
        title=title,
        settings={"parentEntityTypeId": entity_type},
    )


def custom_field(row: Row) -> Field:
    """The field that a `user_field` record sets up."""
    upper = str(row["fieldName"])
    labels = [label for label in (row.get("editFormLabel") or {}).values() if label]
    return Field(
        custom_name(upper),
        str(row["userTypeId"]),
        upper,
        is_multiple=bool(row.get("multiple")),
        is_required=bool(row.get("mandatory")),
        title=str(row.get("title") or (labels[0] if labels else upper)),
        settings=row.get("settings") or {},
        upper_name=upper,
        choices=tuple((int(one["ID"]), str(one["VALUE"])) for one in row.get("enum") or ()),
    )


def writer(field: Field, zone: tzinfo, *, empty_links_are_null: bool) -> Write:
    """How `crm.item.*` writes a field of a record: typed values."""
    name = field.name
    if field.is_disabled:
        return lambda row: None
    if field.is_multiple:
        return lambda row: list(row.get(name) or ())
    if field.type == "boolean":
        return lambda row: "Y" if row.get(name) else "N"
    if field.type == "datetime":
        return lambda row: moment_text(row[name], zone) if row.get(name) else None
    if field.type == "date":
        return lambda row: date_text(row[name], zone) if row.get(name) else None
    if field.type == "double":
        if field.is_custom:
            return lambda row: None if row.get(name) is None else number(row[name])
        return lambda row: number(row.get(name))
    if field.is_link and not empty_links_are_null:
        return lambda row: row.get(name) or 0
    return lambda row: row.get(name)


def number(value: Any) -> int | float | None:
    """Money as a JSON number: PHP writes whole amounts without a fraction."""
    if value is None:
        return 0
    return int(value) if value == int(value) else float(value)


def old_text(field: Field, row: Row, zone: tzinfo) -> str | None:
    """How `crm.deal.*` and its kin write a field: texts, null for what is empty."""
    value = row.get(field.name)
    if field.type == "boolean":
        return ("1" if value else "0") if field.is_custom else "Y" if value else "N"
    if value is None and field.is_custom:
        return None
    if value is None:
        return "" if field.type in ("date", "datetime") else "0.00" if field.type == "double" else None
    if isinstance(value, datetime):
        return moment_text(value, zone)
    if isinstance(value, date):
        return date_text(value, zone)
    if field.type == "double":
        return str(Decimal(value).quantize(Decimal("0.01")))
    return str(value)


def describe(field: Field) -> dict[str, Any]:
    """An entry of `crm.item.fields`."""
    entry: dict[str, Any] = {
        "type": field.type,
        "isRequired": field.is_required,
        "isReadOnly": field.is_read_only or field.is_disabled,
        "isImmutable": False,
        "isMultiple": field.is_multiple,
        "isDynamic": field.is_custom,
        "title": field.title or _upper(field.name).replace("_", " ").capitalize(),
        "upperName": field.upper_name or _upper(field.name).replace("PARENT_ID", "PARENT_ID_"),
    }
    if field.is_deprecated:
        entry["isDeprecated"] = True
    if field.status_type:
        entry["statusType"] = field.status_type
    if field.type == "enumeration":
        entry["items"] = [{"ID": str(number), "VALUE": text} for number, text in field.choices]
    if field.is_custom:
        entry |= dict.fromkeys(("listLabel", "formLabel", "filterLabel"), entry["title"])
    if field.settings is not None:
        entry["settings"] = dict(field.settings)
    return entry
