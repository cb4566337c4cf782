"""The shapes a KPI can have: a sum, or a ratio of two sums. All pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from b24app.metrics.measures import Measure
from b24app.metrics.money import Rates
from b24app.metrics.sums import Totals

NO_RATE = "no_rate"
NEGATIVE_DURATION = "negative_duration"
NO_COST = "no_cost"
NOT_READ = "not_read"
CASE_NOT_READ = "case_not_read"
NO_REPLY = "no_reply"
NO_DELAY = "no_delay"
NO_RATING = "no_rating"
NO_CLIENT = "no_client"
BOUGHT_BEFORE = "bought_before"
NO_MARK = "no_mark"
NO_ESTIMATE = "no_estimate"
NOT_DUE = "not_due"
DEFERRED = "deferred"
NOT_TRACKED = "not_tracked"

LeftOut = Counter[tuple[str, str | None]]
"""How many records a term leaves out, by reason and, where that is why, currency."""


class Term(Protocol):
    """One side of a KPI, computed from sums."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it is computed from; the first one is what its records are counted by."""

    @property
    def is_money(self) -> bool: ...

    @property
    def is_spread(self) -> bool:
        """True for amounts with shares of records in them, which may never end as decimals."""

    @property
    def by_channel(self) -> bool:
        """True where the sums must be kept apart by channel."""

    def of(self, totals: Totals, rates: Rates) -> Fraction: ...

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut: ...


@dataclass(frozen=True, slots=True)
class Count:
    """How many records, or seconds: Σ of the measures. Not money."""

    measures: tuple[Measure, ...]

    is_money = False
    is_spread = False
    by_channel = False

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        return Fraction(sum(totals.of(measure) for measure in self.measures))

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        return Counter()


@dataclass(frozen=True, slots=True)
class Money:
    """Σ of an amount in the report currency. `records` counts the records behind it, per currency too."""

    amount: Measure
    records: Measure
    is_spread: bool = False

    is_money = True
    by_channel = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.amount, self.records)

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        converted = (rates.convert(amount, code) for code, amount in totals.by_currency(self.amount))
        return sum((worth for worth in converted if worth is not None), Fraction(0))

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        """Records whose currency has no rate."""
        counts = totals.by_currency(self.records)
        return Counter({(NO_RATE, code): int(n) for code, n in counts if code not in rates.factors})


@dataclass(frozen=True, slots=True)
class CountWithRate:
    """How many records have money that can be converted: the other side of a mean amount."""

    records: Measure

    is_money = False
    is_spread = False
    by_channel = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.records,)

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        return Fraction(
            sum(count for code, count in totals.by_currency(self.records) if code in rates.factors)
        )

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        return Counter()


@dataclass(frozen=True, slots=True)
class Difference:
    """One sum less another of the same unit; may be negative."""

    more: Count | Money
    less: Count | Money

    is_spread = False
    by_channel = False

    @property
    def is_money(self) -> bool:
        return self.more.is_money

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.more.measures + self.less.measures

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        return self.more.of(totals, rates) - self.less.of(totals, rates)

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        return self.more.left_out(totals, rates) | self.less.left_out(totals, rates)


@dataclass(frozen=True, slots=True)
class NetReturn:
    """Income − cost, over the channels that have a cost; the income of the others is left out."""

    income: Money
    cost: Money

    is_money = True
    is_spread = True
    by_channel = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.income.measures + self.cost.measures

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        found = Fraction(0)
        for channel in totals.by_channel():
            if cost := self.cost.of(channel, rates):
                found += self.income.of(channel, rates) - cost
        return found

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        found = self.cost.left_out(totals, rates)
        for channel in totals.by_channel():
            if self.cost.of(channel, rates):
                found += self.income.left_out(channel, rates)
            else:
                found[NO_COST, None] += int(channel.of(self.income.records))
        return found


@dataclass(frozen=True, slots=True)
class CountWithCost:
    """How many records came through channels that have a cost."""

    records: Measure
    cost: Money

    is_money = False
    is_spread = False
    by_channel = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.records, *self.cost.measures)

    def of(self, totals: Totals, rates: Rates) -> Fraction:
        paid = (channel for channel in totals.by_channel() if self.cost.of(channel, rates))
        return Fraction(sum(channel.of(self.records) for channel in paid))

    def left_out(self, totals: Totals, rates: Rates) -> LeftOut:
        return Counter()


def alone(term: Term, totals: Totals, rates: Rates) -> Fraction | None:
    """What the sums of one record add to the term; None where its money has no rate.

    Whether the channel of the record has a cost is not seen from the record.
    """
    if isinstance(term, NetReturn):
        income, cost = alone(term.income, totals, rates), alone(term.cost, totals, rates)
        return None if income is None or cost is None else income - cost
    return None if term.left_out(totals, rates) else term.of(totals, rates)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A computed KPI. `value` None: nothing to divide by. Sums have no numerator and denominator.

    `sample`: how many records a ratio rests on.
    """

    value: Fraction | None
    numerator: Fraction | None = None
    denominator: Fraction | None = None
    sample: Fraction | None = None


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
    """Σ numerator / Σ denominator. `is_mean`: an average per record, judged by the smaller minimum sample.

    `sample`: the records that it rests on, where the denominator does not count records itself.
    """

    numerator: Term
    denominator: Term
    is_mean: bool = False
    sample: Term | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        sample = () if self.sample is None else self.sample.measures
        return self.numerator.measures + self.denominator.measures + sample

    @property
    def terms(self) -> tuple[Term, ...]:
        return (self.numerator, self.denominator)

    def outcome(self, totals: Totals, rates: Rates) -> Outcome:
        top, bottom = self.numerator.of(totals, rates), self.denominator.of(totals, rates)
        records = bottom if self.sample is None else self.sample.of(totals, rates)
        return Outcome(top / bottom if bottom else None, top, bottom, records)


Shape = Sum | Ratio
