"""Deals: `crm.item.list` with entityTypeId 2. Source: bitrix24 crm/universal/object-fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from b24app.facts import values
from b24app.facts.values import BadRow, Border, Row
from b24app.tables import AMOUNT_LIMIT

ENTITY_TYPE_ID = 2

FIELDS = (
    "id", "assignedById", "categoryId", "stageId", "stageSemanticId", "opportunity", "currencyId",
    "createdTime", "movedTime", "updatedTime", "isRecurring", "leadId", "companyId", "contactId",
    "sourceId", "utmSource", "lastActivityTime",
)  # fmt: skip
"""What is asked of the portal. No title, no comments, no names of clients."""


@dataclass(frozen=True, slots=True)
class Deal:
    deal_id: int
    owner_id: int
    category_id: int
    stage_id: str
    semantics: str
    amount: Decimal
    currency: str
    created_at: int
    created_day: date
    moved_at: int
    moved_day: date
    updated_at: int
    is_recurring: bool
    lead_id: int | None
    client: str | None
    source_id: str | None
    utm_source: str | None
    last_activity_at: int | None


def parse(row: Row, border: Border) -> Deal:
    """The fact in a row of `crm.item.list`. Raises: BadRow without an id or any moment.

    An amount that no deal can have leaves the deal without a currency: it counts, its money does not.
    """
    deal_id = values.required_id(row, "id")
    created, moved, updated = moments(row, border)
    category_id = values.whole(row.get("categoryId")) or 0
    stage_id = values.text(row.get("stageId"), 64) or ""
    amount = values.amount(row.get("opportunity")) or Decimal(0)
    currency = (values.text(row.get("currencyId"), 8) or "").upper()
    if abs(amount) >= AMOUNT_LIMIT:
        amount, currency = Decimal(0), ""
    return Deal(
        deal_id=deal_id,
        owner_id=values.link(row.get("assignedById")) or 0,
        category_id=category_id,
        stage_id=stage_id,
        semantics=semantics(row.get("stageSemanticId"), border, ENTITY_TYPE_ID, category_id, stage_id),
        amount=amount,
        currency=currency,
        created_at=created,
        created_day=border.day(created),
        moved_at=moved,
        moved_day=border.day(moved),
        updated_at=updated,
        is_recurring=values.yes(row.get("isRecurring")),
        lead_id=values.link(row.get("leadId")),
        client=client(row),
        source_id=values.text(row.get("sourceId"), 64),
        utm_source=values.text(row.get("utmSource"), 255),
        last_activity_at=values.moment(row.get("lastActivityTime"), border.zone),
    )


def moments(row: Row, border: Border) -> tuple[int, int, int]:
    """(created, moved, updated) of an item. Raises: BadRow when it has none of them.

    Old records may lack `movedTime`; the portal itself fills it from the last modification.
    """
    created = values.moment(row.get("createdTime"), border.zone)
    moved = values.moment(row.get("movedTime"), border.zone)
    updated = values.moment(row.get("updatedTime"), border.zone)
    some = next((found for found in (created, moved, updated) if found is not None), None)
    if some is None:
        raise BadRow("no createdTime")
    moved = next(found for found in (moved, updated, created) if found is not None)
    created = some if created is None else created
    return created, moved, moved if updated is None else updated


def semantics(value: object, border: Border, entity_type_id: int, category_id: int, stage_id: str) -> str:
    """P, S or F as the portal says; where it does not, as the stage's own settings say."""
    said = str(value or "").upper()
    if said in ("P", "S", "F"):
        return said
    return border.semantics.get((entity_type_id, category_id, stage_id), "P")


def client(row: Row) -> str | None:
    """Who buys: the company if there is one, else the contact."""
    company_id = values.link(row.get("companyId"))
    if company_id is not None:
        return f"company:{company_id}"
    contact_id = values.link(row.get("contactId"))
    return None if contact_id is None else f"contact:{contact_id}"
