"""The long lists that are read only because of an admin's settings, beside those of every portal."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, update

from b24app import tables
from b24app.facts.tickets import Desk
from b24app.portals import settings
from b24app.portals.settings import PortalSettings
from b24app.store import support_cases
from b24app.sync.sources import budget_items, tickets
from b24app.sync.sources.kinds import LongList
from b24app.sync.sources.session_history import SESSION_HISTORY

NAMES = (budget_items.NAME, tickets.NAME)
"""What their names begin with. A portal has a bookkeeping row of each that it chose."""


def lists(conn: Connection, portal_id: int, wanted: PortalSettings | None = None) -> tuple[LongList, ...]:
    """What this portal's settings want to be read; they are loaded unless given."""
    wanted = wanted or settings.load(conn, portal_id)
    found = tickets.lists_of(support_cases.desks_of(wanted))
    if wanted.budget is None:
        return found
    base_currency = settings.load_known(conn, portal_id).base_currency
    return (*found, budget_items.list_of(wanted.budget, base_currency))


def follow(conn: Connection, portal_id: int, before: PortalSettings, after: PortalSettings) -> None:
    """Forgets what was read for a choice that is no more, and has the new one read.

    Call it in the transaction that changes the settings.
    """
    if before.budget != after.budget:
        items = tables.budget_items
        conn.execute(delete(items).where(items.c.portal_id == portal_id))
        _begin_again(conn, portal_id, budget_items.NAME, is_wanted=after.budget is not None)
    _follow_desks(conn, portal_id, before, after)
    if after.support.sessions and not before.support.sessions:
        sources = tables.sync_sources
        conn.execute(
            update(sources)
            .where(
                sources.c.portal_id == portal_id,
                sources.c.source == SESSION_HISTORY.name,
                sources.c.state == "ready",
            )
            .values(state="reading")
        )


def _follow_desks(conn: Connection, portal_id: int, before: PortalSettings, after: PortalSettings) -> None:
    """Tickets are read anew for every entity type whose help desks or rating field are others now."""
    items = tables.tickets
    was, wanted = (_desks_by_type(chosen) for chosen in (before, after))
    for entity_type_id in was.keys() | wanted.keys():
        if was.get(entity_type_id) == wanted.get(entity_type_id):
            continue
        mine = (items.c.portal_id == portal_id, items.c.entity_type_id == entity_type_id)
        conn.execute(delete(items).where(*mine))
        name, is_wanted = tickets.name_of(entity_type_id), entity_type_id in wanted
        _begin_again(conn, portal_id, name, is_wanted=is_wanted)
        _begin_again(conn, portal_id, tickets.history_name_of(entity_type_id), is_wanted=is_wanted)


def _desks_by_type(chosen: PortalSettings) -> dict[int, frozenset[Desk]]:
    desks = support_cases.desks_of(chosen)
    return {
        entity_type_id: frozenset(desk for desk in desks if desk.entity_type_id == entity_type_id)
        for entity_type_id in {desk.entity_type_id for desk in desks}
    }


def _begin_again(conn: Connection, portal_id: int, source: str, *, is_wanted: bool) -> None:
    """Forgets how far a source was read; where it is still wanted, its first read is due."""
    sources = tables.sync_sources
    conn.execute(delete(sources).where(sources.c.portal_id == portal_id, sources.c.source == source))
    if is_wanted:
        row = {"state": "pending", "cursor": {}, "row_count": 0, "progress": 0.0}
        conn.execute(insert(sources).values(portal_id=portal_id, source=source, **row))
