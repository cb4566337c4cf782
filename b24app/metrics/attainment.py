"""How much of a target is met, what should be met by today, where it is heading. Pure and exact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from b24app.metrics.metric import Better
from b24app.metrics.periods import Period
from b24app.metrics.work_calendar import WorkCalendar, elapsed_days, passed_days, working_days

CAP = Fraction("9.99")
"""Attainment is shown, and weighed into a score, up to 999 %."""


class Status(StrEnum):
    """A value beside the pace of its target. No status where there is nothing to judge."""

    MET = "met"
    NEAR = "near"
    BEHIND = "behind"
    NO_TARGET = "no_target"
    FEW_DATA = "few_data"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of the pace from which a value counts as met, or nearly met."""

    met: Fraction = Fraction(1)
    near: Fraction = Fraction(4, 5)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Working days of a period: all, those up to today (today included), and those that are over.

    `is_over`: the period itself lies in the past.
    """

    all: int
    elapsed: int
    passed: int
    is_over: bool

    @property
    def share(self) -> Fraction | None:
        """How much of the period has elapsed; None where a period that goes on has no working day."""
        if self.is_over:
            return Fraction(1)
        return Fraction(self.elapsed, self.all) if self.all else None


def elapsed(calendar: WorkCalendar, period: Period, today: date, hired_on: date | None = None) -> Elapsed:
    """How far the period is on a day; for somebody hired within it from that day on."""
    return Elapsed(
        all=working_days(calendar, period, hired_on),
        elapsed=elapsed_days(calendar, period, today, hired_on),
        passed=passed_days(calendar, period, today, hired_on),
        is_over=today >= period.end,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a target that is due evenly over the same working days."""

    amount: Fraction
    days: Elapsed


def attainment(better: Better, value: Fraction | None, target: Fraction | None) -> Fraction | None:
    """The met share of the target, not capped; None without a target, a value or a direction.

    Nothing divides by 0: an upward target of 0, and a downward value of 0, have no share (see `weighed`).
    """
    if value is None or target is None:
        return None
    if better is Better.UP:
        return value / target if target else None
    if better is Better.DOWN:
        return target / value if value else None
    return 1 - abs(value - 1) if better is Better.NEAR_100 else None


def weighed(better: Better, value: Fraction | None, target: Fraction | None) -> Fraction | None:
    """The attainment as a score takes it: capped, and where nothing can be divided by, all or nothing."""
    share = attainment(better, value, target)
    if share is not None:
        return min(share, CAP)
    if value is None or target is None:
        return None
    if better is Better.DOWN:  # nothing of what is unwanted
        return CAP if target > 0 else Fraction(1)
    if better is Better.UP:  # nothing was planned
        return Fraction(1) if value >= 0 else Fraction(0)
    return None


def pace(parts: Iterable[Part]) -> Fraction | None:
    """What is expected of the target by today; None where no part of it is due on a working day."""
    due = [part.amount * share for part in parts if (share := part.days.share) is not None]
    return sum(due[1:], due[0]) if due else None


def forecast(value: Fraction | None, days: Elapsed) -> Fraction | None:
    """The value at the end of the period at the speed so far; None before one working day has passed, and
    when the period is over: the value is known then."""
    if value is None or days.passed < 1 or days.is_over:
        return None
    return value * days.all / days.elapsed


def status(
    better: Better,
    value: Fraction | None,
    target: Fraction | None,
    expected: Fraction | None,
    thresholds: Thresholds,
) -> Status | None:
    """How the value stands beside what is expected of it by now (for a ratio the target itself).

    Compared without dividing, so that zeros have a status too. None where the value is not known, the
    KPI has no direction or nothing is expected yet.
    """
    if better is Better.NEITHER or value is None:
        return None
    if target is None:
        return Status.NO_TARGET
    if expected is None:
        return None
    if better is Better.NEAR_100:
        has, needs = 1 - abs(value - 1), Fraction(1)
    elif better is Better.UP:
        has, needs = value, expected
    else:
        has, needs = expected, value
    if has >= thresholds.met * needs:
        return Status.MET
    return Status.NEAR if has >= thresholds.near * needs else Status.BEHIND


@dataclass(frozen=True, slots=True)
class Weighted:
    """One KPI of a set: its weight, and its attainment as `weighed` gives it (None: no data or no target)."""

    weight: Fraction
    share: Fraction | None


def score(parts: Iterable[Weighted]) -> Fraction | None:
    """Σ weight × attainment / Σ weight over the KPIs that have one; None if none has."""
    known = [(part.weight, part.share) for part in parts if part.share is not None]
    total = sum((weight for weight, _ in known), Fraction(0))
    if not total:
        return None
    return sum((weight * share for weight, share in known), Fraction(0)) / total
