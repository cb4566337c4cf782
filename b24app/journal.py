"""What happened, one JSON object a line: without tokens, without data of clients or names of people.

Values of parameters are never written, only names of methods, numbers of portals and what came of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from b24app import clock, trace

PORTALS = "b24app.journal.rest"
"""Requests to portals and authorization servers."""

OWN = "b24app.journal.app"
"""Requests that the app answered, and its jobs."""


def write(journal: str, event: str, fields: Mapping[str, Any]) -> None:
    """Write a line into `PORTALS` or `OWN`: the moment, the event, the request it was done for, and the
    fields; None is left out."""
    logger = logging.getLogger(journal)
    if logger.isEnabledFor(logging.INFO):
        told = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "event": event,
            "request": trace.current(),
            **fields,
        }
        told = {name: value for name, value in told.items() if value is not None}
        logger.info(json.dumps(told, ensure_ascii=False, default=str))
