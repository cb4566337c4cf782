"""A real Chromium for the tests in this folder, and the product in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from emulator.world import Portal
from tests.browser.furnished import furnish
from tests.browser.stage import Stage, chromium, staged
from tests.databases import Databases


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless, for the whole run."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def databases(makers: dict[str, Databases]) -> Databases:
    """PostgreSQL where there is one: the API is proven on both kinds, and a page sees no more than that."""
    *_, maker = makers.values()
    return maker


@pytest.fixture(scope="session")
def stage(
    browser: Browser, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The app and the emulator, running."""
    folder = tmp_path_factory.mktemp("stage")
    with databases.migrated(folder) as url, staged(browser, url, folder) as running:
        yield running


@pytest.fixture(scope="session")
def firm(stage: Stage) -> Portal:
    """The invented company in Russian with the app installed and everything read."""
    return stage.company()


@pytest.fixture(scope="session")
def office(stage: Stage) -> Portal:
    """Another one, in which an admin has entered whatever can be entered."""
    portal = stage.company()
    furnish(stage, portal)
    return portal
