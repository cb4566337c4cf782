"""How fast the app answers, by the size of what is stored: `python -m benchmarks.answers`.

The time is the server's: a whole `GET /api/v1/kpi` through the app, with session, access, SQL and JSON,
without a socket. Every question is asked anew without an ETag, for other people and departments each time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from b24app import bootstrap, create_app, serving
from b24app.config import Settings
from b24app.db import open_engine
from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import By, Group
from b24app.viewer import Viewer
from b24app.web import session
from benchmarks import databases
from benchmarks.chart import Points, line_chart
from benchmarks.filling import DIVISION, MEMBER, TEAM, ZONE, division, fill, team
from benchmarks.machine import ROOT
from benchmarks.report import Section, keep, say, show
from benchmarks.tidy import end_tidily
from benchmarks.times import percentile
from emulator.large import Large

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (2_000, 5_000)
PEOPLE = 500
PORTAL, ADMIN = 1, 1
ASKED = 100
LONGEST_S = 60.0
"""A question that takes long is asked less often."""

PICTURE = ROOT / "docs" / "images" / "answers.svg"
SQLITE, POSTGRESQL = DATABASES = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Question:
    """`arguments`: of the n-th time that it is asked. `goal_ms`: for p95 at a million deals, if any."""

    name: str
    arguments: Callable[[int], dict[str, str]]
    goal_ms: float | None = None


@dataclass(frozen=True)
class Times:
    """Milliseconds of one question; `cpu` of this process, in which SQLite works too, PostgreSQL does not."""

    p50: float
    p95: float
    cpu: float
    asked: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", help=f"deals, by default {SIZES}")
    parser.add_argument("--quick", action="store_true", help=f"only {QUICK_SIZES}, not kept")
    options = parser.parse_args(arguments)
    end_tidily()
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    found = {deals: measure(deals) for deals in sorted(sizes)}
    if not options.quick:
        PICTURE.write_text(_chart(found), "utf-8")
    (show if options.quick else keep)(_section(found))


def measure(deals: int) -> dict[tuple[str, str], Times]:
    """The times of every question by (database, question) at one size."""
    large = Large(deals, datetime.now(UTC), PEOPLE)
    questions = questions_about(large)
    found: dict[tuple[str, str], Times] = {}
    with databases.sqlite() as sqlite_url, databases.postgresql() as postgresql_url:
        say(f"answers: storing {deals:,} deals, {large.history:,} history rows, {large.leads:,} leads")
        started = time.monotonic()
        source, target = open_engine(sqlite_url), open_engine(postgresql_url)
        fill(source, PORTAL, large)
        say(f"stored after {time.monotonic() - started:.0f} s; copying to PostgreSQL")
        databases.copy(source, target)
        source.dispose()
        target.dispose()
        for name, url in ((SQLITE, sqlite_url), (POSTGRESQL, postgresql_url)):
            with asking(url) as ask:
                for question in questions:
                    found[name, question.name] = times_of(ask, question)
            say(f"asked {name}")
    return found


def questions_about(large: Large) -> list[Question]:
    """What the company's people ask, over the last twelve months up to the end of the running one."""
    today = datetime.fromtimestamp(large.now, ZONE).date()
    month = today.replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    year = {"from": date(after.year - 1, after.month, 1).isoformat(), "to": after.isoformat()}
    this_month = {"from": month.isoformat(), "to": after.isoformat()}
    divisions, teams = large.people // DIVISION, large.people // TEAM

    def sales(by: By | None = None) -> dict[str, str]:
        keys = [m.key for m in CATALOG if m.group is Group.SALES and (by is None or by in m.by)]
        return {"metric": ",".join(keys)} | ({} if by is None else {"by": by.value})

    return [
        Question(
            "company, 12 months by month, all sales KPIs, compared",
            lambda n: {**sales(By.MONTH), **year, "scope": "company", "compare": "previous"},
            40,
        ),
        Question(
            "table of 100 people, one month, all sales KPIs",
            lambda n: {**sales(By.USER), **this_month, "scope": f"department:{division(n % divisions)}"},
            40,
        ),
        Question(
            "one employee, one month, all sales KPIs",
            lambda n: {**sales(), **this_month, "scope": f"user:{2 + n % large.people}"},
            15,
        ),
        Question(
            "team of 20, 12 months by month, all sales KPIs, compared",
            lambda n: {
                **sales(By.MONTH),
                **year,
                "scope": f"department:{team(n % teams)}",
                "compare": "previous",
            },
        ),
        Question(
            "repeat sales of the company, 12 months by month",
            lambda n: {"metric": "repeat_sales_rate", "by": "month", **year, "scope": "company"},
        ),
        Question(
            "funnel of the company, one month",
            lambda n: {"metric": "funnel", **this_month, "scope": "company"},
        ),
    ]


Ask = Callable[[dict[str, str]], None]
"""Asks one question."""


@contextmanager
def asking(database_url: str) -> Iterator[Ask]:
    """The app over a database, asked as an admin."""
    with tempfile.TemporaryDirectory(prefix="b24app-bench-") as folder:
        parts = bootstrap.build(
            Settings(
                client_id="local.bench",
                client_secret="secret",
                oauth_urls=("http://127.0.0.1:9",),
                database_url=database_url,
                secret_keys=("key of the benchmarks",),
                var_dir=Path(folder),
                allow_private_portals=True,
            )
        )
        app = create_app(parts)
        client = app.test_client()
        serving.settle()
        headers = {"Authorization": f"Bearer {_token(app)}"}
        try:
            yield lambda arguments: _ask(client, headers, arguments)
        finally:
            parts.close()


def times_of(ask: Ask, question: Question, asked: int = ASKED) -> Times:
    """Asked a few times to warm up, then up to `asked` times."""
    for number in range(3):
        ask(question.arguments(number))
    taken: list[float] = []
    until, cpu_before = time.monotonic() + LONGEST_S, time.process_time()
    while len(taken) < asked and (time.monotonic() < until or len(taken) < 5):
        arguments = question.arguments(len(taken))
        started = time.perf_counter()
        ask(arguments)
        taken.append((time.perf_counter() - started) * 1000)
    cpu = (time.process_time() - cpu_before) * 1000 / len(taken)
    return Times(percentile(taken, 0.5), percentile(taken, 0.95), cpu, len(taken))


def _token(app: Flask) -> str:
    with app.app_context():
        return session.issue(Viewer(PORTAL, MEMBER, ADMIN, is_admin=True))


def _ask(client: FlaskClient, headers: dict[str, str], arguments: dict[str, str]) -> None:
    answer = client.get("/api/v1/kpi", query_string=arguments, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{arguments}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")


def _section(found: dict[int, dict[tuple[str, str], Times]]) -> Section:
    largest = max(found)
    goals = {
        question.name: question.goal_ms for question in questions_about(Large(1, datetime.now(UTC), PEOPLE))
    }
    columns = ["question (ms: p50 / p95)", "goal, p95"]
    columns += [f"{database}, {deals:,}" for database in DATABASES for deals in found]
    columns.append(f"processor, {' / '.join(DATABASES)}, {largest:,}")
    rows: list[list[str]] = []
    missed: list[str] = []
    for name, goal in goals.items():
        row = [name, "" if goal is None else f"{goal:.0f}"]
        for database in DATABASES:
            row += [
                f"{times[database, name].p50:.1f} / {times[database, name].p95:.1f}"
                for times in found.values()
            ]
            at_most = found[largest][database, name].p95
            if goal is not None and at_most > goal:
                missed.append(f"{name} on {database}: {at_most:.0f} ms instead of {goal:.0f}")
        row.append(" / ".join(f"{found[largest][database, name].cpu:.1f}" for database in DATABASES))
        rows.append(row)
    counts = [one.asked for times in found.values() for one in times.values()]
    asked = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return Section(
        name="second-answers",
        title="Answering",
        columns=columns,
        rows=rows,
        notes=[
            "Revenue, deals won and win rate have targets for all people, teams, divisions and the company.",
            "Every deal stored comes with 3.4 history rows and 0.4 leads; "
            f"{PEOPLE} employees in teams of {TEAM} and divisions of {DIVISION}; three years.",
            "The server's time of a whole `GET /api/v1/kpi` (session, access, SQL, JSON) without the socket; "
            f"every question asked {asked} times in one thread, without an ETag, of other people each time.",
            "Processor: milliseconds of the app's process, in which SQLite works and PostgreSQL does not.",
            *([f"Missed at {largest:,} deals: {'; '.join(missed)}."] if missed else []),
        ],
        picture="images/answers.svg",
    )


def _chart(found: dict[int, dict[tuple[str, str], Times]]) -> str:
    lines: dict[str, Points] = {}
    for database, name in next(iter(found.values())):
        short = name.split(",")[0]
        label = short if database == POSTGRESQL else f"{short}, {SQLITE}"
        lines[label] = [(deals, times[database, name].p95) for deals, times in found.items()]
    return line_chart("Time of an answer by deals stored (p95)", "deals stored", "ms", lines, dashed=SQLITE)


if __name__ == "__main__":
    main()
