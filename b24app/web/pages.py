"""Pages for people that need no data: errors and the door's own landing page."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from b24app import i18n
from b24app.web.headers import allow_framing
from b24app.web.problems import Problem


def language() -> str:
    """The language to answer this request in: the portal's LANG, else the browser's, else English."""
    asked = request.values.get("LANG") or request.values.get("lang")
    if asked:
        return i18n.best(asked)
    return i18n.best(request.accept_languages.best_match(sorted(i18n.languages())) or "")


def error(problem: Problem) -> Response:
    """A readable page for an error. It holds nothing secret, so that any portal may show it."""
    lang = language()
    key = str(problem.extra.get("key") or f"error.http_{problem.status}")
    try:
        title, text = i18n.text(lang, f"{key}.title"), i18n.text(lang, f"{key}.text")
    except KeyError:
        title, text = i18n.text(lang, "error.other.title"), i18n.text(lang, "error.other.text")
    allow_framing("*")
    response = make_response(
        render_template(
            "error.html",
            lang=lang,
            status=problem.status,
            title=title,
            text=text,
            reference=problem.extra.get("reference"),
        )
    )
    response.status_code = problem.status
    response.headers.update(problem.headers)
    return response
