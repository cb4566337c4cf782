"""Works in pieces: the recent past of all first, one's trouble is not the others'."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest

from b24app.rest.errors import RateLimited, RetryLater
from b24app.sync import side_by_side
from b24app.sync.side_by_side import Paused, Piece, Tell


class Reading:
    """A list of so many steps of two pieces; fails at `fails_at`, pauses once at `pauses_at`."""

    def __init__(
        self,
        name: str,
        log: list[tuple[int, str]],
        *,
        steps: int = 3,
        fails_at: int = -1,
        pauses_at: int = -1,
        pause_s: float = 0.2,
        comes_first: bool = False,
    ) -> None:
        self.comes_first = comes_first
        self.name, self.steps, self.log = name, steps, log
        self.fails_at, self.pauses_at, self.pause_s = fails_at, pauses_at, pause_s
        self.step = self.out = self.back = 0
        self.taken: list[tuple[int, str]] = []
        self.lock = threading.Lock()

    @property
    def is_done(self) -> bool:
        return self.step == self.steps

    @property
    def is_awaited(self) -> bool:
        return self.comes_first and self.step == 0

    def pages_left(self) -> int:
        return 2 - self.out

    def take(self, pages: int) -> Piece | None:
        with self.lock:
            if self.out == 2:
                return None
            self.out += 1
            self.taken.append((self.step, self.name))
            return partial(self.piece, self.step)

    def piece(self, step: int, tell: Tell) -> None:
        time.sleep(0.001)
        if step == self.fails_at:
            raise RetryLater("internal_server_error")
        with self.lock:
            if step == self.pauses_at:
                self.pauses_at, self.out = -1, self.out - 1
                raise Paused(RateLimited("budget"), time.monotonic() + self.pause_s)
            self.log.append((step, self.name))
            self.back += 1
            if self.back == 2:
                self.step, self.out, self.back = self.step + 1, 0, 0


def run(works: list[Reading], **options: Any) -> bool:
    return side_by_side.run(works, threads=4, pages=lambda left: left, **options)


def readings(log: list[tuple[int, str]], **odd: Any) -> list[Reading]:
    return [Reading(name, log) for name in "abcdefg"] + [Reading("odd", log, **odd)]


def test_every_list_is_read_to_its_end_the_recent_past_of_all_first() -> None:
    log: list[tuple[int, str]] = []
    taken: list[tuple[int, str]] = []
    works = readings(log)
    for work in works:
        work.taken = taken
    assert run(works)
    assert sorted(log) == sorted((step, name) for name in [*"abcdefg", "odd"] for step in (0, 0, 1, 1, 2, 2))
    assert sorted(taken) == sorted(log)
    assert {step for step, _ in taken[: 2 * len(works)]} == {0}
    assert run([])


@pytest.mark.parametrize(
    ("odd", "trouble"),
    [({}, None), ({"fails_at": 0}, RetryLater), ({"pauses_at": 0, "pause_s": 600}, RateLimited)],
)
def test_the_others_wait_for_the_first_step_of_a_list_that_comes_first(
    odd: dict[str, int], trouble: type[Exception] | None
) -> None:
    log: list[tuple[int, str]] = []
    taken: list[tuple[int, str]] = []
    works = [Reading("plain", log), Reading("first", log, comes_first=True, **odd), Reading("other", log)]
    for work in works:
        work.taken = taken
    with pytest.raises(trouble) if trouble else nullcontext():
        run(works)
    assert {name for _, name in taken[: 1 if odd else 2]} == {"first"}
    assert sorted(log, key=str).count((2, "plain")) == 2  # trouble of the first does not hold up the others


def test_few_of_the_others_are_under_way_while_one_is_awaited() -> None:
    log: list[tuple[int, str]] = []
    under_way: list[str] = []
    most = 0
    reached = threading.Event()

    class Other(Reading):
        def piece(self, step: int, tell: Tell) -> None:
            nonlocal most
            under_way.append(self.name)
            most = max(most, len(under_way))
            if len(under_way) == side_by_side.BESIDE:
                reached.set()
            super().piece(step, tell)
            under_way.remove(self.name)

    class First(Reading):
        def piece(self, step: int, tell: Tell) -> None:
            if step == 0:  # does not end before the others have done what they may
                assert reached.wait(10)
                time.sleep(0.05)
                assert most <= side_by_side.BESIDE
            super().piece(step, tell)

    first = First("first", log, comes_first=True)
    works = [*(Other(name, log, steps=30) for name in "abcdefg"), first]
    assert side_by_side.run(works, threads=9, pages=lambda left: left)


def test_who_waits_is_told_of_more_to_take_while_a_piece_goes_on() -> None:
    released = threading.Event()
    taken: list[str] = []

    class Opening:
        """Its first piece goes on until somebody else has done the second one."""

        step = 0
        is_done = is_awaited = False
        pieces: list[Piece]

        def pages_left(self) -> int:
            return len(self.pieces)

        def take(self, pages: int) -> Piece | None:
            return self.pieces.pop() if self.pieces else None

        def open(self, tell: Tell) -> None:
            time.sleep(0.05)  # the others have found nothing meanwhile
            self.pieces.append(self.read)
            tell()
            assert released.wait(side_by_side.RECHECK_S / 2)
            self.is_done = True

        def read(self, tell: Tell) -> None:
            taken.append("read")
            released.set()

    work = Opening()
    work.pieces = [work.open]
    assert side_by_side.run([work], threads=3, pages=lambda left: left)
    assert taken == ["read"]


def test_a_failing_list_leaves_the_others_alone() -> None:
    log: list[tuple[int, str]] = []
    with pytest.raises(RetryLater):
        run(readings(log, fails_at=0))
    assert len(log) == 7 * 3 * 2


def test_a_list_that_has_to_wait_goes_on_while_others_are_at_work() -> None:
    log: list[tuple[int, str]] = []
    works = [Reading("long", log, steps=400), Reading("pausing", log, pauses_at=0, pause_s=0.05)]
    assert run(works)
    assert log.index((2, "pausing")) < log.index((399, "long"))


def test_when_all_have_to_wait_nobody_sits_by() -> None:
    log: list[tuple[int, str]] = []
    started = time.monotonic()
    with pytest.raises(RateLimited):
        run(readings(log, pauses_at=1, pause_s=600))
    assert time.monotonic() - started < 60
    assert len(log) >= 7 * 3 * 2 + 2


def test_of_several_pauses_the_shortest_one_is_told() -> None:
    class Pausing(Reading):
        def piece(self, step: int, tell: Tell) -> None:
            raise Paused(RateLimited(self.name), time.monotonic() + self.pause_s)

    works = [Pausing("long", [], pause_s=900), Pausing("short", [], pause_s=300)]
    with pytest.raises(RateLimited) as caught:
        run([*works, Pausing("longer", [], pause_s=1000)])
    assert caught.value.code == "short"


def test_when_time_is_over_each_list_has_gone_one_piece_further() -> None:
    log: list[tuple[int, str]] = []
    assert not run(readings(log), is_over=lambda: True)
    assert len(log) == 8
