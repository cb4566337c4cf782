"""`GET /api/v1/why` and `/api/v1/why/records`: what a change of the won amount is made of.

    {"portal", "scope", "from", "to", "compared", "timezone", "today", "currency", "as_of", "complete",
     "metric": "revenue", "value", "before", "change",        money; null with a "reason"
     "drivers": [{"key", "unit", "now", "before", "effect"}],  effects add up to "change" exactly
     "people": [{"key": "user:7", "name", "effect"}],          of a department or the company, all of them:
     "others",                                                 with this rest they add up to "change" too
     "working_days": {"elapsed", "all"},                       of the period; null when it is over
     "lost": {"count", "before", "stages": [{"key", "name", "count", "before"}]},   largest losses first
     "quality": [{"key", "count", "of"}]}                      what the records do not say

The records are named by the portal with the viewer's own token, as behind every number:

    {…, "up": [{"type", "id", "title", "path", "owner", "day", "amount", "currency", "effect"}],
     "down": […], "hidden"}

A deal won in the period moves the amount by its worth, one won in the days compared with by minus its worth:
all of them together are the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app.metrics import attainment, drivers, periods
from b24app.metrics.context import Context
from b24app.metrics.drivers import Sales
from b24app.metrics.engine import owners_of
from b24app.metrics.metric import By
from b24app.metrics.periods import Period
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, RestError
from b24app.scope import Whose
from b24app.sums import movers
from b24app.sums.movers import Mover, Sphere
from b24app.viewer import Viewer
from b24app.web import api_kpi
from b24app.web.api_kpi import Asked
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import money_text, ratio_text
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking

blueprint = Blueprint("api_why", __name__, url_prefix="/api/v1")

METRICS = ("revenue", "average_check", "leads_new")
PARAMETERS = frozenset({"scope", "from", "to", "period", "compare"})
HEAD = ("portal", "scope", "from", "to", "timezone", "today", "currency", "as_of", "complete", "progress")
"""What stands in the answer as in that of `/kpi`."""

PLACES = 2
"""Of effects; more where the change itself has more."""
MOST_PLACES = 10
LOST_STAGES = 3
DEAL = 2
MOVERS = 5
CANDIDATES = 15
"""Looked at in each direction, because the portal may hide some from the viewer."""
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Compared:
    """One question in two periods, both answered; `before` None where there is nothing to compare with."""

    asked: Asked
    period: Period
    now: Mapping[str, Any]
    before: Mapping[str, Any] | None


@blueprint.get("/why")
@require_viewer
def why() -> Response:
    """What the change is made of, from what is stored."""
    with looking(viewer()) as sight:
        response = jsonify(why_json(sight, list(request.args.items(multi=True))))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/why/records")
@require_viewer
def why_records() -> Response:
    """The deals that moved the amount most."""
    response = jsonify(records_json(viewer(), list(request.args.items(multi=True))))
    response.headers["Cache-Control"] = "no-store"
    return response


def why_json(sight: Sight, arguments: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The body of `GET /api/v1/why`. Raises: Problem as `/kpi` does."""
    found = _compared(sight, arguments)
    body = _head(found)
    body |= _split(found)
    body["working_days"] = _working_days(found.asked)
    sphere = _sphere(found.asked, sight.asking)
    body["lost"] = _lost(sight.conn, sphere, found)
    body["quality"] = _quality(sight.conn, sphere, found.asked)
    return body


def records_json(asking: Viewer, arguments: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The body of `GET /api/v1/why/records`. Raises: Problem; 503 while the portal does not answer."""
    with looking(asking) as sight:
        found = _compared(sight, arguments)
        up, down = _movers(sight.conn, _sphere(found.asked, asking), found)
    named = _names(asking, {mover.deal_id for mover, _ in (*up, *down)})
    shown_up, hidden_up = _shown(up, named)
    shown_down, hidden_down = _shown(down, named)
    return {
        **_head(found),
        "up": [_record(mover, effect, named, found.asked) for mover, effect in shown_up],
        "down": [_record(mover, effect, named, found.asked) for mover, effect in shown_down],
        "hidden": hidden_up + hidden_down,
    }


def _compared(sight: Sight, arguments: Sequence[tuple[str, str]]) -> Compared:
    for name, _ in arguments:
        if name not in PARAMETERS:
            known = ", ".join(sorted(PARAMETERS))
            raise Problem(
                400, "Wrong parameter", f"{name}: is no parameter; known are {known}", parameter=name
            )
    named = dict(arguments)
    wanted = [*arguments, ("metric", ",".join(METRICS))]
    if "compare" not in named:
        wanted.append(("compare", "previous"))
    asked = api_kpi.ask(sight, wanted)
    query = asked.query
    assert query.compare is not None  # noqa: S101  asked for above
    earlier = periods.before(query.period, asked.context.today, query.compare)
    plain = replace(query, compare=None, by=None if query.scope.whose is Whose.USER else By.USER)
    now = api_kpi.answer(sight, replace(asked, query=plain))
    if earlier is None:
        return Compared(asked, query.period, now, None)
    then = replace(asked, query=replace(plain, period=earlier))
    return Compared(asked, query.period, now, api_kpi.answer(sight, then))


def _head(found: Compared) -> dict[str, Any]:
    body = {key: found.now[key] for key in HEAD if key in found.now}
    then = found.before
    body["compared"] = None if then is None else {"from": then["from"], "to": then["to"]}
    return body


def _split(found: Compared) -> dict[str, Any]:
    now = _values(found.now)
    then = {} if found.before is None else _values(found.before)
    value, before = (_read(one.get("revenue")) for one in (now, then))
    body: dict[str, Any] = {
        "metric": "revenue",
        "value": now["revenue"]["value"],
        "before": then["revenue"]["value"] if then else None,
        "reason": now["revenue"]["reason"],
        "change": None,
        "drivers": [],
        "people": [],
        "others": None,
    }
    if value is None or before is None:
        return body
    change = value - before
    places = min(max(PLACES, _places(now), _places(then)), MOST_PLACES)
    body["change"] = _money(change, places)
    split = drivers.split(_sales(then), _sales(now))
    effects = drivers.rounded([one.effect for one in split], change, places)
    body["drivers"] = [
        {
            "key": one.key,
            "unit": _UNITS[one.key],
            "now": _driver_value(one.key, one.now),
            "before": _driver_value(one.key, one.before),
            "effect": _money(effect, places),
        }
        for one, effect in zip(split, effects, strict=True)
    ]
    if "rows" in now["revenue"]:
        body |= _people(found, now, then, change, places)
    return body


_UNITS = {
    drivers.LEADS: "count",
    drivers.DEALS: "count",
    drivers.CONVERSION: "ratio",
    drivers.AVERAGE_CHECK: "money",
}


def _people(
    found: Compared, now: Mapping[str, Any], then: Mapping[str, Any], change: Fraction, places: int
) -> dict[str, Any]:
    sides = [
        {row["key"]: Fraction(row["value"] or 0) for row in values["revenue"]["rows"]}
        for values in (now, then)
    ]
    effects = {
        key: sides[0].get(key, Fraction(0)) - sides[1].get(key, Fraction(0)) for side in sides for key in side
    }
    assert found.before is not None  # noqa: S101  there is a change
    names = {**found.before["names"], **found.now["names"]}
    ranked = sorted(effects.items(), key=lambda item: (item[1], item[0]))
    return {
        "people": [
            {"key": key, "name": names.get(key, ""), "effect": _money(effect, places)}
            for key, effect in ranked
            if effect
        ],
        "others": _money(change - sum(effects.values(), Fraction(0)), places),
    }


def _values(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {value["metric"]: value for value in answer["values"]}


def _read(value: Mapping[str, Any] | None) -> Fraction | None:
    """A value that may be compared: known, and of all its days."""
    if value is None or value["value"] is None or value["provisional"]:
        return None
    return Fraction(value["value"])


def _sales(values: Mapping[str, Any]) -> Sales:
    check = values["average_check"]
    return Sales(
        leads=_read(values["leads_new"]),
        deals=Fraction(check["denominator"] or 0),
        revenue=Fraction(values["revenue"]["value"]),
    )


def _places(values: Mapping[str, Any]) -> int:
    """How many decimal places the amounts of an answer have."""
    amounts = [values["revenue"]["value"], *(row["value"] for row in values["revenue"].get("rows", ()))]
    return max(len(amount.partition(".")[2]) for amount in amounts if amount is not None)


def _driver_value(key: str, value: Fraction | None) -> int | str | None:
    if value is None:
        return None
    return int(value) if _UNITS[key] == "count" else ratio_text(value)


def _money(value: Fraction, places: int) -> str:
    return money_text(Fraction(round(value * 10**places), 10**places))


def _working_days(asked: Asked) -> dict[str, int] | None:
    context = asked.context
    days = attainment.elapsed(context.planning.calendar, asked.query.period, context.today)
    return None if days.is_over or not days.elapsed else {"elapsed": days.elapsed, "all": days.all}


def _sphere(asked: Asked, asking: Viewer) -> Sphere:
    return Sphere(asking.portal_id, owners_of(asked.query, asked.context), asked.context.categories)


def _lost(conn: Connection, sphere: Sphere, found: Compared) -> dict[str, Any]:
    now = movers.lost_at(conn, sphere, found.period)
    earlier = _before_period(found)
    then = None if earlier is None else movers.lost_at(conn, sphere, earlier)
    names = {(s.category_id, s.stage_id): s.name for s in found.asked.context.reference.stages}
    several = len({category for category, _ in now}) > 1
    pipelines = {p.category_id: p.name for p in found.asked.context.reference.pipelines}
    stages = [
        {
            "key": f"stage:{category}:{stage}",
            "name": names.get((category, stage), stage),
            "pipeline": pipelines.get(category, "") if several else None,
            "count": count,
            "before": None if then is None else then[category, stage],
        }
        for (category, stage), count in sorted(
            now.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or "")
        )
        if stage is not None
    ]
    return {
        "count": now.total(),
        "before": None if then is None else then.total(),
        "stages": stages[:LOST_STAGES],
    }


def _quality(conn: Connection, sphere: Sphere, asked: Asked) -> list[dict[str, Any]]:
    """What the records of the period do not say, where it is anything."""
    period, context = asked.query.period, asked.context
    blanks = movers.blanks(conn, sphere, period)
    found = [
        ("won_without_amount", blanks.without_amount, blanks.won),
        ("won_without_client", blanks.without_client, blanks.won),
        ("lost_without_reason", *_without_reason(movers.lost_into(conn, sphere, period), context)),
    ]
    if context.uses_leads:
        found.append(("leads_without_channel", *movers.leads_of_unknown_channel(conn, sphere, period)))
    return [{"key": key, "count": count, "of": of} for key, count, of in found if count]


def _without_reason(lost: Mapping[tuple[int, str | None], int], context: Context) -> tuple[int, int]:
    """(deals lost into the plain stage of a pipeline that has stages for reasons too, all lost there)."""
    failures: dict[int, list[str]] = {}
    for stage in context.reference.stages:
        if stage.semantics == "F":
            failures.setdefault(stage.category_id, []).append(stage.stage_id)
    plain = of = 0
    for (category, stage_id), count in lost.items():
        if len(failures.get(category, ())) > 1 and stage_id is not None:
            of += count
            plain += count if stage_id.rpartition(":")[2] == "LOSE" else 0
    return plain, of


def _before_period(found: Compared) -> Period | None:
    query = found.asked.query
    assert query.compare is not None  # noqa: S101  asked for above
    return periods.before(query.period, found.asked.context.today, query.compare)


Moves = list[tuple[Mover, Fraction]]


def _movers(conn: Connection, sphere: Sphere, found: Compared) -> tuple[Moves, Moves]:
    """Candidates that moved the amount up, and down, the largest first."""
    rates, earlier = found.asked.context.rates, _before_period(found)

    def won(period: Period | None, *, is_rise: bool) -> list[Mover]:
        if period is None:
            return []
        return movers.largest_won(conn, sphere, period, rates, CANDIDATES, is_rise=is_rise)

    now, then = (
        {is_rise: won(p, is_rise=is_rise) for is_rise in (True, False)} for p in (found.period, earlier)
    )
    up = [(m, m.worth) for m in now[True]] + [(m, -m.worth) for m in then[False]]
    down = [(m, m.worth) for m in now[False]] + [(m, -m.worth) for m in then[True]]
    return (
        sorted(up, key=lambda move: (-move[1], move[0].deal_id))[:CANDIDATES],
        sorted(down, key=lambda move: (move[1], move[0].deal_id))[:CANDIDATES],
    )


def _shown(moves: Moves, named: Mapping[int, str]) -> tuple[Moves, int]:
    """The first ones that the viewer may see, and how many that stand before them are hidden."""
    shown: Moves = []
    hidden = 0
    for move in moves:
        if len(shown) == MOVERS:
            break
        if move[0].deal_id in named:
            shown.append(move)
        else:
            hidden += 1
    return shown, hidden


def _names(asking: Viewer, ids: Iterable[int]) -> dict[int, str]:
    """Titles of the deals that the portal shows to the viewer."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    call = Call(
        "crm.item.list",
        {"entityTypeId": DEAL, "filter": {"@id": wanted}, "select": ["id", "title"], "start": -1},
    )
    try:
        client = parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
        answer = client.batch({"deals": call})["deals"]
        if isinstance(answer, AccessDenied):
            return {}
        if not isinstance(answer, Reply):
            raise answer
    except RestError as error:
        problem = Problem(
            503, "The portal does not answer", "the records cannot be named now; try again shortly"
        )
        raise problem.with_header("Retry-After", "5") from error
    items = answer.result.get("items") if isinstance(answer.result, Mapping) else None
    return {
        int(item["id"]): str(item.get("title") or "")
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping) and str(item.get("id", "")).isdigit()
    }


def _record(mover: Mover, effect: Fraction, named: Mapping[int, str], asked: Asked) -> dict[str, Any]:
    owner = asked.context.org.users.get(mover.owner_id)
    moved = datetime.fromtimestamp(mover.moved_at, UTC).astimezone(ZoneInfo(asked.timezone))
    return {
        "type": "deal",
        "id": mover.deal_id,
        "title": named[mover.deal_id],
        "path": f"/crm/deal/details/{mover.deal_id}/",
        "owner": {"id": mover.owner_id, "name": owner.name if owner else ""},
        "day": moved.date().isoformat(),
        "at": rfc3339(mover.moved_at),
        "amount": money_text(Fraction(mover.amount, 10_000)),
        "currency": mover.currency,
        "effect": money_text(effect),
    }
