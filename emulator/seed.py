"""What every portal has on its first day, and small makers of people and pipelines."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from emulator.world import Portal, Row

LEAD_STATUSES = (("NEW", "Unassigned", None), ("IN_PROCESS", "In progress", None), ("PROCESSED", "Processed", None),
                 ("CONVERTED", "Good lead", "S"), ("JUNK", "Junk lead", "F"))  # fmt: skip
DEAL_STAGES = (("NEW", "New", None), ("PREPARATION", "Preparing documents", None),
               ("PREPAYMENT_INVOICE", "Prepayment", None), ("EXECUTING", "In progress", None),
               ("FINAL_INVOICE", "Final invoice", None), ("WON", "Deal won", "S"), ("LOSE", "Deal lost", "F"),
               ("APOLOGY", "Analysis of failure", "F"))  # fmt: skip
SOURCES = (("CALL", "Call"), ("EMAIL", "E-mail"), ("WEB", "Web site"), ("ADVERTISING", "Advertising"),
           ("PARTNER", "Existing client"), ("RECOMMENDATION", "Recommendation"), ("OTHER", "Other"))  # fmt: skip
EXTRA_SEMANTICS = {None: "process", "S": "success", "F": "failure"}


def stock(portal: Portal) -> None:
    """An admin, one department, the stock stages, sources and one currency."""
    add_department(portal, portal.title, head_id=None)
    add_user(portal, "Anna", "Admin", departments=[1], is_admin=True)
    add_currency(portal, "RUB", is_base=True)
    add_pipeline(portal, "General", category_id=0)
    for sort, (code, name, semantics) in enumerate(LEAD_STATUSES, 1):
        add_status(portal, "STATUS", code, name, sort * 10, semantics)
    for sort, (code, name) in enumerate(SOURCES, 1):
        add_status(portal, "SOURCE", code, name, sort * 10)
    portal.calendar.update(
        work_time_start="9", work_time_end="18", year_holidays="1.01,2.01,7.01,23.02,8.03,1.05,9.05,12.06,4.11",
        year_workdays="", week_holidays=["SA", "SU"], week_start="MO",
    )  # fmt: skip


def add_user(
    portal: Portal,
    name: str,
    last_name: str,
    *,
    departments: list[int] | None = None,
    is_admin: bool = False,
    is_active: bool = True,
    **fields: Any,
) -> int:
    """A new employee; the id."""
    row: Row = {
        "NAME": name, "LAST_NAME": last_name, "ACTIVE": is_active, "IS_ADMIN": is_admin,
        "UF_DEPARTMENT": departments or [], "USER_TYPE": "employee", "WORK_POSITION": "",
        "TIME_ZONE": "", "DATE_REGISTER": datetime(2020, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return portal.put("user", row | fields)


def add_department(
    portal: Portal, name: str, *, parent_id: int | None = None, head_id: int | None = None, sort: int = 500
) -> int:
    row: Row = {"NAME": name, "SORT": sort, "PARENT": parent_id, "UF_HEAD": head_id}
    return portal.put("department", row)


def add_currency(
    portal: Portal, code: str, *, amount: str = "1", count: int = 1, is_base: bool = False, name: str = ""
) -> int:
    """A currency of which `count` units are worth `amount` of the base."""
    row: Row = {
        "CURRENCY": code, "AMOUNT": Decimal(amount), "AMOUNT_CNT": count, "BASE": is_base,
        "FULL_NAME": name or code, "SORT": 100 * (len(portal.records["currency"]) + 1),
        "DATE_UPDATE": datetime(2020, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return portal.put("currency", row)


def add_pipeline(
    portal: Portal,
    name: str,
    *,
    category_id: int | None = None,
    stages: tuple[tuple[str, str, str | None], ...] = DEAL_STAGES,
) -> int:
    """A new deal pipeline with its stages (code without prefix, name, semantics); the id, 0 is the default one."""
    row: Row = {"name": name, "sort": 500, "entityTypeId": 2}
    if category_id is not None:
        row["id"] = category_id
    category = portal.put("category", row)
    entity = f"DEAL_STAGE_{category}" if category else "DEAL_STAGE"
    for sort, (code, stage_name, semantics) in enumerate(stages, 1):
        stage_id = f"C{category}:{code}" if category else code
        add_status(portal, entity, stage_id, stage_name, sort * 10, semantics, category)
    return category


def add_status(
    portal: Portal,
    entity_id: str,
    status_id: str,
    name: str,
    sort: int,
    semantics: str | None = None,
    category_id: int | None = None,
) -> int:
    """A row of crm.status.list: a stage, a lead status, a source."""
    row: Row = {
        "ENTITY_ID": entity_id, "STATUS_ID": status_id, "NAME": name, "SORT": sort, "SEMANTICS": semantics,
        "CATEGORY_ID": category_id, "SYSTEM": status_id in {"NEW", "WON", "LOSE", "CONVERTED", "JUNK"},
        "COLOR": "#7BD500" if semantics == "S" else "#FF5752" if semantics else "#2FC6F6",
    }  # fmt: skip
    return portal.put("status", row)
