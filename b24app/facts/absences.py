"""Days on which employees are away: `calendar.accessibility.get`.

Source: api-reference/calendar/calendar-event/calendar-accessibility-get.md. Events of a calendar have
DATE_FROM and DATE_TO, rows of the company's absence chart DT_FROM and DT_TO; both in the format of the
portal's region. Why somebody is away is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

from b24app.facts import values
from b24app.facts.values import Row

ABSENT = "absent"

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_HOURS = re.compile(r"\d:\d\d")


@dataclass(frozen=True, slots=True)
class Absence:
    """Whole local days, both included."""

    user_id: int
    from_day: date
    to_day: date


def parse(result: Any) -> list[Absence]:
    """The absences in an answer: whole days of people who are away, not hours and not meetings."""
    by_user = result if isinstance(result, Mapping) else {}
    found = [
        Absence(user_id, *days)
        for key, events in by_user.items()
        if (user_id := values.link(key)) is not None
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, Mapping) and (days := _days(event)) is not None
    ]
    return list(_merged(found))


def _days(event: Row) -> tuple[date, date] | None:
    """The first and the last day of an event that keeps somebody away; None for all others."""
    if str(event.get("ACCESSIBILITY", "")).lower() != ABSENT:
        return None
    begins, ends = (str(event.get(f"DATE_{end}") or event.get(f"DT_{end}") or "") for end in ("FROM", "TO"))
    near = [values.whole(event.get(f"DATE_{end}_TS_UTC") or event.get(end)) for end in ("FROM", "TO")]
    first, last = _day(begins, near[0]), _day(ends, near[1])
    if first is None or last is None or last < first:
        return None
    is_timed = not values.yes(event.get("DT_SKIP_TIME")) and bool(_HOURS.search(ends)) and begins != ends
    return None if is_timed and last == first else (first, last)


def _day(text: str, near: int | None) -> date | None:
    """The day of a date in the portal's format. Where it may be read in two ways, the moment decides."""
    iso, dotted, slashed = _ISO.match(text), _DOTTED.match(text), _SLASHED.match(text)
    if iso:
        readings = [(iso[1], iso[2], iso[3])]
    elif dotted:
        readings = [(dotted[3], dotted[2], dotted[1])]
    elif slashed:
        readings = [(slashed[3], slashed[1], slashed[2]), (slashed[3], slashed[2], slashed[1])]
    else:
        return None
    days = list(chain.from_iterable(_valid(*map(int, reading)) for reading in readings))
    if near is None or len(days) < 2:
        return days[0] if days else None
    told = datetime.fromtimestamp(near, UTC).date()
    return min(days, key=lambda day: abs((day - told).days))


def _valid(year: int, month: int, day: int) -> Iterator[date]:
    try:
        yield date(year, month, day)
    except ValueError:
        return


def _merged(found: Iterable[Absence]) -> Iterator[Absence]:
    """Absences of a person that overlap or follow each other are one."""
    current: Absence | None = None
    for one in sorted(found, key=lambda one: (one.user_id, one.from_day, one.to_day)):
        if current is not None and one.user_id == current.user_id and _touches(current, one):
            current = Absence(one.user_id, current.from_day, max(current.to_day, one.to_day))
            continue
        if current is not None:
            yield current
        current = one
    if current is not None:
        yield current


def _touches(earlier: Absence, later: Absence) -> bool:
    return (later.from_day - earlier.to_day).days <= 1
