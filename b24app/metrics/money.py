"""Money of several currencies in the one that reports are in. Exact: fractions, never floats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction

SCALE = 10_000
"""Stored amounts are whole ten-thousandths of their currency."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of the portal's rates: `amount_cnt` units of `code` are worth `amount` of the base currency."""

    code: str
    amount: str
    amount_cnt: int
    is_base: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """`currency`: what reports are in, None while nothing is known. `factors`: worth of one unit in it."""

    currency: str | None = None
    factors: Mapping[str, Fraction] = field(default_factory=dict)

    def convert(self, amount: int | Fraction, code: str) -> Fraction | None:
        """The worth of stored ten-thousandths of `code`; None without a rate, never 1:1."""
        factor = self.factors.get(code)
        return None if factor is None else Fraction(amount, SCALE) * factor


def rates_in(rows: Iterable[Rate], report_currency: str | None) -> Rates:
    """Rates into the report currency; None or one without a rate of its own means the base currency.

    A rate that is no positive number does not exist.
    """
    worths: dict[str, Fraction] = {}
    base: str | None = None
    for row in rows:
        worth = Fraction(1) if row.is_base else _worth(row)
        if worth is not None:
            worths[row.code] = worth
        if row.is_base:
            base = row.code
    currency = report_currency if report_currency in worths else base
    if currency is None:
        return Rates()
    unit = worths[currency]
    return Rates(currency, {code: worth / unit for code, worth in worths.items()})


def _worth(row: Rate) -> Fraction | None:
    try:
        amount = Decimal(row.amount)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount <= 0 or row.amount_cnt <= 0:
        return None
    return Fraction(amount) / row.amount_cnt
