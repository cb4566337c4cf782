"""Moments and dates as the portal writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

_LOCAL = re.compile(r"^(\d{2})\.(\d{2})\.(\d{4})(?: (\d{2}):(\d{2})(?::(\d{2}))?)?$")


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """ISO 8601 with the server's offset, whole seconds."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def date_text(day: date, zone: tzinfo) -> str:
    """A CRM field of type `date`: midnight UTC in the server's offset, west of Greenwich the day before."""
    return moment_text(datetime.combine(day, time(), UTC), zone)


def parse_moment(value: Any, zone: tzinfo) -> datetime | None:
    """The moment of ISO or local text; without an offset it is the server's time. None if it is no date."""
    text = str(value).strip()
    local = _LOCAL.match(text)
    try:
        if local:
            day, month, year, hour, minute, second = (int(part or 0) for part in local.groups())
            parsed = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        else:
            parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def parse_date(value: Any, zone: tzinfo) -> date | None:
    """The day of a `date` field's value: a bare date, or a moment whose UTC day counts."""
    text = str(value).strip()
    if len(text) == 10:
        moment = parse_moment(text, UTC)
        return moment.date() if moment else None
    moment = parse_moment(text, zone)
    return moment.astimezone(UTC).date() if moment else None


def time_block(started: float, finished: float, zone: tzinfo, cost: float = 0.0) -> dict[str, Any]:
    """The `time` object of an answer; `cost` are the seconds of work that the cost model adds."""
    duration = max(finished - started, cost)
    return {
        "start": round(started, 6),
        "finish": round(started + duration, 6),
        "duration": round(duration, 6),
        "processing": round(duration, 6),
        "date_start": datetime.fromtimestamp(started, zone).isoformat(timespec="seconds"),
        "date_finish": datetime.fromtimestamp(started + duration, zone).isoformat(timespec="seconds"),
    }
