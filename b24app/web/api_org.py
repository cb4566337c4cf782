"""`GET /api/v1/org` and `GET /api/v1/sync`: who the viewer may see, and how much of the portal is read."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify

from b24app.access import Visibility, is_administrator
from b24app.org import Employee, Org
from b24app.store import org as org_store
from b24app.sync import sources
from b24app.sync.state import Comparison, SourceState
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.portal_limits import limits_json
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking

blueprint = Blueprint("api_org", __name__, url_prefix="/api/v1")


@blueprint.get("/org")
@require_viewer
def org() -> Response:
    """Departments and employees that are open to the viewer."""
    with looking(viewer()) as sight:
        return jsonify(org_json(sight))


@blueprint.get("/sync")
@require_viewer
def sync() -> Response:
    """Where every source stands; for admins also what it is read with, and what the portal's limits leave."""
    with looking(viewer()) as sight:
        return jsonify(sync_json(sight))


def org_json(sight: Sight) -> dict[str, Any]:
    """The body of `GET /api/v1/org`.

    Departments come in the order of a drawn tree, each after the one it hangs under; `parent_id` is null
    where that one is not open to the viewer, so that following it always ends. `away_until`: the last day of
    an absence that lasts today; null for those who are there, and where the portal does not tell.
    """
    asking, visibility = sight.asking, sight.visibility
    away = org_store.away_until(sight.conn, sight.portal_id, sight.today)
    return {
        "portal": asking.member_id,
        "me": asking.user_id,
        "is_admin": is_administrator(asking),
        "sees_company": visibility.everything,
        "heads": [] if asking.user_id is None else list(visibility.org.headed_by(asking.user_id)),
        "departments": tree_json(visibility),
        "employees": [
            _employee(employee, visibility.org, away.get(employee.id))
            for employee in sorted(visibility.org.users.values(), key=lambda e: (e.name.casefold(), e.id))
            if visibility.can_see_user(employee.id)
        ],
    }


def sync_json(sight: Sight) -> dict[str, Any]:
    """The body of `GET /api/v1/sync`. How many records the company has, and what was used of the limits, is
    for admins. `titles`: of the smart processes whose numbers stand in names of sources (`tickets_1036`).
    """
    asking, found = sight.asking, sight.sync
    body = {
        "portal": asking.member_id,
        "complete": found.complete,
        "progress": round(found.progress, 4),
        "as_of": rfc3339(found.as_of),
        "problems": list(found.problems),
        "sources": [_source(source, is_administrator(asking)) for source in found.sources],
        "titles": {str(number): title for number, title in sight.context.reference.process_titles.items()},
        "comparison": _comparison(found.comparison, is_administrator(asking)),
    }
    if is_administrator(asking):
        _add_usage(body, sight)
    return body


def _add_usage(body: dict[str, Any], sight: Sight) -> None:
    """What each source is read with, how many details it holds, and what the portal's limits leave."""
    lists = sources.long_lists(sight.conn, sight.portal_id)
    methods = sources.methods(lists)
    known = sources.known_details(sight.conn, sight.portal_id, lists)
    for source in body["sources"]:
        source["methods"] = list(methods.get(source["source"], ()))
        source["rows"] = known.get(source["source"], source["rows"])
    body["limits"] = limits_json(parts(), sight.conn, sight.portal_id)


def _comparison(found: Comparison, with_counts: bool) -> dict[str, Any]:
    return {
        "at": rfc3339(found.at),
        "is_whole": found.is_whole,
        "error": found.error,
        "differences": [
            {
                "source": one.source,
                "month": None if one.month is None else one.month.isoformat()[:7],
                "in_portal": one.in_portal,
                "stored": one.stored,
                "repaired": one.repaired,
            }
            for one in found.differences
        ]
        if with_counts
        else None,
    }


def tree_json(visibility: Visibility) -> list[dict[str, Any]]:
    """The departments that are open to the viewer, in the order of a drawn tree."""
    found: dict[int, dict[str, Any]] = {}
    closed: set[int] = set()

    def add(department_id: int, parent_id: int | None, depth: int) -> None:
        if department_id in found:  # a cycle in the portal's tree is entered once
            return
        below, next_depth = parent_id, depth
        if visibility.can_see_department(department_id):
            department = visibility.org.departments[department_id]
            found[department_id] = {
                "id": department_id,
                "scope": f"department:{department_id}",
                "name": department.name,
                "parent_id": parent_id,
                "depth": depth,
                "head_id": department.head_id,
                "people": len(visibility.org.people(department_id)),
            }
            below, next_depth = department_id, depth + 1
        elif department_id in closed:
            return
        else:
            closed.add(department_id)
        for child in visibility.org.children(department_id):
            add(child, below, next_depth)

    for root in visibility.org.roots():
        add(root, None, 0)
    return list(found.values())


def _employee(employee: Employee, org: Org, away_until: date | None) -> dict[str, Any]:
    return {
        "id": employee.id,
        "scope": f"user:{employee.id}",
        "name": employee.name,
        "position": employee.position,
        "photo": employee.photo,
        "active": employee.is_active,
        "hired_on": None if employee.hired_on is None else employee.hired_on.isoformat(),
        "away_until": None if away_until is None else away_until.isoformat(),
        "department_ids": list(employee.department_ids),
        "departments": [
            org.departments[number].name for number in employee.department_ids if number in org.departments
        ],
    }


def _source(source: SourceState, with_counts: bool) -> dict[str, Any]:
    return {
        "source": source.source,
        "state": source.state,
        "reason": source.reason,
        "progress": round(source.progress, 4),
        "covered_from": None if source.covered_from is None else source.covered_from.isoformat(),
        "rows": source.row_count if with_counts else None,
        "read_at": rfc3339(source.read_at),
        "error": source.error,
    }
