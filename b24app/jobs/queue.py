"""Background work in threads of this process, over a queue in a local file or in Redis.

The database knows what is to be done (`sync.schedule`); a queued entry is only the news of it. So an
entry that is lost with a killed process, or queued twice, does no harm: works are claimed when they begin.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from huey import RedisHuey, SqliteHuey
from huey.consumer import Consumer
from redis import RedisError
from sqlalchemy.exc import DBAPIError

from b24app import journal, meters, trace
from b24app.config import Settings
from b24app.db import reading
from b24app.sync import first_read, freshness, reconcile, refresh, schedule, snapshot

if TYPE_CHECKING:
    from b24app.bootstrap import Parts

logger = logging.getLogger(__name__)

TICK_S = 0.5
NEWS_S = 0.25
"""How long an entry waits in the queue at most while a thread is free."""

EVERY_TICKS = 20
"""The portals that nobody looks at are gone through in rounds, which begin at every so many ticks …"""

SLICE = 500
"""… and go on by so many portals a tick: what a tick costs does not grow with the portals."""

SLICE_S = 20.0
"""A long work makes room for other portals after this, if any are waiting."""

AWAY_S = 1.0
"""How long a thread leaves a Redis in peace that cannot be reached."""

REPEAT_S = 2.0
"""The same news is not queued again within this time."""

BACKLOG = 1_000
"""With so many entries waiting no more are made: the database remembers them."""

QUEUES = {
    schedule.REFRESH: "now",
    schedule.FIRST_READ: "later",
    schedule.RECONCILE: "later",
    schedule.SNAPSHOT: "later",
}
"""Long works have threads of their own, so that who looks never waits for somebody's first read."""

THREADS = {"now": 12, "later": 2}
"""A check takes some milliseconds of a core and waits for the portal the rest of its time."""


class _QuietConsumer(Consumer):  # type: ignore[misc]
    """Leaves the signals of the process alone: it lives inside a web server."""

    def _set_signal_handlers(self) -> None:
        return


class _News:
    """What is queued is never revoked and has no result: huey need not ask its storage about either."""

    def is_revoked(self, *_args: Any) -> bool:
        return False

    def delete(self, _key: str) -> bool:
        return False


class _FileQueue(_News, SqliteHuey):  # type: ignore[misc]
    """In a local file."""


class _PatientRedis(_News, RedisHuey):  # type: ignore[misc]
    """Waits for a Redis that is away, without a word from each thread: the ticker tells of it."""

    def dequeue(self) -> Any:
        try:
            return super().dequeue()
        except RedisError:
            time.sleep(AWAY_S)
            return None


class Jobs:
    """The queue, and while started the threads that work on it."""

    def __init__(self, settings: Settings) -> None:
        self._queues = {name: _open(settings, name) for name in THREADS}
        self._tasks = {work: self._task(work, self._queues[name]) for work, name in QUEUES.items()}
        self._consumers: list[Consumer] = []
        self._parts: Parts | None = None
        self._stopping = threading.Event()
        self._ticker: threading.Thread | None = None
        self._told: dict[tuple[str, int], float] = {}
        self._place: int | None = None  # the last portal of the round that goes on
        self._unread: set[int] = set()  # portals whose first read goes on, as far as was seen

    def enqueue(self, work: str, portal_id: int) -> None:
        """Passes on that the portal needs `work` (of `sync.schedule`); a failing queue is no failure.

        The entry carries the number of the request that asked, so that the journal leads to it.
        """
        now = time.monotonic()
        if now - self._told.get((work, portal_id), -REPEAT_S) < REPEAT_S:
            return
        self._told[work, portal_id] = now
        try:
            self._tasks[work](portal_id, trace.current(), time.time())
        except Exception as error:
            # The ticker of a worker finds the work in the database all the same.
            logger.warning("the queue cannot be reached: %s", type(error).__name__)

    def start(self, parts: Parts) -> None:
        """Begins to work, in threads of this process."""
        self._parts = parts
        self._stopping.clear()
        for name, queue in self._queues.items():
            consumer = _QuietConsumer(
                queue,
                workers=THREADS[name],
                periodic=False,
                initial_delay=0.05,
                max_delay=NEWS_S,
                scheduler_interval=60,
                check_worker_health=False,
                shutdown_timeout=5,
            )
            consumer.start()
            self._consumers.append(consumer)
        self._ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)
        self._ticker.start()

    def stop(self) -> None:
        """Ends within seconds; work that goes on longer is left to whoever claims it next."""
        self._stopping.set()
        for consumer in self._consumers:
            consumer.stop_flag.set()
        for consumer in self._consumers:
            consumer.stop(graceful=True)
        self._consumers.clear()
        if self._ticker is not None:
            self._ticker.join(timeout=5)

    def waiting(self) -> int:
        """Entries in the queue. Raises whatever the queue raises when it cannot be reached."""
        return sum(int(queue.pending_count()) for queue in self._queues.values())

    def waits(self, now: float) -> dict[str, tuple[int, float]]:
        """By queue: its entries, and for how many seconds the oldest has waited. Raises as `waiting`."""
        return {
            name: (int(queue.pending_count()), _oldest_s(queue, now)) for name, queue in self._queues.items()
        }

    def _is_full(self) -> bool:
        try:
            return self.waiting() >= BACKLOG
        except Exception as error:  # of whatever kind the queue's own library has
            logger.warning("the queue cannot be reached: %s", type(error).__name__)
            return True

    def _task(self, work: str, queue: Any) -> Callable[..., Any]:
        def run(portal_id: int, number: str | None = None, queued_at: float | None = None) -> None:
            parts = self._parts
            if parts is None or self._stopping.is_set():
                return
            with trace.under(number or trace.new()), _noted(work, portal_id, queued_at):
                self._run(parts, work, portal_id)

        return queue.task(name=work)(run)  # type: ignore[no-any-return]

    def _run(self, parts: Parts, work: str, portal_id: int) -> None:
        if work == schedule.REFRESH:
            refresh.run(parts, portal_id, unless_checked_since=time.time() - freshness.FRESH_S)
        elif work == schedule.FIRST_READ:
            first_read.run(parts, portal_id, is_over=self._slice())
        elif work == schedule.SNAPSHOT:
            snapshot.run(parts, portal_id, time.time())
        else:
            reconcile.run(parts, portal_id)

    def _slice(self) -> Callable[[], bool]:
        """Whether a long work that begins now shall make room for others; each asks of it all the time."""
        until = time.monotonic() + SLICE_S

        def is_over() -> bool:
            nonlocal until
            if self._stopping.is_set():
                return True
            if time.monotonic() <= until:
                return False
            if self._is_anyone_waiting():
                return True
            until = time.monotonic() + REPEAT_S
            return False

        return is_over

    def _is_anyone_waiting(self) -> bool:
        try:
            return int(self._queues[QUEUES[schedule.FIRST_READ]].pending_count()) > 0
        except Exception as error:  # of whatever kind the queue's own library has
            logger.warning("the queue cannot be reached: %s", type(error).__name__)
            return True

    def _tick(self) -> None:
        turn = 0
        while not self._stopping.wait(TICK_S):
            try:
                if self._place is None and turn % EVERY_TICKS == 0:
                    self._place = 0
                self._look()
            except DBAPIError as error:
                logger.warning("the database cannot be asked for work: %s", type(error).__name__)
            except Exception:
                logger.exception("looking for work")
            turn += 1

    def _look(self) -> None:
        if self._parts is None or self._is_full():
            return
        now = time.time()
        with reading(self._parts.engine) as conn:
            found = schedule.load_urgent(conn, now, self._unread)
            if self._place is not None:
                some = schedule.load_some(conn, after=self._place, limit=SLICE)
                self._place = some[-1].portal_id if len(some) == SLICE else None
                found += some
        standings = {one.portal_id: one for one in found}
        self._unread = {number for number, one in standings.items() if schedule.is_unread(one)}
        for one in standings.values():
            for work in schedule.due(one, now):
                self.enqueue(work, one.portal_id)
            if schedule.is_snapshot_due(one, now):
                self.enqueue(schedule.SNAPSHOT, one.portal_id)
        horizon = time.monotonic() - REPEAT_S
        self._told = {key: told for key, told in self._told.items() if told > horizon}


def _oldest_s(queue: Any, now: float) -> float:
    found = queue.pending(limit=1)
    queued_at = found[0].args[2] if found and len(found[0].args) > 2 else None
    return max(0.0, now - queued_at) if queued_at is not None else 0.0


@contextmanager
def _noted(work: str, portal_id: int, queued_at: float | None) -> Iterator[None]:
    """Time the job and write down what became of it."""
    waited_s = max(0.0, time.time() - queued_at) if queued_at is not None else 0.0
    meters.job_wait(work, waited_s)
    began, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "done"
    finally:
        seconds = time.monotonic() - began
        meters.job(work, outcome, seconds)
        journal.write(
            journal.OWN,
            "job",
            {
                "work": work,
                "portal": portal_id,
                "outcome": outcome,
                "ms": round(seconds * 1000),
                "waited_ms": round(waited_s * 1000),
            },
        )


def _open(settings: Settings, name: str) -> Any:
    if settings.redis_url:
        return _PatientRedis(
            f"b24app-{name}", url=settings.redis_url, results=False, blocking=True, read_timeout=1
        )
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    return _FileQueue(
        f"b24app-{name}", filename=str(settings.var_dir / f"jobs-{name}.sqlite3"), results=False
    )
