"""The long lists that are read only because of an admin's settings, beside those of every portal."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert

from b24app.facts import tables
from b24app.portals import settings
from b24app.portals.settings import PortalSettings
from b24app.sync.sources import budget_items
from b24app.sync.sources.kinds import LongList

NAMES = (budget_items.NAME,)
"""All that there can be. A portal has a bookkeeping row of each that it chose."""


def lists(conn: Connection, portal_id: int) -> tuple[LongList, ...]:
    """What this portal's settings want to be read."""
    budget = settings.load(conn, portal_id).budget
    if budget is None:
        return ()
    return (budget_items.list_of(budget, settings.load_known(conn, portal_id).base_currency),)


def follow(conn: Connection, portal_id: int, before: PortalSettings, after: PortalSettings) -> None:
    """Forgets what was read for a choice that is no more, and has the new one read.

    Call it in the transaction that changes the settings.
    """
    if before.budget == after.budget:
        return
    sources, items = tables.sync_sources, tables.budget_items
    mine = (sources.c.portal_id == portal_id, sources.c.source == budget_items.NAME)
    conn.execute(delete(items).where(items.c.portal_id == portal_id))
    conn.execute(delete(sources).where(*mine))
    if after.budget is not None:
        row = {"state": "pending", "cursor": {}, "row_count": 0, "progress": 0.0}
        conn.execute(insert(sources).values(portal_id=portal_id, source=budget_items.NAME, **row))
