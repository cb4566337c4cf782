from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics.periods import Period
from b24app.metrics.work_calendar import (
    WorkCalendar,
    capacity_s,
    elapsed_days,
    from_stored,
    passed_days,
    to_stored,
    working_days,
    working_seconds,
)

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
RUSSIAN = WorkCalendar(holidays=frozenset({(11, 4)}), extra_days=frozenset({(11, 7)}))
"""4 November 2026 is a Wednesday, the 7th a Saturday."""

days = st.dates(date(2019, 1, 1), date(2032, 12, 31))
days_of_year = st.tuples(st.integers(1, 12), st.integers(1, 31))
calendars = st.builds(
    WorkCalendar,
    days_off=st.frozensets(st.integers(0, 6)),
    holidays=st.frozensets(days_of_year, max_size=8),
    extra_days=st.frozensets(days_of_year, max_size=8),
    starts_s=st.integers(0, 12 * 3600),
    ends_s=st.integers(12 * 3600, 86_400),
)


def test_a_holiday_is_off_and_an_extra_day_is_worked() -> None:
    assert working_days(WorkCalendar(), NOVEMBER) == 21  # 30 days, five Sundays and four Saturdays
    assert working_days(RUSSIAN, NOVEMBER) == 21  # one less, one more
    assert not RUSSIAN.is_working(date(2026, 11, 4))
    assert RUSSIAN.is_working(date(2026, 11, 7))
    assert RUSSIAN.is_working(date(2027, 11, 7))  # a Sunday; the rule is of every year


def test_a_leap_day_is_a_holiday_in_leap_years_only() -> None:
    calendar = WorkCalendar(days_off=frozenset(), holidays=frozenset({(2, 29)}))
    assert calendar.count(date(2028, 2, 28), date(2028, 3, 2)) == 2  # the 28th and 1 March
    assert calendar.count(date(2027, 2, 28), date(2027, 3, 2)) == 2


def test_today_has_elapsed_but_not_passed() -> None:
    monday = date(2026, 11, 23)
    assert elapsed_days(WorkCalendar(), NOVEMBER, monday) == 16  # 3 weeks of 5 days and this Monday
    assert passed_days(WorkCalendar(), NOVEMBER, monday) == 15
    assert elapsed_days(WorkCalendar(), NOVEMBER, date(2027, 1, 1)) == 21
    assert elapsed_days(WorkCalendar(), NOVEMBER, date(2026, 10, 30)) == 0


def test_somebody_hired_within_the_period_counts_from_that_day() -> None:
    hired = date(2026, 11, 16)  # a Monday
    assert working_days(WorkCalendar(), NOVEMBER, hired) == 11
    assert elapsed_days(WorkCalendar(), NOVEMBER, date(2026, 11, 17), hired) == 2
    assert working_days(WorkCalendar(), NOVEMBER, date(2020, 1, 1)) == 21
    assert working_days(WorkCalendar(), NOVEMBER, date(2027, 1, 1)) == 0


def test_capacity_is_working_days_times_hours() -> None:
    # 21 days × 7.5 h × 3600 s = 567,000 s
    assert capacity_s(WorkCalendar(), NOVEMBER, Fraction("7.5")) == 567_000


def test_working_time_stops_at_night_and_on_holidays() -> None:
    opened = datetime(2026, 11, 3, 17, 0, tzinfo=MOSCOW)  # Tuesday, an hour before the end
    closed = datetime(2026, 11, 5, 10, 30, tzinfo=MOSCOW)  # Thursday, after a holiday
    # one hour on Tuesday, nothing on Wednesday, 9:00–10:30 on Thursday: 2.5 h
    assert working_seconds(RUSSIAN, opened, closed, MOSCOW) == 9_000
    assert working_seconds(RUSSIAN, closed, opened, MOSCOW) == -9_000
    night = datetime(2026, 11, 3, 23, 0, tzinfo=MOSCOW)
    assert working_seconds(RUSSIAN, night, night + timedelta(hours=3), MOSCOW) == 0


def test_a_day_around_the_clock_is_as_long_as_its_clock_says() -> None:
    always = WorkCalendar(days_off=frozenset(), starts_s=0, ends_s=0)
    change = datetime(2026, 10, 25, tzinfo=BERLIN)  # the day of 25 hours
    assert working_seconds(always, change, datetime(2026, 10, 26, tzinfo=BERLIN), BERLIN) == 25 * 3600


@given(calendars, days, st.integers(0, 900))
def test_counting_is_looking_at_every_day(calendar: WorkCalendar, start: date, length: int) -> None:
    end = start + timedelta(days=length)
    plain = sum(calendar.is_working(start + timedelta(days=step)) for step in range(length))
    assert calendar.count(start, end) == plain


@given(calendars, days, st.integers(0, 60), st.integers(0, 60))
def test_parts_of_a_period_add_up(calendar: WorkCalendar, start: date, first: int, second: int) -> None:
    middle = start + timedelta(days=first)
    end = middle + timedelta(days=second)
    assert calendar.count(start, middle) + calendar.count(middle, end) == calendar.count(start, end)


@given(calendars, st.lists(st.integers(0, 30 * 86_400), min_size=3, max_size=3))
def test_working_time_adds_up_and_is_no_longer_than_the_time(
    calendar: WorkCalendar, offsets: list[int]
) -> None:
    base = datetime(2026, 10, 10, tzinfo=UTC)
    first, second, third = (base + timedelta(seconds=offset) for offset in sorted(offsets))
    whole = working_seconds(calendar, first, third, BERLIN)
    assert 0 <= whole <= (third - first).total_seconds()
    assert whole == working_seconds(calendar, first, second, BERLIN) + working_seconds(
        calendar, second, third, BERLIN
    )


@given(calendars)
def test_what_is_stored_is_read_again(calendar: WorkCalendar) -> None:
    assert from_stored(to_stored(calendar)) == calendar


@pytest.mark.parametrize("day", [date(2026, 11, 28), date(2026, 11, 29)])
def test_without_a_calendar_weekends_are_off(day: date) -> None:
    assert not WorkCalendar().is_working(day)
