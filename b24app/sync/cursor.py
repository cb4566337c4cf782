"""Where reading stands: the JSON beside each source, read and written as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from b24app.sync import sources
from b24app.tables import sync_sources

FIRST_READ = "first_read"
RECONCILE = "reconcile"
SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one source stands."""

    state: str
    cursor: dict[str, Any]
    read_at: int | None  # epoch seconds
    error: str | None


def load_all(conn: Connection, portal_id: int) -> dict[str, Standing]:
    """Where every source stands that has a row."""
    rows = conn.execute(_ALL, {"portal": portal_id})
    return {name: Standing(state, at or {}, read_at, error) for name, state, at, read_at, error in rows}


_ALL = select(
    sync_sources.c.source,
    sync_sources.c.state,
    sync_sources.c.cursor,
    sync_sources.c.read_at,
    sync_sources.c.error,
).where(sync_sources.c.portal_id == bindparam("portal"))


def load(conn: Connection, portal_id: int, source: str) -> dict[str, Any]:
    """The cursor of a source; empty when nothing was read."""
    found = conn.execute(
        select(sync_sources.c.cursor).where(
            sync_sources.c.portal_id == portal_id, sync_sources.c.source == source
        )
    ).scalar_one_or_none()
    return dict(found or {})


def states(conn: Connection, portal_id: int) -> dict[str, str]:
    """The state of every source that has a row."""
    rows = conn.execute(
        select(sync_sources.c.source, sync_sources.c.state).where(sync_sources.c.portal_id == portal_id)
    )
    return {row.source: row.state for row in rows}


def reason(conn: Connection, portal_id: int, source: str) -> str | None:
    """Why a source is off."""
    return conn.execute(
        select(sync_sources.c.reason).where(
            sync_sources.c.portal_id == portal_id, sync_sources.c.source == source
        )
    ).scalar_one_or_none()


def is_reading(states: dict[str, str]) -> bool:
    """Whether the first read of anything is still to be done or under way."""
    unread = (None, "pending", "reading")
    return any(states.get(name) in unread for name in sources.READ_ONCE) or any(
        state in unread for name, state in states.items() if sources.is_chosen(name)
    )
