"""Bad input and bad luck where people meet them: the installation door, open widgets, events. A clear error
each time, nothing lost, and everything works again afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import event

from b24app.manifest import load
from b24app.sync import first_read
from emulator import crm
from emulator.seed import add_user
from emulator.world import Portal
from tests.http.live import Live, boot, eventually, living, token

ADMIN, SELLER = 1, 2
PLACES = sorted(place.code for place in load().places)
TROUBLES = (
    "redirect", "401", "expired", "403", "html403", "429", "500", "html500", "502", "503", "garbage",
    "half_body", "empty", "close", "hang",
)  # fmt: skip
"""Every answer of a portal that is none; `redirect` leads to a stranger."""
PATIENCE_S = 25.0
"""More than any page may make a person wait for a portal that hangs."""


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def shop(live: Live) -> Portal:
    """An installed and read portal with an employee and one won deal of theirs over 700."""
    portal = live.emulator.add_portal(lang="en")
    add_user(portal, "Ivan", "Ivanov", departments=[1])
    deal = crm.add_item(portal, "deal", {"assignedById": SELLER, "opportunity": Decimal(700)})
    crm.move_deal(portal, deal, "WON")
    live.install(portal)
    live.emulator.install(portal)
    live.settle(portal)
    row = live.row(portal)
    assert row is not None
    assert first_read.run(live.parts, row.portal_id)
    return portal


def ask(live: Live, session: str, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {session}"}
    return requests.get(live.url + path, headers=headers, timeout=PATIENCE_S + 5)


NUMBER = f"/api/v1/kpi?metric=revenue&scope=user:{SELLER}&period=month"
RECORDS = f"/api/v1/kpi/records?metric=revenue&scope=user:{SELLER}&period=month"


def assert_number_stands(live: Live, session: str) -> None:
    answer = ask(live, session, NUMBER)
    assert answer.status_code == 200, answer.text
    assert Decimal(answer.json()["values"][0]["value"]) == 700


def assert_problem(answer: requests.Response, *statuses: int) -> None:
    """A problem document with one of these statuses, without a trace or a token in it."""
    assert answer.status_code in statuses, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["title"]
    assert "Traceback" not in answer.text


# --- the installation door


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"AUTH_ID": None}, 400),
        ({"AUTH_ID": ""}, 400),
        ({"AUTH_ID": "f" * 70}, 401),
        ({"member_id": None}, 400),
        ({"member_id": "f" * 32}, 403),
        ({"member_id": "' OR 1=1 --"}, 400),
        ({"DOMAIN": "evil.example"}, 403),
        ({"DOMAIN": "169.254.169.254"}, 403),
        ({"DOMAIN": "portal@evil.example"}, 403),
        ({"SERVER_ENDPOINT": "https://evil.example/rest/"}, 403),
    ],
)
def test_a_forged_installation_is_refused_and_stores_nothing(
    live: Live, changes: dict[str, str | None], status: int
) -> None:
    portal = live.emulator.add_portal()
    page = live.install(portal, 1, **changes)
    assert page.status_code == status
    assert "b24app-session" not in page.text
    assert "Traceback" not in page.text
    assert live.row(portal) is None
    assert live.bound(portal) == ([], [])
    assert live.install(portal).status_code == 200


def test_an_installation_in_the_name_of_another_portal_leaves_that_one_alone(
    live: Live, shop: Portal
) -> None:
    stranger = live.emulator.add_portal()
    before = live.row(shop)
    page = live.install(stranger, member_id=shop.member_id)
    assert page.status_code == 403
    assert live.row(shop) == before
    assert live.row(stranger) is None


@pytest.mark.one_database
@pytest.mark.parametrize("kind", TROUBLES)
def test_an_installation_survives_whatever_the_portal_answers(live: Live, kind: str) -> None:
    portal = live.emulator.add_portal(lang="en")
    live.emulator.faults(portal).add(kind, times=None, seconds=30)
    started = time.monotonic()
    page = live.install(portal)
    assert time.monotonic() - started < PATIENCE_S
    assert "Traceback" not in page.text
    assert "<h1>" in page.text or "b24app-boot" in page.text
    if page.status_code == 200:
        assert boot(page)["first"]["/api/v1/install"]["can_finish"] is False
    live.emulator.faults(portal).clear()
    again = live.install(portal)
    if kind == "429":
        assert again.status_code == 503
        return  # a method that the portal has blocked is left in peace for minutes
    assert again.status_code == 200
    assert eventually(lambda: live.bound(portal)[0] == PLACES, 20)


# --- an open widget


@pytest.mark.one_database
@pytest.mark.parametrize("kind", TROUBLES)
def test_numbers_stand_and_records_say_why_not_while_the_portal_is_in_trouble(
    live: Live, shop: Portal, kind: str
) -> None:
    session = token(live.open(shop, SELLER))
    live.emulator.faults(shop).add(kind, times=None, seconds=30)
    started = time.monotonic()
    assert_number_stands(live, session)
    assert time.monotonic() - started < 2
    assert_problem(ask(live, session, RECORDS), 403, 503)
    assert time.monotonic() - started < PATIENCE_S
    live.emulator.faults(shop).clear()
    if kind == "429":
        asked = live.emulator.counters(shop).http_requests
        assert_problem(ask(live, session, RECORDS), 503)
        assert live.emulator.counters(shop).http_requests == asked
        return  # a method that the portal has blocked is left in peace for minutes
    back = ask(live, token(live.open(shop, SELLER)), RECORDS)
    assert back.status_code == 200, back.text
    assert (back.json()["total"], back.json()["shown"]) == (1, 1)


def test_a_refused_refresh_costs_the_records_until_the_person_opens_the_widget_again(
    live: Live, shop: Portal
) -> None:
    session = token(live.open(shop, SELLER))
    live.emulator.revoke_tokens(shop, SELLER)
    assert_number_stands(live, session)
    assert_problem(ask(live, session, RECORDS), 401, 403, 503)
    assert_number_stands(live, session)
    assert ask(live, token(live.open(shop, SELLER)), RECORDS).status_code == 200


def test_after_a_refused_refresh_of_the_reader_numbers_stand_and_the_next_admin_heals_it(
    live: Live, shop: Portal
) -> None:
    session = token(live.open(shop, SELLER))
    live.emulator.revoke_tokens(shop, ADMIN)
    ask(live, session, f"{NUMBER}&fresh=1")
    assert_number_stands(live, session)
    admin = token(live.open(shop, ADMIN))
    assert eventually(lambda: ask(live, admin, f"{NUMBER}&fresh=1").status_code == 200)
    crm.move_deal(
        shop, crm.add_item(shop, "deal", {"assignedById": SELLER, "opportunity": Decimal(50)}), "WON"
    )

    def is_seen() -> bool:
        value = ask(live, session, f"{NUMBER}&fresh=1").json()["values"][0]["value"]
        return Decimal(value) == 750

    assert eventually(is_seen, 15)


# --- the database


@contextmanager
def locked(live: Live) -> Iterator[None]:
    """Somebody else keeps the whole database; the app waits for it only a moment."""
    engine = live.parts.engine

    @event.listens_for(engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        with contextlib.closing(connection.cursor()) as cursor:
            is_sqlite = engine.dialect.name == "sqlite"
            cursor.execute("PRAGMA busy_timeout=50" if is_sqlite else "SET lock_timeout = '50ms'")
        connection.commit()

    engine.dispose()
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            conn.exec_driver_sql("LOCK TABLE portals, tokens, deals IN ACCESS EXCLUSIVE MODE")
        yield
        conn.rollback()
    event.remove(engine, "connect", _hurry)
    engine.dispose()


def test_an_event_that_meets_a_locked_database_is_not_called_done(live: Live, shop: Portal) -> None:
    with locked(live):
        assert live.event(shop, "ONAPPUNINSTALL", data_CLEAN="1").status_code == 503
    row = live.row(shop)
    assert row is not None
    assert row.state == "active"
    live.emulator.uninstall(shop, clean=1)
    live.settle(shop)
    assert eventually(lambda: live.rows_of(row.portal_id) == 0)


def test_an_open_widget_meets_a_locked_database(live: Live, shop: Portal) -> None:
    session = token(live.open(shop, SELLER))
    if live.parts.engine.dialect.name == "sqlite":
        with locked(live):
            assert_number_stands(live, session)  # readers do not wait for writers
    else:
        with locked(live):
            answer = ask(live, session, NUMBER)
            assert_problem(answer, 503)
            assert answer.headers["Retry-After"]
    assert_number_stands(live, session)


@contextmanager
def gone(live: Live) -> Iterator[None]:
    """Nothing is where the database was."""
    engine = live.parts.engine

    @event.listens_for(engine, "do_connect")
    def _astray(_dialect: Any, _record: Any, positional: list[Any], named: dict[str, Any]) -> None:
        if engine.dialect.name == "sqlite":
            positional[0] = "/nowhere/app.db"
        else:
            named.update(host="127.0.0.1", port="1")

    engine.dispose()
    yield
    event.remove(engine, "do_connect", _astray)
    engine.dispose()


def test_an_open_widget_meets_a_database_that_is_gone(live: Live, shop: Portal) -> None:
    session = token(live.open(shop, SELLER))
    with gone(live):
        for path in (NUMBER, RECORDS, "/api/v1/org", "/api/v1/sync", "/api/v1/metrics", "/api/v1/settings"):
            answer = ask(live, session, path)
            assert_problem(answer, 503)
            assert answer.headers["Retry-After"]
        page = live.open(shop, SELLER)
        assert (page.status_code, "Traceback" in page.text) == (503, False)
        assert live.event(shop, "ONAPPUPDATE").status_code == 503
    assert_number_stands(live, session)
