"""What operators and their machines ask: alive, ready, how much."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import select

from b24app import meters
from b24app.bootstrap import Parts
from b24app.tables import portals
from b24app.web.context import parts
from b24app.web.problems import Problem
from b24app.web.state_metrics import StateCollector, look

blueprint = Blueprint("health", __name__)

EXTENSION = "b24app.state_metrics"


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
    """Prometheus text: totals and spreads, no portal is named."""
    state: CollectorRegistry = current_app.extensions[EXTENSION]
    text = generate_latest(meters.exposed()) + generate_latest(state)
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def register(app: Flask, app_parts: Parts) -> None:
    """Let the app tell of its portals, besides what it counts itself."""
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: look(app_parts.engine, app_parts.jobs, time.time())))
    app.extensions[EXTENSION] = registry
