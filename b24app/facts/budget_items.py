"""Items whose two number fields are a money budget: `crm.item.list` of deals or of a smart process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from b24app.facts import deals, values
from b24app.facts.values import Border, Row
from b24app.tables import AMOUNT_LIMIT


@dataclass(frozen=True, slots=True)
class BudgetFields:
    """What an admin chose. `base_currency`: of a plain number in an item that names no currency."""

    entity_type_id: int
    planned: str
    actual: str
    base_currency: str = ""

    @property
    def select(self) -> tuple[str, ...]:
        """What is asked of the portal."""
        return (
            "id", "assignedById", "categoryId", "stageId", "stageSemanticId", "createdTime", "movedTime",
            "updatedTime", "isRecurring", "currencyId", self.planned, self.actual,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BudgetItem:
    """`closed_at`: when it came to its final stage; None while it is in progress."""

    entity_type_id: int
    item_id: int
    owner_id: int
    category_id: int
    planned: Decimal
    actual: Decimal
    currency: str
    created_at: int
    closed_at: int | None
    closed_day: date | None


def parse(row: Row, border: Border, fields: BudgetFields) -> BudgetItem:
    """The fact in a row of `crm.item.list`. Raises: BadRow without an id or any moment.

    Smart processes do not say what their stages mean: the stages themselves do. An item whose two fields
    are in different currencies, or hold what no budget can, counts without a currency.
    """
    item_id = values.required_id(row, "id")
    created, moved, _ = deals.moments(row, border)
    category_id = values.whole(row.get("categoryId")) or 0
    stage_id = values.text(row.get("stageId"), 64) or ""
    state = _state(row, border, fields.entity_type_id, stage_id)
    is_closed = state != "P" and not values.yes(row.get("isRecurring"))
    of_item = (values.text(row.get("currencyId"), 8) or fields.base_currency).upper()
    planned, planned_in = _money(row.get(fields.planned), of_item)
    actual, actual_in = _money(row.get(fields.actual), of_item)
    currency = planned_in if planned else actual_in
    if (planned and actual and planned_in != actual_in) or max(abs(planned), abs(actual)) >= AMOUNT_LIMIT:
        planned, actual, currency = Decimal(0), Decimal(0), ""
    return BudgetItem(
        entity_type_id=fields.entity_type_id,
        item_id=item_id,
        owner_id=values.link(row.get("assignedById")) or 0,
        category_id=category_id,
        planned=planned,
        actual=actual,
        currency=currency,
        created_at=created,
        closed_at=moved if is_closed else None,
        closed_day=border.day(moved) if is_closed else None,
    )


def _state(row: Row, border: Border, entity_type_id: int, stage_id: str) -> str:
    """P, S or F; ids of stages are unique in an entity type, and some items do not tell their pipeline."""
    said = str(row.get("stageSemanticId") or "").upper()
    if said in ("P", "S", "F"):
        return said
    stages = border.semantics.items()
    meanings = (state for (kind, _, stage), state in stages if (kind, stage) == (entity_type_id, stage_id))
    return next(meanings, "P")


def _money(value: Any, currency: str) -> tuple[Decimal, str]:
    """A number, or a money field written `1000.50|EUR`, which names its own currency."""
    if isinstance(value, str) and "|" in value:
        number, _, code = value.partition("|")
        return values.amount(number) or Decimal(0), code.strip().upper()[:8] or currency
    return values.amount(value) or Decimal(0), currency
