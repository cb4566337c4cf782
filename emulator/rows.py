"""Complete records with the fields that a real portal fills in by itself. Values only, nothing is stored.

Conventions for everything that is put into `world.Portal`: moments are aware UTC datetimes, CRM `date`
fields are `date`, money is Decimal, yes/no is bool, an empty link is None. Keys that no REST answer shows:
`IS_ADMIN` of a user and `ENTITY_TYPE_ID` of a stage history row (1 lead, 2 deal, 31 invoice, a smart
process's own).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from emulator.world import Portal, Row

CREATED, MOVED, FINISHED, OTHER_PIPELINE = 1, 2, 3, 5  # TYPE_ID of a stage history row
LEAD, DEAL = 1, 2  # entityTypeId

Stage = tuple[str, str, str | None, str]
"""(code without the pipeline's prefix, title, semantics: None in progress, "S" won, "F" lost; colour)"""


def user(
    name: str, last_name: str, *, position: str = "", departments: Sequence[int] = (), **more: object
) -> Row:
    """A `user` row; `more` replaces or adds fields."""
    row: Row = {
        "ACTIVE": True,
        "NAME": name,
        "LAST_NAME": last_name,
        "SECOND_NAME": "",
        "EMAIL": "",
        "WORK_POSITION": position,
        "PERSONAL_PHOTO": None,
        "PERSONAL_GENDER": "",
        "UF_DEPARTMENT": list(departments),
        "USER_TYPE": "employee",
        "TIME_ZONE": "",
        "IS_ONLINE": "N",
        "IS_ADMIN": False,
        "LAST_LOGIN": None,
        "DATE_REGISTER": None,
        "UF_EMPLOYMENT_DATE": None,
    }
    return {**row, **more}


def add_pipeline(portal: Portal, category_id: int, name: str, stages: Sequence[Stage], *, sort: int) -> None:
    """Add a deal pipeline and its stages; pipeline 0 is the default one and has ids without a prefix."""
    portal.put(
        "category",
        {
            "id": category_id,
            "name": name,
            "sort": sort,
            "entityTypeId": DEAL,
            "isDefault": category_id == 0,
            "originId": "",
            "originatorId": "",
        },
    )
    entity = f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"
    for place, (code, title, semantics, color) in enumerate(stages, start=1):
        stage = stage_id(category_id, code)
        add_status(
            portal,
            entity,
            stage,
            title,
            sort=place * 10,
            semantics=semantics,
            color=color,
            category_id=category_id,
        )


def stage_id(category_id: int, code: str) -> str:
    """The full stage id: `WON` in the default pipeline, `C3:WON` in pipeline 3."""
    return f"C{category_id}:{code}" if category_id else code


def add_status(
    portal: Portal,
    entity_id: str,
    status_id: str,
    name: str,
    *,
    sort: int,
    semantics: str | None = None,
    color: str = "",
    category_id: int | None = None,
) -> None:
    """Add an entry of a CRM reference list: a stage (`DEAL_STAGE…`, `STATUS`) or a source (`SOURCE`)."""
    row: Row = {
        "ENTITY_ID": entity_id,
        "STATUS_ID": status_id,
        "NAME": name,
        "NAME_INIT": name,
        "SORT": sort,
        "SYSTEM": True,
        "CATEGORY_ID": category_id,
        "COLOR": color,
        "SEMANTICS": semantics,
    }
    if entity_id.startswith(("STATUS", "DEAL_STAGE", "SMART_INVOICE_STAGE", "DYNAMIC_")):
        words = {None: "process", "S": "success", "F": "failure"}
        row["EXTRA"] = {"SEMANTICS": words[semantics], "COLOR": color}
    portal.put("status", row)


def currency(
    code: str, rate: str, *, base: bool = False, count: int = 1, name: str = "", sort: int = 100
) -> Row:
    """A `currency` row: `count` units of it are worth `rate` units of the base currency."""
    return {
        "CURRENCY": code,
        "AMOUNT_CNT": count,
        "AMOUNT": Decimal(rate),
        "BASE": base,
        "SORT": sort,
        "DATE_UPDATE": None,
        "LID": "ru",
        "FORMAT_STRING": "#&nbsp;" + {"RUB": "&#8381;", "EUR": "&euro;", "USD": "$"}.get(code, code),
        "FULL_NAME": name or code,
        "DEC_POINT": ".",
        "THOUSANDS_SEP": "&nbsp;",
        "DECIMALS": 2,
    }


def deal(
    title: str,
    *,
    created: datetime,
    owner: int,
    stage: str,
    category: int = 0,
    semantic: str = "P",
    amount: Decimal = Decimal(0),
    currency_code: str = "RUB",
    moved: datetime | None = None,
    closed_on: date | None = None,
    **more: object,
) -> Row:
    """A `deal` row; `closed_on` is the portal's editable closing date, not the moment of winning."""
    return {
        **_item(title, created, owner, moved),
        "categoryId": category,
        "stageId": stage,
        "stageSemanticId": semantic,
        "typeId": "SALE",
        "isNew": moved is None,
        "isRecurring": False,
        "isReturnCustomer": False,
        "isRepeatedApproach": False,
        "probability": None,
        "opportunity": amount,
        "isManualOpportunity": True,
        "taxValue": Decimal(0),
        "currencyId": currency_code,
        "begindate": created.date(),
        "closedate": closed_on or created.date() + timedelta(days=7),
        "closed": semantic != "P",
        "comments": "",
        "leadId": None,
        "quoteId": None,
        "orderStage": None,
        **more,
    }


def lead(
    title: str,
    *,
    created: datetime,
    owner: int,
    stage: str = "NEW",
    semantic: str = "P",
    moved: datetime | None = None,
    **more: object,
) -> Row:
    """A `lead` row; converted means semantic `S`."""
    return {
        **_item(title, created, owner, moved),
        "stageId": stage,
        "stageSemanticId": semantic,
        "opportunity": Decimal(0),
        "currencyId": "RUB",
        "isManualOpportunity": False,
        "isReturnCustomer": False,
        "dateClosed": moved if semantic != "P" else None,
        "hasPhone": True,
        "hasEmail": False,
        "name": "",
        "lastName": "",
        **more,
    }


def client(title: str, *, created: datetime, owner: int, **more: object) -> Row:
    """A `company` row, or a `contact` row when given `name` and `lastName`."""
    row = _item(title, created, owner, None)
    for key in ("movedTime", "movedBy", "companyId", "contactId", "contactIds"):
        del row[key]
    return {**row, "typeId": "CLIENT", "leadId": None, **more}


def stay(
    entity_type_id: int,
    owner_id: int,
    kind: int,
    at: datetime,
    stage: str,
    semantic: str,
    category: int = 0,
) -> Row:
    """A `stage_history` row: the record entered `stage` at this moment."""
    row: Row = {"TYPE_ID": kind, "OWNER_ID": owner_id, "CREATED_TIME": at, "ENTITY_TYPE_ID": entity_type_id}
    if entity_type_id == LEAD:
        return {**row, "STATUS_ID": stage, "STATUS_SEMANTIC_ID": semantic}
    return {**row, "CATEGORY_ID": category, "STAGE_ID": stage, "STAGE_SEMANTIC_ID": semantic}


def _item(title: str, created: datetime, owner: int, moved: datetime | None) -> Row:
    last = moved or created
    return {
        "title": title,
        "createdTime": created,
        "updatedTime": last,
        "movedTime": last,
        "createdBy": owner,
        "updatedBy": owner,
        "movedBy": owner,
        "assignedById": owner,
        "lastActivityTime": last,
        "lastActivityBy": owner,
        "opened": True,
        "companyId": None,
        "contactId": None,
        "contactIds": [],
        "observers": [],
        "sourceId": None,
        "sourceDescription": None,
        "utmSource": None,
        "utmMedium": None,
        "utmCampaign": None,
        "utmContent": None,
        "utmTerm": None,
        "webformId": None,
    }
