"""Deals: their own moments tell what has changed, events what is gone."""

from __future__ import annotations

from b24app import tables
from b24app.facts import deals
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList

DEALS = LongList(
    name="deals",
    base=Listing(
        "crm.item.list", {"entityTypeId": deals.ENTITY_TYPE_ID, "select": list(deals.FIELDS)}, ("items",)
    ),
    recency_key="movedTime",
    made_key="createdTime",
    changed_key="updatedTime",
    event="ONCRMDEAL",
    may_lack_recency=True,
    table=tables.deals,
    id_column=tables.deals.c.deal_id,
    made_column=tables.deals.c.created_at,
    parse=deals.parse,
    save=Writer.save_deals,
    fill=Writer.fill_deals,
    delete=Writer.delete_deals,
    is_vital=True,
    comes_first=True,
    weight=4.0,
)
