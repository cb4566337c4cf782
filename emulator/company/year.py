"""The year that is being invented: its days, working hours, season, and the one source of chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

DAYS = 425
"""A year, and two months before it: at its beginning there are deals under way already."""

HOLIDAYS = {
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (2, 23),
    (3, 8),
    (5, 1),
    (5, 9),
    (6, 12),
    (11, 4),
}
SEASON = {
    1: 0.6,
    2: 0.85,
    3: 1.0,
    4: 1.15,
    5: 1.2,
    6: 1.3,
    7: 1.2,
    8: 1.05,
    9: 1.0,
    10: 0.95,
    11: 0.9,
    12: 1.05,
}
"""Climate equipment sells in summer; in January nobody buys."""


@dataclass(frozen=True)
class Year:
    today: date
    now: datetime  # UTC; nothing happens later
    zone: ZoneInfo
    random: Random

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=DAYS)

    def days(self) -> Iterator[date]:
        """Every day of the year, oldest first, today included."""
        return (self.first_day + timedelta(days=n) for n in range(DAYS + 1))

    def demand(self, day: date) -> float:
        """How much is going on that day against an ordinary working day of the year's beginning."""
        growth = 1 + 0.25 * (day - self.first_day).days / DAYS
        return SEASON[day.month] * growth * (1.0 if is_working(day) else 0.12)

    def how_many(self, mean: float) -> int:
        """A random whole number around `mean` (Poisson)."""
        limit, product, count = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            count += 1
        return count

    def at_work(self, day: date) -> datetime:
        """A moment of that day in working hours."""
        return self.at(day, 9 + 9 * self.random.betavariate(1.6, 1.8))

    def at(self, day: date, hour: float) -> datetime:
        """The moment of a local hour (may have a fraction) of that day."""
        local = datetime.combine(day, time(0), self.zone) + timedelta(seconds=int(hour * 3600))
        return local.astimezone(UTC)

    def working(self, moment: datetime) -> datetime:
        """The moment itself, or the next working morning when it falls into a night, weekend or holiday."""
        local = moment.astimezone(self.zone)
        day = local.date()
        if is_working(day) and 9 <= local.hour < 19:
            return moment
        if local.hour >= 9 or not is_working(day):
            day += timedelta(days=1)
        while not is_working(day):
            day += timedelta(days=1)
        return self.at(day, 9 + self.random.random() * 2)

    def later(self, moment: datetime, mean_days: float) -> datetime:
        """A working moment some days after, exponentially spread around the mean."""
        days = min(self.random.expovariate(1 / mean_days), mean_days * 5)
        return self.working(moment + timedelta(seconds=int(days * 86_400) + 300))


def is_working(day: date) -> bool:
    """Whether the company works that day."""
    return day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS
