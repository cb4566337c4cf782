"""Periods, what they are compared with, and local days on days when the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics import periods
from b24app.metrics.periods import Compare, Grain, Period

MONDAY = date(2026, 11, 23)

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
spans = st.tuples(days, st.integers(1, 800)).map(lambda s: Period(s[0], s[0] + timedelta(days=s[1])))
zones = st.sampled_from(
    [
        "Europe/Moscow",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",  # the clock goes back from 1:00 to 0:00: the first hour comes twice
        "America/Sao_Paulo",  # until 2018 the day of the change began at 1:00
        "Asia/Beirut",  # so it does here
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "UTC",
    ]
).map(ZoneInfo)


def period(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("day", "2026-11-23", "2026-11-24"),
        ("last_day", "2026-11-22", "2026-11-23"),
        ("week", "2026-11-23", "2026-11-30"),
        ("last_week", "2026-11-16", "2026-11-23"),
        ("month", "2026-11-01", "2026-12-01"),
        ("last_month", "2026-10-01", "2026-11-01"),
        ("quarter", "2026-10-01", "2027-01-01"),
        ("last_quarter", "2026-07-01", "2026-10-01"),
        ("year", "2026-01-01", "2027-01-01"),
        ("last_year", "2025-01-01", "2026-01-01"),
    ],
)
def test_named_periods_contain_today_or_end_before_it(name: str, start: str, end: str) -> None:
    assert periods.named(name, MONDAY) == period(start, end)


@pytest.mark.parametrize("name", ["", "fortnight", "last_", "last_last_month", "Month", "last-month"])
def test_an_unknown_period_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no period"):
        periods.named(name, MONDAY)


@pytest.mark.parametrize(
    ("asked", "today", "previous"),
    [
        # running: the same elapsed part of the period before
        (("2026-11-01", "2026-12-01"), "2026-11-23", ("2026-10-01", "2026-10-24")),
        (("2026-11-01", "2026-12-01"), "2026-11-01", ("2026-10-01", "2026-10-02")),
        # a day that the shorter month lacks is clamped to its last day
        (("2026-03-01", "2026-04-01"), "2026-03-30", ("2026-02-01", "2026-03-01")),
        (("2024-03-01", "2024-04-01"), "2024-03-30", ("2024-02-01", "2024-03-01")),
        (("2026-03-01", "2026-04-01"), "2026-03-15", ("2026-02-01", "2026-02-16")),
        (("2026-04-01", "2026-07-01"), "2026-05-31", ("2026-01-01", "2026-03-01")),
        # the last day of a month is still running
        (("2026-11-01", "2026-12-01"), "2026-11-30", ("2026-10-01", "2026-10-31")),
        # finished: all of the period before, however long it is
        (("2026-11-01", "2026-12-01"), "2026-12-01", ("2026-10-01", "2026-11-01")),
        (("2026-02-01", "2026-03-01"), "2026-11-23", ("2026-01-01", "2026-02-01")),
        (("2026-07-01", "2026-10-01"), "2026-11-23", ("2026-04-01", "2026-07-01")),
        (("2025-01-01", "2026-01-01"), "2026-11-23", ("2024-01-01", "2025-01-01")),
        # weeks, days, any two dates: as many days before
        (("2026-11-23", "2026-11-30"), "2026-11-25", ("2026-11-16", "2026-11-19")),
        (("2026-11-22", "2026-11-23"), "2026-11-23", ("2026-11-21", "2026-11-22")),
        (("2026-11-10", "2026-11-20"), "2026-11-23", ("2026-10-31", "2026-11-10")),
        (("2026-11-10", "2026-12-10"), "2026-11-23", ("2026-10-11", "2026-10-25")),
    ],
)
def test_compared_with_the_period_before(
    asked: tuple[str, str], today: str, previous: tuple[str, str]
) -> None:
    found = periods.before(period(*asked), date.fromisoformat(today), Compare.PREVIOUS)
    assert found == period(*previous)


@pytest.mark.parametrize(
    ("asked", "today", "year_ago"),
    [
        (("2026-11-01", "2026-12-01"), "2026-11-23", ("2025-11-01", "2025-11-24")),
        (("2024-02-01", "2024-03-01"), "2024-02-29", ("2023-02-01", "2023-03-01")),
        (("2025-02-01", "2025-03-01"), "2026-11-23", ("2024-02-01", "2024-03-01")),
        (("2026-01-01", "2027-01-01"), "2026-11-23", ("2025-01-01", "2025-11-24")),
        (("2026-11-10", "2026-11-20"), "2026-11-23", ("2025-11-10", "2025-11-20")),
        (("2024-02-29", "2024-03-02"), "2026-11-23", ("2023-02-28", "2023-03-02")),
    ],
)
def test_compared_with_the_same_part_a_year_ago(
    asked: tuple[str, str], today: str, year_ago: tuple[str, str]
) -> None:
    found = periods.before(period(*asked), date.fromisoformat(today), Compare.YEAR)
    assert found == period(*year_ago)


def test_a_period_that_has_not_begun_is_compared_with_nothing() -> None:
    assert periods.before(period("2026-12-01", "2027-01-01"), MONDAY, Compare.PREVIOUS) is None


@given(spans, days, st.sampled_from(Compare))
def test_what_is_compared_ends_before_and_is_never_longer_than_what_elapsed(
    asked: Period, today: date, compare: Compare
) -> None:
    earlier = periods.before(asked, today, compare)
    if today < asked.start:
        assert earlier is None
        return
    assert earlier is not None
    assert earlier.start < asked.start
    if today < asked.end:
        elapsed = (today - asked.start).days + 1
        # the day before may be clamped away, never added; a leap day may fall between
        assert earlier.days <= elapsed + (compare is Compare.YEAR) + (asked.whole_months > 1) * 4
    if compare is Compare.PREVIOUS:
        assert earlier.end <= asked.start


@given(spans, st.sampled_from(Grain))
def test_pieces_cover_the_period_exactly_once(asked: Period, grain: Grain) -> None:
    found = list(periods.pieces(asked, grain))
    assert found[0].start == asked.start
    assert found[-1].end == asked.end
    assert all(one.end == other.start for one, other in pairwise(found))
    keys = [periods.piece_key(piece.start, grain) for piece in found]
    assert len(set(keys)) == len(keys)
    for piece, key in zip(found, keys, strict=True):
        assert periods.piece_key(piece.last_day, grain) == key


@given(days, st.integers(-500, 500))
def test_shifting_months_keeps_the_day_or_clamps_it(day: date, months: int) -> None:
    shifted = periods.shift_months(day, months)
    assert (shifted.year * 12 + shifted.month) - (day.year * 12 + day.month) == months
    assert shifted.day == day.day or (
        shifted.day < day.day and (shifted + timedelta(days=1)).month != shifted.month
    )


@given(days, zones)
def test_a_local_day_begins_with_its_first_second_also_when_the_clock_is_changed(
    day: date, zone: ZoneInfo
) -> None:
    start = periods.day_start(day, zone)
    assert periods.local_day(start, zone) == day
    assert periods.local_day(start - timedelta(seconds=1), zone) == day - timedelta(days=1)


@given(days, zones, st.integers(0, 86_399))
def test_every_moment_belongs_to_exactly_one_day(day: date, zone: ZoneInfo, seconds: int) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    owner = periods.local_day(moment, zone)
    assert periods.day_start(owner, zone) <= moment < periods.day_start(owner + timedelta(days=1), zone)


def test_days_of_a_clock_change_are_23_and_25_hours_long() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    def hours(day: date) -> float:
        length = periods.day_start(day + timedelta(days=1), berlin) - periods.day_start(day, berlin)
        return length.total_seconds() / 3600

    assert hours(date(2026, 3, 29)) == 23
    assert hours(date(2026, 10, 25)) == 25
    assert hours(date(2026, 10, 26)) == 24


def test_an_empty_period_is_no_period() -> None:
    with pytest.raises(ValueError, match="not before"):
        Period(MONDAY, MONDAY)
