"""What an app has cost a portal: requests, commands, seconds, refusals."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counters:
    http_requests: int = 0
    commands: int = 0
    by_method: Counter[str] = field(default_factory=Counter)  # commands, and `batch` itself
    seconds: float = 0.0  # by the cost model, before the time scale
    real_seconds: float = 0.0  # the emulator's own work
    refused_503: int = 0
    refused_429: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_request(self) -> None:
        with self.lock:
            self.http_requests += 1

    def count_command(self, method: str, seconds: float, real_seconds: float) -> None:
        with self.lock:
            self.commands += 1
            self.by_method[method] += 1
            self.seconds += seconds
            self.real_seconds += real_seconds

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
            self.by_method.clear()

    def as_dict(self) -> dict[str, Any]:
        with self.lock:
            return {
                "http_requests": self.http_requests,
                "commands": self.commands,
                "by_method": dict(self.by_method),
                "seconds": round(self.seconds, 6),
                "real_seconds": round(self.real_seconds, 6),
                "refused_503": self.refused_503,
                "refused_429": self.refused_429,
            }
