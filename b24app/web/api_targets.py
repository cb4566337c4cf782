"""Targets: `PUT /api/v1/targets` for programs, and what a grid of people × months is built on.

`GET /api/v1/targets?metric=&scope=&from=2026-01&to=2027-01` (`to` is exclusive) is the grid:

    {"portal", "metric", "unit", "currency", "adds_up", "scope", "today", "from", "to",
     "months": ["2026-01", …],
     "rows": [{"key": "department:10", "kind": "scope" | "department" | "user", "name", "active", "position",
               "hired_on", "may_edit",
               "cells": [{"month", "value", "set_by": {"id", "name"} | null, "set_at", "effective"}]}],
     "totals": [{"month", "target", "people", "undistributed"}]}

`value` is what was set (exact decimal text, null: nothing); `effective` what counts: for a department without
a target of its own the sum of its employees'. `undistributed` is the scope's own target less the sum of its
employees'; negative where more is given out than was planned.

`POST /api/v1/targets/changes` saves cells: `{"changes": [{"metric", "scope", "month", "value", "before"?}]}`.
`before` is the `value` that the editor saw; 409 tells the `conflicts` where somebody else has saved since,
and nothing is stored. The answer has `undo`: the changes that take this one back, checked in the same way.

`GET /api/v1/targets/history` tells every change of the scope's targets and of everybody's in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app import access, clock, i18n, scope, target_rows, targets
from b24app.entries import sheets
from b24app.entries.sheets import TooManyRows, Unreadable
from b24app.metrics import periods
from b24app.metrics.periods import shift_months
from b24app.org import Org
from b24app.tables import target_changes
from b24app.target_rows import Cell, Known, RowsRefused, Wish
from b24app.targets import Change, Target, TargetsMoved
from b24app.viewer import Viewer
from b24app.web import parameters, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.parameters import wrong
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.target_grid import asked_grid, grid_json, named, rows_in

blueprint = Blueprint("api_targets", __name__, url_prefix="/api/v1")

UPLOAD_LIMIT = 24 * 1024 * 1024
"""Bytes: as many rows as one upload may have fit, in every format."""

LONGEST_MONTHS = 60
CHANGES_LIMIT = 10_000
SHOWN_REFUSALS = 50

_COLUMN_NAMES = {name: name for name in target_rows.COLUMNS}


@blueprint.put("/targets")
@require_viewer
def put() -> Response:
    """Set targets, all or nothing; the same metric, scope and month again replaces."""
    asking = viewer()
    scopes.require_admin(asking)
    request.max_content_length = UPLOAD_LIMIT
    try:
        sheet = sheets.read(request.get_data(), _COLUMN_NAMES, request.mimetype)
        with parts().engine.begin() as conn:
            wishes = target_rows.uploaded(sheet, _known(conn, asking))
            targets.save(conn, asking.portal_id, wishes, by=asking.user_id, at=clock.epoch())
    except TooManyRows as error:
        raise Problem(413, "Too large", f"at most {sheets.ROW_LIMIT} rows at once") from error
    except Unreadable as error:
        raise Problem(400, "Targets refused", _why_unreadable(error), reason=error.reason) from error
    except RowsRefused as error:
        raise _refused(error) from error
    return jsonify(accepted=len(sheet.rows))


@blueprint.get("/targets")
@require_viewer
def grid() -> Response:
    """The targets of a KPI for everybody in a scope."""
    given = parameters.single(("metric", "scope", "from", "to"))
    with parts().engine.connect() as conn:
        asked = asked_grid(conn, viewer(), given)
        first, end = _months(given, asked.context.today)
        stored = targets.load(conn, asked.asking.portal_id, [asked.metric.key], first, end)
    return jsonify(grid_json(asked, stored, first, end))


@blueprint.post("/targets/changes")
@require_viewer
def change() -> Response:
    """Save cells of a grid, all or nothing."""
    asking = viewer()
    body = request.get_json(force=True)
    changes = body.get("changes") if isinstance(body, dict) else None
    if not isinstance(changes, list):
        raise wrong("changes", "must be a list")
    if len(changes) > CHANGES_LIMIT:
        raise Problem(413, "Too large", f"at most {CHANGES_LIMIT} changes at once")
    with parts().engine.begin() as conn:
        known = _known(conn, asking)
        _check_rights(asking, known.org, changes)
        try:
            wishes = target_rows.edited(changes, known)
            saved = targets.save(conn, asking.portal_id, wishes, by=asking.user_id, at=clock.epoch())
        except RowsRefused as error:
            raise _refused(error) from error
        except TargetsMoved as error:
            conflicts = [_conflict(wish, theirs, known.org) for wish, theirs in error.theirs]
            raise Problem(
                409, "Changed meanwhile", "somebody else has saved these targets", conflicts=conflicts
            ) from error
    return jsonify(accepted=len(wishes), changed=len(saved), undo=[_undo(one) for one in saved])


@blueprint.get("/targets/history")
@require_viewer
def history() -> Response:
    """Every change of the targets of a scope and of everybody in it, newest first."""
    given = parameters.single(("metric", "scope", "month", "page"))
    number = parameters.page(given.get("page"))
    with parts().engine.connect() as conn:
        asked = asked_grid(conn, viewer(), given)
        names = {row["key"]: row["name"] for row in rows_in(asked)}
        where = [target_changes.c.metric == asked.metric.key]
        if asked.scope != scope.COMPANY:
            where.append(target_changes.c.scope.in_(sorted(names)))
        if "month" in given:
            where.append(target_changes.c.month == parameters.month("month", given["month"]))
        total, found = targets.history(conn, asked.asking.portal_id, number, *where)
    return jsonify(
        portal=asked.asking.member_id,
        metric=asked.metric.key,
        scope=str(asked.scope),
        total=total,
        page=number,
        pages=-(-total // targets.PAGE_SIZE),
        changes=[_change_json(one, names, asked.org) for one in found],
    )


def _refused(error: RowsRefused) -> Problem:
    """The problem that names the rows which cannot be taken."""
    shown = error.refusals[:SHOWN_REFUSALS]
    return Problem(
        400,
        "Targets refused",
        str(error),
        parameter=error.refusals[0].field,
        errors=[{"row": one.row, "field": one.field, "reason": one.reason} for one in shown],
        error_count=len(error.refusals),
    )


def _why_unreadable(error: Unreadable) -> str:
    return i18n.text(viewer().lang, f"entries.unreadable.{error.reason}", **error.values)


def _known(conn: Connection, asking: Viewer) -> Known:
    visibility, settings = scopes.seen_by(conn, asking)
    return Known(visibility.org, periods.local_day(clock.now(), ZoneInfo(settings.timezone)))


def _months(given: Mapping[str, str], today: date) -> tuple[date, date]:
    """The first month and the one after the last; by default this year."""
    if "from" not in given and "to" not in given:
        return date(today.year, 1, 1), date(today.year + 1, 1, 1)
    for name in ("from", "to"):
        if name not in given:
            raise wrong(name, "is missing: from and to go together")
    first, end = (parameters.month(name, given[name]) for name in ("from", "to"))
    if not first < end <= shift_months(first, LONGEST_MONTHS):
        raise wrong("to", f"is exclusive, later than from and at most {LONGEST_MONTHS} months after it")
    return first, end


def _check_rights(asking: Viewer, org: Org, changes: Sequence[Any]) -> None:
    """Before anything is said about the changes: a stranger cannot probe for ids."""
    if access.is_administrator(asking):
        return
    for text in {str(row.get("scope")) for row in changes if isinstance(row, Mapping)}:
        try:
            may_plan = access.may_plan(org, asking, scope.parse(text))
        except ValueError:
            may_plan = False
        if not may_plan:
            why = f"scope: targets of {text} are not yours to set"
            raise Problem(403, "Not for this viewer", why, parameter="scope")


def _conflict(wish: Wish, theirs: Target | None, org: Org) -> dict[str, Any]:
    return {
        **_cell(wish.cell),
        "value": wish.value,
        "before": wish.before,
        "theirs": None if theirs is None else theirs.value,
        "set_by": None if theirs is None else named(theirs.set_by, org),
        "set_at": None if theirs is None else rfc3339(theirs.set_at),
    }


def _undo(change: Change) -> dict[str, Any]:
    return {**_cell(change.cell), "value": change.before, "before": change.after}


def _cell(cell: Cell) -> dict[str, str]:
    return {"metric": cell.metric, "scope": cell.scope, "month": f"{cell.month:%Y-%m}"}


def _change_json(change: Change, names: Mapping[str, str], org: Org) -> dict[str, Any]:
    return {
        "id": change.change_id,
        **_cell(change.cell),
        "name": names.get(change.cell.scope, ""),
        "before": change.before,
        "after": change.after,
        "by": named(change.changed_by, org),
        "at": rfc3339(change.changed_at),
    }
