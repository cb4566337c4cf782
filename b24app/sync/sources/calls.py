"""Call statistics: new rows by their ids. Votes and links come later without notice."""

from __future__ import annotations

from b24app import tables
from b24app.facts import calls
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList

CALLS = LongList(
    name="calls",
    base=Listing(
        "voximplant.statistic.get",
        id_key="ID",
        filter_name="FILTER",
        is_sorted_by_text=True,
        sort_name="SORT",
        order_name="ORDER",
        among_operator="",
    ),
    recency_key="CALL_START_DATE",
    made_key="CALL_START_DATE",
    is_rewritten=True,
    table=tables.calls,
    id_column=tables.calls.c.call_id,
    made_column=tables.calls.c.started_at,
    parse=calls.parse,
    save=Writer.save_calls,
    fill=Writer.fill_calls,
    delete=Writer.delete_calls,
)
