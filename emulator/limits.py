"""The limits of a cloud portal and the cost model: leaky bucket, operating time, 60 seconds a request."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field

from emulator.answers import PortalError, Result

WINDOW_S = 600
BASKET_S = 60


@dataclass
class Limits:
    """All switchable. Times are the portal's seconds; `time_scale` real seconds pass for each of them.

    With `time_scale` 0 nobody waits for the cost of a call: it is only counted, and buckets and windows
    follow the real clock.
    """

    bucket: bool = False
    operating: bool = False
    cost_model: bool = False
    request_time: bool = False
    time_scale: float = 1.0
    capacity: float = 50
    drain_per_s: float = 2
    operating_limit_s: float = 480
    request_limit_s: float = 60
    page_s: float = 0.070  # a page of 50 rows
    row_count_s: float = 21e-6  # each matching row when the total is counted
    call_s: float = 0.010  # any call, at least
    ban_s: float = 0  # > 0: a blocked method stays so for this time, as published portal code has it
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)  # caller -> (level, at)
    _baskets: dict[tuple[str, str], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    _bans: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take_drop(self, caller: str, now: float) -> None:
        """Let one HTTP request of a caller into the leaky bucket.

        Raises: PortalError QUERY_LIMIT_EXCEEDED when it is full.
        """
        if not self.bucket:
            return
        now = self._portal_time(now)
        with self._lock:
            level, at = self._levels.get(caller, (0.0, now))
            level = max(0.0, level - (now - at) * self.drain_per_s)
            if level + 1 > self.capacity:
                self._levels[caller] = (level, now)
                raise PortalError("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
            self._levels[caller] = (level + 1, now)

    def check_operating(self, client_id: str, method: str, now: float) -> None:
        """Raises: PortalError OPERATION_TIME_LIMIT while the method is blocked for the app."""
        if not self.operating:
            return
        portal_now = self._portal_time(now)
        with self._lock:
            key = (client_id, method)
            if self._bans.get(key, 0) > portal_now or (
                not self.ban_s and self._spent(key, portal_now) >= self.operating_limit_s
            ):
                raise PortalError(
                    "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429
                )

    def spend(self, client_id: str, method: str, seconds: float, now: float) -> tuple[float, int]:
        """Book the time of one call; what `time.operating` and `time.operating_reset_at` say then."""
        portal_now = self._portal_time(now)
        with self._lock:
            key = (client_id, method)
            baskets = self._baskets[key]
            basket = int(portal_now // BASKET_S)
            baskets[basket] = baskets.get(basket, 0.0) + seconds
            spent = self._spent(key, portal_now)
            reset_at: float = min(baskets) * BASKET_S + WINDOW_S
            if self.operating and self.ban_s and spent >= self.operating_limit_s:
                self._bans[key] = reset_at = portal_now + self.ban_s
                baskets.clear()
            return spent, int(now + (reset_at - portal_now) * (self.time_scale or 1)) + 1

    def cost(self, result: Result) -> float:
        """The portal's seconds for one answered command."""
        if not self.cost_model:
            return 0.0
        return max(self.call_s, self.page_s * result.rows / 50) + self.row_count_s * result.counted

    def reset(self) -> None:
        """Empty the bucket and forget what was spent."""
        with self._lock:
            self._levels.clear()
            self._baskets.clear()
            self._bans.clear()

    def _spent(self, key: tuple[str, str], portal_now: float) -> float:
        baskets = self._baskets[key]
        oldest = int(portal_now // BASKET_S) - WINDOW_S // BASKET_S
        for basket in [basket for basket in baskets if basket < oldest + 1]:
            del baskets[basket]
        return sum(baskets.values())

    def _portal_time(self, now: float) -> float:
        return now / self.time_scale if self.time_scale > 0 else now
