"""The stored records behind one KPI: the ones that its sums were made of, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, case, func, literal, null, or_, select
from sqlalchemy import type_coerce as coerce

from b24app.facts.measures import LEAD, RECORDS, VALUES, PortalRecords
from b24app.facts.sums import conditions, source_of
from b24app.facts.tables import deals, leads
from b24app.metrics.kinds import Shape
from b24app.metrics.measures import Cut, Measure, Table
from b24app.metrics.periods import Period
from b24app.metrics.sums import SumsQuery

PAGE_SIZE = 50
"""Rows of a page; also what the portal gives in one list."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which records are asked for. None for `owners` or `categories` means all of them."""

    shape: Shape
    period: Period
    owners: frozenset[int] | None
    categories: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Record:
    """One record behind a KPI. `amount` in ten-thousandths of `currency`; leads have none of both.

    `at`: the moment that puts it into the period, epoch seconds. `counts`: it is in the numerator, or in
    the sum itself; the others are in the denominator only. `adds`: what it adds there: 1, seconds, or
    money in ten-thousandths.
    """

    entity_type_id: int
    id: int
    at: int
    owner_id: int
    category_id: int | None
    stage_id: str
    amount: int | None
    currency: str | None
    client: str | None  # company:12 or contact:7
    counts: bool
    adds: int


def count(conn: Connection, portal_id: int, question: Question) -> int:
    """How many records are behind the KPI."""
    records = _records(question)
    statement = _about(select(func.count()), records, portal_id, question)
    return int(conn.execute(statement).scalar_one())


def page(conn: Connection, portal_id: int, question: Question, number: int) -> list[Record]:
    """A page of them, the latest first; numbers start with 1."""
    records = _records(question)
    item = leads if records.entity_type_id == LEAD else deals
    first = question.shape.terms[0].measures[0]
    counts, adds = _counting(first)
    is_deal = records.entity_type_id != LEAD
    stage = records.cuts[Cut.STAGE][0] if Cut.STAGE in records.cuts else item.c.stage_id
    statement = _about(
        select(
            literal(records.entity_type_id).label("entity_type_id"),
            records.id.label("id"),
            records.at.label("at"),
            item.c.owner_id.label("owner_id"),
            (records.category if records.category is not None else null()).label("category_id"),
            stage.label("stage_id"),
            (coerce(deals.c.amount, BigInteger) if is_deal else null()).label("amount"),
            (deals.c.currency if is_deal else null()).label("currency"),
            item.c.client.label("client"),
            counts.label("counts"),
            adds.label("adds"),
        ),
        records,
        portal_id,
        question,
    )
    statement = (
        statement.order_by(records.at.desc(), records.row_id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return [
        Record(**{**row._mapping, "counts": bool(row.counts), "adds": int(row.adds)})
        for row in conn.execute(statement)
    ]


def _records(question: Question) -> PortalRecords:
    records = RECORDS[_table(question.shape.measures)]
    if not isinstance(records, PortalRecords):
        raise TypeError("these records are not on the portal")
    return records


def _table(measures: Sequence[Measure]) -> Table:
    tables = {measure.table for measure in measures}
    if len(tables) != 1:
        raise ValueError(f"records of {len(tables)} kinds are behind this KPI")
    return tables.pop()


def _counting(measure: Measure) -> tuple[ColumnElement[int], ColumnElement[int]]:
    value = VALUES[measure]
    added = literal(1) if value.adds is None else value.adds
    return case((value.where, 1), else_=0), case((value.where, added), else_=0)


def _about(statement: Select[Any], records: PortalRecords, portal_id: int, question: Question) -> Select[Any]:
    measures = question.shape.measures
    query = SumsQuery(
        table=_table(measures),
        measures=frozenset(measures),
        period=question.period,
        owners=question.owners,
        categories=question.categories,
    )
    return statement.select_from(source_of(records, measures)).where(
        *conditions(records, portal_id, query), or_(*(VALUES[measure].where for measure in measures))
    )
