"""The company's calendar: `calendar.settings.get`. Source: api-reference/calendar/calendar-settings-get.md"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from b24app.metrics.work_calendar import DAY_S, DayOfYear, WorkCalendar

WEEKDAYS = {code: place for place, code in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}

LEAP_YEAR = 2024


def parse(settings: Any) -> WorkCalendar:
    """The calendar that the settings describe; what they leave out is as without a calendar."""
    told: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    usual = WorkCalendar()
    days_off = _days_off(told.get("week_holidays"))
    starts_s, ends_s = _clock(told.get("work_time_start")), _clock(told.get("work_time_end"))
    return WorkCalendar(
        days_off=usual.days_off if days_off is None else days_off,
        holidays=frozenset(_days(told.get("year_holidays"))),
        extra_days=frozenset(_days(told.get("year_workdays"))),
        starts_s=usual.starts_s if starts_s is None else starts_s,
        ends_s=usual.ends_s if ends_s is None else ends_s,
    )


def _days_off(value: Any) -> frozenset[int] | None:
    """The weekdays named, Monday is 0; None where a week would have no working day left, or none is told."""
    if value is None:
        return None
    found = frozenset(WEEKDAYS[word] for word in _words(value) if word in WEEKDAYS)
    return found if len(found) < len(WEEKDAYS) else None


def _days(value: Any) -> Iterator[DayOfYear]:
    """The days of the year in `1.01,23.02`: day.month."""
    for word in _words(value):
        found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})(?:\.\d{2,4})?\.?", word)
        if found:
            day, month = int(found[1]), int(found[2])
            try:
                yield date(LEAP_YEAR, month, day).month, day
            except ValueError:
                continue


def _clock(value: Any) -> int | None:
    """Seconds after midnight of `9` or `9.30`."""
    found = re.fullmatch(r"(\d{1,2})(?:[.:](\d{1,2}))?", str(value).strip())
    if not found:
        return None
    minutes = found[2] or "0"
    seconds = int(found[1]) * 3600 + int(minutes.ljust(2, "0") if found[2] else minutes) * 60
    return seconds if seconds <= DAY_S else None


def _words(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else value.values() if isinstance(value, Mapping) else [value]
    return [
        word.strip().upper()
        for item in listed
        if isinstance(item, str)
        for word in re.split(r"[,;\s]+", item)
        if word.strip()
    ]
