"""Live KPIs for employees and heads of department inside Bitrix24."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b24app.config import ROOT

if TYPE_CHECKING:
    from flask import Flask

    from b24app.bootstrap import Parts

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a request body: the largest upload of targets or costs fits well."""


def create_app(parts: Parts) -> Flask:
    """The web application over the given parts; it starts nothing by itself."""
    from flask import Flask  # the package is also imported by workers and tests that need no web

    from b24app.web import headers, health, problems, tracing
    from b24app.web.json_answers import JsonAnswers
    from b24app.web.routes import BLUEPRINTS

    app = Flask(
        "b24app",
        template_folder=str(ROOT / "frontend" / "templates"),
        static_folder=None,
    )
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.json = JsonAnswers(app)
    app.extensions["b24app"] = parts
    tracing.register(app)
    problems.register(app)
    headers.register(app)
    health.register(app, parts)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
