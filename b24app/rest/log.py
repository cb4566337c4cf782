"""The log of requests to portals and their answers: one JSON line each, without tokens or clients' data.

Values of parameters are never written, only names of methods.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger("b24app.rest.log")


def write(event: str, fields: Mapping[str, Any]) -> None:
    """Log one line; None fields are left out."""
    if logger.isEnabledFor(logging.INFO):
        told = {name: value for name, value in fields.items() if value is not None}
        logger.info(json.dumps({"event": event, **told}, ensure_ascii=False, default=str))


def size_of(result: Any) -> int | None:
    """How many rows an answer holds, None if it is no list of rows."""
    if isinstance(result, list):
        return len(result)
    if isinstance(result, dict):
        for value in result.values():
            if isinstance(value, list):
                return len(value)
    return None
