"""The emulator's time: real time that tests can move forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    def __init__(self) -> None:
        self._ahead_s = 0.0

    def time(self) -> float:
        """Unix time in seconds."""
        return time.time() + self._ahead_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Let time pass at once: tokens expire, buckets drain, windows move."""
        self._ahead_s += seconds
