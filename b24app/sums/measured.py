"""Every measure that is a sum over records: one place for the sums and for the records behind them.

For what is no such sum see `computed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column

from b24app.metrics.measures import Measure, Table
from b24app.sums import big, sales, support, work
from b24app.sums.kinds import Records, Value

RECORDS: Mapping[Table, Records] = {**sales.RECORDS, **work.RECORDS, **support.RECORDS}
"""Where the records of a table are."""

VALUES: Mapping[Measure, Value] = {**sales.VALUES, **work.VALUES, **support.VALUES}
"""Which of them a measure takes, and what each adds."""


def sums_of(measure: Measure) -> list[ColumnElement[Any]]:
    """The columns that add up a measure over its records; of money two, see `big`."""
    value = VALUES[measure]
    if value.adds is None:
        return [_added(value.where, literal_column("1"))]
    if not measure.is_money:
        return [_added(value.where, value.adds)]
    return [_added(value.where, part) for part in big.parts_of(value.adds)]


def _added(where: ColumnElement[bool], what: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((where, what), else_=literal_column("0"))), 0)
