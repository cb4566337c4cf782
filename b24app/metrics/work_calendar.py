"""The company's working days and hours: what a pace is measured by, and what capacity is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from b24app.metrics.periods import DAY, Period

DayOfYear = tuple[int, int]
"""(month, day), the same every year."""

WEEK = 7
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """A company's calendar; without one Monday to Friday. A day in `extra_days` is worked whatever it is.

    `days_off`: weekdays, Monday is 0. `starts_s`, `ends_s`: seconds after local midnight.
    """

    days_off: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[DayOfYear] = frozenset()
    extra_days: frozenset[DayOfYear] = frozenset()
    starts_s: int = 9 * 3600
    ends_s: int = 18 * 3600

    def is_working(self, day: date) -> bool:
        """True if the company works on the day."""
        at = (day.month, day.day)
        if at in self.extra_days:
            return True
        return at not in self.holidays and day.weekday() not in self.days_off

    def count(self, start: date, end: date) -> int:
        """How many working days there are from `start` on and before `end`; 0 when that is nothing."""
        if start >= end:
            return 0
        weeks, rest = divmod((end - start).days, WEEK)
        found = weeks * (WEEK - len(self.days_off))
        found += sum((start.weekday() + step) % WEEK not in self.days_off for step in range(rest))
        for day in self._exceptions(start, end):
            found += self.is_working(day) - (day.weekday() not in self.days_off)
        return found

    def _exceptions(self, start: date, end: date) -> Iterator[date]:
        """The days in the range that a rule of the year is about."""
        for year in range(start.year, end.year + 1):
            for month, number in self.holidays | self.extra_days:
                try:
                    day = date(year, month, number)
                except ValueError:  # 29 February of a common year
                    continue
                if start <= day < end:
                    yield day


def working_days(calendar: WorkCalendar, period: Period, hired_on: date | None = None) -> int:
    """Working days of the period; for somebody hired within it from that day on."""
    return calendar.count(_begin(period, hired_on), period.end)


def elapsed_days(calendar: WorkCalendar, period: Period, today: date, hired_on: date | None = None) -> int:
    """Working days of the period up to today, today included: the same part that values are compared by."""
    return calendar.count(_begin(period, hired_on), min(today + DAY, period.end))


def passed_days(calendar: WorkCalendar, period: Period, today: date, hired_on: date | None = None) -> int:
    """Working days of the period that are over."""
    return calendar.count(_begin(period, hired_on), min(today, period.end))


def capacity_s(
    calendar: WorkCalendar, period: Period, hours_per_day: Fraction, hired_on: date | None = None
) -> Fraction:
    """Seconds that one employee can work in the period."""
    return working_days(calendar, period, hired_on) * hours_per_day * 3600


def working_seconds(calendar: WorkCalendar, start: datetime, end: datetime, zone: ZoneInfo) -> int:
    """Seconds of working time between two aware moments; negative where the second one is the earlier.

    A calendar whose day ends before it begins works around the clock on working days.
    """
    if end < start:
        return -working_seconds(calendar, end, start, zone)
    from_s, until_s = calendar.starts_s, calendar.ends_s
    if until_s <= from_s:
        from_s, until_s = 0, DAY_S
    begin, finish = start.timestamp(), end.timestamp()
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    found = 0.0
    while day <= last:
        if calendar.is_working(day):
            opens, closes = _moment(day, from_s, zone), _moment(day, until_s, zone)
            found += max(0.0, min(finish, closes) - max(begin, opens))
        day += DAY
    return int(found)


def to_stored(calendar: WorkCalendar) -> dict[str, Any]:
    """The JSON for `work_calendars.data`."""
    return {
        "days_off": sorted(calendar.days_off),
        "holidays": [list(day) for day in sorted(calendar.holidays)],
        "extra_days": [list(day) for day in sorted(calendar.extra_days)],
        "starts_s": calendar.starts_s,
        "ends_s": calendar.ends_s,
    }


def from_stored(data: Mapping[str, Any]) -> WorkCalendar:
    """The calendar in `work_calendars.data`."""
    return WorkCalendar(
        days_off=frozenset(data["days_off"]),
        holidays=frozenset((month, day) for month, day in data["holidays"]),
        extra_days=frozenset((month, day) for month, day in data["extra_days"]),
        starts_s=data["starts_s"],
        ends_s=data["ends_s"],
    )


def _begin(period: Period, hired_on: date | None) -> date:
    return period.start if hired_on is None else max(period.start, hired_on)


def _moment(day: date, seconds: int, zone: ZoneInfo) -> float:
    """The moment of a time on the wall clock."""
    days, rest = divmod(seconds, DAY_S)
    wall = (datetime.combine(day + timedelta(days=days), time()) + timedelta(seconds=rest)).replace(
        tzinfo=zone
    )
    return wall.timestamp()
