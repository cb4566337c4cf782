"""Fixtures for every test. A test that asks for a database, however indirectly, runs on every kind of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from b24app.db import open_engine
from tests.databases import Databases, kinds

# Two busy cores make examples slow to generate and to run; that says nothing about the code. All examples of
# a test share its database: each makes a portal of its own in it.
IGNORED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("suite", suppress_health_check=IGNORED, deadline=None)
settings.load_profile("suite")

FEWER = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is measured on SQLite alone: the second time it would cost a third more and say the same."""
    for item in filter(_is_second, items):
        item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, None, None]:
    """Fewer examples for the second database: rules are proven on the first, and its SQL shows in a few."""
    if not (_is_second(item) and hasattr(item.obj, "hypothesis")):
        return (yield)
    chosen = item.obj._hypothesis_internal_use_settings  # hypothesis has no public way to change one run
    item.obj._hypothesis_internal_use_settings = settings(
        chosen, max_examples=max(5, chosen.max_examples // FEWER)
    )
    try:
        return (yield)
    finally:
        item.obj._hypothesis_internal_use_settings = chosen


def _is_second(item: pytest.Item) -> bool:
    spec = getattr(item, "callspec", None)
    return spec is not None and spec.params.get("databases") == "postgresql"


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
