from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from b24app import clock
from b24app.logs import DailyFile
from b24app.soon import BACKLOG, Busy, Soon


def test_work_is_done_and_its_failure_is_in_the_future() -> None:
    soon = Soon()
    assert soon.submit(lambda a, b: a + b, 2, b=3).result(5) == 5
    failed = soon.submit(lambda: 1 // 0)
    assert isinstance(failed.exception(5), ZeroDivisionError)
    assert soon.settle(5)


def test_a_flood_is_refused_before_it_fills_the_memory() -> None:
    soon, gate = Soon(threads=1), threading.Event()
    for _ in range(BACKLOG):
        soon.submit(gate.wait, 5)
    with pytest.raises(Busy):
        soon.submit(gate.wait, 5)
    gate.set()
    assert soon.settle(5)


def test_closing_waits_for_what_is_quick_only() -> None:
    soon, gate = Soon(), threading.Event()
    soon.submit(gate.wait, 30)
    started = time.monotonic()
    soon.close(0.05)
    assert time.monotonic() - started < 1
    gate.set()


def test_work_may_be_put_off() -> None:
    soon, done = Soon(), threading.Event()
    soon.submit_in(0.01, done.set)
    assert done.wait(5)


def test_a_log_has_a_file_a_day_and_keeps_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = DailyFile(tmp_path, "rest")
    first = datetime(2026, 11, 1, 12, tzinfo=UTC)
    for day in range(12):
        monkeypatch.setattr(clock, "now", lambda day=day: first + timedelta(days=day))
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "line of %s", (day,), None))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[-1] == "rest-2026-11-12.log"
    assert 4 <= len(names) <= 9
    assert (tmp_path / names[-1]).read_text().endswith("line of 11\n")
