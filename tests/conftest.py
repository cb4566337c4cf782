"""Fixtures for every test. A test that asks for a database, however indirectly, runs on every kind of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from b24app.db import open_engine
from tests import turns
from tests.databases import Databases, kinds
from tests.turns import is_second

# Two busy cores make examples slow to generate and to run; that says nothing about the code. All examples of
# a test share its database: each makes a portal of its own in it.
IGNORED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("suite", suppress_health_check=IGNORED, deadline=None)
settings.load_profile("suite")

FEWER = 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if is_second(item) and item.get_closest_marker("one_database")]
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    items[:] = turns.in_turn([item for item in items if item in kept])


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker pytest-cov starts twice. The first measurement would go on while the second is paused."""
    measuring = _coverage(session.config)
    if measuring is not None and hasattr(session.config, "workerinput"):
        measuring.pause()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Measures coverage where that says anything new, fixtures included."""
    measuring = _coverage(item.config)
    if measuring is None or turns.is_measured(item):
        return (yield)
    measuring.pause()
    try:
        return (yield)
    finally:
        measuring.resume()


def _coverage(config: pytest.Config) -> Any:
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> turns.Turns:
    return turns.Turns(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, None, None]:
    """Fewer examples for the second database: rules are proven on the first, and its SQL shows in a few."""
    if not (is_second(item) and hasattr(item.obj, "hypothesis")):
        return (yield)
    chosen = item.obj._hypothesis_internal_use_settings  # hypothesis has no public way to change one run
    item.obj._hypothesis_internal_use_settings = settings(
        chosen, max_examples=max(5, chosen.max_examples // FEWER)
    )
    try:
        return (yield)
    finally:
        item.obj._hypothesis_internal_use_settings = chosen


@pytest.fixture(scope="session")
def makers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Databases]:
    """One of each kind for the whole run: workers go to and fro between kinds, templates stay."""
    return {name: kind(tmp_path_factory.mktemp(name)) for name, kind in kinds().items()}


@pytest.fixture(scope="session", params=kinds())
def databases(request: pytest.FixtureRequest, makers: dict[str, Databases]) -> Databases:
    """Makes databases, of each kind in turn."""
    return makers[request.param]


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
