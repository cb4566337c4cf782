"""People who open widgets, for locust: `B24APP_BENCH_LAUNCHES=FILE locust -f benchmarks/openings.py`.

Each opens one a second on average, whatever the answers take, so the load does not give way to a slow server.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from locust import FastHttpUser, constant_throughput, task

LAUNCHES = json.loads(Path(os.environ["B24APP_BENCH_LAUNCHES"]).read_text("utf-8"))
"""[{"name": …, "query": …, "form": {…}}]"""


class Person(FastHttpUser):  # type: ignore[misc]
    wait_time = constant_throughput(1)
    network_timeout = 30
    connection_timeout = 30

    @task  # type: ignore[untyped-decorator]
    def open_widget(self) -> None:
        one = random.choice(LAUNCHES)  # noqa: S311  nothing secret
        self.client.post(f"/?{one['query']}", data=one["form"], name=one["name"])
