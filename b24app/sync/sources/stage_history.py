"""The stage history of deals: rows are only added, so their ids tell what is new."""

from __future__ import annotations

from b24app import tables
from b24app.facts import deals, stages
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList

HISTORY = LongList(
    name="stage_history",
    base=Listing(
        "crm.stagehistory.list",
        {"entityTypeId": deals.ENTITY_TYPE_ID, "select": list(stages.FIELDS)},
        ("items",),
        "ID",
    ),
    recency_key="CREATED_TIME",
    made_key="CREATED_TIME",
    table=tables.stage_stays,
    id_column=tables.stage_stays.c.history_id,
    made_column=tables.stage_stays.c.entered_at,
    parse=stages.parse,
    save=Writer.save_entries,
    fill=lambda writer, entries, gone: writer.save_entries(e for e in entries if e.item_id not in gone),
    delete=Writer.delete_entries,
    of="deals",
    is_vital=True,
    weight=4.0,
)
