"""The only place that reads the time of day. Rules take `now` as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)


def epoch() -> int:
    """Whole seconds since 1970-01-01 UTC, as facts store moments."""
    return int(time.time())
