"""What operators and their machines ask: alive, ready, how much."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from b24app.web.context import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """The process can serve: the database answers. 503 otherwise (by the error handlers)."""
    with parts().engine.connect() as conn:
        conn.execute(text("SELECT 1"))
    return jsonify(status="ready")
