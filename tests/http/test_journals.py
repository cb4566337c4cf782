"""A number leads from an answer in the browser to everything that was done for it; logs hold no secrets."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from b24app import logs, trace
from b24app.logs import DailyFile
from b24app.trace import WELL_FORMED
from emulator import crm, seed
from emulator.server import Emulator
from tests.http.live import Live, eventually, living, token
from tests.http.processes import answers, environment, free_port, process

NUMBER = "from-the-browser-1"


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every line of the journals, oldest first."""
    written = [line for path in sorted(folder.glob("*.log")) for line in path.read_text("utf-8").splitlines()]
    return sorted((json.loads(line) for line in written), key=lambda line: str(line["at"]))


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    kept = {name: (logging.getLogger(name).handlers, logging.getLogger(name).level) for name in logs.FILES}
    for name, file in logs.FILES.items():
        logging.getLogger(name).handlers = [DailyFile(tmp_path / "log", file)]
        logging.getLogger(name).setLevel(logging.INFO)
    with living(database_url, tmp_path) as running:
        yield running
    for name, (handlers, level) in kept.items():
        logging.getLogger(name).handlers = handlers
        logging.getLogger(name).setLevel(level)


def test_the_browsers_number_comes_back_and_stands_beside_every_call_made_for_it(
    live: Live, tmp_path: Path
) -> None:
    portal = live.emulator.add_portal()
    deal_id = crm.add_item(portal, "deal", {"assignedById": 1})
    live.install(portal)
    bearer = token(live.open(portal, 1))
    answer = requests.get(
        f"{live.url}/api/v1/deals/{deal_id}",
        headers={"Authorization": f"Bearer {bearer}", "X-Request-ID": NUMBER},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Request-ID"] == NUMBER
    mine = [line for line in lines(tmp_path / "log") if line.get("request") == NUMBER]
    assert [line["event"] for line in mine].count("web.request") == 1
    (web,) = [line for line in mine if line["event"] == "web.request"]
    assert web["route"] == "/api/v1/deals/<int:deal_id>"
    assert (web["status"], web["method"], web["portal"]) == (200, "GET", 1)
    calls = [line for line in mine if line["event"] == "rest.call"]
    assert calls
    assert all(line["portal"] == "1" and line["outcome"] == "ok" and line["attempt"] == 1 for line in calls)


def test_an_error_tells_its_number_to_programs_and_to_people(live: Live) -> None:
    problem = requests.get(f"{live.url}/api/v1/kpi", headers={"X-Request-ID": NUMBER}, timeout=20)
    assert problem.status_code == 401
    assert problem.json()["reference"] == problem.headers["X-Request-ID"] == NUMBER
    page = requests.get(f"{live.url}/nowhere", headers={"X-Request-ID": NUMBER}, timeout=20)
    assert NUMBER in page.text


def test_a_forged_number_reaches_neither_logs_nor_pages(live: Live, tmp_path: Path) -> None:
    forged = "<script>alert(1)</script>"
    page = requests.get(f"{live.url}/nowhere", headers={"X-Request-ID": forged}, timeout=20)
    assert WELL_FORMED.fullmatch(page.headers["X-Request-ID"])
    assert "alert(1)" not in page.text
    assert "alert(1)" not in json.dumps(lines(tmp_path / "log"))


def test_a_queued_job_and_its_calls_go_under_the_number_of_who_asked(live: Live, tmp_path: Path) -> None:
    live.install(live.emulator.add_portal())
    with trace.under(NUMBER):
        live.parts.jobs.enqueue("first_read", 1)

    def mine(event: str) -> list[dict[str, Any]]:
        told = lines(tmp_path / "log")
        return [line for line in told if line["event"] == event and line.get("request") == NUMBER]

    live.parts.jobs.start(live.parts)
    try:
        assert eventually(lambda: bool(mine("job")))
    finally:
        live.parts.jobs.stop()
    (job,) = mine("job")
    assert (job["work"], job["portal"], job["outcome"]) == ("first_read", 1, "done")
    assert job["waited_ms"] >= 0
    assert {line["for"] for line in mine("rest.call")} == {"background"}


def test_no_log_of_a_whole_run_holds_a_token_a_secret_or_a_name(database_url: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    secret = "the-very-secret-of-the-app"
    with Emulator(client_secret=secret, app_url=url) as emulator:
        portal = emulator.add_portal()
        seed.add_user(portal, "Zinaida", "Kuznetsova", departments=[1])
        crm.add_item(portal, "deal", {"title": "Pools for Romashka", "assignedById": 2})
        more = {"B24APP_CLIENT_SECRET": secret, "B24APP_LOG_FORMAT": "json"}
        env = environment(tmp_path, url, emulator.auth_url, database_url, **more)
        shown = tmp_path / "stderr.log"
        with shown.open("wb") as stderr, process("serve", env, stderr=stderr) as server:
            assert eventually(lambda: answers(f"{url}/readyz"), 30)
            secrets = [secret]

            def post(path: str, user_id: int) -> requests.Response:
                query, form = emulator.frame_post(portal, user_id)
                secrets.extend((form["AUTH_ID"], form["REFRESH_ID"]))
                return requests.post(url + path, params=query, data=form, timeout=30)

            assert post("/install", 1).status_code == 200
            emulator.install(portal)
            secrets.append(emulator.app(portal).application_token)
            bearer = {"Authorization": f"Bearer {token(post('/', 1))}"}
            secrets.append(bearer["Authorization"])

            def read() -> bool:
                kpi = requests.get(f"{url}/api/v1/kpi?scope=company&period=month", headers=bearer, timeout=30)
                return kpi.status_code == 200 and kpi.json()["complete"]

            assert eventually(read, 30)
            emulator.expire_tokens(portal)
            emulator.faults(portal).add("500", method="batch", times=2)
            requests.get(f"{url}/api/v1/kpi?scope=company&period=month&fresh=1", headers=bearer, timeout=30)
            requests.get(f"{url}/?code=a-code-of-somebody&state=1", timeout=30)
            emulator.revoke_tokens(portal)
            requests.get(f"{url}/api/v1/kpi?scope=company&period=month&fresh=1", headers=bearer, timeout=30)
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
    written = shown.read_text("utf-8")
    told = lines(tmp_path / "log")
    assert {line["event"] for line in told} >= {"rest.call", "oauth.call", "web.request", "job"}
    assert {line["outcome"] for line in told if line["event"] == "rest.call"} >= {"ok", "token_expired"}
    assert all(json.loads(line)["level"] for line in written.splitlines())
    everything = written + json.dumps(told, ensure_ascii=False)
    for one in (*secrets, "a-code-of-somebody", "Zinaida", "Kuznetsova", "Romashka"):
        assert one not in everything
