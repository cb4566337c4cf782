"""What every portal has on its first day, and small makers of people and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from emulator import crm_types, rows
from emulator.crm_fields import custom_name
from emulator.world import DYNAMIC, Portal, Row

LEAD_STATUSES: tuple[rows.Stage, ...] = (
    ("NEW", "Unassigned", None, "#39A8EF"),
    ("IN_PROCESS", "In progress", None, "#2FC6F6"),
    ("PROCESSED", "Processed", None, "#55D0E0"),
    ("CONVERTED", "Good lead", "S", "#7BD500"),
    ("JUNK", "Junk lead", "F", "#FF5752"),
)
DEAL_STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "New", None, "#39A8EF"),
    ("PREPARATION", "Document preparation", None, "#2FC6F6"),
    ("PREPAYMENT_INVOICE", "Prepayment invoice", None, "#55D0E0"),
    ("EXECUTING", "In progress", None, "#47E4C2"),
    ("FINAL_INVOICE", "Final invoice", None, "#FFA900"),
    ("WON", "Deal successful", "S", "#7BD500"),
    ("LOSE", "Deal failed", "F", "#FF5752"),
    ("APOLOGY", "Failure reason analysis", "F", "#FF5752"),
)
SPA_STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "Start", None, "#22B9FF"),
    ("PREPARATION", "Preparation", None, "#88B9FF"),
    ("CLIENT", "Client's approval", None, "#10E5FC"),
    ("SUCCESS", "Success", "S", "#00FF00"),
    ("FAIL", "Failure", "F", "#FF0000"),
)
INVOICE_STAGES: tuple[rows.Stage, ...] = (
    ("N", "New", None, "#39A8EF"),
    ("S", "Sent to client", None, "#2FC6F6"),
    ("P", "Paid", "S", "#7BD500"),
    ("D", "Unpaid", "F", "#FF5752"),
)
FIRST_CUSTOM_TYPE = 1030
"""The lowest entityTypeId that a new smart process gets; they are even."""
SOURCES = {
    "CALL": "Call",
    "EMAIL": "E-mail",
    "WEB": "Web site",
    "ADVERTISING": "Advertising",
    "PARTNER": "Existing client",
    "RECOMMENDATION": "Recommendation",
    "OTHER": "Other",
}
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


def stock(portal: Portal) -> None:
    """An admin, one department, the stock stages and sources, one currency, a working week."""
    add_department(portal, portal.title)
    add_user(portal, "Anna", "Admin", departments=[1], is_admin=True)
    add_currency(portal, "RUB", is_base=True)
    add_pipeline(portal, "General", category_id=0)
    for place, (code, name, semantics, color) in enumerate(LEAD_STATUSES, 1):
        rows.add_status(portal, "STATUS", code, name, sort=place * 10, semantics=semantics, color=color)
    for place, (code, name) in enumerate(SOURCES.items(), 1):
        rows.add_status(portal, "SOURCE", code, name, sort=place * 10)
    portal.calendar.update(
        work_time_start="9",
        work_time_end="18",
        year_holidays="1.01,2.01,7.01,23.02,8.03,1.05,9.05,12.06,4.11",
        year_workdays="",
        week_holidays=["SA", "SU"],
        week_start="MO",
    )


def add_user(
    portal: Portal,
    name: str,
    last_name: str,
    *,
    departments: Sequence[int] = (),
    is_admin: bool = False,
    is_active: bool = True,
    **fields: Any,
) -> int:
    """A new employee; the id."""
    row = rows.user(name, last_name, departments=departments, IS_ADMIN=is_admin, ACTIVE=is_active)
    return portal.put("user", {**row, "DATE_REGISTER": FIRST_DAY, **fields})


def add_department(
    portal: Portal, name: str, *, parent_id: int | None = None, head_id: int | None = None, sort: int = 500
) -> int:
    row: Row = {"NAME": name, "SORT": sort, "PARENT": parent_id, "UF_HEAD": head_id}
    return portal.put("department", row)


def add_currency(
    portal: Portal, code: str, *, amount: str = "1", count: int = 1, is_base: bool = False, name: str = ""
) -> int:
    """A currency of which `count` units are worth `amount` of the base."""
    sort = 100 * (len(portal.records["currency"]) + 1)
    row = rows.currency(code, amount, base=is_base, count=count, name=name, sort=sort)
    return portal.put("currency", {**row, "DATE_UPDATE": FIRST_DAY})


def add_pipeline(
    portal: Portal,
    name: str,
    *,
    category_id: int | None = None,
    stages: Sequence[rows.Stage] = DEAL_STAGES,
) -> int:
    """A new deal pipeline with its stages; the id, 0 is the default one."""
    known = [row["id"] for row in portal.records["category"]]
    number = max(known, default=0) + 1 if category_id is None else category_id
    rows.add_pipeline(portal, number, name, stages, sort=200 + 100 * len(known))
    return number


def add_smart_process(
    portal: Portal,
    title: str,
    *,
    entity_type_id: int | None = None,
    stages: Sequence[rows.Stage] = SPA_STAGES,
    parents: Sequence[int] = (),
    pipeline: str = "General",
    **switches: Any,
) -> int:
    """A new smart process with one pipeline, all its settings on; the entityTypeId.

    `parents`: entityTypeIds of what its items can belong to; `switches`: settings that differ, or `id`.
    """
    taken = [row["entityTypeId"] for row in portal.records["type"]]
    number = entity_type_id or max([FIRST_CUSTOM_TYPE, *(one + 2 for one in taken)])
    portal.put(
        "type",
        {
            "title": title,
            "code": "",
            "entityTypeId": number,
            "customSectionId": None,
            "createdBy": 1,
            "updatedBy": 1,
            "createdTime": FIRST_DAY,
            "updatedTime": FIRST_DAY,
            **dict.fromkeys(crm_types.ALL_SWITCHES, True),
            "isPaymentsEnabled": False,
            "isCountersEnabled": False,
            "relations": {"parent": [{"entityTypeId": one} for one in parents], "child": []},
            **switches,
        },
    )
    add_item_pipeline(portal, number, pipeline, stages=stages, is_default=True)
    return number


def add_item_pipeline(
    portal: Portal,
    entity_type_id: int,
    name: str,
    *,
    stages: Sequence[rows.Stage] = SPA_STAGES,
    is_default: bool = False,
) -> int:
    """A new pipeline of a smart process or, with 31, of invoices; the id."""
    kind = crm_types.STOCK.get(entity_type_id, f"{DYNAMIC}{entity_type_id}")
    number = portal.put(
        "item_category",
        {"entityTypeId": entity_type_id, "name": name, "sort": 500, "isDefault": is_default},
    )
    for place, (code, title, semantics, color) in enumerate(stages, 1):
        rows.add_status(
            portal,
            crm_types.stage_list(kind, number),
            crm_types.stage_id(kind, number, code),
            title,
            sort=place * 10,
            semantics=semantics,
            color=color,
            category_id=number,
        )
    return number


def add_invoices(portal: Portal) -> int:
    """The pipeline that invoices stand in; the id."""
    return add_item_pipeline(portal, crm_types.INVOICES, "General", stages=INVOICE_STAGES, is_default=True)


def add_custom_field(
    portal: Portal,
    kind: str,
    title: str,
    user_type: str = "string",
    *,
    code: str | None = None,
    choices: Sequence[str] = (),
    **settings: Any,
) -> str:
    """A new custom field of a kind of item (`deal`, `dynamic_1036`); its camelCase name.

    `code` is what follows the prefix of the name, digits made up by default; `choices` are the texts of a
    list, their ids count up over all lists of the portal.
    """
    known = portal.records["user_field"]
    owner = crm_types.custom_owner(portal, kind)
    prefix = f"UF_CRM_{owner.removeprefix('CRM_')}_" if crm_types.is_dynamic(kind) else "UF_CRM_"
    upper = f"{prefix}{code or 1_700_000_001 + len(known)}"
    first = 1 + max((one["ID"] for row in known for one in row.get("enum") or ()), default=40)
    portal.put(
        "user_field",
        {
            "entityId": owner,
            "fieldName": upper,
            "userTypeId": user_type,
            "title": title,
            "sort": 100,
            "enum": [{"ID": first + place, "VALUE": text} for place, text in enumerate(choices)],
            **settings,
        },
    )
    return custom_name(upper)
