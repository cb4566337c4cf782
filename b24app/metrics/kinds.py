"""The shapes a KPI can have: a sum, or a ratio of two sums. All pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from b24app.metrics.measures import Measure
from b24app.metrics.money import Rates
from b24app.metrics.sums import Totals

NO_RATE = "no_rate"
NEGATIVE_DURATION = "negative_duration"


@dataclass(frozen=True, slots=True)
class Count:
    """How many records, or seconds: Σ of the measures. Not money."""

    measures: tuple[Measure, ...]

    is_money = False

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        return Fraction(sum(totals.of(measure) for measure in self.measures))

    def without_rate(self, totals: Totals, rates: Rates) -> Counter[str]:
        return Counter()


@dataclass(frozen=True, slots=True)
class Money:
    """Σ of an amount in the report currency. `records` counts the records behind it, per currency too."""

    amount: Measure
    records: Measure

    is_money = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.amount, self.records)

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        converted = (rates.convert(amount, code) for code, amount in totals.by_currency(self.amount))
        return sum((worth for worth in converted if worth is not None), Fraction(0))

    def without_rate(self, totals: Totals, rates: Rates) -> Counter[str]:
        """Records left out because their currency has no rate, by currency."""
        return Counter({code: n for code, n in totals.by_currency(self.records) if code not in rates.factors})


@dataclass(frozen=True, slots=True)
class CountWithRate:
    """How many records have money that can be converted: the other side of a mean amount."""

    records: Measure

    is_money = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.records,)

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        return Fraction(
            sum(count for code, count in totals.by_currency(self.records) if code in rates.factors)
        )

    def without_rate(self, totals: Totals, rates: Rates) -> Counter[str]:
        return Counter()


Term = Count | Money | CountWithRate


@dataclass(frozen=True, slots=True)
class Outcome:
    """A computed KPI. `value` None: nothing to divide by. Sums have no numerator and denominator."""

    value: Fraction | None
    numerator: Fraction | None = None
    denominator: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """The KPI is the sum itself; no records make 0."""

    term: Term

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.term.measures

    @property
    def terms(self) -> tuple[Term, ...]:
        return (self.term,)

    def outcome(self, totals: Totals, rates: Rates) -> Outcome:
        return Outcome(self.term.of(totals, rates))


@dataclass(frozen=True, slots=True)
class Ratio:
    """Σ numerator / Σ denominator. `is_mean`: an average per record, judged by the smaller minimum sample."""

    numerator: Term
    denominator: Term
    is_mean: bool = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.numerator.measures + self.denominator.measures

    @property
    def terms(self) -> tuple[Term, ...]:
        return (self.numerator, self.denominator)

    def outcome(self, totals: Totals, rates: Rates) -> Outcome:
        top, bottom = self.numerator.of(totals, rates), self.denominator.of(totals, rates)
        return Outcome(top / bottom if bottom else None, top, bottom)


Shape = Sum | Ratio
