"""Keeps what was measured, one file for each section, and makes `docs/performance.md` of all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.machine import ROOT, commit, machine

RESULTS = Path(__file__).resolve().parent / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Measured by `make bench` (`python -m benchmarks`); nothing is timed inside the tests. Every section says
when, on what and on which commit it was measured (a plus sign: with changes that were not committed). The
portal is the project's emulator with the limits and the cost model of a cloud portal
([emulator](emulator.md)): a leaky bucket of 50 requests that drains by 2 a second, 480 s of operating
time for each method in ten minutes, 70 ms for a page of 50 rows, 21 µs for each row counted for a total,
60 s a request.
"""


@dataclass(frozen=True)
class Section:
    """A table with what has to be said about it. `name` is its file; the names order the document."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    picture: str | None = None  # path from `docs/`
    at: str = field(default_factory=lambda: datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))
    machine: str = field(default_factory=machine)
    commit: str = field(default_factory=commit)


def show(section: Section) -> None:
    """Print the section."""
    print(f"\n{markdown(section)}", flush=True)


def keep(section: Section) -> None:
    """Print the section, store it, and bring the document up to date."""
    show(section)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(asdict(section), ensure_ascii=False, indent=1)
    (RESULTS / f"{section.name}.json").write_text(text + "\n", "utf-8")
    write_document()


def write_document() -> None:
    """`docs/performance.md` from the stored sections."""
    found = [Section(**json.loads(path.read_text("utf-8"))) for path in sorted(RESULTS.glob("*.json"))]
    text = "\n".join([HEAD, *map(markdown, found)])
    DOCUMENT.write_text(text.rstrip() + "\n", "utf-8")


def markdown(section: Section) -> str:
    """The section as it stands in the document."""
    lines = [f"## {section.title}", ""]
    if section.columns:
        lines += [_line(section.columns), _line(["---", *("---:" for _ in section.columns[1:])])]
        lines += [_line(row) for row in section.rows]
        lines.append("")
    if section.picture:
        lines += [f"![{section.title}]({section.picture})", ""]
    if section.notes:
        lines += [*(f"- {note}" for note in section.notes), ""]
    lines += [f"_{section.at}, commit {section.commit}; {section.machine}._", ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def say(text: str) -> None:
    """Progress, with the time."""
    print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", flush=True)
