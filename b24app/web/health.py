"""What operators and their machines ask: alive, ready, how much."""

from __future__ import annotations

import time
from collections.abc import Iterable

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from b24app.bootstrap import Parts
from b24app.tables import portals, sync_sources
from b24app.web.context import parts
from b24app.web.problems import Problem

blueprint = Blueprint("health", __name__)

EXTENSION = "b24app.metering"


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """The process can serve: database and queue answer. 503 otherwise."""
    with parts().engine.connect() as conn:
        conn.execute(select(portals.c.portal_id).limit(1))
    try:
        waiting = parts().jobs.waiting()
    except Exception as error:  # of whatever kind the queue's own library has
        raise Problem(503, "Queue unavailable", type(error).__name__) from error
    return jsonify(status="ready", queue=waiting)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text: totals only, no portal is named."""
    meter: Metering = current_app.extensions[EXTENSION]
    return Response(generate_latest(meter.registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def register(app: Flask, app_parts: Parts) -> None:
    """Count and time every request of the app."""
    meter = Metering(app_parts)
    app.extensions[EXTENSION] = meter
    app.before_request(_begin)
    app.after_request(meter.end)


def _begin() -> None:
    g.began = time.perf_counter()


class Metering:
    """Numbers of one process about its requests, and of the database about its portals."""

    def __init__(self, app_parts: Parts) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "b24app_requests", "Requests answered", ("route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "b24app_request_seconds",
            "Time to answer",
            ("route",),
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.registry.register(PortalCounts(app_parts))

    def end(self, response: Response) -> Response:
        """Note an answer. Routes, not paths: their number is bounded."""
        route = request.url_rule.rule if request.url_rule else "none"
        self.requests.labels(route, str(response.status_code)).inc()
        if "began" in g:
            self.seconds.labels(route).observe(time.perf_counter() - g.began)
        return response


class PortalCounts(Collector):
    """Portals and sources by their state, asked of the database when somebody asks."""

    def __init__(self, app_parts: Parts) -> None:
        self._parts = app_parts

    def collect(self) -> Iterable[Metric]:
        """The gauges; raises what the database raises."""
        with self._parts.engine.connect() as conn:
            by_portal = conn.execute(select(portals.c.state, func.count()).group_by(portals.c.state)).all()
            by_source = conn.execute(
                select(sync_sources.c.source, sync_sources.c.state, func.count()).group_by(
                    sync_sources.c.source, sync_sources.c.state
                )
            ).all()
        gauge = GaugeMetricFamily("b24app_portals", "Portals by state", labels=["state"])
        for state, count in by_portal:
            gauge.add_metric([state], count)
        yield gauge
        gauge = GaugeMetricFamily("b24app_sources", "Sources of portals by state", labels=["source", "state"])
        for source, state, count in by_source:
            gauge.add_metric([source, state], count)
        yield gauge

    def describe(self) -> Iterable[Metric]:
        """Nothing: the database is not asked at start."""
        return []
