"""Who changed or looked at what: the portal's own log, for its admins."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from b24app.db import upsert
from b24app.tables import audit

PAGE_SIZE = 100

TARGETS_CHANGED = "targets.changed"
SET_CREATED, SET_CHANGED, SET_RETIRED = "set.created", "set.changed", "set.retired"
NOTE_MADE, NOTE_REMOVED = "note.made", "note.removed"
SETTINGS_CHANGED = "settings.changed"
CLIENT_CREATED, CLIENT_REVOKED = "api_client.created", "api_client.revoked"
PERSON_VIEWED = "person.viewed"
COSTS_CHANGED, CAMPAIGNS_CHANGED = "costs.changed", "campaigns.changed"
DATA_REPAIRED = "data.repaired"
NOTICE_SENT = "notice.sent"

ACTIONS = (
    TARGETS_CHANGED, SET_CREATED, SET_CHANGED, SET_RETIRED, NOTE_MADE, NOTE_REMOVED, SETTINGS_CHANGED,
    CLIENT_CREATED, CLIENT_REVOKED, PERSON_VIEWED, COSTS_CHANGED, CAMPAIGNS_CHANGED, DATA_REPAIRED,
    NOTICE_SENT,
)  # fmt: skip
"""Everything that is written down."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `actor_id` None: a program, or the app itself."""

    entry_id: str
    at: int
    actor_id: int | None
    action: str
    subject: str
    detail: Mapping[str, Any]


def record(
    conn: Connection,
    portal_id: int,
    actor_id: int | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    *,
    at: int,
) -> None:
    """Write a line in the transaction of what it tells about."""
    conn.execute(
        insert(audit).values(
            portal_id=portal_id,
            entry_id=ordered_id(),
            at=at,
            actor_id=actor_id,
            action=action,
            subject=subject[:200],
            detail=dict(detail or {}),
        )
    )


def record_view(conn: Connection, portal_id: int, actor_id: int, subject: str, day: date, *, at: int) -> None:
    """Write that somebody looked at somebody's numbers: once a day, however often the page asks."""
    row = {
        "portal_id": portal_id,
        "entry_id": _view_id(actor_id, subject, day),
        "at": at,
        "actor_id": actor_id,
        "action": PERSON_VIEWED,
        "subject": subject,
        "detail": {},
    }
    upsert(conn, audit, [row], keep=tuple(name for name in row if name not in ("portal_id", "entry_id")))


def is_view_recorded(conn: Connection, portal_id: int, actor_id: int, subject: str, day: date) -> bool:
    """True if that was written already."""
    entry_id = _view_id(actor_id, subject, day)
    statement = select(audit.c.at).where(audit.c.portal_id == portal_id, audit.c.entry_id == entry_id)
    return conn.execute(statement).first() is not None


def _view_id(actor_id: int, subject: str, day: date) -> str:
    return "v" + hashlib.sha256(f"{actor_id}|{subject}|{day}".encode()).hexdigest()[:31]


def count(conn: Connection, portal_id: int, *where: ColumnElement[bool]) -> int:
    """How many lines there are."""
    statement = select(func.count()).select_from(audit).where(audit.c.portal_id == portal_id, *where)
    return int(conn.execute(statement).scalar_one())


def page(conn: Connection, portal_id: int, number: int, *where: ColumnElement[bool]) -> list[Entry]:
    """The lines of a page (from 1), newest first."""
    rows = conn.execute(
        select(
            audit.c.entry_id, audit.c.at, audit.c.actor_id, audit.c.action, audit.c.subject, audit.c.detail
        )
        .where(audit.c.portal_id == portal_id, *where)
        .order_by(audit.c.at.desc(), audit.c.entry_id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return [Entry(*row) for row in rows]


def ordered_id(place: int = 0) -> str:
    """A new key of 32 characters; keys sort by the time of their making, those of one time by `place`."""
    return f"{time.time_ns():016x}{place:08x}{secrets.token_hex(4)}"
