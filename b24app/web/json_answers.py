"""How answers are written as JSON."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider


class JsonAnswers(DefaultJSONProvider):
    """Texts go out as UTF-8 letters, keys in the order in which the answer was made."""

    ensure_ascii = False
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """JSON that can be sent: half a character that came in with a request goes out as `?`."""
        return super().dumps(obj, **kwargs).encode("utf-8", "replace").decode("utf-8")
