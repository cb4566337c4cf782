"""Daily values of the present state: KPIs without a period keep one a day, so that they have a trend.

The state is taken down through the day and replaces what was taken before on that day: what stays is how the
day ended. A row of `NOBODY` says that a measure was taken down, where nothing of it was there too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, delete, insert, select

from b24app import sums
from b24app.metrics.catalog import CATALOG
from b24app.metrics.context import Context
from b24app.metrics.coverage import Level
from b24app.metrics.measures import MEASURES, Cut, Measure, Table
from b24app.metrics.periods import named
from b24app.metrics.sums import Cell, SumsQuery
from b24app.tables import snapshots

NOBODY = -1
LARGEST = 2**63 - 1
"""What a column holds; only sums of absurd amounts are larger."""

KEY_OF = {measure.key: measure for measure in MEASURES}


def take(conn: Connection, portal_id: int, context: Context) -> int:
    """Take the present state down as that of today; returns how many rows it has.

    A measure whose source is not read whole is not taken: nothing unread is ever kept as 0.
    """
    rows = []
    for measure in kept_measures(context):
        rows.append(_row(portal_id, context.today, measure, NOBODY, NOBODY, "", 0))
        for (owner, category, currency), value in _present(conn, portal_id, measure, context).items():
            rows.append(_row(portal_id, context.today, measure, owner, category, currency, value))
    today = (snapshots.c.portal_id == portal_id, snapshots.c.day == context.today)
    conn.execute(delete(snapshots).where(*today))
    if rows:
        conn.execute(insert(snapshots), rows)
    return len(rows)


def kept_measures(context: Context) -> tuple[Measure, ...]:
    """The measures of the KPIs that have no period and can be told whole on this portal."""
    today = named("day", context.today)
    used = {
        measure
        for metric in CATALOG
        if metric.is_snapshot
        and context.coverage.of(metric.needs_in(context.ways), today).level is Level.FULL
        for measure in metric.shape_in(context.ways).measures
    }
    return tuple(measure for measure in MEASURES if measure in used)


def read_all(conn: Connection, portal_id: int, queries: Iterable[SumsQuery]) -> list[Cell]:
    """What was taken down on the days of the queries, a cell for every row."""
    return [cell for query in queries for cell in read(conn, portal_id, query)]


def read(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """What was taken down on the days of the query, of its owners and pipelines."""
    where = [
        snapshots.c.portal_id == portal_id,
        snapshots.c.day >= query.period.start,
        snapshots.c.day < query.period.end,
        snapshots.c.measure.in_(sorted(measure.key for measure in query.measures)),
    ]
    if query.owners is not None:
        where.append(snapshots.c.owner_id.in_([NOBODY, *sorted(query.owners)]))
    if query.categories is not None:
        where.append(snapshots.c.category_id.in_([NOBODY, *sorted(query.categories)]))
    rows = conn.execute(
        select(snapshots.c.day, snapshots.c.measure, snapshots.c.currency, snapshots.c.value).where(*where)
    )
    return [
        Cell({KEY_OF[row.measure]: row.value}, day=row.day, currency=row.currency or None) for row in rows
    ]


def _present(
    conn: Connection, portal_id: int, measure: Measure, context: Context
) -> dict[tuple[int, int, str], int]:
    found: dict[tuple[int, int, str], int] = {}
    query = SumsQuery(
        table=measure.table,
        measures=frozenset({measure}),
        period=named("day", context.today),
        cuts=frozenset({Cut.OWNER, Cut.CATEGORY} if measure.table is Table.OPEN else {Cut.OWNER}),
        now=context.now,
    )
    for cell in sums.read(conn, portal_id, query):
        key = (cell.owner or 0, cell.category or 0, cell.currency or "")
        found[key] = min(found.get(key, 0) + int(cell.sums[measure]), LARGEST)
    return found


def _row(
    portal_id: int, day: date, measure: Measure, owner_id: int, category_id: int, currency: str, value: int
) -> dict[str, object]:
    return {
        "portal_id": portal_id,
        "day": day,
        "measure": measure.key,
        "owner_id": owner_id,
        "category_id": category_id,
        "currency": currency,
        "value": value,
    }
