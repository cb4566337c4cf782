"""Items with a money budget: the object and its two number fields are chosen in the settings."""

from __future__ import annotations

from typing import Any

from b24app import tables
from b24app.facts import budget_items, deals
from b24app.facts.budget_items import BudgetFields
from b24app.portals.settings import Budget
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList

NAME = "budget_items"


def list_of(budget: Budget, base_currency: str | None) -> LongList:
    """The list of the chosen items."""
    fields = BudgetFields(
        budget.entity_type_id, budget.planned_field, budget.actual_field, base_currency or ""
    )
    params: dict[str, Any] = {"entityTypeId": fields.entity_type_id, "select": list(fields.select)}
    if any(name.startswith("UF_") for name in (fields.planned, fields.actual)):
        params["useOriginalUfNames"] = "Y"
    is_deal = fields.entity_type_id == deals.ENTITY_TYPE_ID
    return LongList(
        name=NAME,
        base=Listing("crm.item.list", params, ("items",)),
        recency_key="movedTime",
        made_key="createdTime",
        changed_key="updatedTime",
        event="ONCRMDEAL" if is_deal else "ONCRMDYNAMICITEM",
        entity_type_id=None if is_deal else fields.entity_type_id,
        may_lack_recency=True,
        table=tables.budget_items,
        id_column=tables.budget_items.c.item_id,
        made_column=tables.budget_items.c.created_at,
        parse=lambda row, border: budget_items.parse(row, border, fields),
        save=Writer.save_budget_items,
        fill=Writer.fill_budget_items,
        delete=Writer.delete_budget_items,
    )
