"""Keeps the sums beside the facts in step with every change of them.

What records add is taken away before they change and added again after it, by the same SQL that adds up
facts for questions: the cost of a change does not depend on how much is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Select, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from b24app import tables
from b24app.db import chunks
from b24app.metrics.measures import Cut, Table
from b24app.sums.kept import ALWAYS, KEPT, NOBODY, VERSION, Kept, Level, columns_of, is_kept
from b24app.sums.kinds import Records
from b24app.sums.measured import RECORDS, sums_of

OF_DEALS = (Table.WON_LOST, Table.COHORT, Table.OPEN)
OF_STAYS = (Table.STAYS,)
OF_LEADS = (Table.LEADS,)

_ID = {
    **dict.fromkeys(OF_DEALS, tables.deals.c.deal_id),
    Table.STAYS: tables.stage_stays.c.item_id,
    Table.LEADS: tables.leads.c.lead_id,
}
"""By what changed records are found; stays go by their deal."""

MONTH = Level.MONTH

_Key = tuple[Any, ...]


class KeptSums:
    """The kept sums of one open transaction; with `is_on` False nothing is kept."""

    def __init__(self, conn: Connection, portal_id: int, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self._conn = conn
        self._portal_id = portal_id
        self._touched: dict[Table, set[int]] = {}
        self._steps: dict[Table, dict[_Key, list[int]]] = {}

    def before(self, kinds: Iterable[Table], ids: Iterable[int]) -> None:
        """To be called before the records with these ids are written, changed or deleted."""
        if not self._is_on:
            return
        found = set(ids)
        for kind in kinds:
            touched = self._touched.setdefault(kind, set())
            new = found - touched
            touched |= new
            self._add(kind, new, -1)

    def settle(self) -> None:
        """To be called when all changes are written: adds what the touched records add now."""
        for kind, ids in self._touched.items():
            self._add(kind, ids, 1)
        for kind, steps in self._steps.items():
            _apply(self._conn, self._portal_id, KEPT[kind], steps)
        self._touched.clear()
        self._steps.clear()

    def _add(self, kind: Table, ids: Collection[int], sign: int) -> None:
        kept, records = KEPT[kind], RECORDS[kind]
        owner, day, apart = _where(kept, records)
        owner = owner + 0  # else SQLite walks a whole index in the order of the groups, not to the ids
        sums = [column for measure in kept.measures for column in sums_of(measure)]
        steps = self._steps.setdefault(kind, {})
        for chunk in chunks(sorted(ids)):
            statement = (
                select(owner, day, *apart, *sums)
                .select_from(_source(records))
                .where(records.portal == self._portal_id, *records.only, _ID[kind].in_(chunk))
                .group_by(owner, day, *apart)
            )
            for row in self._conn.execute(statement):
                values = [sign * int(value) for value in row[2 + len(apart) :]]
                if any(values) and row[1] is not None:
                    for key in _keys(kept, row[0], row[1], tuple(row[2 : 2 + len(apart)])):
                        known = steps.setdefault(key, [0] * len(values))
                        for place, value in enumerate(values):
                            known[place] += value


def make_anew(conn: Connection, portal_id: int) -> None:
    """Makes all kept sums of the portal from its facts. Call it after `store.lock`."""
    for kind, kept in KEPT.items():
        conn.execute(delete(kept.table).where(kept.table.c.portal_id == portal_id))
        company = _of_company(portal_id, kept)
        for found in (*(_from_facts(portal_id, kind, one) for one in kept.levels if one != MONTH), company):
            conn.execute(insert(kept.table).from_select(found.selected_columns.keys(), found))
    portals = tables.portals
    conn.execute(update(portals).where(portals.c.portal_id == portal_id).values(sums_version=VERSION))


def differing(conn: Connection, portal_id: int) -> list[str]:
    """Names of the tables whose monthly sums are not those of the facts: none, unless something is broken."""
    if not is_kept(conn, portal_id):
        return []
    found = []
    for kind, kept in KEPT.items():
        facts = _from_facts(portal_id, kind, MONTH)
        c, names = kept.table.c, [column.name for column in facts.selected_columns]
        stored = select(*(c[name] for name in names)).where(c.portal_id == portal_id, c.level == MONTH.value)
        width = len(kept.columns)
        rows, plain = (
            {tuple(row) for row in conn.execute(statement) if any(row[-width:])}
            for statement in (stored, facts)
        )
        if rows != plain:
            found.append(kept.table.name)
    return found


def _of_company(portal_id: int, kept: Kept) -> Select[Any]:
    """The company's months out of its employees' months: there are far fewer of them than facts."""
    c = kept.table.c
    apart = [c.start, *(c[name] for name in kept.key)]
    return (
        select(
            literal(portal_id).label("portal_id"),
            literal(MONTH.value).label("level"),
            literal(NOBODY).label("owner_id"),
            *apart,
            *(func.sum(c[name]).label(name) for name in kept.columns),
        )
        .where(c.portal_id == portal_id, c.level == Level.OWNER.value)
        .group_by(*apart)
    )


def _from_facts(portal_id: int, kind: Table, level: Level) -> Select[Any]:
    """The rows that the table of kept sums should have on a level."""
    kept, records = KEPT[kind], RECORDS[kind]
    owner, day, apart = _where(kept, records)
    start = day if level is Level.DAY or not kept.has_days else _month_of(day)
    groups = [*([owner] if level is Level.OWNER else []), *([start] if kept.has_days else []), *apart]
    shown = [
        literal(portal_id).label("portal_id"),
        literal(level.value).label("level"),
        (owner if level is Level.OWNER else literal(NOBODY)).label("owner_id"),
        start.label("start"),
        *(column.label(name) for column, name in zip(apart, kept.key, strict=True)),
        *(
            column.label(name)
            for measure in kept.measures
            for column, name in zip(sums_of(measure), columns_of(measure), strict=True)
        ),
    ]
    where = [records.portal == portal_id, *records.only, *([day.is_not(None)] if kept.has_days else [])]
    statement = select(*shown).select_from(_source(records)).where(*where)
    return statement.group_by(*groups) if groups else statement


class _month_of(FunctionElement[date]):
    """The first day of the month of a day."""

    type = Date()
    inherit_cache = True


@compiles(_month_of, "sqlite")
def _month_in_sqlite(element: _month_of, compiler: Any, **kw: Any) -> str:
    return f"date({compiler.process(element.clauses, **kw)}, 'start of month')"


@compiles(_month_of, "postgresql")
def _month_in_postgresql(element: _month_of, compiler: Any, **kw: Any) -> str:
    return f"CAST(date_trunc('month', {compiler.process(element.clauses, **kw)}) AS date)"


def _where(
    kept: Kept, records: Records
) -> tuple[ColumnElement[Any], ColumnElement[Any], list[ColumnElement[Any]]]:
    """(owner, day, what else is kept apart) of the records."""
    apart: list[ColumnElement[Any]] = [func.coalesce(records.cuts[cut][0], _empty(cut)) for cut in kept.apart]
    if kept.has_currency and records.currency is not None:
        apart.append(records.currency)
    day: ColumnElement[Any] = literal(ALWAYS, Date()) if records.day is None else records.day
    return records.cuts[Cut.OWNER][0], day, apart


def _empty(cut: Cut) -> Any:
    return 0 if cut is Cut.CATEGORY else ""


def _source(records: Records) -> Any:
    return records.source if records.alone is None else records.alone


def _keys(kept: Kept, owner: int, day: date, apart: tuple[Any, ...]) -> Iterator[_Key]:
    start = day.replace(day=1)
    if kept.has_days:
        yield (Level.DAY.value, NOBODY, day, *apart)
    yield (Level.MONTH.value, NOBODY, start, *apart)
    yield (Level.OWNER.value, owner, start, *apart)


def _apply(conn: Connection, portal_id: int, kept: Kept, steps: dict[_Key, list[int]]) -> None:
    names = ("level", "owner_id", "start", *kept.key)
    rows = [
        {
            "portal_id": portal_id,
            **dict(zip(names, key, strict=True)),
            **dict(zip(kept.columns, values, strict=True)),
        }
        for key, values in steps.items()
        if any(values)
    ]
    if not rows:
        return
    make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = make(kept.table)
    added = {name: kept.table.c[name] + statement.excluded[name] for name in kept.columns}
    key = [column.name for column in kept.table.primary_key]
    conn.execute(statement.on_conflict_do_update(index_elements=key, set_=added), rows)
