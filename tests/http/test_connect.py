"""Connecting from outside a portal: the authorization code with `state`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from b24app.manifest import load
from emulator.seed import add_user
from emulator.world import Portal
from tests.http.live import Live, eventually, living


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


def ask(live: Live, portal: Portal) -> str:
    """The address on the portal that the app sends the browser to."""
    answer = requests.get(
        f"{live.url}/connect", params={"portal": portal.domain}, timeout=20, allow_redirects=False
    )
    assert answer.status_code == 302
    return answer.headers["Location"]


def come_back(live: Live, portal: Portal, user_id: int = 1) -> str:
    """The address on the app that the portal sends the browser back to."""
    answer = requests.get(
        ask(live, portal), cookies={"emulator_user": str(user_id)}, timeout=20, allow_redirects=False
    )
    return answer.headers["Location"]


def test_the_browser_is_sent_to_the_portal_with_a_state(live: Live) -> None:
    portal = live.emulator.add_portal()
    address = urlsplit(ask(live, portal))
    assert (address.netloc, address.path) == (portal.domain, "/oauth/authorize/")
    query = parse_qs(address.query)
    assert query["client_id"] == [live.emulator.client_id]
    assert set(query) == {"client_id", "state"}


def test_an_admin_connects_the_portal(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    back = come_back(live, portal)
    assert back.startswith(live.url)
    page = requests.get(back, timeout=20)
    assert page.status_code == 200
    row = live.row(portal)
    assert row is not None
    assert (row.state, row.reader_id) == ("active", 1)
    assert eventually(lambda: len(live.bound(portal)[0]) == len(load().places))
    assert "b24app-session" not in page.text


def test_a_code_works_once(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    back = come_back(live, portal)
    assert requests.get(back, timeout=20).status_code == 200
    assert requests.get(back, timeout=20).status_code == 400


def test_an_employee_cannot_connect(live: Live) -> None:
    portal = live.emulator.add_portal(lang="en")
    live.emulator.install(portal)
    user = add_user(portal, "Ivan", "Ivanov", departments=[1])
    page = requests.get(come_back(live, portal, user), timeout=20)
    assert page.status_code == 403
    assert live.row(portal) is None


@pytest.mark.parametrize("state", [None, "", "x", "made.up"])
def test_a_way_back_that_did_not_begin_here_is_refused(live: Live, state: str | None) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    address = urlsplit(come_back(live, portal))
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    if state is None:
        del query["state"]
    else:
        query["state"] = state
    before = live.emulator.auth.counters.http_requests
    answer = requests.get(f"{live.url}{address.path}", params=query, timeout=20)
    assert answer.status_code == 400
    assert live.emulator.auth.counters.http_requests == before
    assert live.row(portal) is None


def test_a_state_lives_for_ten_minutes(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    monkeypatch.setattr("b24app.web.connect.STATE_SECONDS", -1)
    assert requests.get(come_back(live, portal), timeout=20).status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("code", "made-up", 400),
        ("code", "", 400),
        ("member_id", "f" * 32, 403),
        ("server_domain", "evil.example", 403),
    ],
)
def test_a_forged_way_back_is_refused(live: Live, name: str, value: str, status: int) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    address = urlsplit(come_back(live, portal))
    query = {key: values[0] for key, values in parse_qs(address.query).items()} | {name: value}
    answer = requests.get(f"{live.url}{address.path}", params=query, timeout=20)
    assert answer.status_code == status
    assert live.row(portal) is None


def test_a_server_that_fails_is_told(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.install(portal)
    back = come_back(live, portal)
    live.emulator.auth.faults.add("html500", method="oauth.token", times=None)
    live.emulator.auth.faults.add("html500", times=None)
    assert requests.get(back, timeout=20).status_code == 503


@pytest.mark.one_database
@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://user@evil.example", "https://", "a b", "//"]
)
def test_what_is_no_address_is_refused(live: Live, address: str) -> None:
    answer = requests.get(
        f"{live.url}/connect", params={"portal": address}, timeout=20, allow_redirects=False
    )
    assert answer.status_code == 400
    assert "<form" in answer.text


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("typed", "home"),
    [
        ("company.bitrix24.com", "https://company.bitrix24.com/"),
        ("https://company.bitrix24.com/crm/deal/?a=b", "https://company.bitrix24.com/"),
        ("портал.рф", "https://xn--80awhdgm.xn--p1ai/"),
    ],
)
def test_addresses_are_understood_as_people_type_them(live: Live, typed: str, home: str) -> None:
    answer = requests.get(f"{live.url}/connect", params={"domain": typed}, timeout=20, allow_redirects=False)
    assert answer.headers["Location"].startswith(f"{home}oauth/authorize/?")


def test_without_an_address_there_is_a_form(live: Live) -> None:
    answer = requests.get(f"{live.url}/connect", headers={"Accept-Language": "ru"}, timeout=20)
    assert answer.status_code == 200
    assert "Подключение портала" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https: http:" in policy  # the answer to the form is a redirect to the portal
    assert policy.endswith("frame-ancestors 'self'")


def test_private_addresses_are_not_offered_to_browsers(database_url: str, tmp_path: Path) -> None:
    with living(database_url, tmp_path, allow_private_portals=False) as live:
        for address in ("http://portal.example", "127.0.0.1:9000", "https://10.0.0.1", "localhost"):
            answer = requests.get(
                f"{live.url}/connect", params={"portal": address}, timeout=20, allow_redirects=False
            )
            assert answer.status_code == 400, address
        answer = requests.get(
            f"{live.url}/connect",
            params={"portal": "company.bitrix24.com"},
            timeout=20,
            allow_redirects=False,
        )
        assert answer.headers["Location"].startswith("https://company.bitrix24.com/oauth/authorize/?")


@pytest.mark.parametrize("address", ["portal.example", "evil-bitrix24.com", "bitrix24.com.evil.example"])
def test_a_browser_is_not_sent_to_an_unknown_place_unasked(
    database_url: str, tmp_path: Path, address: str
) -> None:
    with living(database_url, tmp_path, allow_private_portals=False) as live:
        answer = requests.get(
            f"{live.url}/connect", params={"portal": address}, timeout=20, allow_redirects=False
        )
        assert answer.status_code == 200
        assert f'href="https://{address}/oauth/authorize/?' in answer.text
