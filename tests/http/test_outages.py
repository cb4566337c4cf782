"""Portal, Redis or database away for hours: nobody is hammered, and work goes on by itself afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from b24app.db import open_engine
from b24app.jobs.queue import Jobs
from b24app.rest import budget, client
from b24app.rest.errors import Unreachable
from b24app.sync import claims, freshness, refresh, schedule, sources, trouble
from b24app.tables import metadata
from emulator import crm
from tests.http.reading import eventually
from tests.http.servers import PostgresServer, redis_server
from tests.http.syncing import ANNA, Syncing, fill, syncing
from tests.http.victims import shorten_leases

pytestmark = pytest.mark.long

HOUR_S = 3600.0
SOON_S = 20.0
"""More than anything here takes; machines may be busy."""


def test_a_portal_that_is_away_for_hours_is_asked_rarely_and_found_again_within_minutes() -> None:
    """The arithmetic of six hours, each try failing, somebody looking all the time."""
    now = datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp()
    end, tries, failures, retry_at = now + 6 * HOUR_S, 0, 0, 0.0
    checked_at = now
    while now < end:
        at = {"since": 1, "retry_at": retry_at, "failures": failures}
        one = schedule.Standing(
            portal_id=1,
            timezone="UTC",
            watched_at=now,
            checked_at=checked_at,
            states=dict.fromkeys(sources.READ_ONCE, "ready"),
            cursors={"changes": at, "reconcile": {"day": "2026-11-23"}},
        )
        if schedule.REFRESH in schedule.due(one, now):
            tries, failures = tries + 1, failures + 1
            retry_at = now + trouble.wait_s(Unreachable("refused", "nobody there"), failures, now)
        now += 1
    assert 6 * HOUR_S / trouble.LAST_WAIT_S <= tries <= 6 * HOUR_S / trouble.LAST_WAIT_S + 10
    assert retry_at - end <= trouble.LAST_WAIT_S
    assert trouble.wait_s(Unreachable("refused", "nobody there"), 10_000, now) == trouble.LAST_WAIT_S


@contextmanager
def working(portal: Syncing, redis_url: str | None = None) -> Iterator[Jobs]:
    """Background work on a portal that somebody looks at, once everything is read."""
    settings = replace(portal.parts.settings, redis_url=redis_url)
    jobs = Jobs(settings)
    portal.parts = replace(portal.parts, jobs=jobs, budgets=budget.open_budgets(redis_url))
    jobs.start(portal.parts)
    try:
        assert eventually(lambda: portal.state().complete, within_s=SOON_S)
        yield jobs
    finally:
        jobs.stop()


def arrives(portal: Syncing) -> bool:
    """Whether a change on the portal is stored without anybody but the workers asking for it."""
    deal_id = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})

    def is_stored() -> bool:
        freshness.touch(portal.parts, 1)
        return deal_id in portal.stored_deals()

    return eventually(is_stored, within_s=SOON_S)


def is_whole(portal: Syncing) -> None:
    """A check more, and what is stored is what the portal holds."""
    assert eventually(lambda: refresh.run(portal.parts, 1), within_s=SOON_S)
    portal.check()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours in seconds: waits after failures and between checks are hundreds of times shorter."""
    monkeypatch.setattr(trouble, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(trouble, "LAST_WAIT_S", 0.5)
    monkeypatch.setattr(client, "BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(freshness, "FRESH_S", 0.2)
    monkeypatch.setattr(schedule, "FRESH_S", 0.2)
    monkeypatch.setattr(claims, "LEASE_S", claims.LEASE_S)
    monkeypatch.setattr(claims, "BEAT_S", claims.BEAT_S)
    shorten_leases(0.5)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kind", ["closed", "503"])
def test_work_goes_on_by_itself_after_an_outage_of_the_portal(
    engine: Engine, database_url: str, tmp_path: Path, kind: str
) -> None:
    with syncing(engine, database_url, tmp_path) as portal, working(portal):
        fill(portal.portal, deals=20)
        assert arrives(portal)
        if kind == "closed":
            portal.emulator.close_portal(portal.portal)
        else:
            portal.emulator.faults(portal.portal).add(kind, times=None)
        gone = [row["id"] for row in portal.portal.records["deal"]][:5]
        for deal_id in gone:
            crm.delete_item(portal.portal, "deal", deal_id)
        requests, away_s = portal.http_requests(), 2.0
        until = time.monotonic() + away_s
        while time.monotonic() < until:
            freshness.touch(portal.parts, 1)
            time.sleep(0.05)
        # Doubling waits up to the longest; a call is tried a few times in each.
        most = 6 + away_s / trouble.LAST_WAIT_S + 1
        assert portal.http_requests() - requests <= most * client.max_tries(Unreachable("", "")) * 2
        if kind == "closed":
            portal.emulator.open_portal(portal.portal)
        else:
            portal.emulator.faults(portal.portal).clear()
        assert arrives(portal)
        assert eventually(lambda: portal.stored_deals().keys().isdisjoint(gone), within_s=SOON_S)
        assert eventually(lambda: portal.state().problems == (), within_s=SOON_S)
        is_whole(portal)


@pytest.mark.usefixtures("hurried")
def test_work_goes_on_by_itself_after_a_restart_of_redis(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    with redis_server(tmp_path) as server, syncing(engine, database_url, tmp_path) as portal:
        fill(portal.portal, deals=20)
        with working(portal, server.url) as jobs:
            assert arrives(portal)
            server.kill()
            changed = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
            # No worker hears of anything now. Who waits for a live read gets one all the same.
            freshness.touch(portal.parts, 1, wait_s=SOON_S, max_age_s=0.0)
            assert changed in portal.stored_deals()
            server.start()
            assert arrives(portal)
            assert jobs.waiting() < 10
            is_whole(portal)


@pytest.mark.usefixtures("hurried")
def test_work_goes_on_by_itself_after_a_restart_of_the_database(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "pg")
    engine = open_engine(server.url)
    try:
        metadata.create_all(engine)
        with syncing(engine, server.url, tmp_path) as portal, working(portal):
            fill(portal.portal, deals=20)
            assert arrives(portal)
            server.kill()
            changed = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
            freshness.touch(portal.parts, 1)  # whoever looks is not hurt by it
            time.sleep(1)
            server.start()
            assert eventually(lambda: arrives(portal), within_s=SOON_S)
            assert changed in portal.stored_deals()
            is_whole(portal)
    finally:
        engine.dispose()
        server.close()
