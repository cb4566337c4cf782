"""The fields of CRM items: names in both families of methods, types, and how values are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    @property
    def column(self) -> Column:
        kind = "list" if self.is_multiple else KINDS_OF_TYPES.get(self.type, "string")
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

Write = Callable[[Row], Any]


def is_custom(name: str) -> bool:
    """Whether a name is a custom field's or a link's to an item of another type."""
    return _CUSTOM.match(name) is not None


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
        return "Y" if value else "N"
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
        "isRequired": False,
        "isReadOnly": field.is_read_only or field.is_disabled,
        "isImmutable": False,
        "isMultiple": field.is_multiple,
        "isDynamic": False,
        "title": field.title or _upper(field.name).replace("_", " ").capitalize(),
        "upperName": _upper(field.name),
    }
    if field.status_type:
        entry["statusType"] = field.status_type
    return entry
