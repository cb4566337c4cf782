"""`GET /api/v1/score`: an employee's KPI score; `GET /api/v1/rank`: their place among colleagues.

The score of a period is Σ weight × attainment / Σ weight over the KPIs of the employee's set that have a
value, a target and a direction; `counted` says which, `reason` why the others do not.

    {"portal", "scope", "from", "to", "set": {"id", "version", "name"}, "score", "cap",
     "metrics": [{"metric", "name", "weight", "value", "unit", "target", "attainment", "status", "few_data",
                  "counted", "reason"}]}

A place tells nothing of the others: `rows` with their values are there only where the leaderboard is open or
the viewer may see the whole group.

    {"portal", "metric", "scope", "from", "to", "among", "unit", "value", "rank", "of", "reason",
     "rows"?: [{"key", "name", "rank", "value"}]}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flask import Blueprint, Response, jsonify

from b24app import i18n, kpi_sets, scope
from b24app.metrics import attainment
from b24app.metrics.attainment import Weighted
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.engine import KpiValue
from b24app.metrics.kpi_sets import KpiSet, in_force, set_of
from b24app.metrics.metric import Better, By, Metric
from b24app.metrics.query import DEFAULT_SET
from b24app.metrics.rank import places
from b24app.org import Org
from b24app.scope import COMPANY, Scope, Whose
from b24app.web import api_kpi, parameters
from b24app.web.api_kpi import Asked
from b24app.web.context import viewer
from b24app.web.present import planned, quantity, ratio_text
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking

blueprint = Blueprint("api_score", __name__, url_prefix="/api/v1")

PERIOD = ("from", "to", "period")


@blueprint.get("/score")
@require_viewer
def score() -> Response:
    """The score of one employee in a period."""
    given = parameters.single(("scope", *PERIOD))
    with looking(viewer()) as sight:
        return jsonify(score_json(sight, list(given.items())))


@blueprint.get("/rank")
@require_viewer
def rank() -> Response:
    """The place of one employee among the people of a department of theirs, or of the company."""
    given = dict(parameters.single(("metric", "scope", "among", *PERIOD)))
    among = given.pop("among", None)
    if "metric" not in given:
        raise parameters.wrong("metric", "is missing")
    with looking(viewer()) as sight:
        return jsonify(rank_json(sight, list(given.items()), among))


def score_json(sight: Sight, arguments: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The body of `GET /api/v1/score`."""
    asking, asked = sight.asking, api_kpi.ask(sight, arguments)
    user_id = _employee(asked)
    period = asked.query.period
    day = min(asked.context.today, period.last_day)
    found = set_of(in_force(kpi_sets.load(sight.conn, sight.portal_id), day), asked.context.org, user_id)
    weights = _weights(found)
    query = replace(asked.query, metrics=tuple(BY_KEY[key] for key in weights))
    context = api_kpi.with_plans(sight, query)
    values = api_kpi.values_of(sight, query, context)
    shares = [attainment.weighed(value.metric.better, value.value, value.standing.target) for value in values]
    total = attainment.score(
        Weighted(weights[value.metric.key], share) for value, share in zip(values, shares, strict=True)
    )
    return {
        "portal": asking.member_id,
        "scope": str(query.scope),
        "from": period.start.isoformat(),
        "to": period.end.isoformat(),
        "set": _set_json(found, asking.lang),
        "score": ratio_text(total),
        "cap": ratio_text(attainment.CAP),
        "metrics": [
            _part_json(value, weights[value.metric.key], share, asking.lang)
            for value, share in zip(values, shares, strict=True)
        ],
    }


def rank_json(sight: Sight, arguments: Iterable[tuple[str, str]], among: str | None) -> dict[str, Any]:
    """The body of `GET /api/v1/rank`."""
    asking, asked = sight.asking, api_kpi.ask(sight, arguments)
    user_id = _employee(asked)
    if len(asked.query.metrics) != 1:
        raise parameters.wrong("metric", "name exactly one")
    metric = asked.query.metrics[0]
    _must_be_rankable(metric)
    org = asked.context.org
    group = _group(among, user_id, org)
    query = replace(asked.query, scope=group, by=By.USER)
    found = api_kpi.values_of(sight, query, asked.context)[0]
    rows = {scope.parse(row.key).id or 0: row for row in found.rows or ()}
    ranked = {
        number: row.value
        for number, row in rows.items()
        if row.value is not None and not row.few_data and number in org.users and org.users[number].is_active
    }
    order = places(metric.better, ranked)
    mine, place = rows.get(user_id), order.get(user_id)
    body: dict[str, Any] = {
        "portal": asking.member_id,
        "metric": metric.key,
        "scope": str(asked.query.scope),
        "from": query.period.start.isoformat(),
        "to": query.period.end.isoformat(),
        "among": str(group),
        "unit": metric.unit.value,
        "value": None if mine is None else quantity(mine.value, metric),
        "rank": None if place is None else place.place,
        "of": len(order),
        "reason": None if place is not None else _why_unranked(found, user_id, org),
    }
    if asked.visibility.can_see(group) or sight.settings.open_leaderboard:
        names = sorted(order.items(), key=lambda item: (item[1].place, org.users[item[0]].name, item[0]))
        body["rows"] = [
            {
                "key": f"user:{number}",
                "name": org.users[number].name,
                "rank": one.place,
                "value": quantity(ranked[number], metric),
            }
            for number, one in names
        ]
    return body


def _employee(asked: Asked) -> int:
    found = asked.query.scope
    if found.whose is not Whose.USER or found.id is None:
        raise parameters.wrong("scope", "must be one employee: user:ID or me")
    return found.id


def _weights(found: KpiSet | None) -> dict[str, Fraction]:
    """The weights of the set's KPIs that the catalogue still has; without a set, all usual ones alike."""
    if found is None:
        return dict.fromkeys(DEFAULT_SET, Fraction(1))
    return {one.metric: one.weight for one in found.metrics if one.metric in BY_KEY}


def _set_json(found: KpiSet | None, lang: str) -> dict[str, Any]:
    if found is None:
        return {"id": None, "version": None, "name": i18n.text(lang, "sets.usual")}
    return {"id": found.set_id, "version": found.version, "name": found.name}


def _part_json(value: KpiValue, weight: Fraction, share: Fraction | None, lang: str) -> dict[str, Any]:
    metric, standing = value.metric, value.standing
    return {
        "metric": metric.key,
        "name": i18n.text(lang, f"catalog.{metric.key}.text.name"),
        "weight": int(weight) if weight.denominator == 1 else float(weight),
        "value": quantity(value.value, metric),
        "unit": metric.unit.value,
        "target": planned(standing.target, metric.unit, not metric.adds_up),
        "attainment": ratio_text(standing.attainment),
        "status": None if standing.status is None else standing.status.value,
        "few_data": value.few_data,
        "counted": share is not None,
        "reason": None if share is not None else _why_uncounted(value),
    }


def _why_uncounted(value: KpiValue) -> str:
    if value.value is None:
        return value.reason.value if value.reason is not None else "no_records"
    return "no_target" if value.standing.target is None else "no_direction"


def _must_be_rankable(metric: Metric) -> None:
    if metric.better is Better.NEITHER:
        raise parameters.wrong("metric", f"{metric.key} has no better or worse, so there are no places")
    if By.USER not in metric.by or Whose.USER not in metric.per:
        raise parameters.wrong("metric", f"{metric.key} does not exist for single employees")


def _group(text: str | None, user_id: int, org: Org) -> Scope:
    """Whom somebody is compared with: by default the first of their departments, else the company."""
    employee = org.users.get(user_id)
    own = [] if employee is None else [n for n in employee.department_ids if n in org.departments]
    if text is None:
        return scope.department(own[0]) if own else COMPANY
    try:
        found = scope.parse(text)
    except ValueError as error:
        raise parameters.wrong("among", str(error)) from error
    is_theirs = found == COMPANY or (
        found.whose is Whose.DEPARTMENT and found.id is not None and user_id in org.people(found.id)
    )
    if not is_theirs:
        raise parameters.wrong("among", "must be the company or a department that the employee is in")
    return found


def _why_unranked(found: KpiValue, user_id: int, org: Org) -> str:
    employee = org.users.get(user_id)
    if employee is None or not employee.is_active:
        return "not_active"
    if found.reason is not None and found.value is None:
        return found.reason.value
    row = next((row for row in found.rows or () if row.key == f"user:{user_id}"), None)
    return "few_data" if row is not None and row.few_data and row.value is not None else "no_records"
