"""Two web servers and two workers beside each other, as in `docs/configuration.md`: what they share."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from requests import Response
from sqlalchemy import create_engine, update

from b24app.rest import budget
from b24app.rest.limits import CLOUD
from b24app.sync import freshness
from b24app.tables import tokens
from emulator import crm
from emulator.seed import add_user
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.live import token
from tests.http.processes import answers, environment, free_port, process
from tests.http.reading import eventually
from tests.http.servers import redis_server
from tests.http.syncing import fill

pytestmark = pytest.mark.long

SOON_S = 90.0
"""More than four processes take to start on a busy machine."""
VIEWERS = 6
NUMBER = "/api/v1/kpi?metric=deals_won&scope=company&period=year"
RECORDS = "/api/v1/kpi/records?metric=deals_won&scope=company&period=year"


@dataclass
class Firm:
    """A portal with its limits on, and the app's addresses."""

    emulator: Emulator
    portal: Portal
    urls: tuple[str, ...]
    database_url: str
    redis_url: str
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)
    """An admin's opened page on each server."""

    def requests(self) -> int:
        return int(self.emulator.counters(self.portal).http_requests)

    def refused(self) -> int:
        counters = self.emulator.counters(self.portal)
        return int(counters.refused_503 + counters.refused_429)

    def open_pages(self) -> None:
        for url in self.urls:
            query, form = self.emulator.frame_post(self.portal, 1)
            page = requests.post(url, params=query, data=form, timeout=30)
            self.sessions[url] = {"Authorization": f"Bearer {token(page)}"}

    def ask(self, url: str, path: str) -> Response:
        return requests.get(url + path, headers=self.sessions[url], timeout=30)

    def is_complete(self) -> bool:
        return all(self.ask(url, "/api/v1/sync").json()["complete"] for url in self.urls)

    def settle(self) -> None:
        """No check is under way any more, and the next one has no short lists to ask for: a change in the
        middle of a check that counts records looks like a lost one, and has everything compared."""
        for url in self.urls:
            assert self.ask(url, f"{NUMBER}&fresh=1").status_code == 200

    def ask_all_the_time(self, path: str, seconds: float, pause_s: float) -> list[int]:
        """Several viewers on each server, who look again and again; the statuses they saw."""
        statuses: list[int] = []
        until = time.monotonic() + seconds

        def look(url: str) -> None:
            while time.monotonic() < until:
                statuses.append(self.ask(url, path).status_code)
                time.sleep(pause_s)

        threads = [
            threading.Thread(target=look, args=(url,)) for url in self.urls for _ in range(VIEWERS // 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses


@pytest.fixture
def firm(database_url: str, tmp_path: Path) -> Iterator[Firm]:
    urls = tuple(f"http://127.0.0.1:{free_port()}" for _ in range(2))
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path))
        emulator = stack.enter_context(Emulator(app_url=urls[0]))
        portal = emulator.add_portal()
        add_user(portal, "Anna", "Seller", departments=[1])
        fill(portal, deals=120, leads=20)
        emulator.limits(portal, bucket=True, operating=True)
        shared = {"B24APP_REDIS_URL": redis.url, "B24APP_SECRET_KEY": "shared by all"}
        running: list[subprocess.Popen[bytes]] = []
        for number, command in enumerate(("serve", "serve", "worker", "worker")):
            url = urls[number % 2]
            env = environment(tmp_path, urls[0], emulator.auth_url, database_url, **shared)
            env["B24APP_BIND"] = url.removeprefix("http://")
            running.append(stack.enter_context(process(command, env)))
        assert eventually(lambda: all(answers(f"{url}/readyz") for url in urls), within_s=SOON_S)
        query, form = emulator.frame_post(portal, 1)
        assert requests.post(f"{urls[0]}/install", params=query, data=form, timeout=30).status_code == 200
        emulator.install(portal)
        found = Firm(emulator, portal, urls, database_url, redis.url)
        found.open_pages()
        assert eventually(found.is_complete, within_s=SOON_S)
        found.settle()
        yield found
        for one in running:  # all at once; each is waited for afterwards
            one.terminate()


def test_processes_share_budget_tokens_jobs_and_freshness(firm: Firm) -> None:
    # The first read was a job of one of them: the short lists were read once.
    assert firm.emulator.counters(firm.portal).by_method["crm.settings.mode.get"] == 1

    # However many look on whichever server: one batch in five seconds, and all see the change.
    requests_before, started = firm.requests(), time.monotonic()
    crm.move_deal(firm.portal, crm.add_item(firm.portal, "deal", {"assignedById": 2}), "WON")
    assert set(firm.ask_all_the_time(NUMBER, 6, 0.1)) == {200}
    spent, seconds = firm.requests() - requests_before, time.monotonic() - started
    assert 1 <= spent <= 1 + seconds / freshness.FRESH_S
    won = sum(row["stageSemanticId"] == "S" for row in firm.portal.records["deal"])
    for url in firm.urls:
        assert firm.ask(url, NUMBER).json()["values"][0]["value"] == won

    # A token that has run out is refreshed once, whoever needs it; and all together never fill the bucket.
    engine = create_engine(firm.database_url.replace("postgresql://", "postgresql+psycopg://"))
    refreshes = firm.emulator.auth.refreshes
    with engine.begin() as conn:
        conn.execute(update(tokens).values(expires_at=0))
    engine.dispose()
    requests_before, started = firm.requests(), time.monotonic()
    firm.ask_all_the_time(f"{NUMBER}&fresh=1", 1, 0)
    assert firm.emulator.auth.refreshes == refreshes + 1
    assert 200 in firm.ask_all_the_time(RECORDS, 4, 0)
    spent = firm.requests() - requests_before
    level, _methods = budget.open_budgets(firm.redis_url).for_portal(firm.portal.domain).used()
    drained = (time.monotonic() - started) * CLOUD.per_second
    assert spent > drained + 5
    assert level >= spent - drained - 1  # every request of every process is in the one budget
    assert firm.refused() == 0
