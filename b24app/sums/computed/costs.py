"""Marketing costs of days: every cost is spread evenly over its days, and the shares are exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from b24app.metrics.measures import COST, COST_ENTRIES, Cut, Measure
from b24app.metrics.periods import Period
from b24app.metrics.sums import Amount, Cell, SumsQuery
from b24app.store.entered import Cost
from b24app.sums import big
from b24app.tables import AMOUNT_SCALE, costs

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Costs of the same days: the sum of their amounts in ten-thousandths, and how many they are."""

    first: date
    last: date
    amount: int
    entries: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


class _Key(NamedTuple):
    """What cells are kept apart by besides the day."""

    channel: str | None
    department: int | None
    currency: str


def read(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """What was spent in the period, apart by currency and by the cuts of the query."""
    found = []
    for key, spans in _spans(conn, portal_id, query).items():
        if Cut.DAY in query.cuts:
            parts = by_day(spans, query.period)
            found += [_cell(key, query, amount, entries, day) for day, amount, entries in parts]
        else:
            amount = share(spans, query.period)
            found.append(_cell(key, query, amount, sum(span.entries for span in spans)))
    return [cell for cell in found if any(cell.sums.values())]


def span_of(cost: Cost) -> Span:
    """One cost by itself."""
    return Span(cost.from_day, cost.to_day, int(cost.amount * AMOUNT_SCALE), 1)


def share(spans: Iterable[Span], period: Period) -> Fraction:
    """How much of the costs falls into the period."""
    by_length: defaultdict[int, int] = defaultdict(int)
    for span in spans:
        shared = (min(span.last, period.last_day) - max(span.first, period.start)).days + 1
        by_length[span.days] += span.amount * max(shared, 0)
    return _added(by_length)


def by_day(spans: Iterable[Span], period: Period) -> Iterator[tuple[date, Fraction, int]]:
    """(day, what falls on it, how many costs begin to count on it), in order, without days that cost nothing.

    The share changes only where a cost begins or ends, so that is where it is computed.
    """
    steps: defaultdict[date, list[tuple[int, int]]] = defaultdict(list)
    begun: defaultdict[date, int] = defaultdict(int)
    for span in spans:
        start = max(span.first, period.start)
        if start <= min(span.last, period.last_day):
            steps[start].append((span.days, span.amount))
            steps[span.last + DAY].append((span.days, -span.amount))
            begun[start] += span.entries
    running: defaultdict[int, int] = defaultdict(int)
    order = [day for day in sorted(steps) if day < period.end]
    for day, following in pairwise([*order, period.end]):
        for length, amount in steps[day]:
            running[length] += amount
        amount_a_day = _added(running)
        for offset in range((following - day).days):
            current = day + offset * DAY
            if amount_a_day or begun.get(current):
                yield current, amount_a_day, begun.get(current, 0)


def _added(by_length: defaultdict[int, int]) -> Fraction:
    return sum((Fraction(amount, days) for days, amount in by_length.items() if amount), Fraction(0))


def _spans(conn: Connection, portal_id: int, query: SumsQuery) -> dict[_Key, list[Span]]:
    amount = type_coerce(costs.c.amount, BigInteger)
    apart: dict[str, Any] = {"currency": costs.c.currency, "first": costs.c.from_day, "last": costs.c.to_day}
    if Cut.ENTERED_CHANNEL in query.cuts:
        apart["channel"] = costs.c.channel
    if Cut.TAGGED_DEPARTMENT in query.cuts:
        apart["department"] = costs.c.department_id
    sums = [*(func.sum(part) for part in big.parts_of(amount)), func.count()]
    statement = (
        select(*apart.values(), *sums)
        .where(
            costs.c.portal_id == portal_id,
            costs.c.from_day < query.period.end,
            costs.c.to_day >= query.period.start,
        )
        .group_by(*apart.values())
    )
    if query.departments is not None:
        statement = statement.where(costs.c.department_id.in_(sorted(query.departments)))
    found: defaultdict[_Key, list[Span]] = defaultdict(list)
    for row in conn.execute(statement):
        fields = dict(zip(apart, row, strict=False))
        values = iter(row[len(apart) :])
        key = _Key(fields.get("channel"), fields.get("department"), fields["currency"])
        found[key].append(Span(fields["first"], fields["last"], big.joined(values), int(next(values))))
    return found


def _cell(key: _Key, query: SumsQuery, amount: Fraction, entries: int, day: date | None = None) -> Cell:
    every: dict[Measure, Amount] = {COST: amount, COST_ENTRIES: entries}
    sums = {measure: value for measure, value in every.items() if measure in query.measures}
    return Cell(sums, day=day, channel=key.channel, department=key.department, currency=key.currency)
