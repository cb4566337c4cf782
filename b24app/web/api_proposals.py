"""`GET /api/v1/targets/proposals`: values for a month that an editor may take over; nothing is stored.

`how=history`: the median of the last six whole months, to two leading digits. `how=copy`: the targets of
another month (`source`, by default the one before) ± `percent`.

    {"portal", "metric", "unit", "currency", "scope", "month", "how",
     "rows": [{"key", "name", "value", "reason", "months": [{"month", "value"}]}]}

`months`: what the proposal is made of. `value` null: `reason` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection

from b24app import sums, target_rows, targets
from b24app.metrics import engine, plans
from b24app.metrics.metric import By, Unit
from b24app.metrics.periods import Period, shift_months
from b24app.metrics.query import KpiQuery
from b24app.target_rows import Cell
from b24app.web import parameters
from b24app.web.context import parts, viewer
from b24app.web.parameters import wrong
from b24app.web.session import require_viewer
from b24app.web.target_grid import Grid, asked_grid, month_of, rows_in, written

blueprint = Blueprint("api_proposals", __name__, url_prefix="/api/v1")

HISTORY_MONTHS = 6


@blueprint.get("/targets/proposals")
@require_viewer
def proposals() -> Response:
    """Values for a month that an editor may take over; nothing is stored."""
    given = parameters.single(("metric", "scope", "month", "how", "source", "percent"))
    with parts().engine.connect() as conn:
        asked = asked_grid(conn, viewer(), given)
        month = parameters.month("month", given.get("month", f"{asked.context.today:%Y-%m}"))
        how = given.get("how", "history")
        if how == "history":
            for name in ("source", "percent"):
                if name in given:
                    raise wrong(name, "belongs to how=copy")
            rows = _from_history(conn, asked, month)
        elif how == "copy":
            rows = _from_month(conn, asked, month, given)
        else:
            raise wrong("how", f"{how!r} is not one of history, copy")
    return jsonify(
        portal=asked.asking.member_id,
        metric=asked.metric.key,
        unit=asked.metric.unit.value,
        currency=asked.context.rates.currency,
        scope=str(asked.scope),
        month=f"{month:%Y-%m}",
        how=how,
        rows=rows,
    )


def _from_history(conn: Connection, asked: Grid, month: date) -> list[dict[str, Any]]:
    """For every row the median of its last whole months, before the asked one and before today."""
    metric = asked.metric
    running = asked.context.today.replace(day=1)
    last = min(month, running)
    past = [month_of(shift_months(last, -step)) for step in range(HISTORY_MONTHS, 0, -1)]
    values: dict[str, list[tuple[date, Fraction]]] = {}
    for period in past if not metric.is_snapshot else ():
        for key, value in _values(conn, asked, period).items():
            if value is not None:
                values.setdefault(key, []).append((period.start, value))
    found = []
    for row in rows_in(asked):
        if not row["active"]:
            continue
        hired = row["hired_on"]
        known = [
            (start, v) for start, v in values.get(row["key"], ()) if hired is None or str(start) >= hired
        ]
        middle = plans.median(value for _, value in known)
        proposed = None if middle is None else plans.rounded(middle)
        found.append(
            {
                "key": row["key"],
                "name": row["name"],
                "value": None if proposed is None else target_rows.plain(proposed),
                "reason": "no_records" if proposed is None else None,
                "months": [
                    {"month": f"{start:%Y-%m}", "value": written(value, metric)} for start, value in known
                ],
            }
        )
    return found


def _values(conn: Connection, asked: Grid, period: Period) -> dict[str, Fraction | None]:
    """The values of the scope, of its departments and of its people in the period, by row key."""
    found: dict[str, Fraction | None] = {}
    for by in (By.USER, By.DEPARTMENT):
        if by not in asked.metric.by and by is By.DEPARTMENT:
            continue
        query = KpiQuery((asked.metric,), asked.scope, period, by=by if by in asked.metric.by else None)
        wanted = engine.reads(query, asked.context)
        cells = sums.read_all(conn, asked.asking.portal_id, wanted.now)
        value = engine.answer(query, asked.context, wanted, cells, ())[0]
        found[str(asked.scope)] = value.value
        if value.metric.steps is None:
            found.update({row.key: row.value for row in value.rows or ()})
    return found


def _from_month(conn: Connection, asked: Grid, month: date, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """For every row the target of another month, changed by some percent."""
    source = parameters.month("source", given["source"]) if "source" in given else shift_months(month, -1)
    percent = _percent(given.get("percent", "0"))
    places = {Unit.MONEY: 2, Unit.RATIO: 4}.get(asked.metric.unit, 0 if asked.metric.adds_up else 2)
    stored = targets.load(conn, asked.asking.portal_id, [asked.metric.key], source, shift_months(source, 1))
    found = []
    for row in rows_in(asked):
        target = stored.get(Cell(asked.metric.key, row["key"], source))
        if not row["active"]:
            continue
        value = None if target is None else plans.raised(Fraction(target.value), percent, places)
        if target is not None and not percent:
            value = Fraction(target.value)
        found.append(
            {
                "key": row["key"],
                "name": row["name"],
                "value": None if value is None else target_rows.plain(value),
                "reason": "no_target" if value is None else None,
                "months": []
                if target is None
                else [{"month": f"{source:%Y-%m}", "value": written(Fraction(target.value), asked.metric)}],
            }
        )
    return found


def _percent(text: str) -> Fraction:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise wrong("percent", f"{text!r} is no number") from error
    if not number.is_finite() or not -100 <= number <= 1000:
        raise wrong("percent", "must be -100 to 1000")
    return Fraction(number)
