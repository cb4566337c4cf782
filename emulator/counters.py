"""What an app has cost a portal: requests, commands, seconds, refusals."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counters:
    http_requests: int = 0
    commands: int = 0
    by_method: Counter[str] = field(default_factory=Counter)  # commands, and `batch` itself
    rows: Counter[str] = field(default_factory=Counter)  # rows of the answers, by method
    operating: dict[str, float] = field(default_factory=dict)  # most in ten minutes so far, by method
    at_once: int = 0  # requests that are being answered
    most_at_once: int = 0
    seconds: float = 0.0  # by the cost model, before the time scale
    real_seconds: float = 0.0  # the emulator's own work
    refused_503: int = 0
    refused_429: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def request(self) -> Iterator[None]:
        """An HTTP request, while it is being answered."""
        with self.lock:
            self.http_requests += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self.lock:
                self.at_once -= 1

    def count_command(
        self, method: str, seconds: float, real_seconds: float, *, rows: int = 0, operating: float = 0.0
    ) -> None:
        """`rows` it returned; `operating`: what the method has used of its time by now."""
        with self.lock:
            self.commands += 1
            self.by_method[method] += 1
            self.rows[method] += rows
            self.seconds += seconds
            self.real_seconds += real_seconds
            self.operating[method] = max(operating, self.operating.get(method, 0.0))

    def count_batch(self) -> None:
        with self.lock:
            self.by_method["batch"] += 1

    def count_refusal(self, code: str | int) -> None:
        with self.lock:
            self.refused_503 += code == "QUERY_LIMIT_EXCEEDED"
            self.refused_429 += code == "OPERATION_TIME_LIMIT"

    def reset(self) -> None:
        with self.lock:
            self.http_requests = self.commands = self.refused_503 = self.refused_429 = 0
            self.seconds = self.real_seconds = 0.0
            self.most_at_once = self.at_once
            self.by_method.clear()
            self.rows.clear()
            self.operating.clear()

    def as_dict(self) -> dict[str, Any]:
        with self.lock:
            return {
                "http_requests": self.http_requests,
                "commands": self.commands,
                "by_method": dict(self.by_method),
                "rows": {method: rows for method, rows in self.rows.items() if rows},
                "operating": {method: round(used, 6) for method, used in self.operating.items() if used},
                "most_at_once": self.most_at_once,
                "seconds": round(self.seconds, 6),
                "real_seconds": round(self.real_seconds, 6),
                "refused_503": self.refused_503,
                "refused_429": self.refused_429,
            }
