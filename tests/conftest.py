"""Fixtures for every test. A test that asks for a database, however indirectly, runs on every kind of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from b24app.db import open_engine
from tests.databases import Databases, kinds

# Two busy cores make examples slow to generate and to run; that says nothing about the code.
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is measured on SQLite alone: the second time it would cost a third more and say the same."""
    for item in items:
        spec = getattr(item, "callspec", None)
        if spec is not None and spec.params.get("databases") == "postgresql":
            item.add_marker("no_cover")


@pytest.fixture(scope="session", params=kinds())
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes databases, of each kind in turn."""
    return kinds()[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def empty_database_url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database without tables, gone after the test."""
    with databases.empty(tmp_path) as url:
        yield url


@pytest.fixture
def database_url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all tables, gone after the test."""
    with databases.migrated(tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty database with all tables."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
