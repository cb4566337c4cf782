"""`GET /api/v1/metrics` and `GET /api/v1/kpi`: the catalogue, and its numbers."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request
from markupsafe import Markup

from b24app import audit, clock, kpi_sets, meters, sums, targets
from b24app.access import Visibility
from b24app.metrics import engine
from b24app.metrics.catalog import BY_KEY, CATALOG
from b24app.metrics.context import Context
from b24app.metrics.engine import KpiValue
from b24app.metrics.kpi_sets import in_force, set_of
from b24app.metrics.metric import PEOPLE
from b24app.metrics.periods import Period
from b24app.metrics.query import DEFAULT_SET, BadParameter, KpiQuery, UnknownMetric, parse
from b24app.scope import Scope, Whose
from b24app.store import snapshots
from b24app.sums.kept import VERSION
from b24app.sync import freshness
from b24app.sync.state import SyncState
from b24app.viewer import Viewer
from b24app.web import present, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.problems import Problem
from b24app.web.remembered import remembered
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking

blueprint = Blueprint("api_kpi", __name__, url_prefix="/api/v1")

AS_OF_HEADER = "B24App-As-Of"
FRESH_WAIT_S = 10.0
"""How long `fresh=1` waits for the portal before the stored numbers are answered."""

LOOK_WAIT_S = 1.0
"""How long anybody else waits when the last check is too old: a portal usually answers in less."""


@dataclass(frozen=True)
class Asked:
    """A permitted question with everything that its answer depends on besides records."""

    query: KpiQuery
    context: Context
    visibility: Visibility
    sync: SyncState
    timezone: str


@blueprint.get("/metrics")
@require_viewer
def metrics() -> Response:
    """The catalogue in the viewer's language."""
    with looking(viewer()) as sight:
        return jsonify(metrics_json(sight))


@blueprint.get("/kpi")
@require_viewer
def kpi() -> Response:
    """The numbers; 304 while nothing has changed since the answer that the browser has."""
    asking, arguments = viewer(), list(request.args.items(multi=True))
    _touch(asking, arguments)
    with looking(asking) as sight:
        query = question(sight, arguments)
        tag = _tag(sight, query)
        if request.if_none_match.contains_weak(tag):
            response = Response(status=304)
        else:
            response = jsonify(answer(sight, planned(sight, query)))
        note_view(sight, query.scope)
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers[AS_OF_HEADER] = rfc3339(sight.sync.as_of) or ""
    return response


def metrics_json(sight: Sight) -> dict[str, Any]:
    """The body of `GET /api/v1/metrics`."""
    asking = sight.asking
    return {"portal": asking.member_id, "metrics": present.catalogue_json(sight.context, asking.lang)}


def catalogue_facts(sight: Sight) -> list[dict[str, Any]]:
    """The catalogue without texts; `words` of an entry says which of its texts it has on this portal."""
    ways = sight.context.ways
    facts = present.catalogue_facts(sight.context)
    return [fact | {"words": metric.words_in(ways)} for metric, fact in zip(CATALOG, facts, strict=True)]


def kpi_json(sight: Sight, arguments: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The body of `GET /api/v1/kpi` for these parameters, from what is stored. Raises: Problem."""
    query = question(sight, arguments)
    note_view(sight, query.scope)
    return answer(sight, planned(sight, query))


def kpi_for_page(sight: Sight, arguments: Iterable[tuple[str, str]]) -> Markup:
    """The same as JSON for a page, kept while it holds."""
    query = question(sight, arguments)
    note_view(sight, query.scope)
    return remembered(
        sight,
        f"kpi {query.key}",
        lambda: answer(sight, planned(sight, query)),
        moves_with_time=_moves_with_time(query),
    )


def ask(sight: Sight, arguments: Iterable[tuple[str, str]]) -> Asked:
    """The question with what its answer depends on. Raises: Problem, see `question`."""
    return planned(sight, question(sight, arguments))


def question(sight: Sight, arguments: Iterable[tuple[str, str]]) -> KpiQuery:
    """The question, once it is known to be a possible and a permitted one.

    Raises: Problem 400 for a wrong parameter, 403 or 404 for a scope, 404 for an unknown metric, 503
    while nothing is stored and the portal does not answer.
    """
    asking, sync = sight.asking, sight.sync
    try:
        query = parse(arguments, asking.user_id, sight.today, partial(_own_set, sight))
    except BadParameter as error:
        raise Problem(400, "Wrong parameter", f"{error.name}: {error}", parameter=error.name) from error
    except UnknownMetric as error:
        raise Problem(404, "Unknown metric", f"there is no metric {error}", parameter="metric") from error
    scopes.asked_scope(str(query.scope), asking, sight.visibility)
    is_failing = any(problem.startswith(("failing:", "portal_failing:")) for problem in sync.problems)
    if sync.as_of is None and sync.progress == 0 and is_failing:
        problem = Problem(503, "Nothing stored yet", "the portal does not answer and nothing is stored yet")
        raise problem.with_header("Retry-After", "5")
    return query


def planned(sight: Sight, query: KpiQuery) -> Asked:
    """The question with everything besides records that its answer depends on."""
    return Asked(query, with_plans(sight, query), sight.visibility, sight.sync, sight.settings.timezone)


def note_view(sight: Sight, asked: Scope) -> None:
    """Write into the log that the viewer looks at somebody else's numbers; once a day is enough."""
    asking = sight.asking
    if asking.user_id is None or asked.whose is not Whose.USER or asked.id == asking.user_id:
        return
    look = (asking.portal_id, asking.user_id, str(asked), sight.today)
    if audit.is_view_recorded(sight.conn, *look):
        return
    with parts().engine.begin() as conn:
        audit.record_view(conn, *look, at=clock.epoch())


def with_plans(sight: Sight, query: KpiQuery) -> Context:
    """The context with the targets of the asked KPIs, of every month that the period has days of."""
    keys = [metric.key for metric in query.metrics]
    first = query.period.start.replace(day=1)
    plans = targets.load_plans(sight.conn, sight.portal, keys, first, query.period.end)
    context = sight.context
    return replace(context, planning=replace(context.planning, plans=plans))


def values_of(sight: Sight, query: KpiQuery, context: Context) -> list[KpiValue]:
    """Every asked KPI, from what is stored."""
    wanted = engine.reads(query, context)
    read = partial(sums.read_all, sight.conn, sight.portal_id, has_kept=sight.portal.sums_version == VERSION)
    return engine.answer(
        query,
        context,
        wanted,
        now=read(wanted.now),
        before=read(wanted.before),
        kept=snapshots.read_all(sight.conn, sight.portal_id, wanted.kept),
    )


def answer(sight: Sight, asked: Asked) -> dict[str, Any]:
    """The body of `GET /api/v1/kpi`."""
    query, context, asking = asked.query, asked.context, sight.asking
    began = time.perf_counter()
    values = values_of(sight, query, context)
    meters.kpi(query.scope.whose.value, query.by.value if query.by else "total", time.perf_counter() - began)
    body = present.answer_json(
        query,
        context,
        values,
        member_id=asking.member_id,
        timezone=asked.timezone,
        as_of=rfc3339(asked.sync.as_of),
        complete=asked.sync.complete,
        progress=asked.sync.progress,
        before=engine.reads(query, context).before_period,
        lang=asking.lang,
    )
    if query.by in PEOPLE:
        _keep_visible(body, asked.visibility)
    return body


def _own_set(sight: Sight, period: Period) -> Sequence[str]:
    """The KPIs of the viewer's set as it was at the end of the period; of a running one, as it is today."""
    if sight.asking.user_id is None:
        return DEFAULT_SET
    sets = in_force(kpi_sets.load(sight.conn, sight.portal_id), min(sight.today, period.last_day))
    found = set_of(sets, sight.visibility.org, sight.asking.user_id)
    keys = [] if found is None else [one.metric for one in found.metrics if one.metric in BY_KEY]
    return keys or DEFAULT_SET


def _touch(asking: Viewer, arguments: list[tuple[str, str]]) -> None:
    """Somebody looks: the portal is asked for changes if nobody has just done so."""
    if ("fresh", "1") in arguments:
        freshness.touch(parts(), asking.portal_id, wait_s=FRESH_WAIT_S, max_age_s=0.0)
    else:
        freshness.touch(parts(), asking.portal_id, wait_s=LOOK_WAIT_S)


def _keep_visible(body: dict[str, Any], visibility: Visibility) -> None:
    """Whoever may see a scope may see its parts; should that ever change, rows of others stay here."""

    def is_open(key: str) -> bool:
        kind, _, number = key.partition(":")
        if kind == "user":
            return visibility.can_see_user(int(number))
        return kind != "department" or visibility.can_see_department(int(number))

    for value in body["values"]:
        if "rows" in value:
            value["rows"] = [row for row in value["rows"] if is_open(row["key"])]
    body["names"] = {key: name for key, name in body["names"].items() if is_open(key)}


def _tag(sight: Sight, query: KpiQuery) -> str:
    """Changes with everything that the body depends on, but not when the portal was merely asked again."""
    asking = sight.asking
    seen = [
        query.key,
        asking.portal_id,
        asking.user_id,
        asking.is_admin,
        asking.lang,
        sight.version(moves_with_time=_moves_with_time(query)),
    ]
    return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:32]


def _moves_with_time(query: KpiQuery) -> bool:
    return any(metric.moves_with_time for metric in query.metrics)
