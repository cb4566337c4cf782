"""Reads sums of stored facts: one SELECT per question, added up by the database.

What is no sum over rows (a cost is spread over its days) has a reader of its own in `computed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, case, func, literal_column, or_, select

from b24app.metrics.measures import Cut, Measure
from b24app.metrics.sums import Cell, SumsQuery
from b24app.sums import big
from b24app.sums.computed import COMPUTED
from b24app.sums.kinds import NOW, Records, Value
from b24app.sums.sales import DEALS_AND_LEADS, RECORDS, VALUES

_FIELDS = {
    Cut.OWNER: ("owner",),
    Cut.DAY: ("day",),
    Cut.CATEGORY: ("category",),
    Cut.STAGE: ("stage",),
    Cut.REACHED: ("reached",),
    Cut.CHANNEL: ("utm_source", "source_id"),
    Cut.ENTERED_CHANNEL: ("channel",),
    Cut.TAGGED_DEPARTMENT: ("department",),
    Cut.PROJECT: ("project",),
    Cut.SUPPORT_SOURCE: ("support_source", "entity_type"),
}


def read_all(conn: Connection, portal_id: int, queries: Iterable[SumsQuery]) -> list[Cell]:
    """The cells of all queries, in no particular order."""
    return [cell for query in queries for cell in read(conn, portal_id, query)]


def read(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """The sums that the query asks for, apart by its cuts and, where there is money, by currency."""
    if query.table in COMPUTED:
        return COMPUTED[query.table](conn, portal_id, query)
    if query.owners is not None and not query.owners:
        return []
    records = RECORDS[query.table]
    order = sorted(query.measures, key=lambda measure: measure.key)
    fields, columns = _cuts(records, query)
    sums: list[ColumnElement[Any]] = []
    for measure in order:
        sums += _sum(measure, VALUES[measure])
    statement = (
        select(*columns, *sums)
        .select_from(source_of(records, order))
        .where(*conditions(records, portal_id, query))
    )
    if columns:
        statement = statement.group_by(*columns)
    found = []
    for row in conn.execute(statement, parameters(query)):
        values = iter(row[len(columns) :])
        cell_sums = {measure: _total(measure, values) for measure in order}
        if any(cell_sums.values()):
            found.append(Cell(cell_sums, **dict(zip(fields, row[: len(columns)], strict=True))))
    return found


def source_of(records: Records, wanted: Iterable[Measure]) -> FromClause:
    """The records, with the deals' leads beside them if one of the measures needs those."""
    return DEALS_AND_LEADS if any(VALUES[measure].with_lead for measure in wanted) else records.source


def parameters(query: SumsQuery) -> dict[str, int]:
    """What statements about the query are executed with."""
    return {NOW.key: query.now}


def conditions(records: Records, portal_id: int, query: SumsQuery) -> list[ColumnElement[bool]]:
    """Which records the query is about: the portal's, of the scope, the period and the chosen pipelines."""
    found: list[ColumnElement[bool]] = [records.portal == portal_id, *records.only]
    if records.day is not None:
        found += [records.day >= query.period.start, records.day < query.period.end]
    if query.owners is not None:
        owner = records.cuts[Cut.OWNER][0]
        if len(query.owners) == 1:
            found.append(
                owner == next(iter(query.owners))
            )  # plain equality: the planner takes the owner index
        else:
            found.append(owner.in_(sorted(query.owners)))
    if query.departments is not None:
        found.append(records.cuts[Cut.TAGGED_DEPARTMENT][0].in_(sorted(query.departments)))
    if query.categories is not None and records.category is not None:
        chosen = records.category.in_(sorted(query.categories))
        found.append(chosen if records.whatever_pipeline is None else or_(records.whatever_pipeline, chosen))
    if query.projects is not None and records.project is not None:
        found.append(records.project.in_(sorted(query.projects)))
    states = {VALUES[measure].semantics for measure in query.measures}
    known = sorted(state for state in states if state is not None)
    if known and len(known) == len(states):
        found.append(_semantics(records, known))
    return found


def _semantics(records: Records, states: Sequence[str]) -> ColumnElement[bool]:
    column: ColumnElement[str] = records.source.c.semantics
    return column == states[0] if len(states) == 1 else column.in_(states)


def _cuts(records: Records, query: SumsQuery) -> tuple[list[str], list[ColumnElement[Any]]]:
    fields: list[str] = []
    columns: list[ColumnElement[Any]] = []
    for cut in sorted(query.cuts):
        fields += _FIELDS[cut]
        columns += records.cuts[cut]
    if records.currency is not None:
        fields.append("currency")
        columns.append(records.currency)
    return fields, columns


def _sum(measure: Measure, value: Value) -> list[ColumnElement[Any]]:
    if value.adds is None:
        return [_added(value.where, literal_column("1"))]
    if not measure.is_money:
        return [_added(value.where, value.adds)]
    return [_added(value.where, part) for part in big.parts_of(value.adds)]


def _added(where: ColumnElement[bool], what: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((where, what), else_=literal_column("0"))), 0)


def _total(measure: Measure, values: Any) -> int:
    return big.joined(values) if measure.is_money else int(next(values))
