"""Brings a database to the present layout, step by step; several processes may try at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from b24app.db import open_engine

FOLDER = Path(__file__).parent
LOCK = 0x62323461  # "b24a": PostgreSQL's advisory locks are numbers


def upgrade(engine: Engine) -> None:
    """Apply every migration that the database lacks. Raises the database errors; nothing is half done."""
    with engine.connect() as conn:
        _lock(conn)
        command.upgrade(config(conn), "head")
        conn.commit()


def upgrade_at(url: str, *, table_parts: int = 0) -> None:
    """`upgrade` for a database URL; the connection is closed afterwards. table_parts: see `open_engine`."""
    engine = open_engine(url, table_parts=table_parts)
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def missing(engine: Engine) -> list[str]:
    """Migrations that the database lacks, oldest first."""
    with engine.connect() as conn:
        done = MigrationContext.configure(conn).get_current_revision()
        scripts = ScriptDirectory.from_config(config(conn))
        return [step.revision for step in scripts.iterate_revisions("head", done or "base")][::-1]


def config(conn: Connection) -> Config:
    """Alembic's settings for one connection; its transaction is the caller's."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.attributes["connection"] = conn
    return settings


def _lock(conn: Connection) -> None:
    """Let one process migrate at a time; the others wait and find nothing left to do."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
