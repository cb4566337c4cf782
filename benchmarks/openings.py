"""People who open widgets, for locust: `B24APP_BENCH_LAUNCHES=FILE locust -f benchmarks/openings.py`.

Each opens one a second on average, at random moments like people who know nothing of each other (together:
Poisson arrivals), and whatever the answers take, so the load does not give way to a slow server. Equal gaps
would keep everybody in the step in which locust starts them: all of a second's openings in one instant.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import gevent
from locust import FastHttpUser, task

LAUNCHES = json.loads(Path(os.environ["B24APP_BENCH_LAUNCHES"]).read_text("utf-8"))
"""[{"name": …, "query": …, "form": {…}}]"""


class Person(FastHttpUser):  # type: ignore[misc]
    network_timeout = 30
    connection_timeout = 30

    def on_start(self) -> None:
        self.due = time.monotonic()
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Seconds until the next opening: the gap counts from when the last one was due, not from its end."""
        self.due += random.expovariate(1)
        return max(0.0, self.due - time.monotonic())

    @task  # type: ignore[untyped-decorator]
    def open_widget(self) -> None:
        one = random.choice(LAUNCHES)  # noqa: S311  nothing secret
        self.client.post(f"/?{one['query']}", data=one["form"], name=one["name"])
