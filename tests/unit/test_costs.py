"""A cost spread over its days: the parts add up to the whole."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics.periods import Period
from b24app.sums.computed.costs import Span, by_day, share

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
DAYS = st.integers(-60, 60).map(lambda n: date(2026, 11, 1) + timedelta(days=n))
SPANS = st.lists(
    st.builds(
        lambda first, length, amount: Span(first, first + timedelta(days=length), amount, 1),
        DAYS,
        st.integers(0, 400),
        st.integers(0, 10**17),
    ),
    max_size=8,
)
PERIODS = st.builds(
    lambda start, length: Period(start, start + timedelta(days=length)), DAYS, st.integers(1, 90)
)


def test_a_cost_counts_by_the_days_that_it_shares_with_the_period() -> None:
    # 30,000 over ten days, five of them in November
    assert share([Span(date(2026, 10, 27), date(2026, 11, 5), 30_000, 1)], NOVEMBER) == 15_000
    assert share([Span(date(2026, 12, 1), date(2026, 12, 2), 30_000, 1)], NOVEMBER) == 0


def test_the_days_of_a_cost_are_told_one_by_one() -> None:
    spans = [
        Span(date(2026, 10, 31), date(2026, 11, 2), 100, 1),
        Span(date(2026, 11, 2), date(2026, 11, 2), 7, 2),
    ]
    assert list(by_day(spans, NOVEMBER)) == [
        (date(2026, 11, 1), Fraction(100, 3), 1),
        (date(2026, 11, 2), Fraction(100, 3) + 7, 2),
    ]


@given(spans=SPANS, period=PERIODS)
def test_the_days_add_up_to_the_period(spans: list[Span], period: Period) -> None:
    days = list(by_day(spans, period))
    assert sum(amount for _, amount, _ in days) == share(spans, period)
    assert [day for day, _, _ in days] == sorted({day for day, _, _ in days})
    assert all(day in period for day, _, _ in days)
    touching = [s for s in spans if s.first < period.end and s.last >= period.start]
    assert sum(entries for _, _, entries in days) == len(touching)


@given(spans=SPANS, period=PERIODS, cut=st.integers(1, 89))
def test_two_halves_of_a_period_add_up_to_it(spans: list[Span], period: Period, cut: int) -> None:
    middle = period.start + timedelta(days=cut)
    if middle < period.end:
        halves = Period(period.start, middle), Period(middle, period.end)
        assert sum(share(spans, half) for half in halves) == share(spans, period)


@given(spans=SPANS)
def test_nothing_of_a_cost_is_lost(spans: list[Span]) -> None:
    all_days = Period(date(2026, 1, 1), date(2029, 1, 1))
    assert share(spans, all_days) == sum(span.amount for span in spans)
