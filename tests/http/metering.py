"""Reading `/metrics` the way Prometheus does."""

from __future__ import annotations

import requests
from prometheus_client.parser import text_string_to_metric_families


def metrics(url: str) -> dict[str, float]:
    """`name{label="value"}` to number, of every sample."""
    answer = requests.get(f"{url}/metrics", timeout=20)
    assert answer.status_code == 200, answer.text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def grown(before: dict[str, float], after: dict[str, float], name: str) -> float:
    """By how much one sample has grown; numbers of a process outlive the app of a single test."""
    return after.get(name, 0.0) - before.get(name, 0.0)
