"""One budget per portal, shared by all that ask it: in memory, or in Redis for several processes."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol, TypeVar

from b24app import meters
from b24app.rest.limits import OPERATING_LIMIT_S, PortalLoad, RateLimit

T = TypeVar("T")

KEY = "b24app:load:2:"
"""Before a portal's name; the number moves with the form of what is stored."""

_FORGOTTEN_AFTER_S = 3600
_TRIES = 50
_ALONE_S = 5.0

_KNOWN = 500
"""Of so many portals a process remembers the load as it left it."""

_SWAP = """
local found = redis.call("GET", KEYS[1]) or ""
if found ~= ARGV[1] then return found end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
return false
"""
"""Stores a load if it is still the given one (empty: none); answers with the one that is there if not."""

logger = logging.getLogger(__name__)


class Loads(Protocol):
    """Where the loads of portals are kept."""

    def change(self, portal: str, rule: Callable[[PortalLoad, float], T]) -> T:
        """Apply `rule(load, now)` to the portal's load, alone, and return what it returns."""
        ...


class Unknown(Enum):
    """The rate limit of a portal whose plan the caller does not know: whoever knew it last, told it."""

    RATE = "rate"


Rate = RateLimit | Unknown | None


class Budget:
    """The budget of one portal. `rate` None: a portal without a rate limit."""

    def __init__(self, loads: Loads, portal: str, rate: Rate) -> None:
        self._loads = loads
        self._portal = portal
        self._rate = rate

    def take(self, wanted: Mapping[str, int], *, background: bool) -> float:
        """0 once one request with these commands is booked; else seconds to wait before asking again."""

        def book(load: PortalLoad, now: float) -> tuple[float, float | None]:
            rate = self._rate_of(load)
            wait = load.take(wanted, now, rate, background=background)
            return wait, None if rate is None else load.level / rate.capacity

        wait, share = self._loads.change(self._portal, book)
        if wait <= 0 and share is not None:
            meters.bucket(share)
        return wait

    def learn(self, seen: Mapping[str, tuple[float, Mapping[str, float]]]) -> None:
        """Note per method the operating seconds that the portal counts, and those of one call by kind."""
        for operating_s, _costs in seen.values():
            meters.operating(operating_s / OPERATING_LIMIT_S)
        if seen:
            self._loads.change(self._portal, lambda load, now: _learn_all(load, seen, now))

    def refused(self) -> None:
        """The portal refused a request because its bucket is full."""
        self._loads.change(self._portal, lambda load, now: load.refused(now, self._rate_of(load)))

    def block(self, method: str, until: float) -> None:
        """The portal refuses this method (`ALL_METHODS`: any) until this unix time."""
        self._loads.change(self._portal, lambda load, _now: load.block(method, until))

    def used(self) -> tuple[float, dict[str, float]]:
        """(level of the bucket, operating seconds used per method), for operators."""
        level, used, _blocked = self.standing()
        return level, used

    def standing(self) -> tuple[float, dict[str, float], dict[str, float]]:
        """As `used`, and until when (unix time) methods are blocked."""
        return self._loads.change(
            self._portal,
            lambda load, now: (
                load.level_at(now, self._rate_of(load)),
                {name: one.used(now) for name, one in load.methods.items()},
                {name: one.blocked_until for name, one in load.methods.items() if one.blocked_until > now},
            ),
        )

    def requests(self) -> int:
        """How many requests were made within the last ten minutes, for operators."""
        return self._loads.change(self._portal, lambda load, now: load.requests_within(now))

    def rate(self) -> RateLimit | None:
        """The portal's rate limit; None where it has none."""
        return self._loads.change(self._portal, lambda load, _now: self._rate_of(load))

    def _rate_of(self, load: PortalLoad) -> RateLimit | None:
        if not isinstance(self._rate, Unknown):
            load.rate = self._rate
        return load.rate


class Budgets:
    """All portals' budgets."""

    def __init__(self, loads: Loads | None = None) -> None:
        self._loads = loads or MemoryLoads()

    def for_portal(self, portal: str | int, rate: Rate = Unknown.RATE) -> Budget:
        """The budget of the portal; any key that names it the same in every process will do."""
        return Budget(self._loads, str(portal), rate)


class MemoryLoads:
    """Loads within this process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._loads: dict[str, PortalLoad] = {}

    def change(self, portal: str, rule: Callable[[PortalLoad, float], T]) -> T:
        with self._lock:
            return rule(self._loads.setdefault(portal, PortalLoad()), self._clock())


class RedisLoads:
    """Loads in Redis, changed where they are still as this process knows them: one exchange while nobody
    else asks the portal. While Redis is away each process goes by its own."""

    def __init__(self, redis: Any, clock: Callable[[], float] = time.time) -> None:
        self._swap = redis.register_script(_SWAP)
        self._clock = clock
        self._own = MemoryLoads(clock)
        self._alone_until = 0.0
        self._known: dict[str, tuple[bytes, PortalLoad]] = {}

    def change(self, portal: str, rule: Callable[[PortalLoad, float], T]) -> T:
        from redis import RedisError

        if self._clock() >= self._alone_until:
            try:
                return self._change(f"{KEY}{portal}", rule)
            except RedisError as error:
                self._alone_until = self._clock() + _ALONE_S
                logger.warning("Redis is away, this process budgets alone: %s", type(error).__name__)
        return self._own.change(portal, rule)

    def _change(self, key: str, rule: Callable[[PortalLoad, float], T]) -> T:
        from redis import WatchError

        # Taken out: what a rule changes belongs to one thread until it is stored.
        text, load = self._known.pop(key, (b"", PortalLoad()))
        for _ in range(_TRIES):
            outcome = rule(load, self._clock())
            changed = json.dumps(load.to_plain()).encode()
            other = self._swap(keys=[key], args=[text, changed, _FORGOTTEN_AFTER_S])
            if other is None:
                if len(self._known) >= _KNOWN:
                    self._known.clear()
                self._known[key] = changed, load
                return outcome
            text, load = other, _load(other)
        raise WatchError("too many at once")


def open_budgets(redis_url: str | None) -> Budgets:
    """Budgets in Redis where an URL is given, else in memory."""
    if not redis_url:
        return Budgets()
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # A Redis that is away must not hold up those who look: one more try for a connection gone stale.
    patience = {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": Retry(NoBackoff(), 1)}
    return Budgets(RedisLoads(Redis.from_url(redis_url, **patience)))


def _load(text: bytes) -> PortalLoad:
    try:
        return PortalLoad.from_plain(json.loads(text)) if text else PortalLoad()
    except (ValueError, TypeError, KeyError):
        return PortalLoad()  # written by another version: better forget than fail


def _learn_all(load: PortalLoad, seen: Mapping[str, tuple[float, Mapping[str, float]]], now: float) -> None:
    for method, (operating_s, costs) in seen.items():
        load.learn(method, operating_s, costs, now)
