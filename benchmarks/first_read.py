"""The first read of a portal at its limits, ours and the peers': `python -m benchmarks.first_read`."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from sqlalchemy import create_engine, text

from b24app.rest import limits
from benchmarks.app import cpu_s, environment, peak_mb
from benchmarks.peers import PEERS
from benchmarks.portal import ADMIN, CLIENT_ID, EmulatorProcess, Portal
from benchmarks.report import Section, keep, say, show
from benchmarks.tidy import end_tidily
from demo.children import Children, free_port
from demo.frames import Frame, Visitor, install
from emulator.large import STEPS, Large
from tests.http.tls_front import make_certificate, tls_front

SIZES = (20_000, 100_000)
QUICK_SIZES = (2_000,)
PEERS_UP_TO = 100_000
PEER_CAP_S, SMALL_PEER_CAP_S = 15 * 60, 5 * 60
"""How long the peers may take, of a small portal (up to 20,000 deals) less."""

OUR_CAP_S = 2 * 3600
MONTH_CAP_S = 300
POLL_S = 0.25
SLOW_POLL_S = 1.0

PARALLEL = 8
"""The number of requests side by side that the bound is worked out for, the most that is still gentle."""

IN_BACKGROUND = limits.PARALLEL
"""What a first read uses of that."""

PAGE, BATCH = 50, 50
OPERATING_LIMIT_S, WINDOW_S = 480.0, 600.0
KEPT_FREE = 0.15
"""The share of a method's operating time that a gentle reader leaves to the people who are looking."""

BUCKET, DRAIN_PER_S = 50, 2.0
PAGE_S = 0.070
ZONE = ZoneInfo("Europe/Moscow")
USD = 80

COLUMNS = (
    "reader", "month right, s", "deals and leads, s", "all read, s", "rows of the truth", "lost", "doubled",
    "requests", "commands", "operating, s", "most in 10 min, s", "side by side", "503", "429", "processor, s",
    "peak memory, MB",
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What a reader has to find: rows by list, and this month's figures of the company."""

    rows: dict[str, int]
    month: date
    deals_won: int
    revenue: Decimal
    leads_new: int

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass
class Outcome:
    """What one reader did. `month_s` and `all_s`: None where that was not reached; `note` says why."""

    name: str
    month_s: float | None = None
    records_s: float | None = None  # deals and leads, without their history
    all_s: float | None = None
    received: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
    memory_mb: float = 0.0
    cpu_s: float = 0.0
    failed: list[str] = field(default_factory=list)  # lists that were not read to their end
    note: str = ""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    end_tidily()
    for deals in options.sizes or (QUICK_SIZES if options.quick else SIZES):
        with_peers = not options.no_peers and deals <= PEERS_UP_TO
        cap_s = options.peer_cap or (SMALL_PEER_CAP_S if deals <= min(SIZES) else PEER_CAP_S)
        section = measure(deals, with_peers=with_peers, cap_s=cap_s)
        (show if options.quick else keep)(section)


def measure(deals: int, *, with_peers: bool, cap_s: float) -> Section:
    """One size of portal: the app, then the peers beside each other on portals of their own."""
    now = datetime.now(UTC).replace(microsecond=0)
    large = Large(deals, now)
    truth = truth_of(large)
    say(f"first read of {deals:,} deals: {truth.total:,} rows")
    with tempfile.TemporaryDirectory(prefix="b24app-bench-") as name, Children(Path(name)) as children:
        folder = Path(name)
        app_url = f"http://127.0.0.1:{free_port(0)}"
        emulator = EmulatorProcess(children, app_url)
        emulator.first.fill(deals, now)
        outcomes = [_ours(children, folder, emulator, app_url, truth, large)]
        if with_peers:
            outcomes += _peers(emulator, folder, deals, now, cap_s)
    return _section(deals, large, truth, outcomes, cap_s if with_peers else None)


def truth_of(large: Large) -> Truth:
    """Worked out plainly, record by record."""
    month = datetime.fromtimestamp(large.now, ZONE).date().replace(day=1)
    since = int(datetime(month.year, month.month, 1, tzinfo=ZONE).timestamp())
    won, revenue = 0, Decimal(0)
    for deal in range(1, large.deals + 1):
        at, step = large.path(deal)[-1]
        if at >= since and STEPS[step][1] == "S":
            amount, currency = large.amount(deal)
            won += 1
            revenue += amount * (USD if currency == "USD" else 1)
    return Truth(
        rows={
            "deals": large.deals,
            "leads": large.leads,
            "history": large.history,
            "users": large.people + 1,
        },
        month=month,
        deals_won=won,
        revenue=revenue,
        leads_new=sum(large.lead_created(lead) >= since for lead in range(1, large.leads + 1)),
    )


def bound_s(
    large: Large,
    parallel: int = PARALLEL,
    limit_s: float = OPERATING_LIMIT_S,
    *,
    with_history: bool = True,
) -> float:
    """No reader with so many requests side by side can be faster: pages take their time, each method has its
    operating time in ten minutes (`limit_s` of it used), and requests of 50 pages go through the bucket."""
    pages = {
        "crm.item.list": -(-large.deals // PAGE) + -(-large.leads // PAGE),
        "crm.stagehistory.list": -(-large.history // PAGE) if with_history else 0,
    }
    spent = {method: count * PAGE_S for method, count in pages.items()}
    requests_needed = sum(-(-count // BATCH) for count in pages.values())
    through_bucket = max(0.0, (requests_needed - BUCKET) / DRAIN_PER_S)
    return max(
        sum(spent.values()) / parallel,
        through_bucket,
        *(_blocked_s(s, parallel, limit_s) for s in spent.values()),
    )


def _blocked_s(seconds: float, parallel: int, limit_s: float) -> float:
    """How long a method takes that may use `limit_s` in any ten minutes."""
    windows = max(0, math.ceil(seconds / limit_s) - 1)
    return windows * WINDOW_S + (seconds - windows * limit_s) / parallel


def _ours(
    children: Children, folder: Path, emulator: EmulatorProcess, app_url: str, truth: Truth, large: Large
) -> Outcome:
    portal = emulator.first
    outcome = Outcome("b24app")
    pid = children.start("b24app", "serve", environ=environment(folder, app_url, emulator.auth_url))
    children.wait_for(f"{app_url}/healthz")
    admin = Visitor(portal.url, app_url, CLIENT_ID, ADMIN)
    portal.limit()
    started = time.monotonic()
    watcher = _Watcher(admin, install(admin, lambda _: None), children)
    say("installed")
    question = "/api/v1/kpi?metric=deals_won,revenue,leads_new&scope=company&period=month"
    wanted = {"deals_won": truth.deals_won, "revenue": truth.revenue, "leads_new": truth.leads_new}

    def is_month_right() -> bool:
        values = {one["metric"]: one["value"] for one in watcher.ask(question)["values"]}
        return all(
            values[key] is not None and Decimal(str(values[key])) == right for key, right in wanted.items()
        )

    if watcher.until(is_month_right, POLL_S, started + MONTH_CAP_S):
        outcome.month_s = time.monotonic() - started
        say(f"the running month is right after {outcome.month_s:.1f} s")
    else:
        outcome.note = f"the running month was not right within {MONTH_CAP_S} s"
    if watcher.until(watcher.has_records, SLOW_POLL_S, started + OUR_CAP_S):
        outcome.records_s = time.monotonic() - started
        say(f"deals and leads are read after {outcome.records_s:.1f} s")
    if watcher.until(lambda: watcher.progress("/api/v1/sync"), SLOW_POLL_S, started + OUR_CAP_S):
        outcome.all_s = time.monotonic() - started
        say(f"all is read after {outcome.all_s:.1f} s")
    else:
        outcome.note = f"stopped after {OUR_CAP_S} s"
    outcome.counters = portal.counters()
    outcome.memory_mb, outcome.cpu_s = peak_mb(pid), cpu_s(pid)
    wrong = _compare(folder / "b24app.sqlite3", large, outcome)
    if wrong:
        outcome.note += f" {wrong} stored deals differ from the portal's"
    return outcome


class _Watcher:
    """Asks the app what its page asks; opens the page again when its session has ended."""

    def __init__(self, visitor: Visitor, frame: Frame, children: Children) -> None:
        self._visitor, self._frame, self._children = visitor, frame, children
        self._said = 0.0

    def ask(self, path: str) -> dict[str, Any]:
        try:
            return self._visitor.ask(self._frame, path)
        except requests.ConnectionError:  # one that was kept open was just being closed
            return self._visitor.ask(self._frame, path)
        except requests.HTTPError as error:
            if error.response.status_code != 401:
                raise
            self._frame = self._visitor.open_app()
            return self._visitor.ask(self._frame, path)

    def progress(self, path: str) -> bool:
        """Whether everything is read; says from time to time how much is."""
        state = self.ask(path)
        if time.monotonic() - self._said > 60:
            self._said = time.monotonic()
            say(f"read: {state['progress']:.0%}")
        return bool(state["complete"])

    def has_records(self) -> bool:
        """Whether all deals and leads are read, whatever their history."""
        states = {one["source"]: one["state"] for one in self.ask("/api/v1/sync")["sources"]}
        return all(states[name] == "ready" for name in ("deals", "leads"))

    def until(self, is_so: Callable[[], bool], pause_s: float, deadline: float) -> bool:
        while not is_so():
            if time.monotonic() > deadline:
                return False
            self._children.check()
            time.sleep(pause_s)
        return True


def _compare(database: Path, large: Large, outcome: Outcome) -> int:
    """Note how many rows the app has; how many deals of them are not as the portal has them."""
    queries = {
        "deals": "SELECT count(*) FROM deals",
        "leads": "SELECT count(*) FROM leads",
        "history": "SELECT count(*) FROM stage_stays WHERE entity_type_id = 2",
        "users": "SELECT count(*) FROM users",
    }
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as conn:
        for kind, query in queries.items():
            outcome.distinct[kind] = outcome.received[kind] = int(conn.execute(text(query)).scalar_one())
        found = conn.execute(text("SELECT deal_id, semantics, moved_at, amount FROM deals"))
        wrong = sum(not _is_right(large, *row) for row in found)
    engine.dispose()
    return wrong


def _is_right(large: Large, deal: int, semantics: str, moved_at: int, amount: int) -> bool:
    at, step = large.path(deal)[-1]
    return (semantics, moved_at, Decimal(amount) / 10_000) == (STEPS[step][1], at, large.amount(deal)[0])


def _peers(emulator: EmulatorProcess, folder: Path, deals: int, now: datetime, cap_s: float) -> list[Outcome]:
    """All peers at the same time, each a process of its own with a portal of its own."""
    certificate = make_certificate(folder)
    running = []
    for name in PEERS:
        portal = emulator.add_portal()
        portal.fill(deals, now)
        portal.limit()
        running.append((name, portal))
    say(f"peers: {', '.join(PEERS)}")
    fronts, works = [], []
    for name, portal in running:
        webhook = portal.webhook()
        environ = {}
        if name == "b24pysdk":  # it speaks https only
            front = tls_front(portal.domain, certificate)
            webhook = webhook.replace(f"http://{portal.domain}", f"https://{front.__enter__()}")
            fronts.append(front)
            environ = {"REQUESTS_CA_BUNDLE": str(certificate)}
        works.append((portal, _Peer(name, webhook, folder, environ)))
    try:
        deadline = time.monotonic() + cap_s
        return [work.finish(portal, deadline) for portal, work in works]
    finally:
        for _, work in works:
            work.kill()
        for front in fronts:
            front.__exit__(None, None, None)


class _Peer:
    """A running peer."""

    def __init__(self, name: str, webhook: str, folder: Path, environ: dict[str, str]) -> None:
        self.name, self._file = name, folder / f"{name}.json"
        command = [sys.executable, "-m", "benchmarks.peers", name, webhook, str(self._file)]
        with (folder / f"{name}.log").open("wb") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=log, stderr=log)

    def finish(self, portal: Portal, deadline: float) -> Outcome:
        """What it did by its end or by the deadline."""
        outcome = Outcome(self.name)
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            outcome.memory_mb, outcome.cpu_s = peak_mb(self._process.pid), cpu_s(self._process.pid)
            self.kill()
            outcome.note = "stopped at the cap on time"
        outcome.counters = portal.counters()
        if self._file.exists():
            found = json.loads(self._file.read_text("utf-8"))
            outcome.name = f"{self.name} {found['version']}"
            outcome.received, outcome.distinct = found["received"], found["distinct"]
            outcome.failed = found["failed"]
            if {"deals", "leads"} <= found["ended_s"].keys():
                outcome.records_s = max(found["ended_s"]["deals"], found["ended_s"]["leads"])
            outcome.memory_mb = max(outcome.memory_mb, found["peak_mb"])
            outcome.cpu_s = max(outcome.cpu_s, found["cpu_s"])
            if found["error"]:
                outcome.note = found["error"]
            elif not outcome.note:
                outcome.all_s = found["seconds"]
        say(f"{outcome.name}: {outcome.all_s and round(outcome.all_s)} s {outcome.note}")
        return outcome

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _section(
    deals: int, large: Large, truth: Truth, outcomes: Sequence[Outcome], cap_s: float | None
) -> Section:
    limit = bound_s(large)
    bound_row = [
        f"bound, {PARALLEL} side by side",
        "",
        f"{bound_s(large, with_history=False):.0f}",
        f"{limit:.0f}",
        f"{truth.total:,}",
        "0",
        "0",
        str(sum(-(-count // (PAGE * BATCH)) for count in truth.rows.values())),
        str(sum(-(-count // PAGE) for count in truth.rows.values())),
        f"{sum(-(-count // PAGE) * PAGE_S for count in truth.rows.values()):.0f}",
        f"≤ {OPERATING_LIMIT_S:.0f}",
        str(PARALLEL),
        "0",
        "0",
        "",
        "",
    ]
    kept_to = IN_BACKGROUND, OPERATING_LIMIT_S * (1 - KEPT_FREE)
    gentle = bound_s(large, *kept_to)
    gentle_row = [
        f"bound, {IN_BACKGROUND} side by side, {KEPT_FREE:.0%} of operating time left to others",
        "",
        f"{bound_s(large, *kept_to, with_history=False):.0f}",
        f"{gentle:.0f}",
        *bound_row[4:],
    ]
    gentle_row[COLUMNS.index("side by side")] = str(IN_BACKGROUND)
    gentle_row[COLUMNS.index("most in 10 min, s")] = f"≤ {OPERATING_LIMIT_S * (1 - KEPT_FREE):.0f}"
    notes = [
        f"The portal: {large.deals:,} deals, {large.history:,} rows of stage history, {large.leads:,} leads, "
        f"{large.people + 1} users, over three years; {truth.deals_won:,} deals won in the running month. "
        "Time runs from the opening of the installer; 'right' means that deals won, revenue and new leads of "
        "the company for the running month equal the plain calculation.",
    ]
    ours = outcomes[0].all_s
    if ours is not None:
        notes.append(
            f"All was read in {ours / limit:.2f} × the bound, {ours / gentle:.2f} × the bound that leaves "
            f"room for the people who are looking: one of {PARALLEL} requests and {KEPT_FREE:.0%} of the "
            "operating time."
        )
    records = [(one.records_s, one.name) for one in outcomes if one.records_s is not None]
    if len(records) > 1 and records[0][1] == outcomes[0].name:
        seconds, name = min(records[1:])
        notes.append(
            f"For deals and leads the fastest peer ({name}) took {seconds / records[0][0]:.1f} × our time."
        )
    finished = [(one.all_s, one.name) for one in outcomes[1:] if one.all_s is not None]
    if ours is not None and finished:
        seconds, name = min(finished)
        notes.append(f"The fastest peer that read to the end ({name}) took {seconds / ours:.1f} × our time.")
    if cap_s is None:
        notes.append("Without peers.")
    else:
        notes.append(
            "The peers read at the same time, each on a portal of its own, for at most "
            f"{cap_s / 60:.0f} minutes."
        )
    notes += [f"{one.name}: {one.note.strip()}." for one in outcomes if one.note]
    return Section(
        name=f"first_read-{deals:07d}",
        title=f"First read, {deals:,} deals",
        columns=COLUMNS,
        rows=[bound_row, gentle_row, *(_row(one, truth) for one in outcomes)],
        notes=notes,
    )


def _row(one: Outcome, truth: Truth) -> list[str]:
    counters = one.counters
    ended = [kind for kind in one.distinct if kind not in one.failed]
    lost = sum(max(0, truth.rows[kind] - one.distinct[kind]) for kind in ended)
    unread = sum(rows - one.distinct.get(kind, 0) for kind, rows in truth.rows.items() if kind not in ended)
    doubled = sum(one.received[kind] - found for kind, found in one.distinct.items())
    return [
        one.name,
        "" if one.month_s is None else f"{one.month_s:.1f}",
        "—" if one.records_s is None else f"{one.records_s:.0f}",
        "—" if one.all_s is None else f"{one.all_s:.0f}",
        f"{sum(one.distinct.values()):,}",
        f"{lost:,}" + (f" + {unread:,} not read" if unread else ""),
        f"{doubled:,}",
        f"{counters['http_requests']:,}",
        f"{counters['commands']:,}",
        f"{counters['seconds']:.0f}",
        f"{max(counters['operating'].values(), default=0):.0f}",
        str(counters["most_at_once"]),
        str(counters["refused_503"]),
        str(counters["refused_429"]),
        f"{one.cpu_s:.0f}",
        f"{one.memory_mb:.0f}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_read", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", help=f"deals, by default {SIZES}; 500000 takes an hour"
    )
    parser.add_argument("--quick", action="store_true", help=f"only {QUICK_SIZES}, not kept")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peer-cap", type=float, help="seconds that the peers may take")
    return parser


if __name__ == "__main__":
    main()
