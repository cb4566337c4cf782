"""The app's own life on a portal: events, removal, payment, and their forgeries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import insert, select

from b24app.manifest import load
from b24app.tables import sync_sources, tokens
from emulator.seed import add_user
from emulator.world import Portal
from tests.http.live import Live, eventually, living, token


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def portal(live: Live) -> Portal:
    """A portal with the app, an admin (1) and an employee (2)."""
    return installed(live)


def installed(live: Live) -> Portal:
    found = live.emulator.add_portal(lang="en")
    add_user(found, "Ivan", "Ivanov", departments=[1])
    live.install(found)
    live.emulator.install(found)
    live.settle(found)
    return found


def state(live: Live, portal: Portal) -> str | None:
    row = live.row(portal)
    return row.state if row else None


def portal_id(live: Live, portal: Portal) -> int:
    row = live.row(portal)
    assert row is not None
    return int(row.portal_id)


# --- installation and update


def test_an_installation_without_interface_is_taken_in_by_its_event(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.app(portal).callback_url = f"{live.url}/events"
    live.emulator.install(portal)
    assert eventually(lambda: state(live, portal) == "active")
    assert eventually(lambda: len(live.bound(portal)[0]) == len(load().places))
    row = live.row(portal)
    assert row is not None
    assert row.reader_is_admin is True
    assert live.open(portal, 1).status_code == 200


def test_an_update_brings_a_new_secret_and_binds_events_again(live: Live, portal: Portal) -> None:
    live.emulator.update_app(portal, version=2, new_application_token=True)
    live.settle(portal)
    assert eventually(lambda: "ONAPPUNINSTALL" in live.bound(portal)[1])
    assert live.open(portal, 1).status_code == 200
    live.emulator.uninstall(portal)
    assert eventually(lambda: state(live, portal) == "uninstalled")


def test_an_employee_cannot_forge_an_update_with_a_secret_of_their_own(live: Live, portal: Portal) -> None:
    own = live.emulator.issue_token(portal, 2)["access_token"]
    answer = live.event(portal, "ONAPPUPDATE", access_token=own, application_token="f" * 32, data_VERSION="2")
    assert answer.status_code == 200  # looked into later, and then not believed
    live.settle(portal)
    assert live.open(portal, 1).status_code == 200
    forged = live.event(portal, "ONAPPUNINSTALL", application_token="f" * 32, data_CLEAN="1")
    assert forged.status_code == 403
    assert state(live, portal) == "active"


@pytest.mark.parametrize("event", ["ONAPPINSTALL", "ONAPPUPDATE"])
def test_an_event_with_a_made_up_token_changes_nothing(live: Live, portal: Portal, event: str) -> None:
    before = live.row(portal)
    live.event(portal, event, access_token="f" * 70, application_token="f" * 32)
    live.settle(portal)
    assert live.row(portal) == before


def test_an_installation_of_another_portals_member_id_is_not_believed(live: Live, portal: Portal) -> None:
    stranger = live.emulator.add_portal()
    live.emulator.install(stranger)
    theirs = live.emulator.issue_token(stranger, 1)["access_token"]
    before = live.row(portal)
    live.event(portal, "ONAPPINSTALL", access_token=theirs, application_token="f" * 32)
    live.settle(portal)
    assert live.row(portal) == before


def test_an_installation_from_an_unknown_server_calls_nobody(live: Live) -> None:
    portal, spy = live.emulator.add_portal(), live.emulator.add_portal()
    access = live.emulator.issue_token(portal, 1)["access_token"]
    live.event(portal, "ONAPPINSTALL", access_token=access, server_endpoint=f"http://{spy.domain}/rest/")
    live.settle(portal)
    assert live.emulator.counters(spy).http_requests == 0
    assert live.row(portal) is None


def test_an_installation_event_survives_a_stumbling_server(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("b24app.web.events.WAITS_S", (0.05, 0.05, 0.05))
    portal = live.emulator.add_portal()
    live.emulator.app(portal).callback_url = f"{live.url}/events"
    live.emulator.auth.faults.add("html500", method="app.info", times=2)
    live.emulator.install(portal)
    assert eventually(lambda: state(live, portal) == "active")


# --- removal


def test_a_removal_stops_and_keeps_what_was_counted(live: Live, portal: Portal) -> None:
    page = live.open(portal, 2)
    number = portal_id(live, portal)
    live.emulator.uninstall(portal, clean=0)
    assert eventually(lambda: state(live, portal) == "uninstalled")
    row = live.row(portal)
    assert row is not None
    assert row.application_token is None
    with live.parts.engine.connect() as conn:
        assert conn.execute(select(tokens).where(tokens.c.portal_id == number)).all() == []
    answer = requests.get(
        f"{live.url}/api/v1/org", headers={"Authorization": f"Bearer {token(page)}"}, timeout=20
    )
    assert answer.status_code == 401


def test_a_removal_with_cleaning_leaves_no_row_and_touches_no_neighbour(live: Live, portal: Portal) -> None:
    neighbour = installed(live)
    number, other = portal_id(live, portal), portal_id(live, neighbour)
    live.open(portal, 2)
    with live.parts.engine.begin() as conn:
        for key in (number, other):
            conn.execute(insert(sync_sources).values(portal_id=key, source="deals", state="ready"))
    before = live.rows_of(other)
    live.emulator.uninstall(portal, clean=1)
    assert eventually(lambda: live.rows_of(number) == 0)
    assert live.rows_of(other) == before
    assert live.open(neighbour, 1).status_code == 200


def test_an_app_that_was_removed_may_be_installed_again(live: Live, portal: Portal) -> None:
    number = portal_id(live, portal)
    for clean in (0, 1):
        live.emulator.uninstall(portal, clean=clean)
        assert eventually(lambda: state(live, portal) in ("uninstalled", None))
        live.emulator.app(portal).is_present = True
        assert live.install(portal).status_code == 200
        assert state(live, portal) == "active"
        assert eventually(lambda: len(live.bound(portal)[0]) == len(load().places))
    assert portal_id(live, portal) > number


@pytest.mark.parametrize("clean", ["0", "1"])
def test_a_forged_removal_is_refused(live: Live, portal: Portal, clean: str) -> None:
    neighbour = installed(live)
    theirs = live.emulator.app(neighbour).application_token
    for secret in ("0" * 32, theirs):
        answer = live.event(portal, "ONAPPUNINSTALL", application_token=secret, data_CLEAN=clean)
        assert answer.status_code == 403
    assert state(live, portal) == "active"


def test_a_removal_that_nothing_proves_makes_us_ask_the_portal(live: Live, portal: Portal) -> None:
    assert live.event(portal, "ONAPPUNINSTALL", application_token="", data_CLEAN="1").status_code == 200
    live.settle(portal)
    assert state(live, portal) == "active"
    live.emulator.uninstall(portal, is_silent=True)
    live.event(portal, "ONAPPUNINSTALL", application_token="", data_CLEAN="1")
    assert eventually(lambda: state(live, portal) is None)


# --- payment


def test_payment_ends_and_begins_again(live: Live, portal: Portal) -> None:
    live.event(portal, "ONAPPPAYMENT", data_PAYMENT_EXPIRED="Y")
    assert state(live, portal) == "unpaid"
    live.event(portal, "ONAPPPAYMENT", data_PAYMENT_EXPIRED="N")
    assert state(live, portal) == "active"


def test_an_unpaid_app_says_so_and_comes_back_when_it_is_paid(live: Live, portal: Portal) -> None:
    live.emulator.set_payment(portal, is_unpaid=True, tell=False)
    live.event(portal, "ONAPPPAYMENT", data_PAYMENT_EXPIRED="Y")
    assert live.open(portal, 2).status_code == 402
    live.emulator.set_payment(portal, is_unpaid=False, tell=False)
    assert live.open(portal, 2).status_code == 200
    assert state(live, portal) == "active"


def test_a_payment_event_without_a_secret_is_checked_with_the_portal(live: Live, portal: Portal) -> None:
    live.event(portal, "ONAPPPAYMENT", application_token="", data_PAYMENT_EXPIRED="Y")
    live.settle(portal)
    assert state(live, portal) == "active"
    live.emulator.set_payment(portal, is_unpaid=True, tell=False)
    live.event(portal, "ONAPPPAYMENT", application_token="", data_PAYMENT_EXPIRED="Y")
    assert eventually(lambda: state(live, portal) == "unpaid")


# --- what is no event


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "ONAPPINSTALL"},
        {"auth[member_id]": "f" * 32},
        {"event": "X", "auth[member_id]": "../../x"},
    ],
)
def test_what_is_no_event_is_a_bad_request(live: Live, body: dict[str, str]) -> None:
    answer = requests.post(f"{live.url}/events", data=body, timeout=20)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_portal_can_say_nothing(live: Live) -> None:
    portal = live.emulator.add_portal()
    for event in ("ONAPPUNINSTALL", "ONAPPPAYMENT", "ONCRMDEALUPDATE"):
        assert live.event(portal, event).status_code == 403
    assert live.row(portal) is None


def test_an_event_is_answered_at_once(live: Live, portal: Portal) -> None:
    live.emulator.auth.faults.add("slow", method="app.info", times=None, seconds=5)
    live.emulator.faults(portal).add("slow", times=None, seconds=5)
    access = live.emulator.issue_token(portal, 1)["access_token"]
    answer = live.event(portal, "ONAPPUPDATE", access_token=access)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 1
    live.emulator.faults(portal).clear()
    live.emulator.auth.faults.clear()


def test_automation_is_for_proven_portals_and_known_rules(live: Live, portal: Portal) -> None:
    auth = {"auth[member_id]": portal.member_id, "auth[application_token]": "0" * 32}
    assert requests.post(f"{live.url}/automation/kpi", data=auth, timeout=20).status_code == 403
    auth["auth[application_token]"] = live.emulator.app(portal).application_token
    assert requests.post(f"{live.url}/automation/kpi", data=auth, timeout=20).status_code == 404
