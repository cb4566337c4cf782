"""Opening placements: who is let in, who is not, and what an unlucky portal does to the page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import event, select, update

from b24app.manifest import load
from b24app.tables import portals, tokens
from emulator.crm import add_item, delete_item
from emulator.seed import add_user
from emulator.world import Portal
from tests.http.live import Live, boot, eventually, living, token

DEAL_TAB = "CRM_DEAL_DETAIL_TAB"


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def portal(live: Live) -> Portal:
    """A portal with the app, an admin (1), an employee (2) and a deal of the employee (1)."""
    found = live.emulator.add_portal(lang="en")
    add_user(found, "Ivan", "Ivanov", departments=[1])
    live.install(found)
    live.emulator.install(found)
    live.settle(found)
    return found


def api(live: Live, page: requests.Response, path: str) -> requests.Response:
    return requests.get(live.url + path, headers={"Authorization": f"Bearer {token(page)}"}, timeout=20)


def assert_refused(page: requests.Response, status: int) -> None:
    """A readable page with that status, without a session, a trace or a secret."""
    assert page.status_code == status, page.text[:300]
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in page.text
    assert "b24app-session" not in page.text
    assert "Traceback" not in page.text


# --- who is let in


def test_the_apps_page_opens_with_a_session(live: Live, portal: Portal) -> None:
    page = live.open(portal, 1)
    told = boot(page)
    assert page.status_code == 200
    assert (told["view"], told["lang"], told["poll_s"]) == ("department", "en", 3)
    assert told["viewer"]["id"] == 1
    assert told["viewer"]["is_admin"] is True
    assert told["portal"]["origin"] == f"http://{portal.domain}"
    assert api(live, page, "/api/v1/sync").json()["portal"] == portal.member_id


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("placement", "options", "user", "view", "subject"),
    [
        ("LEFT_MENU", None, 1, "department", None),
        ("LEFT_MENU", "", 2, "employee", 2),
        ("CRM_ANALYTICS_MENU", "[]", 1, "department", None),
        ("USER_PROFILE_MENU", {"USER_ID": "2"}, 2, "employee", 2),
        ("USER_PROFILE_TOOLBAR", {"USER_ID": "2"}, 1, "employee", 2),
        ("DEFAULT", None, 2, "employee", 2),
        ("DEFAULT", "not json", 2, "employee", 2),
        ("DEFAULT", "[]", 2, "employee", 2),
        ("SOMETHING_NEW", None, 2, "employee", 2),
    ],
)
def test_every_placement_has_its_view(
    live: Live, portal: Portal, placement: str, options: Any, user: int, view: str, subject: int | None
) -> None:
    told = boot(live.open(portal, user, placement, options))
    assert (told["view"], told["entity"]["user_id"]) == (view, subject)


def test_a_deals_tab_shows_the_deal(live: Live, portal: Portal) -> None:
    deal = add_item(portal, "deal", {"title": "A deal", "assignedById": 2})
    page = live.open(portal, 2, DEAL_TAB, {"ID": str(deal)})
    told = boot(page)
    assert (told["view"], told["entity"]["deal_id"]) == ("deal", deal)
    assert told["first"][f"/api/v1/deals/{deal}"]["deal"] == deal


def test_a_card_of_somebody_else_shows_an_employee_nothing(live: Live, portal: Portal) -> None:
    told = boot(live.open(portal, 2, "USER_PROFILE_TOOLBAR", {"USER_ID": "1"}))
    assert not any(path.startswith("/api/v1/kpi") for path in told["first"])


def test_a_second_opening_asks_nobody(live: Live, portal: Portal) -> None:
    query, form = live.emulator.frame_post(portal, 2)
    first = requests.post(f"{live.url}/", params=query, data=form, timeout=20)
    before = live.emulator.auth.counters.http_requests + live.emulator.counters(portal).http_requests
    second = requests.post(f"{live.url}/", params=query, data=form, timeout=20)
    assert (first.status_code, second.status_code) == (200, 200)
    assert live.emulator.auth.counters.http_requests + live.emulator.counters(portal).http_requests == before


def test_an_older_portal_without_application_token_opens(live: Live) -> None:
    box = live.emulator.add_portal(is_box=True)
    live.install(box)
    live.emulator.install(box)
    assert live.open(box, 1).status_code == 200


def test_fields_may_stand_in_the_query_or_in_the_body(live: Live, portal: Portal) -> None:
    query, form = live.emulator.frame_post(portal, 1)
    page = requests.post(f"{live.url}/", data={**query, **form}, timeout=20)
    assert page.status_code == 200


def test_pages_carry_the_headers_that_browsers_need(live: Live, portal: Portal) -> None:
    page = live.open(portal, 1)
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' http://{portal.domain}" in policy
    assert "'unsafe-inline'" not in policy
    assert "X-Frame-Options" not in page.headers
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


# --- who is not


def test_a_launch_without_a_token_is_refused(live: Live, portal: Portal) -> None:
    assert_refused(live.open(portal, 1, AUTH_ID=None), 400)
    assert_refused(live.open(portal, 1, member_id=None), 400)
    assert_refused(live.open(portal, 1, AUTH_ID=""), 400)


@pytest.mark.parametrize("member_id", ["f" * 32, "", "no-such-portal", "' OR 1=1 --"])
def test_an_unknown_member_id_is_refused(live: Live, portal: Portal, member_id: str) -> None:
    page = live.open(portal, 1, member_id=member_id)
    assert page.status_code in (400, 403)
    assert_refused(page, page.status_code)


def test_the_member_id_of_another_portal_is_refused(live: Live, portal: Portal) -> None:
    neighbour = live.emulator.add_portal()
    live.install(neighbour)
    live.emulator.install(neighbour)
    assert_refused(live.open(portal, 1, member_id=neighbour.member_id), 403)
    other = live.emulator.app(neighbour).application_token
    page = live.open(portal, 1, member_id=neighbour.member_id, APPLICATION_TOKEN=other)
    assert_refused(page, 403)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "domain", ["evil.example", "127.0.0.1:1", "169.254.169.254", "portal@evil.example", "a//b"]
)
def test_a_forged_domain_is_refused_and_never_called(live: Live, portal: Portal, domain: str) -> None:
    before = live.row(portal)
    page = live.open(portal, 1, DOMAIN=domain)
    assert_refused(page, 403)
    assert domain not in page.headers["Content-Security-Policy"]
    assert live.row(portal) == before


def test_a_forged_authorization_server_is_refused_and_never_called(live: Live, portal: Portal) -> None:
    spy = live.emulator.add_portal()  # anything that counts its requests
    for path in ("/", "/install"):
        query, form = live.emulator.frame_post(portal, 1)
        form["SERVER_ENDPOINT"] = f"http://{spy.domain}/rest/"
        assert_refused(requests.post(live.url + path, params=query, data=form, timeout=20), 403)
    assert live.emulator.counters(spy).http_requests == 0


@pytest.mark.parametrize("user", [1, 2])
def test_a_wrong_application_token_is_refused(live: Live, portal: Portal, user: int) -> None:
    assert_refused(live.open(portal, user, APPLICATION_TOKEN="0" * 32), 403)
    row = live.row(portal)
    assert row is not None
    stored = live.parts.vault.open(row.application_token)
    assert stored == live.emulator.app(portal).application_token


def test_the_right_application_token_does_not_replace_a_users_token(live: Live, portal: Portal) -> None:
    assert_refused(live.open(portal, 1, AUTH_ID="f" * 70), 401)


def test_an_expired_token_is_refused(live: Live, portal: Portal) -> None:
    query, form = live.emulator.frame_post(portal, 1)
    live.emulator.expire_tokens(portal)
    assert_refused(requests.post(f"{live.url}/", params=query, data=form, timeout=20), 401)


def test_a_token_of_another_app_is_refused(live: Live, portal: Portal) -> None:
    live.emulator.add_app(portal, "local.other")
    live.emulator.app(portal, "local.other").is_installed = True
    other = live.emulator.issue_token(portal, 1, client_id="local.other")["access_token"]
    assert_refused(live.open(portal, 1, AUTH_ID=other), 403)


def test_a_dismissed_employee_is_refused(live: Live, portal: Portal) -> None:
    query, form = live.emulator.frame_post(portal, 2)
    portal.change("user", 2, ACTIVE=False)
    page = requests.post(f"{live.url}/", params=query, data=form, timeout=20)
    assert page.status_code in (401, 403)


def test_private_portals_are_refused_unless_allowed(database_url: str, tmp_path: Path) -> None:
    with living(database_url, tmp_path, allow_private_portals=False) as live:
        portal = live.emulator.add_portal()
        assert_refused(live.install(portal), 403)
        assert live.emulator.counters(portal).http_requests == 0
        assert live.row(portal) is None


def test_an_unknown_portal_is_taken_in_when_its_admin_opens_the_app(live: Live) -> None:
    portal = live.emulator.add_portal()
    add_user(portal, "Ivan", "Ivanov", departments=[1])
    live.emulator.install(portal)  # a card without an installer installs at once
    assert_refused(live.open(portal, 2), 403)
    assert live.row(portal) is None
    assert live.open(portal, 1).status_code == 200
    assert eventually(lambda: len(live.bound(portal)[0]) == len(load().places))
    assert live.open(portal, 2).status_code == 200


# --- placement options


@pytest.mark.one_database
@pytest.mark.parametrize(
    "options", [None, "", "[]", "{}", "not json", '{"ID":""}', '{"ID":"0"}', '{"ID":"x"}', '{"id":5}', "[1]"]
)
def test_a_deal_tab_without_a_deal_says_so(live: Live, portal: Portal, options: str | None) -> None:
    page = live.open(portal, 2, DEAL_TAB, options)
    assert_refused(page, 400)
    assert "Save the record first" in page.text


def test_a_deleted_deal_says_so(live: Live, portal: Portal) -> None:
    deal = add_item(portal, "deal", {"title": "A deal", "assignedById": 2})
    delete_item(portal, "deal", deal)
    assert_refused(live.open(portal, 1, DEAL_TAB, {"ID": str(deal)}), 404)
    assert_refused(live.open(portal, 2, DEAL_TAB, {"ID": str(deal)}), 403)


def test_a_deal_that_the_viewer_may_not_see_says_so(live: Live, portal: Portal) -> None:
    deal = add_item(portal, "deal", {"title": "A deal", "assignedById": 1})
    page = live.open(portal, 2, DEAL_TAB, {"ID": str(deal)})
    assert_refused(page, 403)
    assert boot(live.open(portal, 1, DEAL_TAB, {"ID": str(deal)}))["entity"]["deal_id"] == deal


# --- sessions


def test_a_tampered_or_missing_session_is_refused(live: Live, portal: Portal) -> None:
    good = token(live.open(portal, 2))
    payload, signature = good.rsplit(".", 1)
    wrong = ["", "x", good[:-4] + "AAAA", f"{payload}x.{signature}", good.swapcase(), f"{good}.{good}"]
    for bad in wrong:
        answer = requests.get(
            f"{live.url}/api/v1/org", headers={"Authorization": f"Bearer {bad}"}, timeout=20
        )
        assert answer.status_code == 401, bad
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert requests.get(f"{live.url}/api/v1/org", timeout=20).status_code == 401


def test_a_session_ends(live: Live, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    page = live.open(portal, 2)
    assert api(live, page, "/api/v1/org").status_code == 200
    monkeypatch.setattr("b24app.clock.epoch", lambda: int(time.time()) + 3601)
    assert api(live, page, "/api/v1/org").status_code == 401


def test_a_session_of_one_portal_opens_no_other(live: Live, portal: Portal) -> None:
    neighbour = live.emulator.add_portal()
    live.install(neighbour)
    mine = api(live, live.open(portal, 1), "/api/v1/sync").json()
    theirs = api(live, live.open(neighbour, 1), "/api/v1/sync").json()
    assert (mine["portal"], theirs["portal"]) == (portal.member_id, neighbour.member_id)


# --- bad luck


@pytest.mark.one_database
@pytest.mark.parametrize(
    "kind",
    [
        "503",
        "429",
        "500",
        "html500",
        "502",
        "html403",
        "garbage",
        "half_body",
        "empty",
        "close",
        "null",
        "redirect",
    ],
)
def test_a_portal_that_stumbles_does_not_block_the_page(live: Live, portal: Portal, kind: str) -> None:
    live.emulator.faults(portal).add(kind, times=None)
    started = time.monotonic()
    page = live.open(portal, 2)
    assert page.status_code == 200
    assert time.monotonic() - started < 12  # a portal that is asked for patiently costs a minute
    assert boot(page)["viewer"]["id"] == 2


@pytest.mark.one_database
def test_a_portal_that_hangs_does_not_block_the_page(live: Live, portal: Portal) -> None:
    live.emulator.faults(portal).add("hang", times=None, seconds=30)
    started = time.monotonic()
    deal = add_item(portal, "deal", {"title": "A deal", "assignedById": 2})
    assert live.open(portal, 2, DEAL_TAB, {"ID": str(deal)}).status_code == 200
    assert time.monotonic() - started < 6
    live.emulator.faults(portal).clear()


def test_a_closed_portal_shows_what_is_stored(live: Live, portal: Portal) -> None:
    live.emulator.close_portal(portal)
    started = time.monotonic()
    assert live.open(portal, 1).status_code == 200
    assert time.monotonic() - started < 6


def test_an_admin_stays_one_while_the_portal_is_away(live: Live, portal: Portal) -> None:
    live.open(portal, 1)
    live.emulator.close_portal(portal)
    assert boot(live.open(portal, 1))["viewer"]["is_admin"] is True


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["html500", "502", "garbage", "half_body", "close", "empty", "503"])
def test_an_authorization_server_that_is_away_is_replaced_by_the_portal(
    live: Live, portal: Portal, kind: str
) -> None:
    live.emulator.auth.faults.add(kind, method="app.info", times=None)
    page = live.open(portal, 2)
    assert boot(page)["viewer"]["id"] == 2
    assert boot(page)["viewer"]["is_admin"] is False
    assert_refused(live.open(portal, 2, APPLICATION_TOKEN="0" * 32), 403)
    assert_refused(live.open(portal, 2, APPLICATION_TOKEN=None), 503)
    assert_refused(live.open(portal, 2, AUTH_ID="f" * 70), 401)


@pytest.mark.parametrize(("kind", "status"), [("unpaid", 402), ("not_installed", 403), ("deleted", 403)])
def test_final_answers_of_the_server_have_pages(live: Live, portal: Portal, kind: str, status: int) -> None:
    live.emulator.auth.faults.add(kind, method="app.info")
    assert_refused(live.open(portal, 2), status)
    assert live.row(portal) is not None


@pytest.mark.parametrize(
    ("kind", "status"), [("unpaid", 402), ("user_access", 403), ("expired", 401), ("401", 401)]
)
def test_final_answers_of_the_portal_have_pages(live: Live, portal: Portal, kind: str, status: int) -> None:
    live.emulator.faults(portal).add(kind, method="profile")
    assert_refused(live.open(portal, 2), status)


def test_a_moved_portal_is_followed(live: Live, portal: Portal) -> None:
    new = live.emulator.rename(portal)
    page = live.open(portal, 2)
    assert page.status_code == 200
    assert boot(page)["portal"]["origin"] == f"http://{new}"
    row = live.row(portal)
    assert row is not None
    assert (row.domain, row.endpoint) == (new, f"http://{new}/rest/")


def test_the_background_reader_follows_a_moved_portal(live: Live, portal: Portal) -> None:
    row = live.row(portal)
    assert row is not None
    new = live.emulator.rename(portal)
    assert live.parts.client(row.portal_id).call("profile").result["ID"] == "1"
    assert (live.row(portal) or row).domain == new


def test_the_reader_is_replaced_by_the_next_admin_when_its_token_dies(live: Live, portal: Portal) -> None:
    admin = add_user(portal, "Olga", "Orlova", departments=[1], is_admin=True)
    row = live.row(portal)
    assert row is not None
    live.open(portal, 2)
    with live.parts.engine.begin() as conn:
        conn.execute(update(tokens).where(tokens.c.user_id == 1).values(dead_reason="invalid_grant"))
    live.open(portal, 2)
    assert (live.row(portal) or row).reader_id == 1
    live.open(portal, admin)
    assert ((live.row(portal) or row).reader_id, (live.row(portal) or row).reader_is_admin) == (admin, True)


def test_a_form_that_is_posted_again_does_not_bring_back_older_tokens(live: Live, portal: Portal) -> None:
    older = live.emulator.issue_token(portal, 2, expires_in=1800)
    live.open(portal, 2)
    with live.parts.engine.connect() as conn:
        before = conn.execute(select(tokens.c.access).where(tokens.c.user_id == 2)).scalar_one()
    again = live.open(portal, 2, AUTH_ID=older["access_token"], REFRESH_ID=older["refresh_token"])
    assert again.status_code == 200
    with live.parts.engine.connect() as conn:
        after = conn.execute(select(tokens.c.access).where(tokens.c.user_id == 2)).scalar_one()
    assert before == after


def test_a_database_that_is_gone_is_a_readable_503(live: Live, portal: Portal) -> None:
    query, form = live.emulator.frame_post(portal, 2)
    with live.parts.engine.begin() as conn:
        portals.drop(conn)
    page = requests.post(f"{live.url}/", params=query, data=form, timeout=20)
    assert_refused(page, 503)
    assert page.headers["Retry-After"]
    answer = requests.get(f"{live.url}/readyz", timeout=20)
    assert answer.status_code == 503


@pytest.mark.parametrize("door", ["/", "/install"])
def test_a_locked_database_is_a_readable_503_and_loses_nothing(live: Live, portal: Portal, door: str) -> None:
    @event.listens_for(live.parts.engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        with contextlib.closing(connection.cursor()) as cursor:
            is_sqlite = live.parts.engine.dialect.name == "sqlite"
            cursor.execute("PRAGMA busy_timeout=50" if is_sqlite else "SET lock_timeout = '50ms'")
        connection.commit()

    live.parts.engine.dispose()
    with live.parts.engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            conn.exec_driver_sql("LOCK TABLE portals, tokens IN ACCESS EXCLUSIVE MODE")
        query, form = live.emulator.frame_post(portal, 1)
        assert_refused(requests.post(live.url + door, params=query, data=form, timeout=20), 503)
        conn.rollback()
    assert requests.post(live.url + door, params=query, data=form, timeout=20).status_code == 200


def test_nothing_secret_is_logged(live: Live, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    query, form = live.emulator.frame_post(portal, 2)
    requests.post(f"{live.url}/", params=query, data=form, timeout=20)
    live.open(portal, 2, APPLICATION_TOKEN="wrong-but-secret")
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("b24app"))
    assert logged
    for secret in (form["AUTH_ID"], form["REFRESH_ID"], form["APPLICATION_TOKEN"], "wrong-but-secret"):
        assert secret not in logged
