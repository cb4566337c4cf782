"""The doctor over an emulated portal: what goes wrong there comes out as words."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, update

from b24app import migrations, tables
from b24app.doctor import look, rules
from emulator.site import ALL_SCOPES
from tests.http.processes import COMMAND, environment
from tests.http.syncing import ANNA, Syncing, fill, syncing


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as made:
        fill(made.portal, deals=20)
        made.first_read()
        made.set_portal(checked_at=time.time(), scopes=",".join(sorted(ALL_SCOPES)))
        yield made


def found(portal: Syncing) -> dict[str, bool]:
    """The codes of the findings; whether they are notes."""
    patient = look.portal(portal.parts, portal.row().member_id)
    assert patient is not None
    return {finding.code: finding.is_note for finding in rules.of_portal(patient, time.time())}


def troubles(portal: Syncing) -> list[str]:
    return [code for code, is_note in found(portal).items() if not is_note]


@pytest.mark.one_database
def test_a_portal_that_was_read_is_well_and_asked_by_one_request(portal: Syncing) -> None:
    before = portal.http_requests()
    assert troubles(portal) == []
    assert portal.http_requests() - before == 1


def test_a_token_that_cannot_be_refreshed_is_dead(portal: Syncing) -> None:
    portal.emulator.revoke_tokens(portal.portal)
    assert troubles(portal) == ["portal_token_dead"]
    assert troubles(portal) == ["token_dead", "portal_token_dead"]  # by now it stands in the database too


@pytest.mark.one_database
def test_a_portal_that_is_away_cannot_be_reached(portal: Syncing) -> None:
    portal.emulator.close_portal(portal.portal)
    assert troubles(portal) == ["portal_unreachable"]


@pytest.mark.one_database
def test_what_a_portal_refuses_is_told_by_its_kind(portal: Syncing) -> None:
    faults = portal.emulator.faults(portal.portal)
    told = {}
    for kind in ("html500", "unpaid", "deleted", "500", "overload"):  # the last one blocks the budget
        faults.add(kind, method="batch", times=None)
        told[kind] = troubles(portal)
        faults.clear()
    assert told == {
        "html500": ["portal_garbage"],
        "unpaid": ["portal_unpaid"],
        "deleted": ["portal_gone"],
        "500": ["portal_server_error"],
        "overload": ["portal_overloaded"],
    }


@pytest.mark.one_database
def test_a_blocked_method_is_named(portal: Syncing) -> None:
    portal.emulator.faults(portal.portal).add("429", method="crm.item.list", times=None)
    assert troubles(portal) == ["blocked:crm.item.list"]


@pytest.mark.one_database
def test_used_operating_time_is_noted(portal: Syncing) -> None:
    limits = portal.emulator.limits(portal.portal, operating=True)
    limits.spend(portal.emulator.client_id, "crm.item.list", 450, time.time())
    assert found(portal).get("operating:crm.item.list") is True


def test_a_reader_who_is_no_admin_is_told(portal: Syncing) -> None:
    portal.set_token(ANNA)
    assert "reader_no_admin" in troubles(portal)


@pytest.mark.one_database
def test_a_clock_that_differs_is_told(portal: Syncing) -> None:
    portal.emulator.clock.advance(300)
    assert "clock:the portal" in troubles(portal)


def test_a_stuck_first_read_and_a_late_portal_are_told(portal: Syncing) -> None:
    old = int(time.time()) - 7200
    portal.set_portal(checked_at=old)
    with portal.parts.engine.begin() as conn:
        conn.execute(update(tables.sync_sources).values(read_at=old))
        conn.execute(
            update(tables.sync_sources).where(tables.sync_sources.c.source == "deals").values(state="reading")
        )
    assert sorted(troubles(portal)) == ["first_read_stuck", "late"]


def test_the_installation_counts_portals_in_trouble(portal: Syncing) -> None:
    now = time.time()
    with portal.parts.engine.begin() as conn:
        command.stamp(migrations.config(conn), "head")
    assert look.installation(portal.parts, now).unwell_count == 0
    portal.set_portal(checked_at=now - 7200)
    seen = look.installation(portal.parts, now)
    assert (seen.unwell_count, seen.unwell) == (1, (portal.row().member_id,))
    assert seen.database_error is None
    assert abs(seen.database_skew_s) < 5


def test_the_command_says_it_in_words_and_by_its_exit_status(
    portal: Syncing, database_url: str, tmp_path: Path
) -> None:
    settings = portal.parts.settings
    env = environment(
        tmp_path,
        "http://127.0.0.1:9",
        portal.emulator.auth_url,
        database_url,
        B24APP_SECRET_KEY=",".join(settings.secret_keys),
    )

    def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [*COMMAND, "doctor", *arguments]
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)

    portal.emulator.close_portal(portal.portal)
    ill = doctor("--portal", portal.row().domain)
    assert ill.returncode == 1
    assert "FAIL  The portal cannot be reached" in ill.stdout
    assert "      → See whether it opens in a browser" in ill.stdout
    quiet = doctor("--portal", portal.row().member_id, "--quiet")
    assert quiet.returncode == 0, quiet.stdout
    assert "ok    nothing is wrong" in quiet.stdout
    unknown = doctor("--portal", "f" * 32)
    assert unknown.returncode == 2
    assert "f" * 32 in unknown.stderr
