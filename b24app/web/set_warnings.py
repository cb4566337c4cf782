"""What there is to be said about a KPI set before it is used. Warnings never keep it from being stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from b24app import i18n, sums
from b24app.metrics import engine
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.context import Context
from b24app.metrics.coverage import Reason
from b24app.metrics.engine import KpiValue
from b24app.metrics.kpi_sets import FOCUS, KpiSet, latest
from b24app.metrics.periods import Period
from b24app.metrics.query import KpiQuery
from b24app.scope import COMPANY, Whose
from b24app.set_drafts import Draft
from b24app.viewer import Viewer
from b24app.web.sight import Sight

SILENT_DAYS = 90

Warned = dict[str, Any]


def told(
    conn: Connection, asking: Viewer, draft: Draft, sets: Sequence[KpiSet], set_id: str | None
) -> list[Warned]:
    """The warnings, each `{"code", "metric", "text"}`: too many KPIs, ones that cannot be measured on this
    portal or have had no data in 90 days, and sets that are assigned to the same people."""
    found: list[Warned] = []
    if len(draft.metrics) > FOCUS:
        found.append(_warned(asking, "too_many", count=len(draft.metrics), limit=FOCUS))
    found += _unmeasured(conn, asking, [one.metric for one in draft.metrics])
    for other in latest(sets):
        if other.set_id != set_id and _overlaps(draft, other):
            found.append(_warned(asking, "also_assigned", name=other.name))
    return found


def _unmeasured(conn: Connection, asking: Viewer, keys: Iterable[str]) -> Iterator[Warned]:
    metrics = tuple(BY_KEY[key] for key in keys)
    context = _context(conn, asking)
    period = Period(context.today - timedelta(days=SILENT_DAYS - 1), context.today + timedelta(days=1))
    query = KpiQuery(metrics, COMPANY, period)
    wanted = engine.reads(query, context)
    cells = sums.read_all(conn, asking.portal_id, wanted.now)
    for value in engine.answer(query, context, wanted, cells, ()):
        name = i18n.text(asking.lang, f"catalog.{value.metric.key}.text.name")
        if value.reason not in (None, Reason.NO_RECORDS):
            yield _warned(asking, value.reason.value, metric=value.metric.key, name=name)
        elif _is_silent(value):
            yield _warned(asking, "no_data", metric=value.metric.key, name=name, days=SILENT_DAYS)
        if Whose.USER not in value.metric.per:
            yield _warned(asking, "not_per_employee", metric=value.metric.key, name=name)


def _is_silent(value: KpiValue) -> bool:
    """Whether nothing was counted at all; a snapshot of nothing may well be good news."""
    return not value.metric.is_snapshot and not value.value and not value.denominator


def _overlaps(draft: Draft, other: KpiSet) -> bool:
    mine, theirs = draft.assigned, other.assigned
    return bool(
        mine.users & theirs.users
        or mine.departments & theirs.departments
        or any(theirs.names(position) for position in mine.positions)
    )


def _context(conn: Connection, asking: Viewer) -> Context:
    return Sight(conn, asking).context


def _warned(asking: Viewer, code: str, *, metric: str | None = None, **values: object) -> Warned:
    words = i18n.text(asking.lang, f"sets.warning.{code}", **({"metric": metric} | values))
    return {"code": code, "metric": metric, "text": words}
