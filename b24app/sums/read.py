"""Reads sums of stored facts: from the sums that are kept beside them where there are such, else by one
SELECT per question, added up by the database.

What is no sum over rows (a cost is spread over its days) has a reader of its own in `computed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, or_, select

from b24app.metrics.measures import Cut, Measure
from b24app.metrics.periods import Period
from b24app.metrics.sums import Cell, SumsQuery
from b24app.sums import big, kept
from b24app.sums.computed import COMPUTED
from b24app.sums.kept import Level
from b24app.sums.kinds import NOW, Records
from b24app.sums.measured import RECORDS, VALUES, sums_of

_ANY = Period(date(2000, 1, 1), date(2000, 1, 2))

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


def parameters(portal_id: int, query: SumsQuery) -> dict[str, Any]:
    """What statements about the query are executed with."""
    found: dict[str, Any] = {
        NOW.key: query.now,
        "portal": portal_id,
        "first_day": query.period.start,
        "end_day": query.period.end,
    }
    for name in ("owners", "departments", "categories", "projects"):
        chosen = getattr(query, name)
        if chosen is not None:
            found[name] = sorted(chosen)
    if query.owners is not None and len(query.owners) == 1:
        found["owner"] = next(iter(query.owners))
    return found


def conditions(records: Records, query: SumsQuery) -> list[ColumnElement[bool]]:
    """Which records the query is about: the portal's, of the scope, the period and the chosen pipelines.

    The statement is to be executed with `parameters` of the query.
    """
    return [*_chosen(records, query), *_final_states(records, query)]


def _read(conn: Connection, portal_id: int, query: SumsQuery, has_kept: bool) -> list[Cell]:
    if query.owners is not None and not query.owners and query.table not in COMPUTED:
        return []
    from_kept, from_facts = kept.parts(query) if has_kept else ([], [query])
    found = []
    for level, part in from_kept:
        found += _cells(conn, portal_id, part, level)
    for part in from_facts:
        found += _of_facts(conn, portal_id, part)
    return found


def _of_facts(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    if Cut.MONTH in query.cuts:  # whoever asks adds the days up
        query = replace(query, cuts=query.cuts - {Cut.MONTH} | {Cut.DAY})
    if query.table in COMPUTED:
        return COMPUTED[query.table](conn, portal_id, query)
    return _cells(conn, portal_id, query, None)


def _cells(conn: Connection, portal_id: int, query: SumsQuery, level: Level | None) -> list[Cell]:
    """The cells of the facts (no level), or of the sums kept on a level."""
    made = _made(_shape(query), level)
    width = len(made.fields)
    found = []
    for row in conn.execute(made.statement, parameters(portal_id, query)):
        values = iter(row[width:])
        cell_sums = {measure: _total(measure, values) for measure in made.order}
        if any(cell_sums.values()):
            found.append(Cell(cell_sums, **dict(zip(made.fields, row[:width], strict=True))))
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement whose rows are `fields` of a cell, then the sums of the measures in `order`."""

    statement: Select[Any]
    fields: tuple[str, ...]
    order: tuple[Measure, ...]


def _shape(query: SumsQuery) -> SumsQuery:
    """The same for all questions that are asked by one statement: whoever and whenever they are about."""

    return replace(
        query,
        period=_ANY,
        now=0,
        owners=_sample(query.owners),
        departments=_sample(query.departments),
        categories=_sample(query.categories),
        projects=_sample(query.projects),
    )


def _sample(chosen: frozenset[int] | None) -> frozenset[int] | None:
    return None if chosen is None else frozenset({0}) if len(chosen) == 1 else frozenset()


@lru_cache(maxsize=2_000)
def _made(shape: SumsQuery, level: Level | None) -> _Made:
    """To make a statement costs more than to execute it."""
    order = tuple(sorted(shape.measures, key=lambda measure: measure.key))
    if level is None:
        records, sums_of_measure = RECORDS[shape.table], sums_of
        is_alone = records.alone is not None and Cut.CHANNEL not in shape.cuts
        source = records.alone if is_alone and records.alone is not None else records.source
        where = conditions(records, shape)
    else:
        sums = kept.KEPT[shape.table]
        records, sums_of_measure = sums.records(level), sums.sums_of
        source, where = records.source, _chosen(records, shape)
    fields, columns = _cuts(records, shape)
    added = [column for measure in order for column in sums_of_measure(measure)]
    statement = select(*columns, *added).select_from(source).where(*where)
    return _Made(statement.group_by(*columns) if columns else statement, tuple(fields), order)


def _chosen(records: Records, query: SumsQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [records.portal == bindparam("portal"), *records.only]
    if records.day is not None:
        found += [records.day >= bindparam("first_day"), records.day < bindparam("end_day")]
    if query.owners is not None:
        owner = records.cuts[Cut.OWNER][0]
        # Plain equality where it is one: the planner takes the owner index.
        found.append(owner == bindparam("owner") if len(query.owners) == 1 else _among(owner, "owners"))
    if query.departments is not None:
        found.append(_among(records.cuts[Cut.TAGGED_DEPARTMENT][0], "departments"))
    if query.categories is not None and records.category is not None:
        chosen = _among(records.category, "categories")
        found.append(chosen if records.whatever_pipeline is None else or_(records.whatever_pipeline, chosen))
    if query.projects is not None and records.project is not None:
        found.append(_among(records.project, "projects"))
    return found


def _among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))


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
