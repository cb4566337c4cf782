"""The control surface over HTTP and the command that starts the emulator."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator.server import Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def control(emulator: Emulator, verb: str, path: str, body: Any = None) -> Any:
    response = requests.request(verb, f"{emulator.auth_url}/_control/{path}", json=body, timeout=10)
    assert response.status_code == 200, response.text
    return response.json()


def test_records_are_made_changed_and_removed(emulator: Emulator) -> None:
    member = control(emulator, "POST", "portals", {"title": "New", "timezone": "Europe/Berlin"})["member_id"]
    portal = emulator.sites[member].portal
    row = {
        "title": "D",
        "opportunity": 12.5,
        "createdTime": "2026-03-02T12:00:00+01:00",
        "closedate": "2026-04-01",
    }
    made = control(emulator, "POST", f"portals/{member}/records/deal", row)
    stored = portal.records["deal"].get(made["id"])
    assert stored is not None
    assert stored["createdTime"].isoformat() == "2026-03-02T12:00:00+01:00"
    assert str(stored["opportunity"]) == "12.5"
    assert stored["closedate"].isoformat() == "2026-04-01"
    changed = control(emulator, "PATCH", f"portals/{member}/records/deal/1", {"title": "E"})
    assert changed["title"] == "E"
    assert control(emulator, "GET", f"portals/{member}/records/deal")["rows"][0]["title"] == "E"
    control(emulator, "DELETE", f"portals/{member}/records/deal/1")
    assert len(portal.records["deal"]) == 0
    assert control(emulator, "GET", "portals")["portals"][0]["records"]["user"] == 1


def test_actions_switches_and_counters(emulator: Emulator) -> None:
    portal = emulator.add_portal()
    base = f"portals/{portal.member_id}"

    def act(name: str, **body: Any) -> Any:
        return control(emulator, "POST", f"{base}/actions/{name}", body)["result"]

    deal = act("add_item", kind="deal", fields={"title": "D"})
    assert act("move_deal", id=deal, stage_id="WON", at="2026-03-02T12:00:00Z")["stageSemanticId"] == "S"
    token = act("issue_token", user_id=1)["access_token"]
    query, form = act("frame_post", user_id=1, placement="LEFT_MENU")
    assert (query["DOMAIN"], form["PLACEMENT"]) == (portal.domain, "LEFT_MENU")
    act("install", user_id=1)
    assert control(emulator, "GET", f"{base}/app")["is_installed"] is True
    assert control(emulator, "PATCH", f"{base}/app", {"scopes": ["crm"]})["scopes"] == ["crm"]
    assert control(emulator, "PATCH", f"{base}/quirks", {"deleted_status": 410})["deleted_status"] == 410
    assert control(emulator, "PATCH", f"{base}/limits", {"bucket": True})["bucket"] is True
    assert control(emulator, "PATCH", f"{base}/events", {"delay_s": 5})["delay_s"] == 5
    assert control(emulator, "POST", f"{base}/events") == {"delivered": 0}
    assert control(emulator, "POST", f"{base}/faults", {"kind": "502", "times": 2}) == {"waiting": 1}
    url = f"http://{portal.domain}/rest/profile"
    assert requests.post(url, json={"auth": token}, timeout=10).status_code == 502
    assert control(emulator, "DELETE", f"{base}/faults") == {"waiting": 0}
    assert requests.post(url, json={"auth": token}, timeout=10).status_code == 200
    assert control(emulator, "GET", f"{base}/counters")["http_requests"] == 2
    assert control(emulator, "GET", f"{base}/calls")["calls"] == [{"method": "profile", "params": {}}]
    control(emulator, "DELETE", f"{base}/counters")
    assert control(emulator, "GET", f"{base}/counters")["http_requests"] == 0
    old = portal.domain
    assert act("rename") != old
    act("set_deleted")
    assert emulator.site(portal).is_deleted
    act("uninstall", clean=1)
    assert not emulator.app(portal).is_present
    assert control(emulator, "PATCH", "auth", {"old_refresh_lives": True})["old_refresh_lives"] is True
    assert control(emulator, "POST", "auth/faults", {"kind": "close"}) == {"waiting": 1}
    before = emulator.clock.time()
    control(emulator, "POST", "clock", {"advance": 3600})
    assert emulator.clock.time() - before >= 3600


def test_changes_over_http_can_be_a_users(emulator: Emulator) -> None:
    portal = emulator.add_portal()
    emulator.install(portal)
    token = emulator.issue_token(portal, 1)["access_token"]
    fields = {"auth": token, "event": "ONCRMDEALADD", "event_type": "offline"}
    requests.post(f"http://{portal.domain}/rest/event.bind", json=fields, timeout=10)
    control(
        emulator, "POST", f"portals/{portal.member_id}/records/deal?as=1", {"title": "D", "stageId": "NEW"}
    )
    queue = emulator.events(portal).rows(emulator.client_id)
    assert [row.additional for row in queue] == [{"user_id": "1"}]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "nonsense", None, 404),
        ("GET", "portals/unknown", None, 404),
        ("GET", "portals/{member}/records/nonsense", None, 404),
        ("PATCH", "portals/{member}/records/deal/9", {}, 404),
        ("POST", "portals/{member}/actions/nonsense", {}, 404),
        ("POST", "portals/{member}/actions/move_deal", {"id": 9, "stage_id": "WON"}, 400),
        ("POST", "portals/{member}/actions/move_deal", {"nonsense": 9}, 400),
        ("PATCH", "portals/{member}/limits", {"nonsense": 1}, 400),
        ("POST", "portals/{member}/faults", {"kind": "nonsense"}, 400),
    ],
)
def test_wrong_requests_say_what_is_wrong(
    emulator: Emulator, verb: str, path: str, body: Any, status: int
) -> None:
    member = emulator.add_portal().member_id
    url = f"{emulator.auth_url}/_control/{path.format(member=member)}"
    response = requests.request(verb, url, json=body, timeout=10)
    assert response.status_code == status
    assert response.json()["error"]


def test_the_command_prints_its_addresses_and_stops_on_a_signal() -> None:
    command = [sys.executable, "-m", "emulator", "--auth-port", "0", "--portal-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        auth_url = lines[0].split()[-1]
        portals = requests.get(f"{auth_url}/_control/portals", timeout=10).json()["portals"]
        assert f"http://{portals[0]['domain']}/" in lines[2]
        process.terminate()
        assert process.wait(timeout=10) == 0
