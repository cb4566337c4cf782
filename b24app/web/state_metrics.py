"""What Prometheus is told about portals and the queue: read from the database when somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, and_, case, func, or_, select

from b24app.jobs.queue import Jobs
from b24app.store import CLOSED
from b24app.sync import sources
from b24app.sync.schedule import WATCHED_S
from b24app.tables import portals, sync_sources, tokens

logger = logging.getLogger(__name__)

KEPT_S = 5.0
"""Whoever asks more often is told the same: these numbers cost questions to the database."""

AGES_S = (5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400)
WATCHED = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Ages:
    """How long ago portals were last asked: how many up to each of `AGES_S` and at all, and the sum."""

    up_to: tuple[int, ...]
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of all portals and of the queue at one moment."""

    by_state: Mapping[str, int] = field(default_factory=dict)
    by_source: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ages: Mapping[str, Ages] = field(default_factory=dict)  # by whether somebody looks: yes, no
    never_asked: int = 0
    first_reads: Mapping[str, int] = field(default_factory=dict)
    oldest_first_read_s: float = 0.0
    dead_tokens: int = 0
    queues: Mapping[str, tuple[int, float]] = field(default_factory=dict)  # entries, age of the oldest


class StateCollector(Collector):
    """Gauges out of a snapshot that is at most `KEPT_S` old."""

    def __init__(self, look: Callable[[], Snapshot], clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, Snapshot] | None = None

    def collect(self) -> Iterable[Metric]:
        """The gauges; of a database or a queue that does not answer only that it does not."""
        try:
            return [_readable(1), *told(self._snapshot())]
        except Exception as error:  # of whatever kind the queue's own library has
            logger.warning("the state of portals cannot be told: %s", type(error).__name__)
            return [_readable(0)]

    def describe(self) -> Iterable[Metric]:
        """Their names and meanings: nothing is asked."""
        return [_readable(1), *told(Snapshot())]

    def _snapshot(self) -> Snapshot:
        with self._lock:
            if self._kept is None or self._clock() - self._kept[0] >= KEPT_S:
                self._kept = (self._clock(), self._look())
            return self._kept[1]


def _readable(value: int) -> Metric:
    return GaugeMetricFamily(
        "b24app_state_readable", "1 if database and queue answered just now", value=value
    )


def told(now: Snapshot) -> list[Metric]:
    """The snapshot as metrics. Pure."""
    states = GaugeMetricFamily("b24app_portals", "Portals by state", labels=["state"])
    for state, count in now.by_state.items():
        states.add_metric([state], count)
    by_source = GaugeMetricFamily("b24app_sources", "Sources of portals by state", labels=["source", "state"])
    for (source, state), count in now.by_source.items():
        by_source.add_metric([source, state], count)
    ages = GaugeHistogramMetricFamily(
        "b24app_portal_age_seconds", "Time since open portals were last asked", labels=["watched"]
    )
    for watched, one in now.ages.items():
        buckets = [(str(float(edge)), float(n)) for edge, n in zip(AGES_S, one.up_to, strict=True)]
        ages.add_metric([watched], [*buckets, ("+Inf", float(one.count))], one.seconds)
    first = GaugeMetricFamily("b24app_first_reads", "First reads that are not done", labels=["state"])
    for state, count in now.first_reads.items():
        first.add_metric([state], count)
    entries = GaugeMetricFamily("b24app_queue_entries", "Entries that wait in the queue", labels=["queue"])
    oldest = GaugeMetricFamily(
        "b24app_queue_oldest_seconds", "Age of the queue's oldest entry", labels=["queue"]
    )
    for queue, (count, age_s) in now.queues.items():
        entries.add_metric([queue], count)
        oldest.add_metric([queue], age_s)
    return [
        states,
        by_source,
        ages,
        GaugeMetricFamily(
            "b24app_portals_never_asked", "Open portals that were not asked yet", value=now.never_asked
        ),
        first,
        GaugeMetricFamily(
            "b24app_first_read_oldest_seconds",
            "Time since the installation of the portal whose first read is under way longest",
            value=now.oldest_first_read_s,
        ),
        GaugeMetricFamily(
            "b24app_dead_tokens", "Open portals whose reader's token is dead", value=now.dead_tokens
        ),
        entries,
        oldest,
    ]


def look(engine: Engine, jobs: Jobs, now: float) -> Snapshot:
    """The state at `now` (epoch seconds)."""
    with engine.connect() as conn:
        ages, never = _ages(conn, now)
        first_reads, oldest_s = _first_reads(conn, now)
        return Snapshot(
            by_state={
                row.state: row.number
                for row in conn.execute(
                    select(portals.c.state, func.count().label("number")).group_by(portals.c.state)
                )
            },
            by_source=_sources(conn),
            ages=ages,
            never_asked=never,
            first_reads=first_reads,
            oldest_first_read_s=oldest_s,
            dead_tokens=_dead_tokens(conn),
            queues=jobs.waits(now),
        )


_OPEN = and_(portals.c.state.not_in(CLOSED), portals.c.reader_id.is_not(None))


def _sources(conn: Connection) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = {}
    rows = conn.execute(
        select(sync_sources.c.source, sync_sources.c.state, func.count()).group_by(
            sync_sources.c.source, sync_sources.c.state
        )
    )
    for source, state, count in rows:
        # What a portal's settings choose is numbered by the portal: such names have no bound.
        kind = next((name for name in sources.CHOSEN if source.startswith(name)), source)
        counted[kind, state] = counted.get((kind, state), 0) + count
    return counted


def _ages(conn: Connection, now: float) -> tuple[dict[str, Ages], int]:
    age = now - portals.c.checked_at
    is_watched = case((portals.c.watched_at > now - WATCHED_S, "yes"), else_="no")
    rows = conn.execute(
        select(
            is_watched.label("watched"),
            func.count(portals.c.checked_at),
            func.coalesce(func.sum(age), 0.0),
            func.count() - func.count(portals.c.checked_at),
            *(func.coalesce(func.sum(case((age <= edge, 1), else_=0)), 0) for edge in AGES_S),
        )
        .where(_OPEN)
        .group_by("watched")
    ).all()
    found = dict.fromkeys(WATCHED, Ages((0,) * len(AGES_S), 0, 0.0))
    never = 0
    for watched, count, seconds, unasked, *up_to in rows:
        found[watched] = Ages(tuple(int(n) for n in up_to), count, float(seconds))
        never += unasked
    return found, never


def _first_reads(conn: Connection, now: float) -> tuple[dict[str, int], float]:
    """By state: `waiting` (nothing read yet), `reading`, `failing` (its last try failed)."""
    unread = (
        select(
            sync_sources.c.portal_id,
            func.max(case((sync_sources.c.error.is_not(None), 1), else_=0)).label("fails"),
            func.max(case((sync_sources.c.read_at.is_not(None), 1), else_=0)).label("begun"),
        )
        .where(
            sync_sources.c.state.in_(("pending", "reading")),
            or_(
                sync_sources.c.source.in_(sources.READ_ONCE),
                *(sync_sources.c.source.startswith(name) for name in sources.CHOSEN),
            ),
        )
        .group_by(sync_sources.c.portal_id)
        .subquery()
    )
    state = case((unread.c.fails == 1, "failing"), (unread.c.begun == 1, "reading"), else_="waiting")
    rows = conn.execute(
        select(state.label("first_read"), func.count(), func.min(portals.c.installed_at))
        .select_from(portals.join(unread, portals.c.portal_id == unread.c.portal_id))
        .where(_OPEN)
        .group_by("first_read")
    ).all()
    found = dict.fromkeys(("waiting", "reading", "failing"), 0)
    found |= {name: count for name, count, _oldest in rows}
    return found, max((now - oldest for _name, _count, oldest in rows), default=0.0)


def _dead_tokens(conn: Connection) -> int:
    return int(
        conn.execute(
            select(func.count())
            .select_from(
                portals.join(
                    tokens,
                    and_(
                        tokens.c.portal_id == portals.c.portal_id,
                        tokens.c.user_id == portals.c.reader_id,
                    ),
                )
            )
            .where(_OPEN, tokens.c.dead_reason.is_not(None))
        ).scalar_one()
    )
