"""Works in pieces, done by a few threads: the earliest steps of all works first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from b24app import trace
from b24app.rest.errors import RestError

Piece = Callable[[], None]

RECHECK_S = 1.0


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
        """Whether the other works wait until this one's step is done."""
        ...

    def pages_left(self) -> int:
        """About how many pages of this step nobody has begun."""
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

    `pages`: how large a piece shall be when about so many pages are left of a step, over all works.

    Raises the first error of a piece, once none of them runs any more, else the cause of the pause that ends
    first; one work's error, or its pause, does not stop the others.
    """
    turn = threading.Condition()
    busy = 0
    begun: set[int] = set()
    failed: set[int] = set()
    pauses: dict[int, Paused] = {}
    errors: list[BaseException] = []

    def next_piece() -> tuple[int, Piece] | None:
        now, over = time.monotonic(), is_over()
        line = sorted(
            (work.step, place)
            for place, work in enumerate(works)
            if place not in failed and not work.is_done and not (over and place in begun)
        )
        left: dict[int, int] = {}
        for step, place in line:
            left[step] = left.get(step, 0) + works[place].pages_left()
        ready = [(step, place) for step, place in line if place not in pauses or pauses[place].until <= now]
        is_awaited = any(works[place].is_awaited for _, place in ready)
        for step, place in ready:
            if is_awaited and not works[place].is_awaited:
                continue
            piece = works[place].take(pages(left[step]))
            if piece is not None:
                pauses.pop(place, None)
                begun.add(place)
                return place, piece
        return None

    def work_on() -> None:
        nonlocal busy
        while True:
            with turn:
                while (found := next_piece()) is None:
                    if not busy:
                        turn.notify_all()
                        return
                    turn.wait(RECHECK_S)
                busy += 1
            place, piece = found
            try:
                piece()
            except Paused as pause:
                pauses[place] = pause
            except BaseException as error:
                errors.append(error)
                failed.add(place)
            finally:
                with turn:
                    busy -= 1
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
