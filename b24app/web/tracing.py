"""Every request has a number, is timed, counted and written into the journal."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from b24app import journal, meters, trace

QUIET = ("/healthz", "/readyz", "/metrics", "/static/")
"""Not in the journal: machines ask these every few seconds, and files of pages tell nothing."""


def register(app: Flask) -> None:
    """Number, time and count every request of the app."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def elapsed_s() -> float | None:
    """Seconds since this request began; None before it did."""
    return time.perf_counter() - g.began if "began" in g else None


def _begin() -> None:
    g.began = time.perf_counter()
    trace.begin(trace.accepted(request.headers.get(trace.HEADER)))


def _end(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    seconds = elapsed_s()
    meters.web_request(route, response.status_code, seconds)
    number = trace.current()
    if number:
        response.headers[trace.HEADER] = number
    if not request.path.startswith(QUIET):
        viewer = g.get("viewer")
        journal.write(
            journal.OWN,
            "web.request",
            {
                "method": request.method,
                "route": route,  # not the address: it may hold a code or a token
                "status": response.status_code,
                "ms": None if seconds is None else round(seconds * 1000),
                "portal": getattr(viewer, "portal_id", None),
            },
        )
    return response


def _forget(_error: BaseException | None) -> None:
    trace.begin(None)
