"""Arithmetic of a portal's limits: its leaky bucket and its operating time per method. Pure.

A `PortalLoad` is what we believe to have used. It becomes a few numbers in JSON, so that several
processes can share it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from b24app.rest.calls import COUNTING

WINDOW_MINUTES = 10
OPERATING_LIMIT_S = 480.0
"""Seconds of operating time that a method has in ten minutes (the documentation's figure)."""

BACKGROUND_SHARE = 0.85
"""Background reading stops here. Above is room for the people who are looking (their checks take some 15 s in
ten minutes) and for requests under way, whose cost is known only when they come back."""

FOREGROUND_SHARE = 0.95

PARALLEL = 7
"""Requests that one client has on their way at once; with one of a person who looks, a portal has eight."""

UNKNOWN_COST_S = 0.1
"""What we expect of a call that was never made."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A leaky bucket: `capacity` requests at once, `per_second` drain."""

    capacity: float
    per_second: float

    def ceiling(self, *, background: bool) -> float:
        """How far it may be filled: some room is kept for lookers, and some for the way of the packets."""
        return self.capacity * (0.7 if background else 0.94)


CLOUD = RateLimit(50, 2)
"""Of every plan but the largest, and of a portal whose plan is not known."""

ENTERPRISE = RateLimit(250, 5)


def rate_of(license_: str | None) -> RateLimit | None:
    """The rate limit by `LICENSE` of `app.info`: `de_ent250`, `ru_selfhosted` (has none: None), …

    Source: limits.md, api-reference/common/system/app-info.md
    """
    plan = (license_ or "").lower().partition("_")[2]
    if plan == "selfhosted":
        return None
    return ENTERPRISE if re.fullmatch(r"ent\d+", plan) else CLOUD


ALL_METHODS = "*"
"""The name under which a portal that refuses everything is booked."""


@dataclass(slots=True)
class MethodLoad:
    """Operating seconds of one method by minute, and what a call of it costs, by kind (`Call.kind`)."""

    minutes: dict[int, float] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    blocked_until: float = 0.0

    def cost_s(self, kind: str) -> float:
        """What we expect of one call."""
        return self.costs.get(kind, UNKNOWN_COST_S)

    def note_cost(self, kind: str, cost_s: float) -> None:
        """Dearer is believed at once: fifty calls of a batch are let go on it. Cheaper only by and by."""
        known = self.cost_s(kind)
        self.costs[kind] = max(cost_s, known + (cost_s - known) / 8)

    def used(self, now: float) -> float:
        """Seconds used within the window that ends now."""
        self._forget(now)
        return sum(self.minutes.values())

    def spend(self, seconds: float, now: float) -> None:
        """Book seconds on the present minute."""
        minute = int(now // 60)
        self.minutes[minute] = self.minutes.get(minute, 0.0) + seconds

    def learn(self, reported_s: float, now: float) -> None:
        """Bring the books nearer to what the portal says that it counted.

        More than we knew (other processes, an earlier run) is booked now, so that it stays the
        longest. Less is believed by half each time: calls under way are booked here already, but
        not there yet.
        """
        gap = reported_s - self.used(now)
        if gap >= 0:
            self.spend(gap, now)
            return
        rest = -gap / 2
        for minute in sorted(self.minutes):
            taken = min(rest, self.minutes[minute])
            self.minutes[minute] -= taken
            rest -= taken

    def wait(self, seconds: float, now: float, limit_s: float) -> float:
        """Seconds until `seconds` more fit under `limit_s`; 0 if they fit now."""
        blocked = max(0.0, self.blocked_until - now)
        room = limit_s - self.used(now) - seconds
        released = 0.0
        for minute in sorted(self.minutes):
            if room + released >= 0:
                break
            released += self.minutes[minute]
            blocked = max(blocked, (minute + WINDOW_MINUTES) * 60 - now)
        return blocked

    def _forget(self, now: float) -> None:
        oldest = int(now // 60) - WINDOW_MINUTES
        for minute in [m for m in self.minutes if m <= oldest]:
            del self.minutes[minute]


@dataclass(slots=True)
class PortalLoad:
    """What all our processes have asked of one portal lately."""

    level: float = 0.0
    at: float = 0.0
    methods: dict[str, MethodLoad] = field(default_factory=dict)
    rate: RateLimit | None = CLOUD
    """What the last one went by who knew the portal's plan."""
    requests: dict[int, int] = field(default_factory=dict)
    """How many were booked, by minute. For people: nothing goes by it."""

    def take(
        self, wanted: Mapping[str, int], now: float, rate: RateLimit | None, *, background: bool
    ) -> float:
        """Book one request with these commands (`Call.kind` to number) and return 0, or book nothing and
        return the seconds after which to ask again."""
        wait = 0.0
        self._drain(now, rate)
        if rate is not None:
            over = self.level + 1 - rate.ceiling(background=background)
            wait = max(wait, over / rate.per_second)
        share = BACKGROUND_SHARE if background else FOREGROUND_SHARE
        costs = self._costs(wanted)
        for method, cost in {ALL_METHODS: 0.0, **costs}.items():
            load = self.methods.get(method)
            if load is not None:
                # One request must always be possible in an empty window, however dear it is.
                limit = OPERATING_LIMIT_S * share
                wait = max(wait, load.wait(min(cost, limit), now, limit))
        if wait > 0:
            return wait
        if rate is not None:
            self.level += 1
        for method, cost in costs.items():
            self.methods.setdefault(method, MethodLoad()).spend(cost, now)
        self._count(now)
        return 0.0

    def _costs(self, wanted: Mapping[str, int]) -> dict[str, float]:
        """What these commands are expected to cost, by method."""
        found: dict[str, float] = {}
        for kind, count in wanted.items():
            method = kind.removesuffix(COUNTING)
            load = self.methods.get(method)
            cost_s = UNKNOWN_COST_S if load is None else load.cost_s(kind)
            found[method] = found.get(method, 0.0) + cost_s * count
        return found

    def learn(self, method: str, operating_s: float, costs: Mapping[str, float], now: float) -> None:
        """Note what the portal counts for the method, and what one call took, by kind."""
        load = self.methods.setdefault(method, MethodLoad())
        load.learn(operating_s, now)
        for kind, cost_s in costs.items():
            if cost_s >= 0:
                load.note_cost(kind, cost_s)

    def refused(self, now: float, rate: RateLimit | None) -> None:
        """The portal said that its bucket is full: others share it. Each further refusal weighs more."""
        self._drain(now, rate)
        if rate is not None:
            known = max(self.level + rate.capacity / 10, rate.ceiling(background=True))
            self.level = min(known, rate.capacity)

    def block(self, method: str, until: float) -> None:
        """The portal refuses this method until then."""
        load = self.methods.setdefault(method, MethodLoad())
        load.blocked_until = max(load.blocked_until, until)

    def level_at(self, now: float, rate: RateLimit | None) -> float:
        """How full the bucket is by now."""
        return (
            self.level if rate is None else max(0.0, self.level - max(0.0, now - self.at) * rate.per_second)
        )

    def requests_within(self, now: float) -> int:
        """How many requests were booked within the window that ends now."""
        return sum(count for minute, count in self.requests.items() if minute > now // 60 - WINDOW_MINUTES)

    def _count(self, now: float) -> None:
        minute = int(now // 60)
        self.requests[minute] = self.requests.get(minute, 0) + 1
        for old in [one for one in self.requests if one <= minute - WINDOW_MINUTES]:
            del self.requests[old]

    def _drain(self, now: float, rate: RateLimit | None) -> None:
        self.level = self.level_at(now, rate)
        self.at = max(self.at, now)

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "level": self.level,
            "at": self.at,
            "rate": None if self.rate is None else [self.rate.capacity, self.rate.per_second],
            "methods": {
                name: [sorted(load.minutes.items()), load.costs, load.blocked_until]
                for name, load in self.methods.items()
            },
            "requests": sorted(self.requests.items()),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PortalLoad:
        """The inverse of `to_plain`."""
        return cls(
            level=plain["level"],
            at=plain["at"],
            rate=None if plain["rate"] is None else RateLimit(*plain["rate"]),
            methods={
                name: MethodLoad(
                    {int(m): s for m, s in minutes},
                    dict(costs) if isinstance(costs, Mapping) else {},
                    blocked_until,
                )
                for name, (minutes, costs, blocked_until) in plain["methods"].items()
            },
            requests={int(minute): int(count) for minute, count in plain.get("requests", ())},
        )
