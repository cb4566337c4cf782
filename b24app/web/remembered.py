"""Answers that come with pages, kept by this process while nothing that they rest on has moved.

Nobody gets what was made for another viewer: who asks is a part of the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app

from b24app.store.remembered import Remembered
from b24app.web.moments import rfc3339
from b24app.web.sight import Sight

MOST_BYTES = 48 * 1024 * 1024
"""Of all answers together, as JSON; a page of an employee takes about ten kilobytes."""

_answers: Remembered[bytes] = Remembered(MOST_BYTES, size=len)


def remembered(sight: Sight, name: str, make: Callable[[], Any], *, moves_with_time: bool = False) -> Any:
    """The answer of this name to this viewer, made now unless it is known and still holds.

    Call it over a connection that only reads (`looking`): what an open transaction sees may come to nothing.
    `as_of` is always that of now. What `make` raises is not kept.
    """
    asking, json = sight.asking, current_app.json
    key = (asking.portal_id, asking.user_id, asking.is_admin, asking.lang, name)
    version = sight.version(moves_with_time=moves_with_time)
    body = json.loads(_answers.of(sight.conn, key, version, lambda: json.dumps(make()).encode()))
    if isinstance(body, dict) and "as_of" in body:
        body["as_of"] = rfc3339(sight.sync.as_of)
    return body
