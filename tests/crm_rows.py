"""Rows of a portal's list methods for tests: only what matters is said, the rest is ordinary."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.cast import ANNA, ORG

MOSCOW = ZoneInfo("Europe/Moscow")

Row = dict[str, Any]


def at(text: str, zone: ZoneInfo = MOSCOW) -> str:
    """A local moment (`2026-11-03 10:00`) as REST writes it."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat(timespec="seconds")


def deal(
    deal_id: int,
    *,
    owner: int = ANNA,
    created: str = "2026-11-02 10:00",
    moved: str | None = None,
    stage: str = "NEW",
    category: int = 0,
    amount: Any = 100,
    currency: str | None = "RUB",
    company: int | None = None,
    contact: int | None = None,
    lead: int | None = None,
    recurring: bool = False,
    utm: str | None = None,
    source: str | None = None,
    zone: ZoneInfo = MOSCOW,
) -> Row:
    """A deal; what the stage means follows from its name."""
    semantics = {"WON": "S", "LOSE": "F", "APOLOGY": "F"}.get(stage.rpartition(":")[2], "P")
    return {
        "id": deal_id,
        "assignedById": owner,
        "categoryId": category,
        "stageId": stage,
        "stageSemanticId": semantics,
        "opportunity": amount,
        "currencyId": currency,
        "createdTime": at(created, zone),
        "movedTime": at(moved or created, zone),
        "updatedTime": at(moved or created, zone),
        "isRecurring": "Y" if recurring else "N",
        "leadId": lead,
        "companyId": company,
        "contactId": contact,
        "sourceId": source,
        "utmSource": utm,
    }


def won(deal_id: int, moved: str, **how: Any) -> Row:
    return deal(deal_id, moved=moved, stage=how.pop("stage", "WON"), **how)


def lost(deal_id: int, moved: str, **how: Any) -> Row:
    return deal(deal_id, moved=moved, stage=how.pop("stage", "LOSE"), **how)


def lead(
    lead_id: int,
    created: str,
    *,
    owner: int = ANNA,
    converted: bool = False,
    utm: str | None = None,
    source: str | None = None,
) -> Row:
    return {
        "id": lead_id,
        "assignedById": owner,
        "stageId": "CONVERTED" if converted else "NEW",
        "stageSemanticId": "S" if converted else "P",
        "createdTime": at(created),
        "movedTime": at(created),
        "updatedTime": at(created),
        "sourceId": source,
        "utmSource": utm,
    }


def entered(history_id: int, deal_id: int, moment: str, stage: str, category: int = 0) -> Row:
    """A row of stage history."""
    semantics = {"WON": "S", "LOSE": "F"}.get(stage.rpartition(":")[2], "P")
    return {
        "ID": history_id,
        "TYPE_ID": 3 if semantics != "P" else 2,
        "OWNER_ID": deal_id,
        "CREATED_TIME": at(moment),
        "CATEGORY_ID": category,
        "STAGE_ID": stage,
        "STAGE_SEMANTIC_ID": semantics,
    }


def stages(category: int = 0) -> list[Row]:
    """NEW, WORK, OFFER in progress, then WON and LOSE."""
    entity, prefix = ("DEAL_STAGE", "") if category == 0 else (f"DEAL_STAGE_{category}", f"C{category}:")
    known = (("NEW", None), ("WORK", None), ("OFFER", None), ("WON", "S"), ("LOSE", "F"))
    return [
        {
            "ENTITY_ID": entity,
            "STATUS_ID": prefix + name,
            "NAME": name.title(),
            "SORT": str(place * 10),
            "SEMANTICS": semantics,
        }
        for place, (name, semantics) in enumerate(known, 1)
    ]


CURRENCIES: list[Row] = [
    {"CURRENCY": "RUB", "AMOUNT": "1.0000", "AMOUNT_CNT": "1", "BASE": "Y"},
    {"CURRENCY": "USD", "AMOUNT": "80.5000", "AMOUNT_CNT": "1", "BASE": "N"},
    {"CURRENCY": "KZT", "AMOUNT": "16.4000", "AMOUNT_CNT": "100", "BASE": "N"},
]

PORTAL: dict[str, list[Row]] = {
    "users": [
        {
            "ID": str(user.id),
            "NAME": user.name,
            "ACTIVE": user.is_active,
            "USER_TYPE": "employee" if user.is_employee else "extranet",
            "UF_DEPARTMENT": list(user.department_ids),
        }
        for user in ORG.users.values()
    ],
    "departments": [
        {
            "ID": str(department.id),
            "NAME": department.name,
            "SORT": 500,
            **({"PARENT": str(department.parent_id)} if department.parent_id else {}),
            **({"UF_HEAD": str(department.head_id)} if department.head_id else {}),
        }
        for department in ORG.departments.values()
    ],
    "currencies": CURRENCIES,
    "categories": [
        {"id": 0, "name": "General", "sort": 10, "isDefault": "Y"},
        {"id": 3, "name": "Partners", "sort": 20, "isDefault": "N"},
    ],
    "stages": [*stages(0), *stages(3)],
    "sources": [{"ENTITY_ID": "SOURCE", "STATUS_ID": "WEB", "NAME": "Web site"}],
}
"""The company of `tests.cast`, two pipelines, three currencies; no records yet."""
