from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.http.live import Live, living


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


def test_the_app_says_that_it_lives_and_is_ready(live: Live) -> None:
    assert requests.get(f"{live.url}/healthz", timeout=20).json() == {"status": "ok"}
    assert requests.get(f"{live.url}/readyz", timeout=20).json()["status"] == "ready"


def test_metrics_count_requests_and_portals_without_naming_any(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    requests.get(f"{live.url}/nowhere/{portal.member_id}", timeout=20)
    answer = requests.get(f"{live.url}/metrics", timeout=20)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'b24app_requests_total{route="/install",status="200"} 1.0' in answer.text
    assert 'b24app_portals{state="active"} 1.0' in answer.text
    assert portal.member_id not in answer.text
    assert portal.domain not in answer.text


def test_unknown_addresses_and_methods_have_readable_answers(live: Live) -> None:
    page = requests.get(f"{live.url}/nowhere", headers={"Accept-Language": "en"}, timeout=20)
    assert page.status_code == 404
    assert "There is no such page" in page.text
    problem = requests.get(f"{live.url}/api/v1/nowhere", timeout=20)
    assert problem.status_code == 404
    assert problem.json()["status"] == 404
    assert problem.headers["Content-Type"] == "application/problem+json"
    wrong = requests.put(f"{live.url}/install", timeout=20)
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]


def test_a_body_beyond_the_limit_is_refused(live: Live) -> None:
    body = {"event": "X" * (9 * 1024 * 1024)}
    assert requests.post(f"{live.url}/events", data=body, timeout=20).status_code == 413
