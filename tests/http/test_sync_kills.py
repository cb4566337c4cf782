"""Processes killed at any moment: after a restart nothing is lost and nothing counted twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from b24app import tables
from b24app.sync import first_read, refresh
from emulator import crm
from tests.http.syncing import ANNA, BORIS, Syncing, fill, syncing

WORKER = textwrap.dedent(
    """
    import json, sys, time
    from pathlib import Path
    from b24app import bootstrap
    from b24app.config import Settings
    from b24app.sync import first_read, refresh
    values = json.loads(sys.argv[1])
    parts = bootstrap.build(Settings(
        client_id=values["client_id"], client_secret=values["client_secret"],
        oauth_urls=(values["auth_url"],), database_url=values["database_url"],
        secret_keys=("a key of the tests",), var_dir=Path(values["var_dir"]), allow_private_portals=True))
    print("begins", flush=True)
    if sys.argv[2] == "first_read":
        first_read.run(parts, 1)
    while sys.argv[2] == "refresh":
        refresh.run(parts, 1)
        time.sleep(0.02)
    """
)


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


class Victim:
    """A worker process that can be killed."""

    def __init__(self, portal: Syncing, work: str) -> None:
        settings = portal.parts.settings
        values = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "auth_url": settings.oauth_urls[0],
            "database_url": settings.database_url,
            "var_dir": str(settings.var_dir),
        }
        self._portal = portal
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(values), work], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def kill(self) -> None:
        """Kills it without a chance to tidy up, and lets its claims run out."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        with self._portal.parts.engine.begin() as conn:
            conn.execute(update(tables.sync_sources).values(claimed_at=None))
            conn.execute(update(tables.portals).values(checking_since=None))


def test_a_first_read_killed_again_and_again_loses_nothing(portal: Syncing) -> None:
    fill(portal.portal, deals=600, leads=100, days=300)
    # Slow enough that the kills come while it reads.
    portal.emulator.limits(portal.portal, cost_model=True, time_scale=0.2)
    for after_s in (0.15, 0.35, 0.6):
        victim = Victim(portal, "first_read")
        time.sleep(after_s)
        victim.kill()
    portal.emulator.limits(portal.portal, cost_model=False)
    first_read.run(portal.parts, 1)
    portal.check()
    assert portal.state().complete


def test_checks_killed_while_the_portal_changes_lose_nothing(portal: Syncing) -> None:
    fill(portal.portal, deals=40, leads=10, days=60)
    portal.first_read()
    chance = random.Random(5)
    for _ in range(3):
        victim = Victim(portal, "refresh")
        until = time.monotonic() + 0.4 + chance.random() / 3
        while time.monotonic() < until:
            change_something(portal, chance)
            time.sleep(0.01)
        victim.kill()
    assert refresh.run(portal.parts, 1)
    portal.check()


def change_something(portal: Syncing, chance: random.Random) -> None:
    made = portal.portal
    ids = [row["id"] for row in made.records["deal"]]
    deal_id = chance.choice(ids)
    what = chance.randrange(5)
    if what == 0:
        crm.add_item(made, "deal", {"assignedById": chance.choice((ANNA, BORIS))})
    elif what == 1 and len(ids) > 10:
        crm.delete_item(made, "deal", deal_id)
    elif what == 2:
        crm.update_item(made, "deal", deal_id, {"assignedById": chance.choice((ANNA, BORIS))})
    else:
        crm.move_deal(made, deal_id, chance.choice(("NEW", "EXECUTING", "WON", "LOSE")))
