"""The emulated authorization server: codes, rotation, app.info, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import asker


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator("local.app", "s3cret", "http://127.0.0.1:1") as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal()


def grant(emulator: Emulator, **fields: str) -> requests.Response:
    fields = {"client_id": "local.app", "client_secret": "s3cret", **fields}
    return requests.get(f"{emulator.auth_url}/oauth/token/", params=fields, timeout=10)


def refresh(emulator: Emulator, token: str, **fields: str) -> requests.Response:
    return grant(emulator, grant_type="refresh_token", refresh_token=token, **fields)


def code_of(emulator: Emulator, portal: Portal, state: str = "x y") -> dict[str, str]:
    response = requests.get(
        f"http://{portal.domain}/oauth/authorize/",
        params={"client_id": "local.app", "state": state, "emulator_user": "1"},
        allow_redirects=False,
        timeout=10,
    )
    assert response.status_code == 302
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def test_a_visitor_comes_back_with_a_code_that_buys_a_pair_of_tokens(
    emulator: Emulator, portal: Portal
) -> None:
    back = code_of(emulator, portal)
    assert back["state"] == "x y"
    assert back["domain"] == portal.domain
    assert back["member_id"] == portal.member_id
    assert back["server_domain"] == urlsplit(emulator.auth_url).netloc
    assert "crm" in back["scope"].split(",")
    body = grant(emulator, grant_type="authorization_code", code=back["code"]).json()
    assert set(body) == {
        "access_token", "client_endpoint", "domain", "expires_in", "member_id", "refresh_token", "scope",
        "server_endpoint", "status",
    }  # fmt: skip
    assert body["domain"] == urlsplit(emulator.auth_url).netloc  # the server's own host, not the portal
    assert body["client_endpoint"] == f"http://{portal.domain}/rest/"
    assert body["expires_in"] == 3600
    again = grant(emulator, grant_type="authorization_code", code=back["code"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_lives_thirty_seconds(emulator: Emulator, portal: Portal) -> None:
    code = code_of(emulator, portal)["code"]
    emulator.clock.advance(31)
    assert grant(emulator, grant_type="authorization_code", code=code).json()["error"] == "invalid_grant"


def test_refusals_of_authorizing_stay_on_the_portal(emulator: Emulator, portal: Portal) -> None:
    url = f"http://{portal.domain}/oauth/authorize/?emulator_user=1&client_id="
    for client_id in ("local.other", ""):
        response = requests.get(url + client_id, allow_redirects=False, timeout=10)
        assert response.status_code == 404
        assert "Location" not in response.headers


def test_refreshing_rotates_both_tokens(emulator: Emulator, portal: Portal) -> None:
    old = emulator.issue_token(portal, 1)
    new = refresh(emulator, old["refresh_token"]).json()
    assert new["user_id"] == 1
    assert new["expires"] > 0
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"]
    dead = refresh(emulator, old["refresh_token"])
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
    emulator.auth.old_refresh_lives = True
    assert refresh(emulator, new["refresh_token"]).status_code == 200
    assert refresh(emulator, new["refresh_token"]).status_code == 200


def test_a_lost_answer_of_a_refresh_has_rotated_the_token(emulator: Emulator, portal: Portal) -> None:
    old = emulator.issue_token(portal, 1)
    emulator.auth.faults.add("lost_answer", method="refresh_token")
    with pytest.raises(requests.ConnectionError):
        refresh(emulator, old["refresh_token"])
    assert refresh(emulator, old["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "password"}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "local.unknown"}, "invalid_client"),
        ({"refresh_token": "nonsense"}, "invalid_grant"),
        ({"refresh_token": ""}, "invalid_request"),
    ],
)
def test_wrong_requests_are_refused(
    emulator: Emulator, portal: Portal, fields: dict[str, str], error: str
) -> None:
    token = emulator.issue_token(portal, 1)["refresh_token"]
    sent = {"grant_type": "refresh_token", "refresh_token": token, **fields}
    response = grant(emulator, **sent)
    assert response.status_code == 400
    assert response.json()["error"] == error


def test_refreshing_follows_what_happened_to_the_app_and_its_user(emulator: Emulator, portal: Portal) -> None:
    def error_after(change: Any) -> tuple[int, str]:
        token = emulator.issue_token(portal, 2)["refresh_token"]
        change()
        response = refresh(emulator, token)
        return response.status_code, response.json()["error"]

    portal.put("user", {"NAME": "Ivan", "LAST_NAME": "I", "ACTIVE": True})
    app = emulator.app(portal)
    assert error_after(lambda: setattr(app, "is_unpaid", True)) == (401, "PAYMENT_REQUIRED")
    app.is_unpaid = False
    assert error_after(lambda: portal.change("user", 2, ACTIVE=False)) == (400, "invalid_grant")
    portal.change("user", 2, ACTIVE=True)
    assert error_after(lambda: setattr(app, "allowed_users", {1})) == (400, "invalid_grant")
    app.allowed_users = None
    emulator.clock.advance(1)
    token = emulator.issue_token(portal, 2)["refresh_token"]
    emulator.clock.advance(181 * 24 * 3600)
    assert refresh(emulator, token).json()["error"] == "invalid_grant"


def test_a_refresh_tells_the_present_address_of_a_renamed_portal(emulator: Emulator, portal: Portal) -> None:
    token = emulator.issue_token(portal, 1)["refresh_token"]
    domain = emulator.rename(portal)
    assert refresh(emulator, token).json()["client_endpoint"] == f"http://{domain}/rest/"


def test_app_info_of_the_server_proves_a_token(emulator: Emulator, portal: Portal) -> None:
    token = emulator.issue_token(portal, 1)["access_token"]
    for path in ("/rest/app.info", "/rest/app.info/", "/rest/app.info.json"):
        body = requests.get(emulator.auth_url + path, params={"auth": token}, timeout=10).json()
        result = body["result"]
        assert result["client_id"] == "local.app"
        assert result["user_id"] == 1
        assert result["install"]["member_id"] == portal.member_id
        assert result["install"]["domain"] == portal.domain
        assert result["install"]["client_endpoint"] == f"http://{portal.domain}/rest/"
        assert result["install"]["installed"] is False
        assert set(result["install"]) == {
            "installed", "version", "status", "scope", "domain", "uri", "client_endpoint", "member_id",
            "member_type",
        }  # fmt: skip
        assert {"start", "finish", "duration"} <= set(body["time"])


def test_app_info_of_the_server_refuses_dead_tokens(emulator: Emulator, portal: Portal) -> None:
    def error(token: str) -> tuple[int, str]:
        response = requests.get(f"{emulator.auth_url}/rest/app.info", params={"auth": token}, timeout=10)
        return response.status_code, response.json()["error"]

    token = emulator.issue_token(portal, 1)["access_token"]
    assert error("nonsense") == (401, "NO_AUTH_FOUND")
    emulator.expire_tokens(portal)
    assert error(token) == (401, "expired_token")
    emulator.revoke_tokens(portal)
    assert error(token) == (401, "invalid_token")


def test_two_portals_do_not_accept_each_others_tokens(emulator: Emulator, portal: Portal) -> None:
    other = emulator.add_portal(title="Next door")
    stranger = asker(emulator, portal)
    stranger.portal = other
    assert stranger.refusal("profile") == (401, "invalid_token")
