"""Works in pieces, done by a few threads: what is awaited first, then the earliest steps of all works."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from b24app import trace
from b24app.rest.errors import RestError

Tell = Callable[[], None]
Piece = Callable[[Tell], None]
"""Calls what it is given as soon as there is more for other threads to take, while it goes on itself."""

RECHECK_S = 1.0

BESIDE = 3
"""Pieces of other works that may be under way while one that is awaited has nothing more to take."""


class Paused(Exception):
    """A work has to wait for `until` (`time.monotonic`); `cause` says why."""

    def __init__(self, cause: RestError, until: float) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.until = until


class Work(Protocol):
    """A work in pieces. Its methods are called by one thread at a time, its pieces by any."""

    @property
    def step(self) -> int: ...

    @property
    def is_done(self) -> bool: ...

    @property
    def is_awaited(self) -> bool:
        """Whether this one's step goes before all others."""
        ...

    def pages_left(self) -> int:
        """About how many pages nobody has begun, of this step and those after it."""
        ...

    def take(self, pages: int) -> Piece | None:
        """The next piece, of at most so many pages; None while others have to be finished first."""
        ...


def run(
    works: Sequence[Work],
    *,
    threads: int,
    pages: Callable[[int], int],
    is_over: Callable[[], bool] = lambda: False,
) -> bool:
    """Whether all works are done; False when the caller's time `is_over` before, but each did a piece.

    `pages`: how large a piece shall be when about so many pages are left, over all works. What is awaited
    comes in small ones, so that many take part; they grow with what was taken, so that they are not too many.

    Raises the first error of a piece, once none of them runs any more, else the cause of the pause that ends
    first; one work's error, or its pause, does not stop the others.
    """
    turn = threading.Condition()
    busy: Counter[int] = Counter()
    begun: set[int] = set()
    failed: set[int] = set()
    pauses: dict[int, Paused] = {}
    errors: list[BaseException] = []
    ahead = 0  # pages taken of what is awaited

    def next_piece() -> tuple[int, Piece] | None:
        nonlocal ahead
        now, over = time.monotonic(), is_over()
        line = sorted(
            (work.step, place)
            for place, work in enumerate(works)
            if place not in failed and not work.is_done and not (over and place in begun)
        )
        left = sum(works[place].pages_left() for _, place in line)
        ready = [(step, place) for step, place in line if place not in pauses or pauses[place].until <= now]
        awaited = {place for _, place in ready if works[place].is_awaited}
        beside = sum(count for place, count in busy.items() if place not in awaited)
        for _, place in sorted(ready, key=lambda one: (one[1] not in awaited, one)):
            if awaited and place not in awaited and beside >= BESIDE:
                return None
            size = pages(ahead if place in awaited else left)
            piece = works[place].take(size)
            if piece is not None:
                if place in awaited:
                    ahead += size
                pauses.pop(place, None)
                begun.add(place)
                return place, piece
        return None

    def tell() -> None:
        with turn:
            turn.notify_all()

    def work_on() -> None:
        while True:
            with turn:
                while (found := next_piece()) is None:
                    if not busy.total():
                        turn.notify_all()
                        return
                    turn.wait(RECHECK_S)
                place, piece = found
                busy[place] += 1
            try:
                piece(tell)
            except Paused as pause:
                pauses[place] = pause
            except BaseException as error:
                errors.append(error)
                failed.add(place)
            finally:
                with turn:
                    busy[place] -= 1
                    turn.notify_all()

    # Not an executor: its threads would hold up the end of the process for as long as a portal hangs.
    crew = [
        threading.Thread(target=trace.carried(work_on), daemon=True) for _ in range(threads if works else 0)
    ]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    waiting = [pause for place, pause in pauses.items() if not works[place].is_done]
    errors += [pause.cause for pause in sorted(waiting, key=lambda pause: pause.until)]
    if errors:
        raise errors[0]
    return all(work.is_done for work in works)
