"""Database engine, transactions and the one upsert for both databases."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from b24app import partitions

T = TypeVar("T")


def open_engine(url: str, *, table_parts: int = 0) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…` (plain `postgresql://` is accepted).

    table_parts: how many parts by portal a table gets that is made over this engine; PostgreSQL only.
    Its errors do not quote values: they hold people's names, and end up in logs.
    """
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    pool: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
    if url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 30}, **pool)
        event.listen(engine, "connect", _tune_sqlite)
        return engine
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_use_lifo=True,  # few connections, used often, know their statements already
        execution_options={partitions.OPTION: table_parts},
        **pool,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _try_idle)
    return engine


def reading(engine: Engine) -> Connection:
    """A connection for what only reads, without a transaction around it: that would be two questions more.

    Each statement sees what is committed when it runs.
    """
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


CHUNK = 1_000
"""Ids in one IN list."""

IDLE_S = 1.0
"""A connection that was not used for so long is tried before use: the server may have been restarted, which
takes longer."""

_USED_AT = "b24app.used_at"

MANY = 50
"""From so many rows on it is worth preparing their writing."""


def upsert(
    conn: Connection, table: Table, rows: Iterable[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> int:
    """Insert rows or replace the ones with the same primary key; returns how many were sent.

    Every row must have the same keys. Columns named in `keep` are written on insert only.
    """
    batch = [dict(row) for row in rows]
    if not batch:
        return 0
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    key = [column.name for column in table.primary_key]
    updated = [name for name in batch[0] if name not in key and name not in keep]
    statement = insert(table)
    if updated:
        statement = statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in updated}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    # Not one VALUES list: to compile that for 2,500 rows takes a second.
    if len(batch) < MANY or any(
        column.default is not None and column.name not in batch[0] for column in table.c
    ):
        conn.execute(statement, batch)
    else:
        _execute_many(conn, statement, table, batch)
    return len(batch)


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """The ids in pieces, each short enough for one IN list."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _execute_many(conn: Connection, statement: Insert, table: Table, batch: list[dict[str, Any]]) -> None:
    """As `conn.execute`, at a fifth of its price: values are converted by column instead of row by row."""
    names = list(batch[0])
    compiled = statement.compile(dialect=conn.dialect, column_keys=names)
    columns = []
    for name in compiled.positiontup or names:
        kind = table.c[name].type.dialect_impl(conn.dialect)
        convert = kind.bind_processor(conn.dialect)
        values = [row[name] for row in batch]
        columns.append(values if convert is None else list(map(convert, values)))
    rows = zip(*columns, strict=True)
    if compiled.positional:
        conn.exec_driver_sql(str(compiled), list(rows))
    else:
        conn.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _try_idle(connection: Any, record: ConnectionPoolEntry, _fairy: Any) -> None:
    """The pool replaces a connection that turns out to be dead, and all the others of that age."""
    used_at = record.info.get(_USED_AT)
    if used_at is None or time.monotonic() - used_at < IDLE_S:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise InvalidatePoolError("the database has closed this connection") from error


def _tune_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()
