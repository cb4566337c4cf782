"""Which portals have work to do now. The database knows; the queue only carries the news."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, case, or_, select

from b24app.store import CLOSED
from b24app.sync import cursor
from b24app.sync.first_read import is_begun
from b24app.sync.freshness import FRESH_S
from b24app.sync.state import CHANGES
from b24app.tables import portals, sync_sources

WATCHED_S = 15.0
"""A widget asks every few seconds; after this silence nobody looks any more."""

IDLE_S = 1800.0
"""How old a check may become while nobody looks."""

UNREAD_LIMIT = 1000
"""So many first reads are looked after at every tick; more of them wait for their round."""

NIGHT_HOUR = 3

SNAPSHOT_S = 3600.0
"""How often the present state is taken down."""

FIRST_READ, REFRESH, RECONCILE, SNAPSHOT = "first_read", "refresh", "reconcile", "snapshot"

KEPT_BY = (CHANGES, cursor.FIRST_READ, cursor.RECONCILE, cursor.SNAPSHOT)
"""The rows whose cursors say when a work is due; those of lists only say how far they are read."""


@dataclass(frozen=True)
class Standing:
    """What decides about one portal's work."""

    portal_id: int
    timezone: str
    watched_at: float | None
    checked_at: float | None
    states: Mapping[str, str] = field(default_factory=dict)
    cursors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of `KEPT_BY`


def due(one: Standing, now: float) -> tuple[str, ...]:
    """The works that the portal needs at `now` (epoch seconds), most urgent first. Pure."""
    works: list[str] = []
    changes = one.cursors.get(CHANGES, {})
    if is_begun(dict(changes)) and _is_allowed(changes, now) and _is_stale(one, now):
        works.append(REFRESH)
    if is_unread(one):
        if _is_allowed(one.cursors.get(cursor.FIRST_READ, {}), now):
            works.append(FIRST_READ)
    elif _is_reconciling_due(one, now):
        works.append(RECONCILE)
    return tuple(works)


def is_snapshot_due(one: Standing, now: float) -> bool:
    """Whether the present state is to be taken down again: once an hour, and on every local day. Pure."""
    if not is_begun(dict(one.cursors.get(CHANGES, {}))):
        return False
    at = one.cursors.get(cursor.SNAPSHOT, {})
    local = datetime.fromtimestamp(now, ZoneInfo(one.timezone))
    return at.get("day") != local.date().isoformat() or now - float(at.get("taken_at") or 0) >= SNAPSHOT_S


def is_unread(one: Standing) -> bool:
    """Whether something of the portal still has its first read before it. Pure."""
    return cursor.is_reading(dict(one.states)) or not is_begun(dict(one.cursors.get(CHANGES, {})))


def load_urgent(conn: Connection, now: float, unread: Collection[int]) -> list[Standing]:
    """The open portals that are looked at and not fresh, those that were never asked yet, and of the given
    ones all.

    Costs what these portals cost, however many there are: it is asked at every tick.
    """
    few = sorted(unread)[:UNREAD_LIMIT]
    return _load(
        conn,
        select(portals.c.portal_id).where(
            *_OPEN,
            or_(
                and_(portals.c.watched_at > now - WATCHED_S, portals.c.checked_at <= now - FRESH_S),
                portals.c.checked_at.is_(None),
                portals.c.portal_id.in_(few),
            ),
        ),
    )


def load_some(conn: Connection, *, after: int = 0, limit: int | None = None) -> list[Standing]:
    """The open portals by number: so many of those with a higher number than `after`."""
    numbers = select(portals.c.portal_id).where(*_OPEN, portals.c.portal_id > after)
    return _load(conn, numbers.order_by(portals.c.portal_id).limit(limit))


_OPEN = (portals.c.state.not_in(CLOSED), portals.c.reader_id.is_not(None))


def _load(conn: Connection, chosen: Select[tuple[int]]) -> list[Standing]:
    rows = conn.execute(
        select(
            portals.c.portal_id,
            portals.c.timezone,
            portals.c.watched_at,
            portals.c.checked_at,
            sync_sources.c.source,
            sync_sources.c.state,
            case((sync_sources.c.source.in_(KEPT_BY), sync_sources.c.cursor)).label("cursor"),
        )
        .select_from(portals.outerjoin(sync_sources, portals.c.portal_id == sync_sources.c.portal_id))
        .where(portals.c.portal_id.in_(chosen))
        .order_by(portals.c.portal_id)
    )
    states: dict[int, dict[str, str]] = {}
    cursors: dict[int, dict[str, Mapping[str, Any]]] = {}
    heads: dict[int, tuple[str, float | None, float | None]] = {}
    for row in rows:
        heads[row.portal_id] = (row.timezone, row.watched_at, row.checked_at)
        if row.source is not None:
            states.setdefault(row.portal_id, {})[row.source] = row.state
            if row.cursor is not None:
                cursors.setdefault(row.portal_id, {})[row.source] = row.cursor
    return [
        Standing(portal_id, *head, states.get(portal_id, {}), cursors.get(portal_id, {}))
        for portal_id, head in heads.items()
    ]


def _is_allowed(at: Mapping[str, Any], now: float) -> bool:
    return float(at.get("retry_at") or 0) <= now


def _is_stale(one: Standing, now: float) -> bool:
    if one.checked_at is None:
        return True
    is_watched = one.watched_at is not None and one.watched_at > now - WATCHED_S
    return now - one.checked_at >= (FRESH_S if is_watched else IDLE_S)


def _is_reconciling_due(one: Standing, now: float) -> bool:
    at = one.cursors.get(cursor.RECONCILE, {})
    if not _is_allowed(at, now):
        return False
    local = datetime.fromtimestamp(now, ZoneInfo(one.timezone))
    is_night_over = local.hour >= NIGHT_HOUR and at.get("day") != local.date().isoformat()
    return bool(at.get("is_asked")) or is_night_over
