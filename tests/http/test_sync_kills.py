"""Processes killed at any moment: after a restart nothing is lost and nothing counted twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from b24app import tables
from b24app.jobs.queue import Jobs
from b24app.sync import claims, first_read, reconcile, refresh
from emulator import crm
from tests.http.dirty_company import ADMIN, Company, dirty_company
from tests.http.reading import eventually
from tests.http.syncing import ANNA, BORIS, Syncing, fill, syncing, true_deals
from tests.http.test_plain_kpis import Asking, change
from tests.http.victims import Victim, let_claims_run_out, shorten_leases

pytestmark = pytest.mark.long

MANY = 200
"""More points than any of these works has."""
SOON_S = 90.0
"""More than anything here takes; machines may be busy."""


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


def fill_far(portal: Syncing) -> None:
    """Few deals whose ids reach far: more than one request can ask for at once."""
    fill(portal.portal, deals=900, leads=100, days=300)
    made = portal.portal
    for number, row in enumerate(list(made.records["deal"])):
        if number % 2:
            crm.delete_item(made, "deal", row["id"])
    made.last_ids["deal"] += 9_000
    made.last_ids["stage_history"] += 4_000
    fill(portal.portal, deals=500, days=300, seed_=2)


def unread(portal: Syncing) -> dict[str, int]:
    """How many ids of the windows that are being read are left, by list and window."""
    return {
        f"{row['source']} {row['cursor']['step']}": sum(
            last - first + 1 for first, last in row["cursor"].get("unread") or ()
        )
        for row in portal.rows(tables.sync_sources)
        if row["cursor"].get("unread")
    }


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


def dies_at(portal: Syncing, work: str, point: int) -> bool:
    """Whether the work was killed at that point; False: it was done before."""
    is_finished = Victim(portal.parts.settings, work, point=point).is_finished()
    let_claims_run_out(portal.parts.engine)
    return not is_finished


def test_a_first_read_killed_again_and_again_ever_later_loses_nothing(portal: Syncing) -> None:
    fill(portal.portal, deals=200, leads=40, days=300)
    chance = random.Random(3)
    died = 0
    for point in range(1, MANY, 3):
        if not dies_at(portal, "first_read", point):
            break
        died += 1
        change_something(portal, chance)
        if died % 2:
            refresh.run(portal.parts, 1)  # as for those who look meanwhile
    assert died > 5
    assert portal.state().complete
    assert refresh.run(portal.parts, 1)
    portal.check()


def test_a_check_killed_between_any_two_steps_loses_nothing(portal: Syncing) -> None:
    """Before and after every request and commit: reading the queue, storing, taking out, noting success."""
    fill(portal.portal, deals=30, leads=10, days=40)
    portal.first_read()
    assert refresh.run(portal.parts, 1)
    made, chance = portal.portal, random.Random(7)
    died = 0
    for point in range(1, MANY):
        change_something(portal, chance)
        crm.delete_item(made, "deal", chance.choice([row["id"] for row in made.records["deal"]]))
        crm.add_item(made, "deal", {"assignedById": ANNA})
        if not dies_at(portal, "refresh", point):
            break
        died += 1
        if point % 4 == 1:
            dies_at(portal, "refresh", point // 2 + 1)  # and the next one, too
        assert refresh.run(portal.parts, 1), portal.state().problems
        portal.check()
    assert died > 8
    portal.check()


def test_a_comparison_killed_between_any_two_steps_repairs_everything_once(portal: Syncing) -> None:
    fill(portal.portal, deals=30, leads=10, days=40)
    portal.first_read()
    made = portal.portal
    long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100)
    lost = [crm.add_item(made, "lead", {}, at=long_ago) for _ in range(3)]  # nobody tells of them
    ghost = next(iter(made.records["deal"]))["id"]
    made.records["deal"].drop(ghost)
    died = 0
    for point in range(1, MANY, 2):
        if not dies_at(portal, "reconcile", point):
            break
        died += 1
    assert died > 5
    assert set(lost) <= {row["lead_id"] for row in portal.rows(tables.leads)}
    assert ghost not in portal.stored_deals()
    assert portal.state().comparison.is_whole
    assert portal.stored_deals() == true_deals(made)
    assert reconcile.run(portal.parts, 1) == {}


def test_a_read_by_several_requests_at_once_killed_in_the_middle_loses_and_doubles_nothing(
    portal: Syncing,
) -> None:
    fill_far(portal)
    portal.emulator.limits(portal.portal, cost_model=True, time_scale=0.3)
    left: list[dict[str, int]] = [{}]
    for _ in range(3):
        victim = Victim(portal.parts.settings, "first_read")
        until = time.monotonic() + 60
        while (at := unread(portal)) in ({}, left[-1]) and time.monotonic() < until:
            time.sleep(0.01)
        victim.kill()  # in the middle of a window, with more on its way
        let_claims_run_out(portal.parts.engine)
        left.append(at)
    assert {} not in left[1:]
    portal.emulator.limits(portal.portal, cost_model=False)
    assert first_read.run(portal.parts, 1)
    portal.check()
    assert portal.state().complete


def test_checks_killed_while_the_portal_changes_lose_nothing(portal: Syncing) -> None:
    fill(portal.portal, deals=40, leads=10, days=60)
    portal.first_read()
    chance = random.Random(5)
    for _ in range(6):
        victim = Victim(portal.parts.settings, "refreshing")
        until = time.monotonic() + 0.1 + chance.random() / 3
        while time.monotonic() < until:
            change_something(portal, chance)
            time.sleep(0.01)
        victim.kill()
        let_claims_run_out(portal.parts.engine)
    assert refresh.run(portal.parts, 1)
    portal.check()


def test_jobs_of_killed_workers_are_taken_over(portal: Syncing, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(portal.portal, deals=400, leads=50, days=300)
    # Slow enough that the kills come while it reads.
    portal.emulator.limits(portal.portal, cost_model=True, time_scale=0.1)
    chance = random.Random(9)
    for _ in range(5):
        victim = Victim(portal.parts.settings, "jobs", lease_s=0.5)
        until = time.monotonic() + 0.2 + chance.random()
        while time.monotonic() < until:
            change_something(portal, chance)
            time.sleep(0.05)
        victim.kill()  # its queue entries and claims stay as they are
    portal.emulator.limits(portal.portal, cost_model=False)
    monkeypatch.setattr(claims, "LEASE_S", claims.LEASE_S)
    monkeypatch.setattr(claims, "BEAT_S", claims.BEAT_S)
    shorten_leases(0.5)
    jobs = Jobs(portal.parts.settings)
    jobs.start(portal.parts)
    try:
        assert eventually(lambda: portal.state().complete, within_s=SOON_S)
    finally:
        jobs.stop()
    assert eventually(lambda: refresh.run(portal.parts, 1), within_s=SOON_S)
    portal.check()


def test_numbers_are_the_plain_ones_after_kills_at_any_moment(database_url: str, tmp_path: Path) -> None:
    """All sources and all KPIs: first read and checks killed again and again while the portal changes."""
    chance = random.Random(11)

    def read(company: Company) -> None:
        for point in range(3, MANY, 4):
            if Victim(company.settings_of_app, "first_read", point=point).is_finished():
                break
            let_claims_run_out(company.parts.engine)
        assert first_read.run(company.parts, 1)

    with dirty_company(database_url, tmp_path, 4, read=read) as company:
        for _ in range(2):
            victim = Victim(company.settings_of_app, "refreshing")
            change(company)
            time.sleep(chance.random() / 2)
            victim.kill()
            let_claims_run_out(company.parts.engine)
        company.let_short_lists_come_due()
        for _ in range(2):  # the short lists, then the latest rows of lists that are rewritten
            company.catch_up(company.token(ADMIN))
        Asking(company, 4).ask_all_at_once()
