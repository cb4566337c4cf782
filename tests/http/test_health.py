from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from b24app import meters
from b24app.config import ROOT
from b24app.web.state_metrics import KEPT_S, Snapshot, StateCollector
from tests.http.live import Live, eventually, living, token
from tests.http.metering import grown, metrics

OPERATIONS = ROOT / "docs" / "operations.md"


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


def test_the_app_says_that_it_lives_and_is_ready(live: Live) -> None:
    assert requests.get(f"{live.url}/healthz", timeout=20).json() == {"status": "ok"}
    assert requests.get(f"{live.url}/readyz", timeout=20).json()["status"] == "ready"


def test_metrics_count_requests_and_portals_without_naming_any(live: Live) -> None:
    before = metrics(live.url)
    portal = live.emulator.add_portal()
    live.install(portal)
    requests.get(f"{live.url}/nowhere/{portal.member_id}", timeout=20)
    shown = requests.get(f"{live.url}/metrics", timeout=20).text
    assert portal.member_id not in shown
    assert portal.domain not in shown
    after = metrics(live.url)
    assert grown(before, after, 'b24app_requests_total{route="/install",status="200"}') == 1
    assert grown(before, after, 'b24app_oauth_requests_total{method="app.info",outcome="ok"}') >= 1
    assert grown(before, after, 'b24app_portal_requests_total{outcome="ok",who="people"}') >= 1


def test_metrics_tell_how_portals_stand_and_how_long_work_waits(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    live.parts.jobs.enqueue("refresh", 1)
    now = metrics(live.url)
    assert now["b24app_state_readable"] == 1
    assert now['b24app_portals{state="active"}'] == 1
    assert now["b24app_portals_never_asked"] == 1
    assert now['b24app_queue_entries{queue="now"}'] == 1
    assert 0 <= now['b24app_queue_oldest_seconds{queue="now"}'] < 60
    live.parts.jobs.start(live.parts)
    assert eventually(lambda: (row := live.row(portal)) is not None and row.checked_at is not None)
    live.parts.jobs.stop()
    token(live.open(portal, 1))
    time.sleep(KEPT_S)
    now = metrics(live.url)
    assert now["b24app_portals_never_asked"] == 0
    assert now['b24app_portal_age_seconds_bucket{le="60.0",watched="yes"}'] == 1
    assert now['b24app_portal_age_seconds_bucket{le="+Inf",watched="no"}'] == 0
    assert now['b24app_opening_seconds_count{view="home"}'] >= 1
    assert now['b24app_kpi_seconds_count{by="month",scope="company"}'] >= 1
    assert now["b24app_portal_operating_share_count"] >= 1
    assert now["b24app_portal_bucket_share_count"] >= 1
    assert now['b24app_job_wait_seconds_count{work="first_read"}'] >= 1


def test_metrics_go_on_while_the_database_is_away(live: Live) -> None:
    live.install(live.emulator.add_portal())
    with live.parts.engine.begin() as conn:
        conn.execute(text("ALTER TABLE portals RENAME TO portals_away"))
    now = metrics(live.url)
    assert now["b24app_state_readable"] == 0
    assert now['b24app_requests_total{route="/install",status="200"}'] >= 1


def test_every_metric_is_described_for_operators() -> None:
    described = set(re.findall(r"^\| `(b24app_\w+)", OPERATIONS.read_text("utf-8"), re.M))
    counted = {metric.name for metric in meters.meters().registry.collect()}
    told_of_portals = {metric.name for metric in StateCollector(Snapshot).describe()}
    assert described == counted | told_of_portals


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
