from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics.attainment import (
    CAP,
    Elapsed,
    Part,
    Status,
    Thresholds,
    Weighted,
    attainment,
    elapsed,
    forecast,
    pace,
    score,
    status,
    weighed,
)
from b24app.metrics.metric import Better
from b24app.metrics.periods import Period
from b24app.metrics.work_calendar import WorkCalendar

F = Fraction
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
USUAL = Thresholds()
DIRECTED = (Better.UP, Better.DOWN, Better.NEAR_100)

amounts = st.fractions(min_value=0, max_value=10**9, max_denominator=10**4)
positive = st.fractions(min_value=F(1, 1000), max_value=10**9, max_denominator=10**4)
directions = st.sampled_from(list(Better))


@st.composite
def spans(draw: st.DrawFn) -> Elapsed:
    whole = draw(st.integers(0, 300))
    gone = draw(st.integers(0, whole))
    return Elapsed(whole, gone, max(0, gone - 1), is_over=False)


def test_attainment_by_direction() -> None:
    assert attainment(Better.UP, F(700_000), F(1_000_000)) == F(7, 10)
    assert attainment(Better.DOWN, F(8), F(6)) == F(3, 4)  # 6 / 8
    assert attainment(Better.NEAR_100, F("1.15"), F(1)) == F("0.85")  # 1 − |1.15 − 1|
    assert attainment(Better.NEAR_100, F("0.9"), F(1)) == F("0.9")
    assert attainment(Better.UP, F(100), F(1)) == 100  # not capped here
    assert attainment(Better.NEITHER, F(5), F(5)) is None


def test_nothing_is_divided_by_zero() -> None:
    assert attainment(Better.UP, F(5), F(0)) is None
    assert attainment(Better.DOWN, F(0), F(5)) is None
    assert weighed(Better.DOWN, F(0), F(5)) == CAP
    assert weighed(Better.DOWN, F(0), F(0)) == 1
    assert weighed(Better.UP, F(0), F(0)) == 1
    assert weighed(Better.UP, None, F(5)) is None


def test_the_pace_follows_working_days() -> None:
    # Monday 23 November 2026: 16 of 21 working days
    days = elapsed(WorkCalendar(), NOVEMBER, date(2026, 11, 23))
    assert pace([Part(F(2100), days)]) == 1600
    # 4 November off: 15 of 20; the target is the same
    feast = WorkCalendar(holidays=frozenset({(11, 4)}))
    assert pace([Part(F(2100), elapsed(feast, NOVEMBER, date(2026, 11, 23)))]) == 1575
    # hired on the 16th: 6 of 11
    hired = elapsed(WorkCalendar(), NOVEMBER, date(2026, 11, 23), date(2026, 11, 16))
    assert pace([Part(F(1100), hired)]) == 600
    # the plan of both: 1600 + 600
    assert pace([Part(F(2100), days), Part(F(1100), hired)]) == 2200


def test_a_period_that_is_over_expects_all_of_it() -> None:
    days = elapsed(WorkCalendar(), NOVEMBER, date(2026, 12, 1))
    assert pace([Part(F(50), days)]) == 50
    weekend = Period(date(2026, 11, 28), date(2026, 11, 30))
    assert pace([Part(F(50), elapsed(WorkCalendar(), weekend, date(2026, 12, 1)))]) == 50
    assert pace([Part(F(50), elapsed(WorkCalendar(), weekend, date(2026, 11, 28)))]) is None


def test_the_forecast_goes_on_at_the_speed_so_far() -> None:
    # 1600 in 16 of 21 days: 2100
    assert forecast(F(1600), elapsed(WorkCalendar(), NOVEMBER, date(2026, 11, 23))) == 2100
    first = elapsed(WorkCalendar(), NOVEMBER, date(2026, 11, 2))  # a Monday, the first working day
    assert forecast(F(100), first) is None
    second = elapsed(WorkCalendar(), NOVEMBER, date(2026, 11, 3))
    assert forecast(F(100), second) == 1050  # 100 × 21 / 2
    assert forecast(F(100), elapsed(WorkCalendar(), NOVEMBER, date(2026, 12, 1))) is None


@pytest.mark.parametrize(
    ("better", "value", "expected", "found"),
    [
        (Better.UP, 100, 100, Status.MET),
        (Better.UP, 80, 100, Status.NEAR),
        (Better.UP, F("79.99"), 100, Status.BEHIND),
        (Better.DOWN, 100, 100, Status.MET),
        (Better.DOWN, 125, 100, Status.NEAR),
        (Better.DOWN, 126, 100, Status.BEHIND),
        (Better.DOWN, 0, 0, Status.MET),
        (Better.UP, 0, 10, Status.BEHIND),
        (Better.NEAR_100, F("1.2"), 1, Status.NEAR),
        (Better.NEAR_100, F("0.5"), 1, Status.BEHIND),
        (Better.NEITHER, 5, 5, None),
    ],
)
def test_the_status_beside_the_pace(
    better: Better, value: Fraction, expected: int, found: Status | None
) -> None:
    assert status(better, F(value), F(expected), F(expected), USUAL) is found


def test_without_a_target_the_status_says_so() -> None:
    assert status(Better.UP, F(1), None, None, USUAL) is Status.NO_TARGET
    assert status(Better.UP, None, F(1), F(1), USUAL) is None
    assert status(Better.UP, F(1), F(1), None, USUAL) is None


def test_the_score_leaves_out_what_has_no_data() -> None:
    # (3 × 0.9 + 1 × 0.5) / 4 = 0.8
    parts = [Weighted(F(3), F("0.9")), Weighted(F(1), F("0.5")), Weighted(F(6), None)]
    assert score(parts) == F("0.8")
    assert score([Weighted(F(1), None)]) is None
    assert score([]) is None


@given(st.sampled_from(DIRECTED), positive, positive)
def test_a_status_is_what_its_attainment_says(better: Better, value: Fraction, target: Fraction) -> None:
    share = attainment(better, value, target)
    found = status(better, value, target, target, USUAL)
    assert share is not None
    wanted = Status.MET if share >= 1 else Status.NEAR if share >= F(4, 5) else Status.BEHIND
    assert found is wanted


@given(directions, amounts, amounts)
def test_a_score_never_counts_more_than_the_cap(better: Better, value: Fraction, target: Fraction) -> None:
    share = weighed(better, value, target)
    assert (share is None) == (better is Better.NEITHER)
    assert share is None or share <= CAP


@given(amounts, spans())
def test_the_pace_never_exceeds_the_target_and_grows_with_the_days(target: Fraction, days: Elapsed) -> None:
    found = pace([Part(target, days)])
    assert (found is None) == (days.all == 0)
    if found is not None:
        assert 0 <= found <= target
        if days.elapsed < days.all:
            later = pace([Part(target, Elapsed(days.all, days.elapsed + 1, days.elapsed, is_over=False))])
            assert later is not None
            assert later >= found


@given(positive, spans())
def test_whoever_is_on_pace_is_forecast_to_meet_the_target(target: Fraction, days: Elapsed) -> None:
    expected = pace([Part(target, days)])
    if days.passed and expected is not None:
        assert forecast(expected, days) == target


@given(st.lists(st.builds(Weighted, positive, st.none() | st.fractions(0, CAP)), max_size=6))
def test_a_score_lies_between_the_worst_and_the_best(parts: list[Weighted]) -> None:
    shares = [part.share for part in parts if part.share is not None]
    found = score(parts)
    assert (found is None) == (not shares)
    assert found is None or min(shares) <= found <= max(shares)
