"""Comments on an employee's page, and acknowledgements of targets: stored by employee and month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from b24app import audit
from b24app.tables import notes, targets

TEXT_LIMIT = 4_000
LISTED = 500
"""As many notes are told at once, the newest ones."""


class Kind(StrEnum):
    COMMENT = "comment"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was said about an employee's month. `user_id`: on whose page it stands."""

    note_id: str
    user_id: int
    author_id: int
    kind: str
    month: date
    text: str
    made_at: int


def listed(conn: Connection, portal_id: int, user_id: int, first: date, end: date) -> list[Note]:
    """The notes of the months that begin from `first` on and before `end`, newest first."""
    rows = conn.execute(
        select(
            notes.c.note_id,
            notes.c.user_id,
            notes.c.author_id,
            notes.c.kind,
            notes.c.month,
            notes.c.text,
            notes.c.made_at,
        )
        .where(
            notes.c.portal_id == portal_id,
            notes.c.user_id == user_id,
            notes.c.month >= first,
            notes.c.month < end,
        )
        .order_by(notes.c.made_at.desc(), notes.c.note_id.desc())
        .limit(LISTED)
    )
    return [Note(*row) for row in rows]


def add(
    conn: Connection,
    portal_id: int,
    author_id: int,
    user_id: int,
    kind: Kind,
    month: date,
    text: str,
    *,
    at: int,
) -> Note:
    """A new note."""
    made = Note(audit.ordered_id(), user_id, author_id, kind.value, month, text, at)
    conn.execute(
        insert(notes).values(
            portal_id=portal_id,
            note_id=made.note_id,
            user_id=user_id,
            author_id=author_id,
            kind=made.kind,
            month=month,
            text=text,
            made_at=at,
        )
    )
    # What was said stays out of the log: it is for the two of them.
    detail = {"kind": made.kind, "month": f"{month:%Y-%m}"}
    audit.record(conn, portal_id, author_id, audit.NOTE_MADE, f"user:{user_id}", detail, at=at)
    return made


def find(conn: Connection, portal_id: int, note_id: str) -> Note | None:
    """One note."""
    row = conn.execute(
        select(
            notes.c.note_id,
            notes.c.user_id,
            notes.c.author_id,
            notes.c.kind,
            notes.c.month,
            notes.c.text,
            notes.c.made_at,
        ).where(notes.c.portal_id == portal_id, notes.c.note_id == note_id)
    ).one_or_none()
    return None if row is None else Note(*row)


def remove(conn: Connection, portal_id: int, note: Note, *, by: int | None, at: int) -> None:
    """Take a note away."""
    conn.execute(delete(notes).where(notes.c.portal_id == portal_id, notes.c.note_id == note.note_id))
    detail = {"kind": note.kind, "month": f"{note.month:%Y-%m}", "author": note.author_id}
    audit.record(conn, portal_id, by, audit.NOTE_REMOVED, f"user:{note.user_id}", detail, at=at)


def targets_set_at(conn: Connection, portal_id: int, user_id: int, first: date, end: date) -> dict[date, int]:
    """When the employee's targets of each month were last set, in epoch seconds, by month."""
    rows = conn.execute(
        select(targets.c.month, targets.c.set_at).where(
            targets.c.portal_id == portal_id,
            targets.c.scope == f"user:{user_id}",
            targets.c.month >= first,
            targets.c.month < end,
        )
    )
    found: dict[date, int] = {}
    for row in rows:
        found[row.month] = max(row.set_at, found.get(row.month, 0))
    return found
