"""Pages for people that need no data: errors, and what stands at a door that is opened outside a portal."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from b24app import i18n, trace
from b24app.web.headers import allow_framing
from b24app.web.problems import Problem


def language() -> str:
    """The language to answer this request in: the portal's LANG, else the browser's, else English."""
    asked = request.values.get("LANG") or request.values.get("lang")
    if asked:
        return i18n.best(asked)
    return i18n.best(request.accept_languages.best_match(sorted(i18n.languages())) or "")


def landing() -> Response:
    """What is shown without a launch: no data, no tokens, so that any portal may frame it.

    Some placements (CRM → Analytics of the BI builder) open by GET and tell nothing.
    """
    lang = language()
    allow_framing("*")
    return message(lang, i18n.text(lang, "landing.title"), i18n.text(lang, "landing.text"))


def error(problem: Problem) -> Response:
    """A readable page for an error. It holds nothing secret, so any portal may show it."""
    lang = language()
    key = str(problem.extra.get("key") or f"error.http_{problem.status}")
    try:
        title, text = i18n.text(lang, f"{key}.title"), i18n.text(lang, f"{key}.text")
    except KeyError:
        title, text = i18n.text(lang, "error.other.title"), i18n.text(lang, "error.other.text")
    allow_framing("*")
    response = message(lang, title, text, status=problem.status, reference=trace.current())
    response.headers.update(problem.headers)
    return response


def message(lang: str, title: str, text: str, *, status: int = 200, reference: object = None) -> Response:
    """A page of one headline and one sentence; its number is shown only where something went wrong."""
    page = render_template(
        "error.html",
        lang=lang,
        status=status if status >= 400 else None,
        title=title,
        text=text,
        reference=reference,
    )
    return make_response(page, status)
