"""Security headers. Who may frame a page is decided per answer: the verified portal, nobody else."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_compress import Compress

from b24app.web.assets import LIBRARIES

SCRIPT_SOURCES = ("'self'", *(library.cdn for library in LIBRARIES.values()))
"""Ours, and of the CDN exactly the files that pages load."""


def allow_framing(origin: str) -> None:
    """Let this answer be shown inside pages of the origin (`https://portal.example`)."""
    g.frame_origins = (*g.get("frame_origins", ()), origin)


def allow_leaving(*sources: str) -> None:
    """Let forms of this answer lead to other places: browsers hold redirects after a form to the policy."""
    g.form_targets = (*g.get("form_targets", ()), *sources)


def register(app: Flask) -> None:
    """Install compression and the headers of every answer."""
    Compress(app)
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    origins = tuple(g.get("frame_origins", ()))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault(
            "Content-Security-Policy", policy(origins, tuple(g.get("form_targets", ())))
        )
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.path.startswith("/api/"):
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def policy(frame_origins: tuple[str, ...], form_targets: tuple[str, ...] = ()) -> str:
    """The Content-Security-Policy of a page that these origins may frame and whose forms may lead there."""
    portals = " ".join(origin for origin in frame_origins if origin != "*")
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(SCRIPT_SOURCES),
        "style-src": "'self'",
        "img-src": f"'self' data: https: {portals}",
        "font-src": "'self'",
        "connect-src": f"'self' {portals}",
        "base-uri": "'none'",
        "form-action": " ".join(("'self'", *form_targets)),
        "frame-ancestors": " ".join(("'self'", *frame_origins)),
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in rules.items())
