"""What is asked of the stored facts, and the sums that come back. All else is computed from sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from b24app.metrics.measures import Cut, Measure, Table
from b24app.metrics.periods import Period


@dataclass(frozen=True, slots=True)
class SumsQuery:
    """Sums of measures of one table. None for `owners` or `categories` means all of them.

    `period` is ignored by tables of the present state. `departments` is for tables of entered records, as
    `owners` is for all others. `projects` limits tasks and the hours on them. `now`: epoch seconds, for
    what is due.
    """

    table: Table
    measures: frozenset[Measure]
    period: Period
    owners: frozenset[int] | None = None
    categories: frozenset[int] | None = None
    departments: frozenset[int] | None = None
    projects: frozenset[int] | None = None
    now: int = 0
    cuts: frozenset[Cut] = frozenset()


Amount = int | Fraction
"""Sums of records are whole; shares of a record (a cost spread over its days) are exact fractions."""


class Cell(NamedTuple):
    """Sums of records that are alike in every field that was asked to be kept apart; the others are None."""

    sums: Mapping[Measure, Amount]
    owner: int | None = None
    day: date | None = None
    category: int | None = None
    stage: str | None = None
    reached: str | None = None
    utm_source: str | None = None
    source_id: str | None = None
    channel: str | None = None  # as entered; of leads and deals it follows from the two before
    department: int | None = None  # as entered
    project: int | None = None
    support_source: str | None = None  # session, call or ticket
    entity_type: int | None = None  # of tickets, else 0
    currency: str | None = None  # of tables with money always

    def count(self, measure: Measure) -> int:
        """How many records; 0 where the measure was not asked for."""
        return int(self.sums.get(measure, 0))


class Totals:
    """Sums of many cells by measure, currency and, where channels are kept apart, channel."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums: dict[Measure, dict[tuple[str | None, str | None], Amount]] = {}

    def add(self, cell: Cell, channel: str | None = None) -> None:
        key = (cell.currency, channel)
        for measure, value in cell.sums.items():
            if value:
                self._add(measure, key, value)

    def by_currency(self, measure: Measure) -> Iterator[tuple[str, Amount]]:
        found: defaultdict[str, Amount] = defaultdict(int)
        for (currency, _), value in self._sums.get(measure, {}).items():
            found[currency or ""] += value
        yield from found.items()

    def of(self, measure: Measure) -> Amount:
        known = self._sums.get(measure)
        return 0 if known is None else sum(known.values())

    def by_channel(self) -> Iterator[Totals]:
        """The same sums channel by channel, in no particular order."""
        found: defaultdict[str | None, Totals] = defaultdict(Totals)
        for measure, parts in self._sums.items():
            for key, value in parts.items():
                found[key[1]]._add(measure, key, value)
        yield from found.values()

    @property
    def is_empty(self) -> bool:
        return not any(any(parts.values()) for parts in self._sums.values())

    def _add(self, measure: Measure, key: tuple[str | None, str | None], value: Amount) -> None:
        known = self._sums.get(measure)
        if known is None:
            self._sums[measure] = {key: value}
        else:
            known[key] = known.get(key, 0) + value
