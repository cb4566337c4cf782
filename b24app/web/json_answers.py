"""How answers are written as JSON."""

from __future__ import annotations

from flask.json.provider import DefaultJSONProvider


class JsonAnswers(DefaultJSONProvider):
    """Texts go out as UTF-8 letters, keys in the order in which the answer was made."""

    ensure_ascii = False
    sort_keys = False
