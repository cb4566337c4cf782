"""Answers that come with pages, kept by this process while nothing that they rest on has moved.

They are kept as the JSON that a page carries: what is known already is neither computed nor written anew.
Nobody gets what was made for another viewer: who asks is a part of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import current_app
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from b24app.store.remembered import Remembered
from b24app.web.moments import rfc3339
from b24app.web.sight import Sight

MOST_CHARACTERS = 48 * 1024 * 1024
"""Of all answers together; a page of an employee takes about ten thousand."""


class _Kept(NamedTuple):
    text: Markup  # without `as_of`
    tells_as_of: bool


_answers: Remembered[_Kept] = Remembered(MOST_CHARACTERS, size=lambda kept: len(kept.text))


def remembered(sight: Sight, name: str, make: Callable[[], Any], *, moves_with_time: bool = False) -> Markup:
    """The answer of this name to this viewer as JSON for a page, made now unless it is known and still holds.

    Call it over a connection that only reads (`looking`): what an open transaction sees may come to nothing.
    `as_of` is always that of now. What `make` raises is not kept.
    """
    asking = sight.asking
    key = (asking.portal_id, asking.user_id, asking.is_admin, asking.lang, name)
    version = sight.version(moves_with_time=moves_with_time)
    kept = _answers.of(sight.conn, key, version, lambda: _kept(make()))
    if not kept.tells_as_of:
        return kept.text
    as_of = as_json({"as_of": rfc3339(sight.sync.as_of)})
    return as_of[:-1] + Markup(",") + kept.text[1:]


def as_json(value: Any) -> Markup:
    """JSON that may stand in a page."""
    return htmlsafe_json_dumps(value, dumps=current_app.json.dumps)


def joined(answers: Mapping[str, Any]) -> Markup:
    """The JSON of an object, those of its values as they are that are JSON already."""
    parts = (
        as_json(name) + Markup(":") + (answer if isinstance(answer, Markup) else as_json(answer))
        for name, answer in answers.items()
    )
    return Markup("{") + Markup(",").join(parts) + Markup("}")


def _kept(body: Any) -> _Kept:
    if isinstance(body, dict) and "as_of" in body:
        return _Kept(as_json({name: value for name, value in body.items() if name != "as_of"}), True)
    return _Kept(as_json(body), False)
