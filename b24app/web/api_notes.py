"""Comments on an employee's page and acknowledgements of targets.

`GET /api/v1/notes?scope=user:7&from=2026-11&to=2026-12`, `POST /api/v1/notes`, `DELETE /api/v1/notes/<id>`.

    {"portal", "scope", "from", "to", "may_acknowledge",
     "notes": [{"id", "kind": "comment" | "acknowledged", "month", "text", "author": {"id", "name"}, "at",
                "is_current", "may_remove"}],
     "months": [{"month", "targets_set_at", "acknowledged_at", "is_current"}]}

Whoever may see an employee may read and write comments there; targets are acknowledged by the employee alone.
`is_current`: the targets were not set again after they were acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app import clock, notes
from b24app.access import Visibility, is_administrator
from b24app.metrics import periods
from b24app.metrics.periods import Period, shift_months
from b24app.metrics.plans import months_of
from b24app.notes import Kind, Note
from b24app.scope import Whose
from b24app.viewer import Viewer
from b24app.web import parameters, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.parameters import wrong
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.target_grid import named

blueprint = Blueprint("api_notes", __name__, url_prefix="/api/v1")

LONGEST_MONTHS = 60


@blueprint.get("/notes")
@require_viewer
def listed() -> Response:
    """What was said about an employee's months, newest first."""
    given = parameters.single(("scope", "from", "to"))
    asking = viewer()
    with parts().engine.connect() as conn:
        visibility, user_id, today = _page_of(conn, asking, given.get("scope"))
        first, end = _months(given.get("from"), given.get("to"), today)
        found = notes.listed(conn, asking.portal_id, user_id, first, end)
        set_at = notes.targets_set_at(conn, asking.portal_id, user_id, first, end)
    months = months_of(Period(first, end))
    return jsonify(
        portal=asking.member_id,
        scope=f"user:{user_id}",
        **{"from": f"{first:%Y-%m}", "to": f"{end:%Y-%m}"},
        may_acknowledge=asking.user_id == user_id,
        notes=[_note_json(note, set_at.get(note.month), asking, visibility) for note in found],
        months=[_month_json(month, set_at.get(month), found) for month in months],
    )


@blueprint.post("/notes")
@require_viewer
def add() -> tuple[Response, int]:
    """Write a comment, or acknowledge the own targets of a month."""
    asking = viewer()
    body = request.get_json(force=True)
    if not isinstance(body, dict):
        raise Problem(400, "Wrong parameter", "note: must be a JSON object", parameter="note")
    for name in body:
        if name not in ("scope", "kind", "month", "text"):
            raise wrong(name, "is no part of a note")
    if asking.user_id is None:
        raise Problem(403, "Not for programs", "notes are written by people")
    with parts().engine.begin() as conn:
        visibility, user_id, _today = _page_of(conn, asking, _word(body, "scope"))
        kind = _kind(body.get("kind", Kind.COMMENT.value))
        month = parameters.month("month", _word(body, "month") or "")
        if kind is Kind.ACKNOWLEDGED and asking.user_id != user_id:
            raise Problem(403, "Not for this viewer", "kind: targets are acknowledged by whose they are")
        text = _text(body.get("text"), kind)
        made = notes.add(conn, asking.portal_id, asking.user_id, user_id, kind, month, text, at=clock.epoch())
        set_at = notes.targets_set_at(conn, asking.portal_id, user_id, month, shift_months(month, 1))
    return jsonify(_note_json(made, set_at.get(month), asking, visibility)), 201


@blueprint.delete("/notes/<note_id>")
@require_viewer
def remove(note_id: str) -> tuple[str, int]:
    """Take back a comment of one's own; an admin anybody's. What was acknowledged stays so."""
    asking = viewer()
    with parts().engine.begin() as conn:
        visibility, _settings = scopes.seen_by(conn, asking)
        note = notes.find(conn, asking.portal_id, note_id)
        if note is None or not visibility.can_see_user(note.user_id):
            raise Problem(404, "No such note", f"note: {note_id} does not exist here", parameter="note")
        if not _may_remove(note, asking):
            raise Problem(403, "Not for this viewer", "note: it is not yours to take back")
        notes.remove(conn, asking.portal_id, note, by=asking.user_id, at=clock.epoch())
    return "", 204


def _page_of(conn: Connection, asking: Viewer, text: str | None) -> tuple[Visibility, int, date]:
    """(what the viewer may see, whose page is asked for, the portal's local day)."""
    visibility, settings = scopes.seen_by(conn, asking)
    asked = scopes.asked_scope(text, asking, visibility)
    if asked.whose is not Whose.USER or asked.id is None:
        raise wrong("scope", "must be one employee: user:ID or me")
    return visibility, asked.id, periods.local_day(clock.now(), ZoneInfo(settings.timezone))


def _months(first: str | None, end: str | None, today: date) -> tuple[date, date]:
    """The first month and the one after the last; by default this month and the eleven before it."""
    if first is None and end is None:
        this = today.replace(day=1)
        return shift_months(this, -11), shift_months(this, 1)
    if first is None or end is None:
        raise wrong("from" if first is None else "to", "is missing: from and to go together")
    begin, stop = parameters.month("from", first), parameters.month("to", end)
    if not begin < stop <= shift_months(begin, LONGEST_MONTHS):
        raise wrong("to", f"is exclusive, later than from and at most {LONGEST_MONTHS} months after it")
    return begin, stop


def _word(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(name, "must be a text")
    return value


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError as error:
        raise wrong("kind", f"{value!r} is not one of {', '.join(Kind)}") from error


def _text(value: Any, kind: Kind) -> str:
    found = value.strip() if isinstance(value, str) else ""
    if (value is not None and not isinstance(value, str)) or len(found) > notes.TEXT_LIMIT:
        raise wrong("text", f"must be a text of at most {notes.TEXT_LIMIT} characters")
    if kind is Kind.COMMENT and not found:
        raise wrong("text", "is missing")
    return found


def _may_remove(note: Note, asking: Viewer) -> bool:
    is_own = asking.user_id == note.author_id
    return note.kind == Kind.COMMENT and (is_own or is_administrator(asking))


def _note_json(note: Note, set_at: int | None, asking: Viewer, visibility: Visibility) -> dict[str, Any]:
    return {
        "id": note.note_id,
        "kind": note.kind,
        "month": f"{note.month:%Y-%m}",
        "text": note.text,
        "author": named(note.author_id, visibility.org),
        "at": rfc3339(note.made_at),
        "is_current": note.kind != Kind.ACKNOWLEDGED or set_at is None or set_at <= note.made_at,
        "may_remove": _may_remove(note, asking),
    }


def _month_json(month: date, set_at: int | None, found: Sequence[Note]) -> dict[str, Any]:
    made = [note.made_at for note in found if note.kind == Kind.ACKNOWLEDGED and note.month == month]
    last = max(made, default=None)
    return {
        "month": f"{month:%Y-%m}",
        "targets_set_at": rfc3339(set_at),
        "acknowledged_at": rfc3339(last),
        "is_current": last is not None and (set_at is None or set_at <= last),
    }
