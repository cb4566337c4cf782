"""CRM activities: their own moments tell what has changed, events what is gone."""

from __future__ import annotations

from b24app import tables
from b24app.facts import activities
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList
from b24app.sync.sources.session_history import SESSION_HISTORY

ACTIVITIES = LongList(
    name="activities",
    base=Listing("crm.activity.list", {"select": list(activities.FIELDS)}, id_key="ID"),
    recency_key="LAST_UPDATED",
    made_key="CREATED",
    changed_key="LAST_UPDATED",
    event="ONCRMACTIVITY",
    may_lack_recency=True,
    table=tables.activities,
    id_column=tables.activities.c.activity_id,
    made_column=tables.activities.c.created_at,
    parse=activities.parse,
    save=Writer.save_activities,
    fill=Writer.fill_activities,
    delete=Writer.delete_activities,
    details=(SESSION_HISTORY,),
    weight=4.0,
)
