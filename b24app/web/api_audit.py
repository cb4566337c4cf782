"""`GET /api/v1/audit`: who changed or looked at what, newest first; for admins.

{"portal", "total", "page", "pages", "actions": [known ones],
 "entries": [{"id", "at", "actor": {"id", "name"} | null, "action", "subject", "subject_name", "detail"}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify
from sqlalchemy import ColumnElement

from b24app import audit, scope
from b24app.audit import PAGE_SIZE, Entry
from b24app.metrics.periods import day_start
from b24app.org import Org
from b24app.tables import audit as table
from b24app.web import parameters, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.parameters import wrong
from b24app.web.session import require_viewer
from b24app.web.target_grid import named

blueprint = Blueprint("api_audit", __name__, url_prefix="/api/v1")


@blueprint.get("/audit")
@require_viewer
def log() -> Response:
    """A page of the portal's log."""
    asking = viewer()
    scopes.require_admin(asking)
    given = parameters.single(("action", "actor", "subject", "from", "to", "page"))
    number = parameters.page(given.get("page"))
    with parts().engine.connect() as conn:
        visibility, settings = scopes.seen_by(conn, asking)
        where = _where(given, ZoneInfo(settings.timezone))
        total = audit.count(conn, asking.portal_id, *where)
        found = audit.page(conn, asking.portal_id, number, *where)
    response = jsonify(
        portal=asking.member_id,
        total=total,
        page=number,
        pages=-(-total // PAGE_SIZE),
        actions=list(audit.ACTIONS),
        entries=[_entry_json(entry, visibility.org) for entry in found],
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _where(given: Mapping[str, str], zone: ZoneInfo) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if "action" in given:
        if given["action"] not in audit.ACTIONS:
            raise wrong("action", f"{given['action']!r} is not one of {', '.join(audit.ACTIONS)}")
        found.append(table.c.action == given["action"])
    if "actor" in given:
        text = given["actor"]
        if text != "program" and not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
            raise wrong("actor", "must be the number of a user, or program")
        found.append(table.c.actor_id.is_(None) if text == "program" else table.c.actor_id == int(text[:9]))
    if "subject" in given:
        found.append(table.c.subject == given["subject"])
    if "from" in given:
        found.append(table.c.at >= int(day_start(_day("from", given["from"]), zone).timestamp()))
    if "to" in given:
        found.append(table.c.at < int(day_start(_day("to", given["to"]), zone).timestamp()))
    return found


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
        if day.isoformat() != text or not 1970 < day.year < 3000:
            raise ValueError
    except ValueError as error:
        raise wrong(name, f"{text!r} is no date YYYY-MM-DD") from error
    return day


def _entry_json(entry: Entry, org: Org) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "at": rfc3339(entry.at),
        "actor": named(entry.actor_id, org),
        "action": entry.action,
        "subject": entry.subject,
        "subject_name": _subject_name(entry.subject, org),
        "detail": entry.detail,
    }


def _subject_name(subject: str, org: Org) -> str | None:
    """What people call the employee or department that an entry is about."""
    try:
        found = scope.parse(subject)
    except ValueError:
        return None
    known = (
        org.users.get(found.id or 0)
        if found.whose is scope.Whose.USER
        else org.departments.get(found.id or 0)
    )
    return None if known is None else known.name
