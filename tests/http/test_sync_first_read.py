"""The first read, over HTTP: everything once, newest first, through outages and kills."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from b24app import bootstrap, tables
from b24app.rest.limits import ENTERPRISE
from b24app.store.org import load_org
from b24app.sync import first_read, refresh
from b24app.sync.state import SOURCES
from emulator import crm, seed
from tests.http.syncing import ANNA, BORIS, Syncing, fill, syncing


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


def test_everything_is_read_once_and_called_complete(portal: Syncing) -> None:
    fill(portal.portal, deals=230, leads=120)
    assert not portal.state().complete
    portal.first_read()
    portal.check()
    found = portal.state()
    assert found.complete
    assert found.progress == 1.0
    assert found.problems == ()
    assert {source.state for source in found.sources} == {"ready"}
    assert [source.source for source in found.sources] == list(SOURCES)
    assert found.gap("deals") is None
    assert portal.row().uses_leads is True
    assert portal.row().reader_is_admin is True
    with portal.parts.engine.connect() as conn:
        org = load_org(conn, 1)
    assert {ANNA, BORIS} <= org.employees()
    stages = portal.rows(tables.stages)
    assert ("WON", "S") in {(row["stage_id"], row["semantics"]) for row in stages}
    assert [row["code"] for row in portal.rows(tables.currencies) if row["is_base"]] == ["RUB"]
    portal.first_read()  # all is read: nothing to do, nothing harmed
    portal.check()


def test_an_empty_portal_is_read_in_a_moment(portal: Syncing) -> None:
    portal.first_read()
    assert portal.state().complete
    portal.check()


def test_more_people_and_departments_than_fit_a_page_are_all_read(portal: Syncing) -> None:
    for number in range(2, 75):
        seed.add_department(portal.portal, f"Department {number}", parent_id=1)
    for number in range(120):
        seed.add_user(portal.portal, f"User {number}", "Employee", departments=[1 + number % 70])
    portal.first_read()
    with portal.parts.engine.connect() as conn:
        org = load_org(conn, 1)
    assert len(org.users) == len(list(portal.portal.records["user"]))
    assert len(org.departments) == 74


def test_the_running_month_is_there_before_the_rest(portal: Syncing) -> None:
    fill(portal.portal, deals=260, leads=60, days=300)
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(1)
        return True

    month = datetime.now(ZoneInfo("Europe/Moscow")).date().replace(day=1)
    while not first_read.run(portal.parts, 1, is_over=is_over):
        found = portal.state()
        assert not found.complete
        since = found.covered_from("deals")
        if since is not None:
            assert since <= month
            assert found.covers("deals", month)
            start = int(
                datetime(since.year, since.month, since.day, tzinfo=ZoneInfo("Europe/Moscow")).timestamp()
            )
            moved = {
                row["id"] for row in portal.portal.records["deal"] if row["movedTime"].timestamp() >= start
            }
            assert moved <= portal.stored_deals().keys()
    assert asked, "one slice was enough: the portal is too small for this test"
    assert portal.state().covers("deals", date.min)
    portal.check()


def test_leads_of_deals_won_this_month_are_there_with_them(portal: Syncing) -> None:
    now = datetime.now(UTC)
    old = crm.add_item(portal.portal, "lead", {}, at=now - timedelta(days=200))
    fill(portal.portal, deals=0, leads=70, days=190)
    deal = crm.add_item(portal.portal, "deal", {"leadId": old}, at=now - timedelta(days=150))
    crm.move_deal(portal.portal, deal, "WON", at=now)
    fill(portal.portal, deals=700, days=190)
    first_read.run(portal.parts, 1, is_over=lambda: True)
    assert portal.state().covered_from("deals") is not None
    assert old in {row["lead_id"] for row in portal.rows(tables.leads)}


def test_what_changes_during_the_read_is_not_undone(portal: Syncing) -> None:
    fill(portal.portal, deals=400, days=300)
    assert not first_read.run(portal.parts, 1, is_over=lambda: True)
    ids = [row["id"] for row in portal.portal.records["deal"]]
    crm.move_deal(portal.portal, ids[0], "WON")
    crm.delete_item(portal.portal, "deal", ids[1])
    crm.delete_item(portal.portal, "deal", ids[-1])
    crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
    assert refresh.run(portal.parts, 1)
    while not first_read.run(portal.parts, 1, is_over=lambda: True):
        pass
    portal.check()


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["500", "garbage", "close", "half_body", "503", "html500"])
def test_a_stumbling_portal_is_read_to_the_end(portal: Syncing, kind: str) -> None:
    fill(portal.portal, deals=60)
    portal.emulator.faults(portal.portal).add(kind=kind, times=2, skip=1)
    portal.first_read()
    portal.check()


@pytest.mark.parametrize("kind", ["200_error", "403", "scope"])
def test_an_outage_is_noted_and_reading_goes_on_afterwards(portal: Syncing, kind: str) -> None:
    fill(portal.portal, deals=300, days=300)
    assert not first_read.run(portal.parts, 1, is_over=lambda: True)
    before = len(portal.stored_deals())
    portal.emulator.faults(portal.portal).add(kind=kind, times=None, method="batch")
    assert not first_read.run(portal.parts, 1)
    found = portal.state()
    assert not found.complete
    assert any(problem.startswith("failing:") for problem in found.problems)
    assert portal.source("first_read")["cursor"]["retry_at"] > time.time()
    assert len(portal.stored_deals()) == before
    portal.emulator.faults(portal.portal).clear()
    portal.first_read()
    portal.check()
    assert portal.state().problems == ()


def test_a_missing_scope_switches_its_sources_off_and_the_others_go_on(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    with syncing(engine, database_url, tmp_path, binds=False, scopes={"user_brief", "department"}) as portal:
        fill(portal.portal, deals=5)
        assert first_read.run(portal.parts, 1)
        found = portal.state()
        assert (found.source("deals").state, found.source("deals").reason) == ("off", "missing_scope")
        assert found.gap("deals") == "missing_scope"
        assert "missing_scope:deals" in found.problems
        assert found.source("users").state == "ready"
        # The scope is granted: the next look at the short lists finds it out.
        portal.emulator.app(portal.portal).scopes |= {"crm"}
        portal.set_token(1)
        assert refresh.run(portal.parts, 1)
        with portal.parts.engine.begin() as conn:
            row = portal.source("changes")
            conn.execute(
                update(tables.sync_sources)
                .where(tables.sync_sources.c.source == "changes")
                .values(cursor={**row["cursor"], "reference_at": 0})
            )
        assert refresh.run(portal.parts, 1)
        portal.first_read()
        portal.check()
        assert portal.state().gap("deals") is None


def test_a_reader_who_does_not_see_everything_is_never_called_complete(portal: Syncing) -> None:
    fill(portal.portal, deals=40)
    portal.set_token(ANNA)
    portal.first_read()
    found = portal.state()
    assert not found.complete
    assert "reader_not_admin" in found.problems
    owners = {row["owner_id"] for row in portal.rows(tables.deals)}
    assert owners == {ANNA}


def test_an_admin_who_takes_over_the_reading_sees_the_rest(portal: Syncing) -> None:
    fill(portal.portal, deals=40)
    portal.set_token(ANNA)
    portal.first_read()
    portal.set_token(1)
    with portal.parts.engine.begin() as conn:
        row = portal.source("changes")
        conn.execute(
            update(tables.sync_sources)
            .where(tables.sync_sources.c.source == "changes")
            .values(cursor={**row["cursor"], "reference_at": 0})
        )
    assert refresh.run(portal.parts, 1)
    assert portal.state().covers("deals", date.min)  # what was known stays shown
    portal.first_read()
    portal.check()
    assert portal.state().complete


def test_a_portal_without_leads_says_so(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with syncing(engine, database_url, tmp_path, uses_leads=False) as portal:
        portal.first_read()
        assert portal.row().uses_leads is False
        assert portal.state().complete


@pytest.mark.parametrize("quirk", ["uncounted_total_is_zero", "empty_links_are_null"])
def test_portals_that_answer_differently_are_read_alike(portal: Syncing, quirk: str) -> None:
    setattr(portal.emulator.site(portal.portal).quirks, quirk, True)
    fill(portal.portal, deals=60, leads=10)
    portal.first_read()
    portal.check()


def test_the_plan_that_says_what_the_portal_allows_is_kept(portal: Syncing) -> None:
    portal.emulator.site(portal.portal).license = "de_ent250"
    portal.first_read()
    assert portal.row().license == "de_ent250"
    parts = bootstrap.build(portal.parts.settings)
    parts.client(1).call("profile")
    assert parts.budgets.for_portal(portal.portal.domain).rate() == ENTERPRISE
    parts.close()


def test_deals_without_a_moment_are_read_too(portal: Syncing) -> None:
    fill(portal.portal, deals=120, days=300)
    for row in list(portal.portal.records["deal"])[::40]:
        portal.portal.change("deal", row["id"], movedTime=None)
    portal.first_read()
    assert portal.stored_deals().keys() == {row["id"] for row in portal.portal.records["deal"]}
    assert portal.state().complete


def test_waiting_for_the_portal_to_allow_more_is_no_failure(portal: Syncing) -> None:
    fill(portal.portal, deals=60, days=300)
    assert not first_read.run(portal.parts, 1, is_over=lambda: True)
    budget = portal.parts.budgets.for_portal(portal.portal.domain)
    budget.block("crm.stagehistory.list", time.time() + 300)
    requests = portal.http_requests()
    assert not first_read.run(portal.parts, 1)
    # The other lists are read meanwhile, each page once.
    assert portal.state().covers("leads", date.min)
    assert portal.http_requests() - requests < 30
    row = portal.source("first_read")
    assert row["error"] is None
    assert 200 < row["cursor"]["retry_at"] - time.time() <= 301
    assert portal.state().problems == ()


def test_a_second_runner_leaves_the_first_one_alone(portal: Syncing) -> None:
    requests = portal.http_requests()
    with portal.parts.engine.begin() as conn:
        conn.execute(
            tables.sync_sources.insert().values(
                portal_id=1, source="first_read", state="ready", claimed_at=time.time()
            )
        )
    assert not first_read.run(portal.parts, 1)
    assert portal.http_requests() == requests
    assert portal.rows(tables.users) == []
