"""Measures that are no sums over stored rows: one file for each kind, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from b24app.metrics.measures import Table
from b24app.metrics.sums import Cell, SumsQuery
from b24app.sums.computed import capacity, costs

Reader = Callable[[Connection, int, SumsQuery], list[Cell]]
"""(connection, portal, question) → the cells that SQL would have given for rows."""

COMPUTED: Mapping[Table, Reader] = {
    Table.COSTS: costs.read,
    Table.CAPACITY: capacity.read,
}
