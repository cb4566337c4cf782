"""Fixtures for every test: an empty database each, on SQLite or (a URL in the environment) PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, make_url, text

from b24app.db import open_engine
from b24app.tables import metadata

SERVER_URL = "B24APP_TEST_DATABASE_URL"
"""A PostgreSQL that tests may make schemas in; `python -m tests` starts one. Unset: SQLite files."""

TABLE_PARTS = 2 if os.environ.get(SERVER_URL) else 0
"""On PostgreSQL the tables of every test are cut by portal: what works so, works on whole tables, too."""


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database without tables, gone after the block; SQLite keeps it in the folder."""
    server = os.environ.get(SERVER_URL)
    if not server:
        yield f"sqlite:///{folder / 'test.db'}"
        return
    schema = f"t_{secrets.token_hex(6)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE SCHEMA {schema}"))
    yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
    with admin.connect() as conn:
        conn.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


# Two busy cores make examples slow to generate and to run; that says nothing about the code.
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("suite")


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database without tables, gone after the test."""
    with empty_database(tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty database with all tables."""
    engine = open_engine(database_url, table_parts=TABLE_PARTS)
    metadata.create_all(engine)
    yield engine
    engine.dispose()
