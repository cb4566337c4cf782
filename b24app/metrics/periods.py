"""Periods: half-open ranges of whole local days, what they are compared with, how they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class Grain(StrEnum):
    """How long the pieces are that a period is cut into."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Compare(StrEnum):
    """What a period is compared with."""

    PREVIOUS = "previous"
    YEAR = "year"


NAMES = ("day", "week", "month", "quarter", "year")
"""Named periods that contain today; `last_` before a name is the whole one before it."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `start` on and before `end`; at least one day."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        return self.end - DAY

    @property
    def whole_months(self) -> int:
        """How many calendar months the period is made of; 0 when it does not start and end with a month."""
        if self.start.day != 1 or self.end.day != 1:
            return 0
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def named(name: str, today: date) -> Period:
    """The period called `day`, `week` (Monday first), `month`, `quarter` or `year` that contains today,
    or with `last_` before the name the whole one before it.

    Raises: ValueError for another name.
    """
    plain = name.removeprefix("last_")
    if plain not in NAMES:
        raise ValueError(f"{name!r} is no period; known are {', '.join(NAMES)} and the same with last_")
    current = _around(plain, today)
    return current if plain == name else _around(plain, current.start - DAY)


def _around(name: str, day: date) -> Period:
    if name == "day":
        return Period(day, day + DAY)
    if name == "week":
        monday = monday_of(day)
        return Period(monday, monday + 7 * DAY)
    length = _MONTHS[name]
    start = date(day.year, (day.month - 1) // length * length + 1, 1)
    return Period(start, shift_months(start, length))


def before(period: Period, today: date, compare: Compare) -> Period | None:
    """The days to compare the period with: all of the period before (or a year ago), or for a running
    period the same elapsed part of it. None for a period that has not begun.

    Whole months are preceded by as many whole months, any other range by as many days. A day that the
    shorter month lacks is clamped to its last day.
    """
    if today < period.start:
        return None
    is_running = today < period.end
    months = 12 if compare is Compare.YEAR else period.whole_months
    if months == 0:
        start = period.start - timedelta(days=period.days)
        last = (today if is_running else period.last_day) - timedelta(days=period.days)
        return Period(start, last + DAY)
    start = shift_months(period.start, -months)
    if is_running:
        return Period(start, shift_months(today, -months) + DAY)
    if period.whole_months:
        return Period(start, shift_months(period.end, -months))
    return Period(start, shift_months(period.last_day, -months) + DAY)


def pieces(period: Period, grain: Grain) -> Iterator[Period]:
    """The period cut at Mondays or first days of months, in order; they cover it exactly once."""
    start = period.start
    while start < period.end:
        end = min(_next(start, grain), period.end)
        yield Period(start, end)
        start = end


def piece_key(day: date, grain: Grain) -> str:
    """What the piece that contains the day is called: the day, the Monday of its week, or `2026-11`."""
    if grain is Grain.MONTH:
        return day.isoformat()[:7]
    return (day if grain is Grain.DAY else monday_of(day)).isoformat()


def _next(day: date, grain: Grain) -> date:
    if grain is Grain.DAY:
        return day + DAY
    if grain is Grain.WEEK:
        return monday_of(day) + 7 * DAY
    return shift_months(day.replace(day=1), 1)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def shift_months(day: date, months: int) -> date:
    """The same day of another month; the last one of it where the month is too short."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - DAY).day


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day that an aware moment belongs to in the zone."""
    return moment.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) of a local day, also where the clock is changed at midnight.

    Where midnight is skipped, `fold=0` reads it with the offset before the change: that is the moment of
    the change, the first of the day. Where it comes twice, `fold=0` is the first one.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)
