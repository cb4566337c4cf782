"""Marketing costs and results of campaigns, as people and programs enter them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from b24app import tables
from b24app.db import chunks, upsert

T = TypeVar("T")

CHUNK = 5_000
"""Rows of one statement."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Money spent on a channel from `from_day` to `to_day`, the last day included."""

    external_id: str
    channel: str
    from_day: date
    to_day: date
    amount: Decimal
    currency: str
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """What one campaign brought on one day."""

    external_id: str
    channel: str
    day: date
    name: str
    delivered: int
    opened: int
    clicked: int
    visits: int
    department_id: int | None = None


Entry = Cost | Campaign

TABLES: Mapping[type[Entry], Table] = {Cost: tables.costs, Campaign: tables.campaigns}
DAYS: Mapping[type[Entry], tuple[str, str]] = {Cost: ("from_day", "to_day"), Campaign: ("day", "day")}
"""The columns of the first and the last day of an entry."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: all that have one of the days (`end` exclusive), the channel, one of the departments."""

    start: date | None = None
    end: date | None = None
    channel: str | None = None
    departments: frozenset[int] | None = None

    @property
    def is_everything(self) -> bool:
        return self == Filter()


def save(conn: Connection, portal_id: int, kind: type[Entry], entries: Iterable[Entry]) -> int:
    """Stores the entries, replacing those of the same `external_id`; returns how many."""
    found = list(entries)
    names = [field.name for field in fields(kind)]
    for chunk in chunks(found):
        rows = ({"portal_id": portal_id, **{name: getattr(entry, name) for name in names}} for entry in chunk)
        upsert(conn, TABLES[kind], rows)
    return len(found)


def listed(
    conn: Connection, portal_id: int, kind: type[Entry], which: Filter, *, limit: int, offset: int = 0
) -> list[Entry]:
    """The entries, the latest first."""
    table = TABLES[kind]
    columns = [column for column in table.c if column.name != "portal_id"]
    rows = conn.execute(
        select(*columns)
        .where(*_conditions(table, portal_id, kind, which))
        .order_by(table.c[DAYS[kind][0]].desc(), table.c.external_id)
        .limit(limit)
        .offset(offset)
    )
    return [kind(**row._mapping) for row in rows]


def count(conn: Connection, portal_id: int, kind: type[Entry], which: Filter) -> int:
    """How many entries there are."""
    table = TABLES[kind]
    statement = select(func.count()).select_from(table).where(*_conditions(table, portal_id, kind, which))
    return int(conn.execute(statement).scalar_one())


def channels(conn: Connection, portal_id: int, kind: type[Entry]) -> list[str]:
    """The channels that entries name, in order."""
    table = TABLES[kind]
    statement = select(table.c.channel).where(table.c.portal_id == portal_id).distinct()
    return sorted(conn.scalars(statement))


def known_ids(conn: Connection, portal_id: int, kind: type[Entry], ids: Collection[str]) -> set[str]:
    """Which of the ids are stored."""
    table = TABLES[kind]
    found: set[str] = set()
    for chunk in chunks(list(ids)):
        statement = select(table.c.external_id).where(
            table.c.portal_id == portal_id, table.c.external_id.in_(chunk)
        )
        found.update(conn.scalars(statement))
    return found


def remove(conn: Connection, portal_id: int, kind: type[Entry], which: Filter) -> int:
    """Deletes the entries; returns how many there were."""
    table = TABLES[kind]
    return conn.execute(delete(table).where(*_conditions(table, portal_id, kind, which))).rowcount


def remove_one(conn: Connection, portal_id: int, kind: type[Entry], external_id: str) -> bool:
    """Deletes one entry; False if there is none of that id."""
    table = TABLES[kind]
    done = conn.execute(
        delete(table).where(table.c.portal_id == portal_id, table.c.external_id == external_id)
    )
    return done.rowcount == 1


def _conditions(table: Table, portal_id: int, kind: type[Entry], which: Filter) -> list[ColumnElement[bool]]:
    first, last = (table.c[name] for name in DAYS[kind])
    found: list[ColumnElement[bool]] = [table.c.portal_id == portal_id]
    if which.start is not None:
        found.append(last >= which.start)
    if which.end is not None:
        found.append(first < which.end)
    if which.channel is not None:
        found.append(table.c.channel == which.channel)
    if which.departments is not None:
        found.append(table.c.department_id.in_(sorted(which.departments)))
    return found
