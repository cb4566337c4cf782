"""Money: conversion by the portal's rates, exact, and how it is written."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.metrics.money import Rate, Rates, rates_in
from b24app.web.present import money_text, ratio_text

RATES = (
    Rate("RUB", "1", 1, is_base=True),
    Rate("USD", "81.25", 1),
    Rate("KZT", "16.4", 100),
    Rate("JPY", "55", 300),
)

rates = st.decimals("0.0001", "100000", places=4).map(str)
fractions = st.fractions(max_denominator=10**6)


def stored(amount: str) -> int:
    return int(Decimal(amount) * 10_000)


def test_amount_times_rate_over_count() -> None:
    found = rates_in(RATES, None)
    assert found.currency == "RUB"
    # 250.50 × 16.4 / 100 = 41.082
    assert found.convert(stored("250.50"), "KZT") == Fraction("41.082")
    assert found.convert(stored("2"), "USD") == Fraction("162.5")
    assert found.convert(stored("-7.77"), "RUB") == Fraction("-7.77")


def test_another_report_currency_divides_by_its_own_rate() -> None:
    found = rates_in(RATES, "USD")
    assert found.currency == "USD"
    # 812.50 RUB / 81.25 = 10; 100 KZT × 16.4 / 100 / 81.25 = 0.2018461538…
    assert found.convert(stored("812.50"), "RUB") == 10
    assert found.convert(stored("100"), "KZT") == Fraction("16.4") / Fraction("81.25")
    assert found.convert(stored("3.33"), "USD") == Fraction("3.33")


def test_without_a_rate_there_is_no_worth_never_one_to_one() -> None:
    assert rates_in(RATES, None).convert(stored("5"), "GBP") is None
    assert rates_in(RATES, None).convert(stored("5"), "") is None
    assert Rates().convert(stored("5"), "RUB") is None


@pytest.mark.parametrize(
    "broken",
    [
        Rate("XAU", "0", 1),
        Rate("XAU", "-3", 1),
        Rate("XAU", "1", 0),
        Rate("XAU", "?", 1),
        Rate("XAU", "NaN", 1),
    ],
)
def test_a_rate_that_is_no_positive_number_does_not_exist(broken: Rate) -> None:
    assert rates_in((*RATES, broken), None).convert(stored("5"), "XAU") is None


def test_a_report_currency_without_a_rate_gives_way_to_the_base_currency() -> None:
    assert rates_in(RATES, "GBP").currency == "RUB"


@given(st.lists(st.integers(-(10**17), 10**17), max_size=20), rates, st.integers(1, 10_000), rates)
def test_converting_a_sum_equals_summing_what_was_converted(
    amounts: list[int], amount: str, count: int, report: str
) -> None:
    found = rates_in([Rate("RUB", "1", 1, True), Rate("AAA", amount, count), Rate("BBB", report, 1)], "BBB")
    each = [found.convert(one, "AAA") for one in amounts]
    assert sum((one for one in each if one is not None), Fraction(0)) == found.convert(sum(amounts), "AAA")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00"),
        ("1234.5", "1234.50"),
        ("10005534", "10005534.00"),
        ("0.0001", "0.0001"),
        ("-0.5", "-0.50"),
        ("41.082", "41.082"),
        ("1/3", "0.3333333333"),
        ("-2/3", "-0.6666666667"),
        ("99999999999999999999.99", "99999999999999999999.99"),
    ],
)
def test_money_is_written_exactly(value: str, text: str) -> None:
    assert money_text(Fraction(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4238/6711", "0.6315005215"),
        ("1/2", "0.5"),
        ("3", "3"),
        ("0", "0"),
        ("-1/3", "-0.3333333333"),
        ("1/20000000000", "0"),  # half-even: 0.00000000005 → 0.0000000000
        ("3/20000000000", "0.0000000002"),  # 0.00000000015 → 0.0000000002
        ("86400", "86400"),
        ("100", "100"),
    ],
)
def test_ratios_are_rounded_half_even_to_ten_places(value: str, text: str) -> None:
    assert ratio_text(Fraction(value)) == text


@given(fractions)
def test_written_ratios_are_what_decimal_arithmetic_gives(value: Fraction) -> None:
    text = ratio_text(value)
    assert text is not None
    with localcontext() as exact:
        exact.prec = 80
        plain = Decimal(value.numerator) / Decimal(value.denominator)
        assert Decimal(text) == plain.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)


@given(st.integers(-(10**30), 10**30), st.integers(0, 12))
def test_written_money_reads_back_as_the_same_amount(digits: int, places: int) -> None:
    assert Fraction(money_text(Fraction(digits, 10**places))) == Fraction(digits, 10**places)
