"""KPI sets: what an editor of sets is built on, and which set applies to whom.

`GET /api/v1/sets` (admins), `POST /api/v1/sets`, `PUT` and `DELETE /api/v1/sets/<id>`,
`GET /api/v1/sets/<id>/versions`, `POST /api/v1/sets/check` (warnings about a draft; nothing is stored),
`GET /api/v1/sets/applied?scope=user:7&day=2026-11-23` (everybody who may see the scope).

    {"id", "version", "name", "purpose", "owner": {"id", "name"} | null, "starts_on",
     "metrics": [{"metric", "weight", "name"}], "assigned": {"departments", "positions", "users"},
     "made_by", "made_at", "is_retired", "people"}

A set that is sent has `name`, `purpose`, `owner_id`, `starts_on`, `metrics`, `assigned`; a change of one also
the `version` that its editor saw: 409 with the `current` set where there is a newer one. Every change makes a
new version; periods before it begins keep the one that was in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify, request

from b24app import clock, i18n, kpi_sets, set_drafts
from b24app.access import Visibility
from b24app.kpi_sets import SetMoved
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.kpi_sets import (
    READY,
    KpiSet,
    Weighted,
    in_force,
    latest,
    set_of,
    set_of_department,
)
from b24app.metrics.query import DEFAULT_SET
from b24app.org import Org
from b24app.scope import Scope, Whose
from b24app.set_drafts import Draft, DraftRefused
from b24app.viewer import Viewer
from b24app.web import parameters, problems, scopes, set_warnings
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking
from b24app.web.target_grid import named

blueprint = Blueprint("api_sets", __name__, url_prefix="/api/v1")


@dataclass(frozen=True)
class Desk:
    """What every handler needs to know. `today`: the portal's local day."""

    asking: Viewer
    visibility: Visibility
    today: date
    sets: Sequence[KpiSet]

    @property
    def org(self) -> Org:
        return self.visibility.org


@blueprint.get("/sets")
@require_viewer
def every() -> Response:
    """All sets in their newest version, and the ready-made ones to begin with."""
    scopes.require_admin(viewer())
    with parts().engine.connect() as conn:
        desk = _desk(Sight(conn, viewer()))
    now = in_force(desk.sets, desk.today)
    people = [
        set_of(now, desk.org, user.id)
        for user in desk.org.users.values()
        if user.is_active and user.is_employee
    ]
    found = [
        {
            **set_json(one, desk),
            "people": sum(used is not None and used.set_id == one.set_id for used in people),
        }
        for one in latest(desk.sets)
    ]
    return jsonify(portal=desk.asking.member_id, sets=found, ready=_ready(desk.asking.lang))


@blueprint.post("/sets")
@require_viewer
def create() -> tuple[Response, int]:
    """A new set; warnings do not keep it from being stored."""
    scopes.require_admin(viewer())
    with parts().engine.begin() as conn:
        desk = _desk(Sight(conn, viewer()))
        draft = _draft(desk)
        made = kpi_sets.create(conn, desk.asking.portal_id, draft, by=desk.asking.user_id, at=clock.epoch())
        told = set_warnings.told(conn, desk.asking, draft, desk.sets, made.set_id)
    return jsonify(set=set_json(made, desk), warnings=told), 201


@blueprint.put("/sets/<set_id>")
@require_viewer
def change(set_id: str) -> Response:
    """A new version of a set."""
    scopes.require_admin(viewer())
    with parts().engine.begin() as conn:
        desk = _desk(Sight(conn, viewer()))
        _must_exist(set_id, desk)
        draft = _draft(desk)
        try:
            made = kpi_sets.change(
                conn, desk.asking.portal_id, set_id, draft, by=desk.asking.user_id, at=clock.epoch()
            )
        except SetMoved as error:
            raise _moved(error, desk) from error
        told = set_warnings.told(conn, desk.asking, draft, desk.sets, set_id)
    return jsonify(set=set_json(made, desk), warnings=told)


@blueprint.delete("/sets/<set_id>")
@require_viewer
def retire(set_id: str) -> tuple[str, int]:
    """End a set from today on; past periods keep it."""
    scopes.require_admin(viewer())
    given = parameters.single(("version",))
    version = given.get("version", "")
    if not (version.isascii() and version.isdigit()):
        raise parameters.wrong("version", "must be the version that is to end")
    with parts().engine.begin() as conn:
        desk = _desk(Sight(conn, viewer()))
        last = _must_exist(set_id, desk)
        draft = Draft(
            last.name, last.purpose, last.owner_id, desk.today, last.metrics, last.assigned, last.version
        )
        try:
            kpi_sets.retire(
                conn,
                desk.asking.portal_id,
                set_id,
                int(version[:9]),
                draft,
                by=desk.asking.user_id,
                at=clock.epoch(),
            )
        except SetMoved as error:
            raise _moved(error, desk) from error
    return "", 204


@blueprint.get("/sets/<set_id>/versions")
@require_viewer
def versions(set_id: str) -> Response:
    """Every version of a set, newest first."""
    scopes.require_admin(viewer())
    with parts().engine.connect() as conn:
        desk = _desk(Sight(conn, viewer()))
    found = [one for one in desk.sets if one.set_id == set_id]
    if not found:
        raise _no_such(set_id)
    return jsonify(versions=[set_json(one, desk) for one in reversed(found)])


@blueprint.post("/sets/check")
@require_viewer
def check() -> Response:
    """What there is to be said about a draft."""
    scopes.require_admin(viewer())
    with parts().engine.connect() as conn:
        desk = _desk(Sight(conn, viewer()))
        told = set_warnings.told(conn, desk.asking, _draft(desk), desk.sets, None)
    return jsonify(warnings=told)


@blueprint.get("/sets/applied")
@require_viewer
def applied() -> Response:
    """The set of an employee or of a department on a day; of the company it is the viewer's own."""
    given = parameters.single(("scope", "day"))
    day = _day(given["day"]) if "day" in given else None
    with looking(viewer()) as sight:
        return jsonify(applied_json(sight, given.get("scope"), day))


def applied_json(sight: Sight, asked_scope: str | None, day: date | None) -> dict[str, Any]:
    """The body of `GET /api/v1/sets/applied`; without a day, of today. Raises: Problem."""
    asking, desk = sight.asking, _desk(sight)
    asked = scopes.asked_scope(asked_scope, asking, desk.visibility)
    on = day or desk.today
    found = applied_set(in_force(desk.sets, on), desk.org, asked, asking.user_id)
    return {
        "portal": asking.member_id,
        "scope": str(asked),
        "day": on.isoformat(),
        "is_usual": found is None,
        "set": usual_json(asking.lang) if found is None else set_json(found, desk),
    }


def applied_set(sets: Sequence[KpiSet], org: Org, asked: Scope, viewer_id: int | None) -> KpiSet | None:
    """The set by which a scope is looked at; None where none is assigned."""
    if asked.whose is Whose.USER and asked.id is not None:
        return set_of(sets, org, asked.id)
    found = None
    if asked.whose is Whose.DEPARTMENT and asked.id is not None:
        found = set_of_department(sets, org, asked.id)
    if found is None and viewer_id is not None:
        found = set_of(sets, org, viewer_id)
    return found


def set_json(one: KpiSet, desk: Desk) -> dict[str, Any]:
    """A version of a set as editors and pages read it."""
    return {
        "id": one.set_id,
        "version": one.version,
        "name": one.name,
        "purpose": one.purpose,
        "owner": named(one.owner_id, desk.org),
        "starts_on": one.starts_on.isoformat(),
        "metrics": _metrics_json(one.metrics, desk.asking.lang),
        "assigned": {
            "departments": sorted(one.assigned.departments),
            "positions": sorted(one.assigned.positions),
            "users": sorted(one.assigned.users),
        },
        "made_by": named(one.made_by, desk.org),
        "made_at": rfc3339(one.made_at),
        "is_retired": one.is_retired,
    }


def usual_json(lang: str) -> dict[str, Any]:
    """What applies where no set does."""
    return {
        "id": None,
        "version": None,
        "name": i18n.text(lang, "sets.usual"),
        "purpose": i18n.text(lang, "sets.usual_purpose"),
        "owner": None,
        "starts_on": None,
        "metrics": _metrics_json([Weighted(key) for key in DEFAULT_SET], lang),
        "assigned": {"departments": [], "positions": [], "users": []},
        "made_by": None,
        "made_at": None,
        "is_retired": False,
    }


def _desk(sight: Sight) -> Desk:
    return Desk(sight.asking, sight.visibility, sight.today, kpi_sets.load(sight.conn, sight.portal_id))


def _draft(desk: Desk) -> Draft:
    try:
        return set_drafts.read(request.get_json(force=True), desk.org, desk.today)
    except DraftRefused as error:
        first = next(iter(error.reasons))
        raise problems.parts_refused("Set refused", error, desk.asking.lang, parameter=first) from error


def _must_exist(set_id: str, desk: Desk) -> KpiSet:
    found = [one for one in desk.sets if one.set_id == set_id]
    if not found:
        raise _no_such(set_id)
    return found[-1]


def _no_such(set_id: str) -> Problem:
    return Problem(404, "No such set", f"set: {set_id} does not exist here", parameter="set")


def _moved(error: SetMoved, desk: Desk) -> Problem:
    current = None if error.current is None else set_json(error.current, desk)
    return Problem(409, "Changed meanwhile", "somebody else has changed this set", current=current)


def _metrics_json(metrics: Sequence[Weighted], lang: str) -> list[dict[str, Any]]:
    return [
        {
            "metric": one.metric,
            "weight": int(one.weight) if one.weight.denominator == 1 else float(one.weight),
            "name": i18n.text(lang, f"catalog.{one.metric}.text.name") if one.metric in BY_KEY else None,
        }
        for one in metrics
    ]


def _ready(lang: str) -> list[Mapping[str, Any]]:
    return [
        {
            "key": key,
            "name": i18n.text(lang, f"sets.ready.{key}.name"),
            "purpose": i18n.text(lang, f"sets.ready.{key}.purpose"),
            "metrics": _metrics_json([one for one in metrics if one.metric in BY_KEY], lang),
        }
        for key, metrics in READY.items()
    ]


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise parameters.wrong("day", f"{text!r} is no date YYYY-MM-DD") from error
    if found.isoformat() != text:
        raise parameters.wrong("day", f"{text!r} is no date YYYY-MM-DD")
    return found
