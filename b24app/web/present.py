"""KPI answers as JSON: the only shape that browsers and programs know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from b24app.facts.deals import ENTITY_TYPE_ID as DEAL
from b24app.i18n import text
from b24app.metrics.catalog import BY_KEY, CATALOG
from b24app.metrics.catalog.funnel import CONVERTED_STEP, LEADS_STEP
from b24app.metrics.context import Context
from b24app.metrics.coverage import Level
from b24app.metrics.engine import KpiValue, LeftOut, Row
from b24app.metrics.kinds import Ratio, Term
from b24app.metrics.metric import By, Metric, Unit
from b24app.metrics.periods import Period, named
from b24app.metrics.plans import Standing
from b24app.metrics.query import KpiQuery

PLACES = 10
"""Decimal places of ratios and means."""

EXACT_PLACES = 60
"""Decimal places of money that is written exactly."""

JsonNumber = int | str | None


def answer_json(
    query: KpiQuery,
    context: Context,
    values: Sequence[KpiValue],
    *,
    member_id: str,
    timezone: str,
    as_of: str | None,
    complete: bool,
    progress: float,
    before: Period | None,
    lang: str,
) -> dict[str, Any]:
    """The body of `GET /api/v1/kpi`. `before`: the days that the period is compared with, if any."""
    keys = {row.key for value in values for row in value.rows or ()}
    keys |= {f"pipeline:{key.split(':')[1]}" for key in keys if key.startswith("stage:")}
    body: dict[str, Any] = {
        "portal": member_id,
        "scope": str(query.scope),
        "from": query.period.start.isoformat(),
        "to": query.period.end.isoformat(),
        "timezone": timezone,
        "today": context.today.isoformat(),
        "currency": context.rates.currency,
        "as_of": as_of,
        "complete": complete,
    }
    if not complete:
        body["progress"] = round(progress, 4)
    if query.compare is not None:
        body["compared"] = None if before is None else {"from": str(before.start), "to": str(before.end)}
    body["values"] = [_value_json(value) for value in values]
    body["names"] = {key: name for key in sorted(keys) if (name := _row_name(key, context, lang))}
    return body


def catalogue_json(context: Context, lang: str) -> list[dict[str, Any]]:
    """The metrics of `GET /api/v1/metrics`, in the order of the catalogue."""
    return [
        {**entry, **metric_texts(metric.key, metric.words_in(context.ways), lang)}
        for metric, entry in zip(CATALOG, catalogue_facts(context), strict=True)
    ]


def catalogue_facts(context: Context) -> list[dict[str, Any]]:
    """The same without what is said in words, for pages that have the words from elsewhere."""
    return [_metric_json(metric, context) for metric in CATALOG]


@cache
def metric_texts(key: str, words: str, lang: str) -> Mapping[str, str]:
    """What the entry of a KPI says; `words`: which of its tables of texts, see `Metric.words_in`."""

    def told(part: str) -> str:
        return text(lang, f"catalog.{key}.{words}.{part}")

    return {
        "group_name": text(lang, f"catalog.groups.{BY_KEY[key].group}"),
        "name": told("name"),
        "short_name": told("short"),
        "meaning": told("meaning"),
        "formula": told("formula"),
        "moment": told("moment"),
        "credit": told("credit"),
        "reading": told("reading"),
        "unit_name": told("unit"),
        "source": told("source"),
    }


def _value_json(value: KpiValue) -> dict[str, Any]:
    shape, unit = value.shape, value.metric.unit
    found: dict[str, Any] = {
        "metric": value.metric.key,
        "value": _quantity(value.value, unit, isinstance(shape, Ratio)),
        "numerator": None,
        "denominator": None,
        "unit": unit.value,
        "reason": None if value.reason is None else value.reason.value,
        "provisional": value.is_provisional,
        "few_data": value.few_data,
        **_standing_json(value.standing, unit, isinstance(shape, Ratio)),
        "before": _quantity(value.before, unit, isinstance(shape, Ratio)),
        "change": ratio_text(value.change),
        "left_out": [_left_out_json(left_out) for left_out in value.left_out],
    }
    if isinstance(shape, Ratio):
        found["numerator"] = _term(value.numerator, shape.numerator)
        found["denominator"] = _term(value.denominator, shape.denominator)
    if value.since is not None:
        found["since"] = value.since.isoformat()
    if value.rows is not None:
        found["rows"] = [_row_json(row, value) for row in value.rows]
    return found


def _row_json(row: Row, value: KpiValue) -> dict[str, Any]:
    shape, unit = value.shape, value.metric.unit
    is_ratio = isinstance(shape, Ratio)
    found: dict[str, Any] = {
        "key": row.key,
        "value": _quantity(row.value, unit, is_ratio),
        "numerator": _term(row.numerator, shape.numerator) if isinstance(shape, Ratio) else None,
        "denominator": _term(row.denominator, shape.denominator) if isinstance(shape, Ratio) else None,
        "few_data": row.few_data,
    }
    if row.standing is not None:
        found.update(_standing_json(row.standing, unit, is_ratio))
    if value.metric.steps is not None:
        found["share"] = ratio_text(row.share)
    if row.is_compared:
        found["before"] = _quantity(row.before, unit, is_ratio)
        found["change"] = ratio_text(row.change)
    return found


def _standing_json(standing: Standing, unit: Unit, is_ratio: bool) -> dict[str, Any]:
    """`pace`: expected of the target by today; `forecast`: the value at the end of the running period."""
    return {
        "target": planned(standing.target, unit, is_ratio),
        "attainment": ratio_text(standing.attainment),
        "pace": planned(standing.pace, unit, is_ratio),
        "forecast": planned(standing.forecast, unit, is_ratio),
        "status": None if standing.status is None else standing.status.value,
    }


def quantity(value: Fraction | None, metric: Metric) -> JsonNumber:
    """A value of the KPI as `/kpi` writes it."""
    return _quantity(value, metric.unit, not metric.adds_up)


def planned(value: Fraction | None, unit: Unit, is_ratio: bool) -> JsonNumber | float:
    """A plan in the form of the values it is laid beside; of counts and seconds it can be a part of one."""
    if value is None or is_ratio or unit is Unit.MONEY or value.denominator == 1:
        return _quantity(value, unit, is_ratio)
    return float(round(value, PLACES))


def _left_out_json(left_out: LeftOut) -> dict[str, Any]:
    found: dict[str, Any] = {"reason": left_out.reason, "count": left_out.count}
    if left_out.currency is not None:
        found["currency"] = left_out.currency
    return found


def _quantity(value: Fraction | None, unit: Unit, is_ratio: bool) -> JsonNumber:
    """Counts and seconds are numbers, sums of money exact decimals, ratios and means rounded ones."""
    if value is None:
        return None
    if is_ratio:
        return ratio_text(value)
    return money_text(value) if unit is Unit.MONEY else int(value)


def _term(value: Fraction | None, term: Term) -> JsonNumber:
    if value is None:
        return None
    if not term.is_money:
        return int(value)
    return money_text(value, PLACES if term.is_spread else EXACT_PLACES)


def ratio_text(value: Fraction | None) -> str | None:
    """The value rounded half-even to 10 places, without needless zeros: `0.6315005215`, `0.5`, `3`."""
    if value is None:
        return None
    written = _decimal(_half_even(value), PLACES)
    return written.rstrip("0").rstrip(".") if "." in written else written


def money_text(value: Fraction, longest: int = EXACT_PLACES) -> str:
    """The exact decimal, at least two places: `1234.50`. One that is longer is rounded to 10 places."""
    places = _decimal_places(value.denominator)
    if places is None or places > longest:
        return _decimal(_half_even(value), PLACES)
    places = max(2, places)
    return _decimal(value.numerator * (10**places // value.denominator), places)


def _decimal_places(denominator: int) -> int | None:
    """How many places a fraction with this denominator has exactly; None where it never ends."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


def _half_even(value: Fraction) -> int:
    """The value in units of the last of 10 places; in whole numbers, since fractions cost more."""
    scale: int = 10**PLACES
    whole, rest = divmod(value.numerator * scale, value.denominator)
    twice = 2 * rest - value.denominator
    is_up = twice > 0 or (twice == 0 and whole % 2 == 1)
    return whole + 1 if is_up else whole


def _decimal(scaled: int, places: int) -> str:
    """`scaled` / 10**places, written plainly."""
    digits = str(abs(scaled)).rjust(places + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _metric_json(metric: Metric, context: Context) -> dict[str, Any]:
    shape = metric.shape_in(context.ways)
    month = named("month", context.today)
    covered = context.coverage.of(metric.needs_in(context.ways), month)
    unavailable = covered.reason if covered.level in (Level.NONE, Level.EMPTY) else None
    minimum = None
    if isinstance(shape, Ratio):
        minimum = context.min_mean if shape.is_mean else context.min_ratio
    return {
        "key": metric.key,
        "group": metric.group.value,
        "unit": metric.unit.value,
        "better": metric.better.value,
        "origin": metric.origin.value,
        "scopes": [whose.value for whose in metric.per],
        "rest_scopes": list(metric.rest_scopes),
        "dimensions": [by.value for by in By if by in metric.by],
        "is_snapshot": metric.is_snapshot,
        "adds_up": metric.adds_up,
        "is_mean": isinstance(shape, Ratio) and shape.is_mean,
        "min_sample": minimum,
        "available": unavailable is None,
        "reason": None if unavailable is None else unavailable.value,
    }


def _row_name(key: str, context: Context, lang: str) -> str | None:
    """What people call the row; None for days, weeks, months, which the browser writes by itself."""
    kind, _, rest = key.partition(":")
    if kind == "user":
        employee = context.org.users.get(int(rest))
        return None if employee is None else employee.name
    if kind == "department":
        return context.org.departments[int(rest)].name
    if kind == "pipeline":
        return _first(p.name for p in context.reference.pipelines if p.key == key)
    if kind == "stage":
        return _first(s.name for s in context.reference.stages if s.key == key)
    if kind == "channel":
        return rest
    if kind == "project":
        known = context.reference.project_names.get(int(rest))
        return text(lang, "catalog.rows.no_project") if rest == "0" else known
    if kind == "support_source":
        return _support_source_name(rest, context, lang)
    if key in (LEADS_STEP, CONVERTED_STEP):
        return text(lang, f"catalog.steps.{rest}")
    return None


def _support_source_name(source: str, context: Context, lang: str) -> str:
    """What `session`, `call` or `ticket:130` is called; a smart process by its title once that is read."""
    kind, _, entity_type_id = source.partition(":")
    if kind == "ticket" and entity_type_id == str(DEAL):
        kind = "ticket_deals"
    elif kind == "ticket" and (title := context.reference.process_titles.get(int(entity_type_id))):
        return text(lang, "catalog.rows.ticket_of", title=title)
    return text(lang, f"catalog.rows.{kind}", id=entity_type_id)


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)
