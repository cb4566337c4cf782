"""What a process counts about its own doing, for Prometheus. No portal, person or address is named.

Labels are bounded: each takes its values from lists in the code. Where portals differ, a histogram tells
how they are spread; which one is in trouble is the doctor's to say.

The library decides at its import whether numbers are shared between processes (`PROMETHEUS_MULTIPROC_DIR`),
so it is imported with the first number: a server that forks can choose before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_FAST = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10)
_CALL = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 70)
_LONG = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200)
_WAIT = (0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300)
_SHARE = (0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Meters:
    """Every number of a process, in the registry that holds them."""

    registry: CollectorRegistry
    requests: Counter
    request_seconds: Histogram
    errors: Counter
    opening_seconds: Histogram
    kpi_seconds: Histogram
    portal_requests: Counter
    portal_request_seconds: Histogram
    portal_commands: Counter
    bucket_share: Histogram
    operating_share: Histogram
    budget_wait_seconds: Histogram
    oauth_requests: Counter
    job_seconds: Histogram
    job_wait_seconds: Histogram
    log_lines: Counter


@cache
def meters() -> Meters:
    """The numbers of this process."""
    from prometheus_client import CollectorRegistry, Counter, Histogram

    registry = CollectorRegistry()

    def counter(name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"b24app_{name}", meaning, labels, registry=registry)

    def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"b24app_{name}", meaning, labels, buckets=buckets, registry=registry)

    return Meters(
        registry=registry,
        requests=counter("requests", "Requests answered", "route", "status"),
        request_seconds=histogram("request_seconds", "Time to answer", _FAST, "route"),
        errors=counter("errors", "Requests that failed by our fault or our database's", "kind"),
        opening_seconds=histogram("opening_seconds", "Time to answer the opening of a widget", _FAST, "view"),
        kpi_seconds=histogram("kpi_seconds", "Time to compute KPIs from the store", _FAST, "scope", "by"),
        portal_requests=counter("portal_requests", "Requests to portals", "who", "outcome"),
        portal_request_seconds=histogram(
            "portal_request_seconds", "Time until a portal answered", _CALL, "who"
        ),
        portal_commands=counter("portal_commands", "Commands inside batches", "outcome"),
        bucket_share=histogram(
            "portal_bucket_share", "Fill of a portal's request bucket at each request, 1 is full", _SHARE
        ),
        operating_share=histogram(
            "portal_operating_share", "Used operating time of a method as each answer tells, 1 is all", _SHARE
        ),
        budget_wait_seconds=histogram(
            "budget_wait_seconds", "Time that a request waited for the portal's limits", _WAIT, "who"
        ),
        oauth_requests=counter("oauth_requests", "Requests to authorization servers", "method", "outcome"),
        job_seconds=histogram("job_seconds", "Time that a job took", _LONG, "work", "outcome"),
        job_wait_seconds=histogram("job_wait_seconds", "Time that a job waited in the queue", _WAIT, "work"),
        log_lines=counter("log_lines", "Lines of the log", "level"),
    )


def exposed() -> CollectorRegistry:
    """A registry with the numbers of this process, or of all that share a folder with it."""
    if not os.environ.get(FOLDER):
        return meters().registry
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def web_request(route: str, status: int, seconds: float | None) -> None:
    """A request was answered. Routes, not paths: their number is bounded."""
    meters().requests.labels(route, str(status)).inc()
    if seconds is not None:
        meters().request_seconds.labels(route).observe(seconds)


def error(kind: str) -> None:
    """A request failed: `crash`, `database` or `busy`."""
    meters().errors.labels(kind).inc()


def opening(view: str, seconds: float) -> None:
    """A widget was opened; `view` as the manifest has it."""
    meters().opening_seconds.labels(view).observe(seconds)


def kpi(scope: str, by: str, seconds: float) -> None:
    """KPIs were computed: of whom (`user`, `department`, `company`), cut by what (`total`: not at all)."""
    meters().kpi_seconds.labels(scope, by).observe(seconds)


def portal_request(who: str, outcome: str, seconds: float) -> None:
    """A portal was asked, for `people` or in the `background`; `outcome` is one of `rest.outcomes`."""
    meters().portal_requests.labels(who, outcome).inc()
    meters().portal_request_seconds.labels(who).observe(seconds)


def portal_command(outcome: str) -> None:
    """One command of a batch came to this."""
    meters().portal_commands.labels(outcome).inc()


def bucket(share: float) -> None:
    """How full a portal's bucket of requests is once this one is booked; 1 is full."""
    meters().bucket_share.observe(share)


def operating(share: float) -> None:
    """How much of a method's operating time is used up, as the portal just said; 1 is all."""
    meters().operating_share.observe(share)


def budget_wait(who: str, seconds: float) -> None:
    """A request waited so long for its portal's limits."""
    meters().budget_wait_seconds.labels(who).observe(seconds)


def oauth_request(method: str, outcome: str) -> None:
    """An authorization server was asked."""
    meters().oauth_requests.labels(method, outcome).inc()


def job(work: str, outcome: str, seconds: float) -> None:
    """A job ended: `done` or `failed`."""
    meters().job_seconds.labels(work, outcome).observe(seconds)


def job_wait(work: str, seconds: float) -> None:
    """A job began, so long after it was queued."""
    meters().job_wait_seconds.labels(work).observe(seconds)


def log_line(level: str) -> None:
    """A warning or an error was logged."""
    meters().log_lines.labels(level).inc()
