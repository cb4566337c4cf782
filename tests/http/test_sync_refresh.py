"""What changes in a portal arrives: in one batch, shared by all who look, through crashes and outages."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from b24app import audit, tables
from b24app.rest.budget import Budgets
from b24app.rest.limits import CLOUD
from b24app.store import kept_sums
from b24app.sync import freshness, reconcile, refresh, schedule
from emulator import crm, seed
from tests.http.reading import eventually
from tests.http.syncing import ANNA, BORIS, Syncing, fill, syncing


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        fill(found.portal, deals=30, leads=10, days=40)
        found.first_read()
        found.settle()
        yield found


def age_reference(portal: Syncing) -> None:
    """Let the short lists be due again."""
    change_cursor(portal, "changes", reference_at=0)


def change_cursor(portal: Syncing, source: str, **values: Any) -> None:
    cursor = {**portal.source(source)["cursor"], **values}
    with portal.parts.engine.begin() as conn:
        conn.execute(
            update(tables.sync_sources).where(tables.sync_sources.c.source == source).values(cursor=cursor)
        )


def some_deal(portal: Syncing, **wanted: Any) -> int:
    for row in portal.portal.records["deal"]:
        if all(row[name] == value for name, value in wanted.items()):
            return int(row["id"])
    raise LookupError(wanted)


def test_all_kinds_of_changes_arrive_in_one_request(portal: Syncing) -> None:
    made = portal.portal
    refresh.run(portal.parts, 1)
    before = portal.row().data_version
    crm.add_item(made, "deal", {"opportunity": Decimal("10.01"), "assignedById": ANNA})
    crm.move_deal(made, some_deal(portal, stageId="NEW"), "EXECUTING")
    crm.update_item(made, "deal", some_deal(portal, assignedById=ANNA), {"assignedById": BORIS})
    crm.update_item(made, "deal", some_deal(portal), {"opportunity": Decimal("77"), "currencyId": "USD"})
    crm.move_lead(made, crm.add_item(made, "lead", {}), "CONVERTED")
    crm.delete_item(made, "deal", some_deal(portal, assignedById=BORIS))
    crm.delete_item(made, "lead", next(iter(made.records["lead"]))["id"])
    requests = portal.http_requests()
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 1
    portal.check()
    assert portal.row().data_version > before


def test_nothing_new_changes_nothing_and_costs_one_request(portal: Syncing) -> None:
    assert refresh.run(portal.parts, 1)
    before, requests = portal.row(), portal.http_requests()
    assert refresh.run(portal.parts, 1)
    after = portal.row()
    assert after.data_version == before.data_version
    assert after.checked_at > before.checked_at
    assert portal.http_requests() == requests + 1
    assert portal.state().as_of == datetime.fromtimestamp(int(after.checked_at), UTC)


def test_a_change_within_the_second_of_the_last_check_is_not_missed(portal: Syncing) -> None:
    made, deal_id = portal.portal, some_deal(portal, stageId="NEW")
    for amount in range(1, 6):
        crm.update_item(made, "deal", deal_id, {"opportunity": Decimal(amount)})
        assert refresh.run(portal.parts, 1)
        portal.check()


def test_more_changes_than_a_page_holds_all_arrive(portal: Syncing) -> None:
    for _ in range(160):
        crm.add_item(portal.portal, "deal", {"assignedById": ANNA})
    for row in list(portal.portal.records["deal"])[:70]:
        crm.delete_item(portal.portal, "deal", row["id"])
    assert refresh.run(portal.parts, 1)
    portal.check()

    def is_emptied() -> bool:  # what came within the second of a look stays for the next one
        return refresh.run(portal.parts, 1) and queue_length(portal) == 0

    assert eventually(is_emptied)
    portal.check()


def test_an_entry_renewed_after_the_look_stays_in_the_queue(portal: Syncing) -> None:
    made, deal_id = portal.portal, some_deal(portal, stageId="NEW")
    crm.update_item(made, "deal", deal_id, {"opportunity": Decimal(1)})
    portal.emulator.clock.advance(1)
    assert refresh.run(portal.parts, 1)  # listed, and to be taken out by the next check
    crm.update_item(made, "deal", deal_id, {"opportunity": Decimal(2)})
    other = some_deal(portal, stageId="EXECUTING")
    crm.update_item(made, "deal", other, {"opportunity": Decimal(3)})
    portal.emulator.clock.advance(1)
    assert refresh.run(portal.parts, 1)
    assert queue_length(portal) == 2
    assert refresh.run(portal.parts, 1)
    assert queue_length(portal) == 0
    portal.check()


def queue_length(portal: Syncing) -> int:
    queues = portal.emulator.events(portal.portal).offline
    return sum(len(rows) for rows in queues.values())


def test_a_won_deal_that_is_reopened_is_not_won_any_more(portal: Syncing) -> None:
    deal_id = some_deal(portal, stageSemanticId="S")
    crm.move_deal(portal.portal, deal_id, "EXECUTING")
    assert refresh.run(portal.parts, 1)
    portal.check()
    assert portal.stored_deals()[deal_id][3] == "P"


@pytest.mark.parametrize("rewrites", [False, True])
def test_history_follows_reopening_and_another_pipeline(portal: Syncing, rewrites: bool) -> None:
    made = portal.portal
    made.rewrites_history = rewrites  # as older portals do
    other = seed.add_pipeline(made, "Service")
    crm.move_deal(made, some_deal(portal, stageSemanticId="S"), "NEW")
    crm.update_item(made, "deal", some_deal(portal, stageSemanticId="P"), {"categoryId": other})
    assert refresh.run(portal.parts, 1)
    portal.check()


def test_a_crash_between_reading_and_storing_loses_no_deletion(portal: Syncing) -> None:
    made = portal.portal
    deal_id = some_deal(portal)
    crm.delete_item(made, "deal", deal_id)
    for _ in range(120):
        crm.add_item(made, "deal", {"assignedById": ANNA})
    # The first request is answered and lists the deletion; the one for the further pages fails for good.
    portal.emulator.faults(made).add(kind="200_error", times=1, skip=1, method="batch")
    assert not refresh.run(portal.parts, 1)
    assert deal_id in portal.stored_deals()
    assert refresh.run(portal.parts, 1)
    portal.check()


def test_an_answer_that_gets_lost_is_asked_for_again(portal: Syncing) -> None:
    made = portal.portal
    crm.delete_item(made, "deal", some_deal(portal))
    refresh.run(portal.parts, 1)  # what it names is taken out of the queue by the next check
    crm.delete_item(made, "deal", some_deal(portal))
    portal.emulator.faults(made).add(kind="lost_answer", times=1, method="batch")
    refresh.run(portal.parts, 1)
    refresh.run(portal.parts, 1)
    portal.check()


def test_an_outage_of_hours_is_caught_up_with(portal: Syncing) -> None:
    made = portal.portal
    portal.emulator.close_portal(made)
    started = time.monotonic()
    freshness.touch(portal.parts, 1, wait_s=0.5)
    assert time.monotonic() - started < 3, "a closed portal must not hold up a page"
    for _ in range(60):
        crm.add_item(made, "deal", {"assignedById": BORIS})
    crm.delete_item(made, "deal", some_deal(portal))
    portal.emulator.open_portal(made)
    # The check that the touch began may still be trying: it, or this one, succeeds.
    assert eventually(lambda: refresh.run(portal.parts, 1), within_s=20)
    portal.check()
    assert portal.state().problems == ()


def test_a_failing_portal_is_noted_and_left_in_peace_for_a_while(portal: Syncing) -> None:
    portal.emulator.faults(portal.portal).add(kind="200_error", times=None, method="batch")
    assert not refresh.run(portal.parts, 1)
    assert "portal_failing:error_core" in portal.state().problems
    portal.emulator.faults(portal.portal).clear()
    requests = portal.http_requests()
    freshness.touch(portal.parts, 1, wait_s=1)
    assert portal.http_requests() == requests
    change_cursor(portal, "changes", retry_at=0)
    freshness.touch(portal.parts, 1, wait_s=5, max_age_s=0.0)
    assert portal.state().problems == ()


def test_an_unpaid_app_is_shown_and_works_again_once_paid(portal: Syncing) -> None:
    portal.emulator.set_payment(portal.portal, is_unpaid=True, tell=False)
    assert not refresh.run(portal.parts, 1)
    assert portal.row().state == "unpaid"
    assert portal.state().problems[0] == "unpaid"
    portal.emulator.set_payment(portal.portal, is_unpaid=False, tell=False)
    assert refresh.run(portal.parts, 1)
    assert portal.row().state == "active"


def test_a_deleted_portal_is_asked_no_more(portal: Syncing) -> None:
    portal.emulator.site(portal.portal).is_deleted = True
    assert not refresh.run(portal.parts, 1)
    assert portal.row().state == "gone"
    requests = portal.http_requests()
    freshness.touch(portal.parts, 1, wait_s=1)
    assert portal.http_requests() == requests


def test_without_a_queue_counts_tell_of_deletions(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with syncing(engine, database_url, tmp_path, binds=False) as portal:
        fill(portal.portal, deals=30, leads=5, days=100)
        portal.first_read()
        assert refresh.run(portal.parts, 1)
        assert portal.source("changes")["cursor"]["has_queue"] is False
        age_reference(portal)
        assert refresh.run(portal.parts, 1)
        crm.delete_item(portal.portal, "deal", some_deal(portal))
        crm.delete_item(portal.portal, "lead", next(iter(portal.portal.records["lead"]))["id"])
        age_reference(portal)
        assert refresh.run(portal.parts, 1)
        # Something may have been deleted while it was counted: the next check counts again.
        assert "is_asked" not in portal.source("reconcile")["cursor"]
        assert refresh.run(portal.parts, 1)
        assert portal.source("reconcile")["cursor"]["is_asked"]
        with portal.parts.engine.connect() as conn:
            standing = schedule.load_some(conn)[0]
        assert schedule.RECONCILE in schedule.due(standing, time.time())
        assert reconcile.run(portal.parts, 1) == {"deals": 1, "leads": 1}
        portal.check()


def test_a_difference_that_is_gone_when_counted_again_compares_nothing(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    with syncing(engine, database_url, tmp_path, binds=False) as portal:
        fill(portal.portal, deals=30, leads=5, days=100)
        portal.first_read()
        assert refresh.run(portal.parts, 1)
        with portal.parts.engine.begin() as conn:  # as if made between list and count
            kept = dict(conn.execute(select(tables.deals).limit(1)).one()._mapping)
            mine = (tables.deals.c.portal_id == 1, tables.deals.c.deal_id == kept["deal_id"])
            conn.execute(delete(tables.deals).where(*mine))
        age_reference(portal)
        assert refresh.run(portal.parts, 1)
        assert portal.source("changes")["cursor"]["differs"]
        with portal.parts.engine.begin() as conn:
            conn.execute(insert(tables.deals).values(kept))
        assert refresh.run(portal.parts, 1)
        assert not portal.source("changes")["cursor"]["differs"]
        assert "is_asked" not in portal.source("reconcile")["cursor"]


def test_kept_sums_that_went_wrong_are_made_anew_at_night(portal: Syncing) -> None:
    engine = portal.parts.engine
    with engine.begin() as conn:
        conn.execute(update(tables.sums_cohort).values(cohort_deals=tables.sums_cohort.c.cohort_deals + 1))
        assert kept_sums.differing(conn, 1) == ["sums_cohort"]
    reconcile.run(portal.parts, 1)
    with engine.connect() as conn:
        assert kept_sums.differing(conn, 1) == []


def test_a_reader_who_lost_rights_does_not_empty_the_store(portal: Syncing) -> None:
    for user in portal.portal.records["user"]:
        if user["ID"] == 1:
            portal.portal.change("user", 1, IS_ADMIN=False)
    age_reference(portal)
    before = set(portal.stored_deals())
    refresh.run(portal.parts, 1)
    age_reference(portal)
    refresh.run(portal.parts, 1)
    reconcile.run(portal.parts, 1)
    assert set(portal.stored_deals()) == before
    assert "reader_not_admin" in portal.state().problems
    assert not portal.state().complete


def test_new_rates_people_and_stages_are_noticed(portal: Syncing) -> None:
    made = portal.portal
    euro = seed.add_currency(made, "EUR", amount="100")
    seed.add_user(made, "Clara", "New", departments=[1])
    age_reference(portal)
    assert refresh.run(portal.parts, 1)
    assert rates(portal) == {"RUB": 1, "EUR": 100}
    assert "Clara New" in {row["name"] for row in portal.rows(tables.users)}
    made.change("currency", euro, AMOUNT="110.5")
    assert refresh.run(portal.parts, 1)  # the queue names the currency …
    assert refresh.run(portal.parts, 1)  # … and the rates are read next
    assert rates(portal)["EUR"] == Decimal("110.5")


def test_as_many_pages_of_users_are_asked_for_as_there_are(portal: Syncing) -> None:
    for number in range(260):
        seed.add_user(portal.portal, f"User {number}", "New", departments=[1])
    age_reference(portal)
    asked = portal.emulator.counters(portal.portal).by_method["user.get"]
    assert refresh.run(portal.parts, 1)
    users = portal.rows(tables.users)
    assert len(users) > 260
    pages = portal.emulator.counters(portal.portal).by_method["user.get"] - asked
    assert pages == -(-len(users) // 50)


def test_a_check_does_not_wait_behind_a_first_read(portal: Syncing) -> None:
    parts = replace(portal.parts, budgets=Budgets())
    budget = parts.budgets.for_portal(portal.row().domain)
    while not budget.take({"crm.item.list": 1}, background=True):
        pass
    assert refresh.run(parts, 1)
    assert budget.used()[0] > CLOUD.ceiling(background=True)


def rates(portal: Syncing) -> dict[str, Decimal]:
    return {row["code"]: Decimal(row["amount"]) for row in portal.rows(tables.currencies)}


def test_the_nightly_comparison_repairs_what_nobody_told(portal: Syncing) -> None:
    made = portal.portal
    now = datetime.now(UTC).replace(microsecond=0)
    lost = crm.add_item(made, "deal", {"assignedById": ANNA}, at=now - timedelta(days=100))
    assert lost not in portal.stored_deals()
    ghost = max(made.records["deal"], key=lambda row: row["createdTime"])["id"]
    made.records["deal"].drop(ghost)  # nobody hears of it
    stored = Counter(row["created_day"].replace(day=1) for row in portal.rows(tables.deals))
    asked = len(portal.emulator.calls(made))
    repaired = reconcile.run(portal.parts, 1)
    assert repaired["deals"] == 2
    assert portal.stored_deals().keys() == {row["id"] for row in made.records["deal"]}
    assert portal.source("reconcile")["cursor"]["repaired"]["deals"] == 2
    # What differed and what was done about it is told; the other months were only counted.
    told = [one for one in portal.state().comparison.differences if one.source == "deals"]
    assert portal.state().comparison.is_whole
    assert [(one.stored, one.in_portal, one.repaired) for one in told] == [
        (stored[told[0].month], stored[told[0].month] + 1, 1),
        (stored[told[1].month], stored[told[1].month] - 1, 1),
    ]
    assert portal.source("reconcile")["cursor"]["differences"][0]["month"] == str(told[0].month)[:7]
    logged = [row for row in portal.rows(tables.audit) if row["action"] == audit.DATA_REPAIRED]
    assert [(row["actor_id"], row["subject"]) for row in logged if row["subject"] == "deals"] == [
        (None, "deals")
    ] * 2
    assert deal_months_read(portal, asked) == 2
    assert reconcile.run(portal.parts, 1).get("deals") is None
    assert portal.state().comparison.differences[: len(told)] == tuple(told)  # of the same night


def deal_months_read(portal: Syncing, asked: int) -> int:
    """Of how many stretches of time deals were read, not only counted, since so many calls."""
    pages = [
        params["filter"]
        for method, params in portal.emulator.calls(portal.portal)[asked:]
        if method == "crm.item.list" and str(params["entityTypeId"]) == "2" and str(params["start"]) == "-1"
    ]
    return len({(one.get(">=createdTime"), one.get("<createdTime")) for one in pages})


def test_the_nightly_comparison_takes_turns_where_there_is_much_to_count(
    portal: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = portal.portal
    now = datetime.now(UTC).replace(microsecond=0)
    lost = crm.add_item(made, "lead", {}, at=now - timedelta(days=100))
    change_cursor(portal, "reconcile", day="2026-01-01")
    monkeypatch.setattr(reconcile, "TURN_REQUESTS", 0)  # one list a turn
    turns = 0
    while True:
        requests = portal.http_requests()
        reconcile.run(portal.parts, 1)
        turns += 1
        at = portal.source("reconcile")["cursor"]
        if "compared" not in at:
            break
        assert portal.http_requests() - requests <= 2
        assert at["day"] == "2026-01-01"
        assert at["retry_at"] == pytest.approx(time.time() + 3600, abs=60)
        assert len(at["compared"]) == turns
    assert turns > 3
    assert lost in {row["lead_id"] for row in portal.rows(tables.leads)}
    assert {one.source for one in portal.state().comparison.differences} == {"leads"}
    with portal.parts.engine.connect() as conn:
        assert schedule.due(schedule.load_some(conn)[0], time.time()) == ()


def test_however_many_look_the_portal_is_asked_once(portal: Syncing) -> None:
    requests = portal.http_requests()
    portal.set_portal(checked_at=time.time() - 60)
    crm.move_deal(portal.portal, some_deal(portal, stageId="NEW"), "WON")
    threads = [
        threading.Thread(target=freshness.touch, args=(portal.parts, 1), kwargs={"wait_s": 10})
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert portal.http_requests() == requests + 1
    portal.check()
    freshness.touch(portal.parts, 1, wait_s=10)  # within five seconds nobody asks again
    assert portal.http_requests() == requests + 1


def test_who_asks_for_a_live_read_gets_one(portal: Syncing) -> None:
    for stage in ("PREPARATION", "EXECUTING", "WON"):
        crm.move_deal(portal.portal, deal := some_deal(portal, stageSemanticId="P"), stage)
        freshness.touch(portal.parts, 1, wait_s=10, max_age_s=0.0)
        assert portal.stored_deals()[deal][2] == stage


def test_a_portal_that_hangs_costs_who_looks_no_more_than_they_wait(portal: Syncing) -> None:
    portal.emulator.faults(portal.portal).add(kind="hang", times=1)
    portal.set_portal(checked_at=None)
    started = time.monotonic()
    freshness.touch(portal.parts, 1, wait_s=0.3)
    assert time.monotonic() - started < 2


def test_looking_is_remembered(portal: Syncing) -> None:
    freshness.touch(portal.parts, 1)
    watched = portal.row().watched_at
    assert watched == pytest.approx(time.time(), abs=5)
    freshness.touch(portal.parts, 99)  # nobody there: no trouble
