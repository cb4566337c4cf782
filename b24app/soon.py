"""Short work that nobody waits for, in threads of this process. It must bear being cut off by a stop."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from b24app import trace

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger("b24app.soon")

THREADS = 4
BACKLOG = 500
"""With so much waiting, more is refused: whoever floods a public door must not fill the memory."""


class Busy(Exception):
    """Too much is waiting already; the caller may come again."""


class Soon:
    """Runs submitted functions in order of arrival. Its threads start with the first one and never hold up
    the end of the process: what must survive a stop is written to the database first."""

    def __init__(self, threads: int = THREADS) -> None:
        self._wanted = threads
        self._started = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open = 0
        self._is_closed = False

    def submit(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have the work done; its outcome is in the future, its failure in the log as well. Raises: Busy."""
        future: Future[R] = Future()
        name = getattr(work, "__name__", work)
        work = trace.carried(work)

        def run() -> None:
            if not self._is_closed and future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(*args, **kwargs))
                except BaseException as error:
                    if not self._is_closed:
                        log.exception("%s failed", name)
                    future.set_exception(error)
            with self._lock:
                self._open -= 1

        with self._lock:
            if self._open >= BACKLOG:
                raise Busy
            self._open += 1
            if self._started < min(self._wanted, self._open):
                self._started += 1
                threading.Thread(target=self._work, name=f"soon-{self._started}", daemon=True).start()
        self._queue.put(run)
        return future

    def submit_in(self, seconds: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have the work begin after that time; no thread of ours waits for it."""
        timer = threading.Timer(seconds, trace.carried(self.submit), (work, *args), kwargs)
        timer.daemon = True
        timer.start()

    def settle(self, patience_s: float) -> bool:
        """Wait until nothing is left to do; False if it takes longer."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not self._open:
                return True
            time.sleep(0.01)
        return not self._open

    def close(self, patience_s: float = 5.0) -> None:
        """Finish what is quick, leave the rest."""
        self.settle(patience_s)
        self._is_closed = True

    def _work(self) -> None:
        while True:
            self._queue.get()()
