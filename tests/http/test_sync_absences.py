"""Who is away: read with the reference data, asked again with it, off where the portal does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from b24app import clock, tables
from b24app.metrics import periods
from b24app.store import org
from b24app.sync import refresh
from emulator.world import Portal
from tests.http.syncing import ADMIN, ANNA, BORIS, Syncing, syncing

METHOD = "calendar.accessibility.get"


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


def today(portal: Portal) -> date:
    return periods.local_day(clock.now(), ZoneInfo(portal.timezone))


def leave(portal: Portal, user_id: int, first: int, last: int, **more: Any) -> int:
    """Days from today; returns the id of the event."""
    span = {"DATE_FROM": today(portal) + timedelta(first), "DATE_TO": today(portal) + timedelta(last)}
    return portal.put("calendar_event", {"OWNER_ID": user_id, "ACCESSIBILITY": "absent", **span, **more})


def away(portal: Syncing) -> dict[int, int]:
    """Who is away today, and for how many days from now."""
    day = today(portal.portal)
    with portal.parts.engine.connect() as conn:
        return {user: (until - day).days for user, until in org.away_until(conn, 1, day).items()}


def ask_again(portal: Syncing) -> None:
    cursor = {**portal.source("changes")["cursor"], "reference_at": 0}
    with portal.parts.engine.begin() as conn:
        source = tables.sync_sources.c.source
        conn.execute(update(tables.sync_sources).where(source == "changes").values(cursor=cursor))
    assert refresh.run(portal.parts, 1)


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_absences_of_the_chart_and_of_calendars_are_read(
    engine: Engine, database_url: str, tmp_path: Path, lang: str
) -> None:
    with syncing(engine, database_url, tmp_path, lang=lang) as portal:
        leave(portal.portal, ANNA, -3, 4, FROM_HR=True)
        leave(portal.portal, BORIS, 0, 0)
        leave(portal.portal, ADMIN, 0, 3, ACCESSIBILITY="busy")
        portal.first_read()
        assert away(portal) == {ANNA: 4, BORIS: 0}
        source = portal.state().source("absences")
        assert (source.state, source.row_count) == ("ready", 2)
        assert portal.state().complete


def test_a_change_is_noticed_when_the_portal_is_asked_again(portal: Syncing) -> None:
    event = leave(portal.portal, ANNA, 0, 4)
    portal.first_read()
    assert away(portal) == {ANNA: 4}
    portal.portal.change("calendar_event", event, DATE_TO=today(portal.portal) + timedelta(9))
    leave(portal.portal, BORIS, -1, 1, FROM_HR=True)
    ask_again(portal)
    assert away(portal) == {ANNA: 9, BORIS: 1}
    portal.portal.remove("calendar_event", event)
    ask_again(portal)
    assert away(portal) == {BORIS: 1}


def test_without_the_right_nobody_is_away_and_the_rest_goes_on(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    scopes = {"crm", "user", "department"}
    with syncing(engine, database_url, tmp_path, binds=False, scopes=scopes) as portal:
        leave(portal.portal, ANNA, 0, 4)
        portal.first_read()
        source = portal.state().source("absences")
        assert (source.state, source.reason) == ("off", "missing_scope")
        assert away(portal) == {}
        assert portal.state().source("users").state == "ready"
        portal.emulator.app(portal.portal).scopes |= {"calendar"}
        portal.set_token(ADMIN)
        ask_again(portal)
        assert away(portal) == {ANNA: 4}
        assert portal.state().source("absences").state == "ready"


def test_a_portal_without_the_method_or_one_that_refuses_is_off(portal: Syncing) -> None:
    portal.emulator.site(portal.portal).missing_methods = {METHOD}
    portal.first_read()
    assert portal.state().source("absences").reason == "source_off"
    portal.emulator.site(portal.portal).missing_methods = set()
    portal.emulator.faults(portal.portal).add("user_access", method=METHOD, times=None)
    ask_again(portal)
    assert portal.state().source("absences").reason == "access_denied"


def test_a_failure_in_passing_keeps_what_is_known(portal: Syncing) -> None:
    leave(portal.portal, ANNA, 0, 4)
    portal.first_read()
    portal.emulator.faults(portal.portal).add("500", method=METHOD, times=None)
    ask_again(portal)
    assert away(portal) == {ANNA: 4}
    source = portal.state().source("absences")
    assert (source.state, bool(source.error)) == ("ready", True)


def test_more_people_than_one_call_takes(portal: Syncing) -> None:
    people = [
        portal.portal.put("user", {"NAME": f"P{n}", "ACTIVE": True, "USER_TYPE": "employee"})
        for n in range(120)
    ]
    leave(portal.portal, people[-1], 0, 2)
    leave(portal.portal, people[0], 0, 1)
    portal.first_read()
    assert away(portal) == {people[0]: 1, people[-1]: 2}
