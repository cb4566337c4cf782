"""Sums that are kept beside the facts, so that a company's year costs no more than an employee's month.

Of some kinds of records the sums are kept on three levels: the company's days, the company's months and
every employee's months. A period is put together from whole months and the days at its ends. They are kept
by `store.kept_sums` in the transactions that change facts, and always equal the sums of the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy import Table as SqlTable

from b24app import tables
from b24app.metrics import measures, periods
from b24app.metrics.measures import Cut, Measure, Table
from b24app.metrics.periods import Period
from b24app.metrics.sums import SumsQuery
from b24app.sums.kinds import Columns, Records

VERSION = 1
"""Of what the kept sums count. Move it with a measure's meaning: every portal's sums are then made anew."""

ALWAYS = date(1970, 1, 1)
"""The day of sums of the present state."""

NOBODY = 0
"""The owner of sums that are not kept apart by owner."""

_TIMES = frozenset({Cut.DAY, Cut.MONTH})


class Level(StrEnum):
    """What one kept sum is of."""

    DAY = "day"  # a day of the company
    MONTH = "month"  # a month of the company, or its present state
    OWNER = "owner"  # a month of one employee, or their present state


@dataclass(frozen=True)
class Kept:
    """The kept sums of one kind of records; `apart`: what they are kept apart by besides owner and time."""

    table: SqlTable
    measures: tuple[Measure, ...]
    apart: Mapping[Cut, str]
    has_days: bool = True

    @property
    def levels(self) -> tuple[Level, ...]:
        return tuple(Level) if self.has_days else (Level.MONTH, Level.OWNER)

    @property
    def has_currency(self) -> bool:
        return "currency" in self.table.c

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that tell the sums of one level apart, besides owner and time."""
        return (*self.apart.values(), *(("currency",) if self.has_currency else ()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the sums, as `columns_of` gives them for every measure."""
        return tuple(name for measure in self.measures for name in columns_of(measure))

    def records(self, level: Level) -> Records:
        """The sums of a level, to be read as if they were records."""
        c = self.table.c
        cuts: Columns = {
            Cut.OWNER: (c.owner_id,),
            **({Cut.DAY: (c.start,), Cut.MONTH: (c.start,)} if self.has_days else {}),
            **{cut: (c[name],) for cut, name in self.apart.items()},
        }
        return Records(
            source=self.table,
            portal=c.portal_id,
            # Naming the owner of the company's sums lets the key find their days.
            only=(c.level == level.value, *(() if level is Level.OWNER else (c.owner_id == NOBODY,))),
            day=c.start if self.has_days else None,
            cuts=cuts,
            category=c.category_id if Cut.CATEGORY in self.apart else None,
            currency=c.currency if self.has_currency else None,
        )

    def sums_of(self, measure: Measure) -> list[ColumnElement[int]]:
        return [func.coalesce(func.sum(self.table.c[name]), 0) for name in columns_of(measure)]


KEPT: Mapping[Table, Kept] = {
    Table.WON_LOST: Kept(
        tables.sums_won_lost,
        (
            measures.DEALS_WON, measures.WON_AMOUNT, measures.DEALS_LOST, measures.PROCESSED,
            measures.PROCESSING_SECONDS, measures.PROCESSED_BACKWARDS, measures.CLIENT_WON,
            measures.CLIENT_UNKNOWN, measures.REPEAT_WON, measures.NEW_CUSTOMERS,
        ),
        {Cut.CATEGORY: "category_id"},
    ),
    Table.COHORT: Kept(
        tables.sums_cohort,
        (measures.COHORT_DEALS, measures.COHORT_WON, measures.COHORT_OPEN),
        {Cut.CATEGORY: "category_id", Cut.STAGE: "stage_id", Cut.REACHED: "reached_stage_id"},
    ),
    Table.OPEN: Kept(
        tables.sums_open,
        (measures.OPEN_DEALS, measures.OPEN_AMOUNT),
        {Cut.CATEGORY: "category_id"},
        has_days=False,
    ),
    Table.STAYS: Kept(
        tables.sums_stays,
        (measures.STAYS, measures.STAY_SECONDS, measures.STAYS_BACKWARDS),
        {Cut.CATEGORY: "category_id", Cut.STAGE: "stage_id"},
    ),
    Table.LEADS: Kept(tables.sums_leads, (measures.LEADS_CREATED, measures.LEADS_CONVERTED), {}),
}  # fmt: skip


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Money is kept in two parts, as `sums.big` adds it."""
    return (f"{measure.key}_high", f"{measure.key}_low") if measure.is_money else (measure.key,)


def is_kept(conn: Connection, portal_id: int) -> bool:
    """Whether the portal's sums are the ones that this version of the app keeps."""
    portals = tables.portals.c
    version = conn.execute(
        select(portals.sums_version).where(portals.portal_id == portal_id)
    ).scalar_one_or_none()
    return version == VERSION


def parts(query: SumsQuery) -> tuple[list[tuple[Level, SumsQuery]], list[SumsQuery]]:
    """What of the question the kept sums answer, and what is left for the facts themselves."""
    kept = KEPT.get(query.table)
    known = frozenset() if kept is None else query.measures & frozenset(kept.measures)
    if kept is None or not known or not query.cuts <= {Cut.OWNER, *_TIMES, *kept.apart}:
        return [], [query]
    others = query.measures - known
    left = [replace(query, measures=others)] if others else []
    asked = replace(query, measures=known)
    by_owner = query.owners is not None or Cut.OWNER in query.cuts
    if not kept.has_days:
        return [(Level.OWNER if by_owner else Level.MONTH, asked)], left
    if Cut.DAY in query.cuts:
        return ([], [query]) if by_owner else ([(Level.DAY, asked)], left)
    months, ends = _whole_months(query.period)
    whole = [(Level.OWNER if by_owner else Level.MONTH, replace(asked, period=months))] if months else []
    days = [replace(asked, period=end) for end in ends]
    if by_owner:
        return whole, [*left, *days]
    return [*whole, *((Level.DAY, end) for end in days)], left


def _whole_months(period: Period) -> tuple[Period | None, list[Period]]:
    """The whole months of a period, and the days before and after them."""
    first = period.start if period.start.day == 1 else periods.shift_months(period.start.replace(day=1), 1)
    last = period.end.replace(day=1)
    if first >= last:
        return None, [period]
    return Period(first, last), list(_filled((period.start, first), (last, period.end)))


def _filled(*spans: tuple[date, date]) -> Iterator[Period]:
    return (Period(start, end) for start, end in spans if start < end)
