"""Reads sums of stored facts: from the sums that are kept beside them where there are such, else by one
SELECT per question, added up by the database.

What is no sum over rows (a cost is spread over its days) has a reader of its own in `computed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, or_, select

from b24app.metrics.measures import Cut, Measure
from b24app.metrics.sums import Cell, SumsQuery
from b24app.sums import big, kept
from b24app.sums.computed import COMPUTED
from b24app.sums.kinds import NOW, Records
from b24app.sums.measured import RECORDS, VALUES, sums_of

_FIELDS = {
    Cut.OWNER: ("owner",),
    Cut.DAY: ("day",),
    Cut.MONTH: ("day",),  # its first
    Cut.CATEGORY: ("category",),
    Cut.STAGE: ("stage",),
    Cut.REACHED: ("reached",),
    Cut.CHANNEL: ("utm_source", "source_id"),
    Cut.ENTERED_CHANNEL: ("channel",),
    Cut.TAGGED_DEPARTMENT: ("department",),
    Cut.PROJECT: ("project",),
    Cut.SUPPORT_SOURCE: ("support_source", "entity_type"),
}


def read_all(
    conn: Connection, portal_id: int, queries: Iterable[SumsQuery], *, has_kept: bool | None = None
) -> list[Cell]:
    """The cells of all queries, in no particular order: where months are asked to be kept apart, one or
    several for a month. `has_kept`: whether the portal's sums are kept, where that was just read."""
    asked = list(queries)
    if not asked:
        return []
    if has_kept is None:
        has_kept = kept.is_kept(conn, portal_id)
    return [cell for query in asked for cell in _read(conn, portal_id, query, has_kept)]


def read(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """The sums that the query asks for, apart by its cuts and, where there is money, by currency."""
    return read_all(conn, portal_id, [query])


def read_facts(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """The same from the facts alone, whatever sums are kept."""
    return _read(conn, portal_id, query, has_kept=False)


def parameters(query: SumsQuery) -> dict[str, int]:
    """What statements about the query are executed with."""
    return {NOW.key: query.now}


def conditions(records: Records, portal_id: int, query: SumsQuery) -> list[ColumnElement[bool]]:
    """Which records the query is about: the portal's, of the scope, the period and the chosen pipelines."""
    return [*_chosen(records, portal_id, query), *_final_states(records, query)]


def _read(conn: Connection, portal_id: int, query: SumsQuery, has_kept: bool) -> list[Cell]:
    if query.owners is not None and not query.owners and query.table not in COMPUTED:
        return []
    from_kept, from_facts = kept.parts(query) if has_kept else ([], [query])
    found = []
    for level, part in from_kept:
        sums = kept.KEPT[part.table]
        records = sums.records(level)
        where = _chosen(records, portal_id, part)
        found += _cells(conn, records, records.source, where, part, sums.sums_of)
    for part in from_facts:
        found += _of_facts(conn, portal_id, part)
    return found


def _of_facts(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    if Cut.MONTH in query.cuts:  # whoever asks adds the days up
        query = replace(query, cuts=query.cuts - {Cut.MONTH} | {Cut.DAY})
    if query.table in COMPUTED:
        return COMPUTED[query.table](conn, portal_id, query)
    records = RECORDS[query.table]
    is_alone = records.alone is not None and Cut.CHANNEL not in query.cuts
    source = records.alone if is_alone and records.alone is not None else records.source
    return _cells(conn, records, source, conditions(records, portal_id, query), query, sums_of)


def _cells(
    conn: Connection,
    records: Records,
    source: FromClause,
    where: Sequence[ColumnElement[bool]],
    query: SumsQuery,
    sums_of_measure: Callable[[Measure], list[ColumnElement[Any]]],
) -> list[Cell]:
    order = sorted(query.measures, key=lambda measure: measure.key)
    fields, columns = _cuts(records, query)
    sums = [column for measure in order for column in sums_of_measure(measure)]
    statement = select(*columns, *sums).select_from(source).where(*where)
    if columns:
        statement = statement.group_by(*columns)
    found = []
    for row in conn.execute(statement, parameters(query)):
        values = iter(row[len(columns) :])
        cell_sums = {measure: _total(measure, values) for measure in order}
        if any(cell_sums.values()):
            found.append(Cell(cell_sums, **dict(zip(fields, row[: len(columns)], strict=True))))
    return found


def _chosen(records: Records, portal_id: int, query: SumsQuery) -> list[ColumnElement[bool]]:
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
    return found


def _final_states(records: Records, query: SumsQuery) -> list[ColumnElement[bool]]:
    """Where every measure wants records in a final state, the index finds those."""
    states = {VALUES[measure].semantics for measure in query.measures}
    known = sorted(state for state in states if state is not None)
    if not known or len(known) < len(states):
        return []
    column: ColumnElement[str] = records.source.c.semantics
    return [column == known[0] if len(known) == 1 else column.in_(known)]


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


def _total(measure: Measure, values: Any) -> int:
    return big.joined(values) if measure.is_money else int(next(values))
