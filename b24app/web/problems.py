"""Errors as answers: RFC 9457 documents for programs, readable pages for people."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError, TimeoutError
from werkzeug.exceptions import HTTPException

from b24app import meters, trace
from b24app.i18n import text
from b24app.portals.launch import Refused
from b24app.refusal import PartsRefused
from b24app.soon import Busy

log = logging.getLogger("b24app.web")

PROGRAMS = ("/api/", "/oauth/", "/openapi.json", "/events", "/automation/", "/healthz", "/readyz", "/metrics")
"""Paths that are called by programs and never shown in a frame."""


class Problem(Exception):
    """An answer other than the asked one. `extra` members join the document (`parameter="from"`).

    The member `key` stays inside: it names the text for people (`error.expired`).
    """

    def __init__(self, status: int, title: str, detail: str = "", **extra: Any) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.extra = extra
        self.headers: dict[str, str] = {}

    def with_header(self, name: str, value: str) -> Problem:
        """The same problem with one more header of the answer (`Retry-After`)."""
        self.headers[name] = value
        return self


def parts_refused(title: str, error: PartsRefused, lang: str, **extra: Any) -> Problem:
    """400 with the reason for every refused part in `parameters`, in the language of whoever asks."""
    told = {name: text(lang, f"refused.{why.code}", **why.values) for name, why in error.reasons.items()}
    detail = "; ".join(f"{name}: {reason}" for name, reason in told.items())
    return Problem(400, title, detail, parameters=told, **extra)


def document(problem: Problem) -> Response:
    """The problem as `application/problem+json`. `reference` is the request's number in the logs."""
    body = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "reference": trace.current(),
        **{name: value for name, value in problem.extra.items() if name != "key"},
    }
    response = jsonify(body)
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(problem.headers)
    return response


def register(app: Flask) -> None:
    """Install the handlers: every error leaves the app in one of two forms, never as a trace."""

    def answer(problem: Problem) -> Response:
        if request.path.startswith(PROGRAMS):
            return document(problem)
        from b24app.web import pages  # pages draws with templates and knows this module

        return pages.error(problem)

    def on_problem(problem: Problem) -> Response:
        return answer(problem)

    def on_refused(refused: Refused) -> Response:
        log.warning("refused on %r: %s", request.path, refused)
        return answer(Problem(refused.status, "Not let in", refused.detail, key=f"error.{refused.reason}"))

    def on_http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return app.make_response(error.get_response())
        problem = Problem(status, error.name, error.description or "")
        for name in ("Allow", "Retry-After"):
            value = dict(error.get_headers()).get(name)
            if value:
                problem.with_header(name, value)
        return answer(problem)

    def on_database(error: DBAPIError | TimeoutError) -> Response:
        meters.error("database")
        log.error("database unavailable: %s on %r", type(error).__name__, request.path)
        problem = Problem(503, "Database unavailable", "The database does not answer; try again shortly")
        return answer(problem.with_header("Retry-After", "5"))

    def on_busy(_error: Busy) -> Response:
        meters.error("busy")
        problem = Problem(503, "Busy", "Too much is waiting already; try again shortly")
        return answer(problem.with_header("Retry-After", "30"))

    def on_crash(error: Exception) -> Response:
        meters.error("crash")
        log.exception("request failed: %s %r", request.method, request.path)
        return answer(Problem(500, "Internal error", f"Something broke here; reference {trace.current()}"))

    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(Refused, on_refused)
    app.register_error_handler(HTTPException, on_http)

    def on_statement(error: ProgrammingError) -> Response:
        # PostgreSQL files a database without its tables (being restored, say) under mistakes in SQL.
        is_empty = type(error.orig).__name__ == "UndefinedTable"
        return on_database(error) if is_empty else on_crash(error)

    app.register_error_handler(OperationalError, on_database)
    app.register_error_handler(ProgrammingError, on_statement)
    app.register_error_handler(InterfaceError, on_database)
    app.register_error_handler(TimeoutError, on_database)
    app.register_error_handler(Busy, on_busy)
    app.register_error_handler(Exception, on_crash)
