"""Why the amount changed: parts that add up, by a hand-computed example and for anything else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics.drivers import Sales, rounded, split


def sales(leads: int | None, deals: int, revenue: int | Fraction) -> Sales:
    return Sales(None if leads is None else Fraction(leads), Fraction(deals), Fraction(revenue))


def test_each_factor_gets_its_mean_effect() -> None:
    # before 100 leads × 10 % × 1000 = 10,000; now 120 × 10 % × 1500 = 18,000: + 8,000
    # leads: + 20 leads are worth 20 × 0.1 × 1000 = 2,000 at the old check, 3,000 at the new one: 2,500
    # check: + 500 on 10 deals = 5,000, on 12 deals = 6,000: 5,500;  2,500 + 0 + 5,500 = 8,000
    found = split(sales(100, 10, 10_000), sales(120, 12, 18_000))
    assert [(driver.key, driver.effect) for driver in found] == [
        ("leads", 2_500), ("conversion", 0), ("average_check", 5_500),
    ]  # fmt: skip
    assert [(driver.before, driver.now) for driver in found] == [
        (100, 120), (Fraction(1, 10), Fraction(1, 10)), (1000, 1500),
    ]  # fmt: skip


def test_a_period_without_deals_has_no_check_and_all_is_conversion() -> None:
    leads, conversion, check = split(sales(10, 0, 0), sales(10, 2, 300))
    assert (leads.effect, conversion.effect, check.effect) == (0, 300, 0)
    assert (check.before, check.now) == (None, 150)


def test_a_period_without_leads_and_deals_has_no_conversion_and_all_is_leads() -> None:
    leads, conversion, check = split(sales(0, 0, 0), sales(4, 2, 300))
    assert (leads.effect, conversion.effect, check.effect) == (300, 0, 0)
    assert conversion.before is None


@pytest.mark.parametrize("leads", [None, 0])
def test_deals_stand_in_for_leads_that_explain_nothing(leads: int | None) -> None:
    found = split(sales(leads, 2, 200), sales(50, 3, 300))
    assert [(driver.key, driver.effect) for driver in found] == [("deals", 100), ("average_check", 0)]


PERIODS = st.builds(
    lambda leads, checks: sales(leads, len(checks), sum(checks, Fraction(0))),
    st.none() | st.integers(0, 10**6),
    st.lists(st.fractions(-(10**9), 10**9, max_denominator=10**6), max_size=8),
)


@given(PERIODS, PERIODS)
def test_parts_add_up_to_the_change_exactly(before: Sales, now: Sales) -> None:
    drivers = split(before, now)
    change = now.revenue - before.revenue
    assert sum(driver.effect for driver in drivers) == change
    assert [-driver.effect for driver in split(now, before)] == [driver.effect for driver in drivers]


@given(PERIODS, PERIODS, st.integers(0, 10))
def test_rounded_parts_add_up_to_the_rounded_change(before: Sales, now: Sales, places: int) -> None:
    change = now.revenue - before.revenue
    parts = [driver.effect for driver in split(before, now)]
    written = rounded(parts, change, places)
    assert sum(written) == Fraction(round(change * 10**places), 10**places)
    unit = Fraction(1, 10**places)
    assert all(abs(part - exact) <= 2 * unit for part, exact in zip(written, parts, strict=True))


def test_nothing_rounds_to_nothing() -> None:
    assert rounded([], Fraction(0), 2) == []
