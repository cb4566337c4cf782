"""`GET /api/v1/settings/functions`: what to measure, suggested by what the portal shows. For admins.

    {"functions": [{"key", "name", "purpose", "is_found",
                    "signs": [{"sign", "is_found", "count"}],
                    "metrics": [{"metric", "name", "weight", "is_suggested"}],
                    "department": {"id", "name"} | null}],
     "departments": [{"id", "name", "depth"}], "focus": 7, "most": 5, "is_read": true,
     "currency": "RUB"}

`count` is null where it says nothing. `department`: where the records of the function are worked on.
`is_read` false: the portal is still being read, more may be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify
from sqlalchemy import ColumnElement, Connection, Table, exists, func, select

from b24app import clock, i18n
from b24app.metrics import periods
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.functions import FUNCTIONS, MOST, Function, Sign, home_of
from b24app.metrics.kpi_sets import FOCUS, READY
from b24app.org import Org
from b24app.portals.settings import DEAL, PortalSettings, load_known
from b24app.sync import state
from b24app.tables import (
    calls,
    campaigns,
    cases,
    costs,
    deals,
    pipelines,
    portals,
    projects,
    tasks,
    time_records,
)
from b24app.web import scopes
from b24app.web.api_org import tree_json
from b24app.web.context import parts, viewer
from b24app.web.session import require_viewer

blueprint = Blueprint("api_functions", __name__, url_prefix="/api/v1")

RECENT = timedelta(days=90)


@blueprint.get("/settings/functions")
@require_viewer
def functions() -> Response:
    """The four functions, what speaks for each, and the KPIs to begin with."""
    asking = viewer()
    scopes.require_admin(asking)
    with parts().engine.connect() as conn:
        visibility, settings = scopes.seen_by(conn, asking)
        found = _signs(conn, asking.portal_id, settings)
        owned = _owned(conn, asking.portal_id, settings)
        is_read = state.load(conn, asking.portal_id).complete
        currency = settings.currency or load_known(conn, asking.portal_id).base_currency
    response = jsonify(
        functions=[
            _function_json(
                one, found, home_of(visibility.org, owned.get(one.key, {})), visibility.org, asking.lang
            )
            for one in FUNCTIONS
        ],
        departments=[{name: row[name] for name in ("id", "name", "depth")} for row in tree_json(visibility)],
        focus=FOCUS,
        most=MOST,
        is_read=is_read,
        currency=currency,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _function_json(
    one: Function, found: Mapping[Sign, int | None], home: int | None, org: Org, lang: str
) -> dict[str, Any]:
    suggested = one.suggested(found)
    weights = {line.metric: line.weight for line in READY[one.key]}
    return {
        "key": one.key,
        "name": i18n.text(lang, f"sets.ready.{one.key}.name"),
        "purpose": i18n.text(lang, f"sets.ready.{one.key}.purpose"),
        "is_found": one.is_found(found),
        "signs": [
            {"sign": sign.value, "is_found": sign in found, "count": found.get(sign)} for sign in one.signs
        ],
        "metrics": [
            {
                "metric": candidate.metric,
                "name": i18n.text(lang, f"catalog.{candidate.metric}.text.name"),
                "weight": int(weights.get(candidate.metric, 1)),
                "is_suggested": candidate.metric in suggested,
            }
            for candidate in one.candidates
            if candidate.metric in BY_KEY
        ],
        "department": None if home is None else {"id": home, "name": org.departments[home].name},
    }


def _signs(conn: Connection, portal_id: int, settings: PortalSettings) -> dict[Sign, int | None]:
    """What the portal shows, with how many there are where that is worth telling."""
    found: dict[Sign, int | None] = {}
    if conn.scalar(select(portals.c.uses_leads).where(portals.c.portal_id == portal_id)) is not False:
        found[Sign.LEADS] = None
    lines = _count(conn, pipelines, portal_id, pipelines.c.entity_type_id == DEAL)
    if lines or _has(conn, deals, portal_id):
        found[Sign.DEALS] = lines or None
    groups = _count(conn, projects, portal_id)
    if groups:
        found[Sign.PROJECTS] = groups
    if settings.support.tickets:
        found[Sign.HELP_DESK] = None
    for sign, table, where in (
        (Sign.COSTS, costs, ()),
        (Sign.CAMPAIGNS, campaigns, ()),
        (Sign.CHATS, cases, (cases.c.source == "session",)),
        (Sign.CALLS, calls, ()),
        (Sign.TASKS, tasks, ()),
        (Sign.HOURS, time_records, ()),
    ):
        if _has(conn, table, portal_id, *where):
            found[sign] = None
    return found


def _owned(conn: Connection, portal_id: int, settings: PortalSettings) -> dict[str, dict[int, int]]:
    """How many recent records of each function every employee is responsible for."""
    since = periods.local_day(clock.now(), ZoneInfo(settings.timezone)) - RECENT
    work: dict[str, tuple[Table, ColumnElement[bool]]] = {
        "sales": (deals, deals.c.moved_day >= since),
        "support": (cases, cases.c.opened_day >= since),
        "projects": (tasks, tasks.c.closed_day >= since),
    }
    return {key: _by_owner(conn, table, portal_id, where) for key, (table, where) in work.items()}


def _by_owner(conn: Connection, table: Table, portal_id: int, where: ColumnElement[bool]) -> dict[int, int]:
    rows = conn.execute(
        select(table.c.owner_id, func.count())
        .where(table.c.portal_id == portal_id, where)
        .group_by(table.c.owner_id)
    )
    return {row[0]: row[1] for row in rows}


def _has(conn: Connection, table: Table, portal_id: int, *where: ColumnElement[bool]) -> bool:
    return bool(conn.scalar(select(exists().where(table.c.portal_id == portal_id, *where))))


def _count(conn: Connection, table: Table, portal_id: int, *where: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(table).where(table.c.portal_id == portal_id, *where)
    return conn.scalar(statement) or 0
