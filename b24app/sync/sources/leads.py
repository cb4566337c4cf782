"""Leads: their own moments tell what has changed, events what is gone."""

from __future__ import annotations

from b24app import tables
from b24app.facts import leads
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList

LEADS = LongList(
    name="leads",
    base=Listing(
        "crm.item.list", {"entityTypeId": leads.ENTITY_TYPE_ID, "select": list(leads.FIELDS)}, ("items",)
    ),
    recency_key="createdTime",
    made_key="createdTime",
    changed_key="updatedTime",
    event="ONCRMLEAD",
    table=tables.leads,
    id_column=tables.leads.c.lead_id,
    made_column=tables.leads.c.created_at,
    parse=leads.parse,
    save=Writer.save_leads,
    fill=Writer.fill_leads,
    delete=Writer.delete_leads,
    is_vital=True,
    comes_first=True,
    weight=2.0,
)
