"""The costs and campaign results behind one KPI, as `records` lists what the portal keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from b24app.metrics import measures
from b24app.metrics.measures import COST, COST_ENTRIES, Measure, Table
from b24app.metrics.periods import Period
from b24app.metrics.sums import Amount
from b24app.store import entered
from b24app.store.entered import Campaign, Cost, Entry, Filter
from b24app.sums.computed import costs

KINDS: Mapping[Table, type[Entry]] = {Table.COSTS: Cost, Table.CAMPAIGNS: Campaign}


@dataclass(frozen=True, slots=True)
class EnteredRecord:
    """One entry. `sums`: what it adds to every measure; of a cost the share of its days in the period."""

    entry: Entry
    sums: Mapping[Measure, Amount]

    @property
    def currency(self) -> str | None:
        return self.entry.currency if isinstance(self.entry, Cost) else None


@dataclass(frozen=True, slots=True)
class Question:
    """Entries that any of the measures takes. None for `departments`: all, and what belongs to none."""

    measures: frozenset[Measure]
    period: Period
    departments: frozenset[int] | None = None


def count(conn: Connection, portal_id: int, question: Question) -> int:
    """How many entries are behind the KPI."""
    which = _filter(question)
    return sum(entered.count(conn, portal_id, kind, which) for kind in _kinds(question))


def part(
    conn: Connection, portal_id: int, question: Question, *, limit: int, offset: int
) -> list[EnteredRecord]:
    """Some of them, kind by kind, the latest first."""
    which = _filter(question)
    found: list[Entry] = []
    for kind in _kinds(question):
        found += entered.listed(conn, portal_id, kind, which, limit=limit - len(found), offset=max(offset, 0))
        offset -= entered.count(conn, portal_id, kind, which)
    return [EnteredRecord(entry, _sums(entry, question)) for entry in found]


def _kinds(question: Question) -> list[type[Entry]]:
    tables = {measure.table for measure in question.measures}
    return [kind for table, kind in KINDS.items() if table in tables]


def _filter(question: Question) -> Filter:
    return Filter(question.period.start, question.period.end, departments=question.departments)


def _sums(entry: Entry, question: Question) -> dict[Measure, Amount]:
    every: dict[Measure, Amount]
    if isinstance(entry, Cost):
        every = {COST: costs.share([costs.span_of(entry)], question.period), COST_ENTRIES: 1}
    else:
        every = {
            measures.DELIVERED: entry.delivered,
            measures.OPENED: entry.opened,
            measures.CLICKED: entry.clicked,
            measures.VISITS: entry.visits,
        }
    return {measure: value for measure, value in every.items() if measure in question.measures}
