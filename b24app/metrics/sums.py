"""What is asked of the stored facts, and the sums that come back. All else is computed from sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from b24app.metrics.measures import Cut, Measure, Table
from b24app.metrics.periods import Period


@dataclass(frozen=True, slots=True)
class SumsQuery:
    """Sums of measures of one table. None for `owners` or `categories` means all of them.

    `period` is ignored by tables of the present state.
    """

    table: Table
    measures: frozenset[Measure]
    period: Period
    owners: frozenset[int] | None = None
    categories: frozenset[int] | None = None
    cuts: frozenset[Cut] = frozenset()


class Cell(NamedTuple):
    """Sums of records that are alike in every field that was asked to be kept apart; the others are None."""

    sums: dict[Measure, int]
    owner: int | None = None
    day: date | None = None
    category: int | None = None
    stage: str | None = None
    reached: str | None = None
    utm_source: str | None = None
    source_id: str | None = None
    currency: str | None = None  # of tables with money always


class Totals:
    """Sums of many cells by measure and currency."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[Measure, str | None], int] = defaultdict(int)

    def add(self, cell: Cell) -> None:
        for measure, value in cell.sums.items():
            if value:
                self._sums[measure, cell.currency] += value

    def by_currency(self, measure: Measure) -> Iterator[tuple[str, int]]:
        for (found, currency), value in self._sums.items():
            if found is measure:
                yield currency or "", value

    def of(self, measure: Measure) -> int:
        return sum(value for (found, _), value in self._sums.items() if found is measure)

    @property
    def is_empty(self) -> bool:
        return not any(self._sums.values())
