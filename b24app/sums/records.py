"""The stored records behind one KPI: the ones that its sums were made of, as many as are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    String,
    case,
    cast,
    desc,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.types import TypeEngine

from b24app.metrics.measures import Cut, Measure, Table
from b24app.metrics.periods import Period
from b24app.metrics.sums import SumsQuery
from b24app.sums import conditions, parameters
from b24app.sums.kinds import Kind, PortalRecords
from b24app.sums.measured import RECORDS, VALUES

PAGE_SIZE = 50
"""Rows of a page; also what the portal gives in one list."""


@dataclass(frozen=True, slots=True)
class Question:
    """Records that any of the measures takes. None for `owners`, `categories` or `projects`: all of them.

    `now`: epoch seconds, for what is due. Measures of what the portal does not keep have no records here.
    """

    measures: frozenset[Measure]
    period: Period
    owners: frozenset[int] | None = None
    categories: frozenset[int] | None = None
    projects: frozenset[int] | None = None
    now: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One record behind a KPI. `amount` in ten-thousandths of `currency`, where it has money.

    `at`: the moment that puts it into the period, epoch seconds. `sums`: what it adds to every measure
    that takes it. `entity_type_id`: of an item, or of the item (`parent_id`) that an activity belongs to;
    a time record belongs to a task.
    """

    kind: Kind
    id: int
    at: int
    owner_id: int
    category_id: int | None
    stage_id: str | None
    amount: int | None
    currency: str | None
    client: str | None  # company:12, contact:7 or lead:5
    project_id: int | None
    entity_type_id: int | None
    parent_id: int | None
    utm_source: str | None
    source_id: str | None
    sums: Mapping[Measure, int]


def count(conn: Connection, portal_id: int, question: Question) -> int:
    """How many records are behind the KPI."""
    found = 0
    for query in _queries(question):
        statement = _about(select(func.count()), query)
        found += int(conn.execute(statement, parameters(portal_id, query)).scalar_one())
    return found


def part(
    conn: Connection, portal_id: int, question: Question, *, limit: int = PAGE_SIZE, offset: int = 0
) -> list[Record]:
    """Some of them, the latest first."""
    queries = _queries(question)
    if not queries:
        return []
    order = sorted(question.measures, key=lambda measure: measure.key)
    lists = [_about(select(*_columns(query, order)), query) for query in queries]
    statement: Select[Any] | CompoundSelect[Any] = lists[0] if len(lists) == 1 else union_all(*lists)
    latest = statement.order_by(desc("at"), "kind", desc("row_id"))
    cut = latest.limit(limit).offset(offset)
    return [_record(row._mapping, order) for row in conn.execute(cut, parameters(portal_id, queries[0]))]


def _queries(question: Question) -> list[SumsQuery]:
    """One for every table whose records the portal keeps."""
    by_table: dict[Table, set[Measure]] = {}
    for measure in question.measures:
        if isinstance(RECORDS.get(measure.table), PortalRecords):
            by_table.setdefault(measure.table, set()).add(measure)
    return [
        SumsQuery(
            table=table,
            measures=frozenset(measures),
            period=question.period,
            owners=question.owners,
            categories=question.categories,
            projects=question.projects,
            now=question.now,
        )
        for table, measures in sorted(by_table.items())
    ]


def _about(statement: Select[Any], query: SumsQuery) -> Select[Any]:
    records = _kept(query.table)
    return statement.select_from(records.source).where(
        *conditions(records, query),
        or_(*(VALUES[measure].where for measure in sorted(query.measures, key=lambda m: m.key))),
    )


def _columns(query: SumsQuery, order: Iterable[Measure]) -> list[ColumnElement[Any]]:
    records = _kept(query.table)
    stage = records.cuts[Cut.STAGE][0] if Cut.STAGE in records.cuts else records.stage
    project = records.cuts[Cut.PROJECT][0] if Cut.PROJECT in records.cuts else None
    utm_source, source_id = records.cuts.get(Cut.CHANNEL, (None, None))
    shown: list[ColumnElement[Any]] = [
        (literal(records.kind.value) if isinstance(records.kind, Kind) else records.kind).label("kind"),
        records.id.label("id"),
        records.at.label("at"),
        records.row_id.label("row_id"),
        records.cuts[Cut.OWNER][0].label("owner_id"),
        _or_nothing(records.category, Integer()).label("category_id"),
        _or_nothing(stage, String()).label("stage_id"),
        _or_nothing(records.amount, BigInteger()).label("amount"),
        _or_nothing(records.currency_of, String()).label("currency"),
        _or_nothing(records.client, String()).label("client"),
        _or_nothing(project, Integer()).label("project_id"),
        _or_nothing(records.entity_type, Integer()).label("entity_type_id"),
        _or_nothing(records.parent, BigInteger()).label("parent_id"),
        _or_nothing(utm_source, String()).label("utm_source"),
        _or_nothing(source_id, String()).label("source_id"),
    ]
    return shown + [_adds(measure, query).label(measure.key) for measure in order]


def _adds(measure: Measure, query: SumsQuery) -> ColumnElement[Any]:
    """What a record adds to the measure; nothing where the measure does not take it."""
    if measure not in query.measures:
        return _or_nothing(None, BigInteger())
    value = VALUES[measure]
    return case((value.where, literal(1) if value.adds is None else value.adds), else_=null())


def _or_nothing(column: ColumnElement[Any] | None, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Parts of a union must agree on types, also where one of them has no such column."""
    return cast(null(), kind) if column is None else column


def _kept(table: Table) -> PortalRecords:
    records = RECORDS[table]
    if not isinstance(records, PortalRecords):
        raise TypeError(f"records of {table} are not on the portal")
    return records


def _record(row: Mapping[Any, Any], order: Iterable[Measure]) -> Record:
    fields = {name: row[name] for name in Record.__slots__ if name not in ("kind", "sums")}
    sums = {measure: int(row[measure.key]) for measure in order if row[measure.key] is not None}
    return Record(**fields, kind=Kind(row["kind"]), sums=sums)
