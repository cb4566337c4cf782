"""Targets: set by month, added up over longer periods and over people, and laid beside values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache

from b24app import scope as scopes
from b24app.metrics import attainment as rules
from b24app.metrics.attainment import Elapsed, Part, Status, Thresholds
from b24app.metrics.metric import Better
from b24app.metrics.periods import Period, shift_months
from b24app.metrics.work_calendar import WorkCalendar
from b24app.org import Org
from b24app.scope import Scope, Whose


@dataclass(frozen=True)
class Plans:
    """Targets as they were set: by metric, scope and first day of the month."""

    values: Mapping[tuple[str, str, date], Fraction] = field(default_factory=dict)

    def own(self, metric: str, scope: Scope, month: date) -> Fraction | None:
        """The target that was set for exactly this scope; nobody inherits one."""
        return self.values.get((metric, str(scope), month))

    def of_people(self, metric: str, month: date) -> Mapping[int, Fraction]:
        """The targets of employees, by their id."""
        return self._people.get((metric, month), {})

    def has(self, metric: str) -> bool:
        """Whether anybody has a target for the metric."""
        return metric in self._metrics

    @cached_property
    def _metrics(self) -> frozenset[str]:
        return frozenset(metric for metric, _, _ in self.values)

    @cached_property
    def _people(self) -> Mapping[tuple[str, date], Mapping[int, Fraction]]:
        found: dict[tuple[str, date], dict[int, Fraction]] = {}
        for (metric, text, month), value in self.values.items():
            kind, _, number = text.partition(":")
            if kind == Whose.USER:
                found.setdefault((metric, month), {})[int(number)] = value
        return found


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of a target. `user_id`: the employee whose piece it is, None where it is the whole scope's."""

    amount: Fraction
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """What targets are, and what values are judged by beside them."""

    plans: Plans = field(default_factory=Plans)
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Standing:
    """A value beside its target. `pace`: what is expected of the target by today."""

    target: Fraction | None = None
    attainment: Fraction | None = None
    pace: Fraction | None = None
    forecast: Fraction | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What is judged. `adds_up`: a count or a sum, not a ratio. `is_snapshot`: the present state, which no
    working day brings nearer. `is_whole`: all days so far are read."""

    metric: str
    better: Better
    adds_up: bool
    value: Fraction | None
    few_data: bool = False
    is_snapshot: bool = False
    is_whole: bool = True


def months_of(period: Period) -> tuple[date, ...]:
    """The first days of the months that the period is made of; none where it is not made of whole months."""
    return tuple(shift_months(period.start, step) for step in range(period.whole_months))


def shares(
    plans: Plans, metric: str, scope: Scope, period: Period, org: Org, *, adds_up: bool
) -> tuple[Share, ...] | None:
    """The target of the scope and period, in the pieces that it was set in; None without one.

    Months add up for counts and sums and are averaged by their days for ratios; a month without a target
    leaves the longer period without one. In a month without a target of its own a department, and the
    company, takes those of its employees, where they add up.
    """
    months = months_of(period) if plans.has(metric) else ()
    if not months:
        return None
    found: list[Share] = []
    for month in months:
        own = plans.own(metric, scope, month)
        if own is not None:
            if not adds_up and len(months) > 1:
                own *= Fraction((shift_months(month, 1) - month).days, period.days)
            found.append(Share(own, scope.id if scope.whose is Whose.USER else None))
            continue
        theirs = _of_employees(plans, metric, scope, month, org) if adds_up else ()
        if not theirs:
            return None
        found += theirs
    return tuple(found)


def target_of(
    plans: Plans, metric: str, scope: Scope, period: Period, org: Org, *, adds_up: bool
) -> Fraction | None:
    """The target of the scope and period; see `shares`."""
    return _total(shares(plans, metric, scope, period, org, adds_up=adds_up))


def _total(found: Sequence[Share] | None) -> Fraction | None:
    """The whole of pieces, of which there is one at least."""
    if found is None:
        return None
    first, *others = found
    return sum((share.amount for share in others), first.amount)


def stand(fact: Fact, scope: Scope, period: Period, today: date, org: Org, planning: Planning) -> Standing:
    """The value of a scope and period beside its target.

    The pace and the forecast of a department are those of its working days; where its target is the sum of
    its employees', each piece is due over the days since that employee was hired.
    """
    found = shares(planning.plans, fact.metric, scope, period, org, adds_up=fact.adds_up)
    target = _total(found)
    is_due_evenly = fact.adds_up and not fact.is_snapshot
    own_days = None
    if is_due_evenly:
        own_days = _days(scope.id if scope.whose is Whose.USER else None, period, today, org, planning)
    if is_due_evenly and found is not None:
        expected = rules.pace(
            Part(share.amount, _days(share.user_id, period, today, org, planning)) for share in found
        )
    else:
        expected = target
    is_sound = fact.is_whole and not fact.few_data
    is_early = own_days is not None and not own_days.is_over and own_days.passed < 1
    return Standing(
        target=target,
        attainment=rules.attainment(fact.better, fact.value, target),
        pace=expected,
        forecast=rules.forecast(fact.value, own_days) if own_days is not None and is_sound else None,
        status=_status(fact, target, expected, planning.thresholds, is_early=is_early),
    )


def _status(
    fact: Fact, target: Fraction | None, expected: Fraction | None, thresholds: Thresholds, *, is_early: bool
) -> Status | None:
    """Nobody is behind before a working day has passed, or on figures that are not all read."""
    if fact.value is not None and fact.few_data and fact.better is not Better.NEITHER:
        return Status.FEW_DATA
    if target is not None and (is_early or not fact.is_whole):
        return None
    return rules.status(fact.better, fact.value, target, expected, thresholds)


def _of_employees(plans: Plans, metric: str, scope: Scope, month: date, org: Org) -> tuple[Share, ...]:
    if scope.whose is Whose.USER:
        return ()
    set_for = plans.of_people(metric, month)
    if not set_for:
        return ()
    people = org.employees() if scope.id is None else org.people(scope.id)
    return tuple(Share(set_for[user_id], user_id) for user_id in sorted(people & set_for.keys()))


def _days(user_id: int | None, period: Period, today: date, org: Org, planning: Planning) -> Elapsed:
    employee = None if user_id is None else org.users.get(user_id)
    hired_on = None if employee is None else employee.hired_on
    if hired_on is not None and hired_on <= period.start:
        hired_on = None  # as everybody else: one answer for all of them
    return _elapsed(planning.calendar, period, today, hired_on)


_elapsed = lru_cache(maxsize=4096)(rules.elapsed)


def undistributed(
    plans: Plans, metric: str, scope: Scope, month: date, org: Org
) -> tuple[Fraction | None, Fraction | None]:
    """(the sum of the employees' targets, what of the scope's own target is not given to anybody yet).

    The second is negative where more is given out than was planned; both None where there is nothing.
    """
    theirs = _of_employees(plans, metric, scope, month, org)
    total = sum((share.amount for share in theirs), Fraction(0)) if theirs else None
    own = plans.own(metric, scope, month)
    return total, None if own is None else own - (total or 0)


def median(values: Iterable[Fraction]) -> Fraction | None:
    """The middle value, or the mean of the two in the middle; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def rounded(value: Fraction) -> Fraction:
    """The value to two leading digits, as a plan is written: 1,237,400 → 1,200,000; 0.3178 → 0.32."""
    if not value:
        return value
    step, size = Fraction(1), abs(value)
    while size >= 100 * step:
        step *= 10
    while size < 10 * step:
        step /= 10
    return round(value / step) * step


def raised(value: Fraction, percent: Fraction, places: int) -> Fraction:
    """The value changed by so many percent, rounded to decimal places."""
    return Fraction(round(value * (100 + percent) / 100 * 10**places), 10**places)


def spread_over_quarter(value: Fraction, *, adds_up: bool, places: int) -> tuple[Fraction, ...]:
    """A quarter's target as those of its three months: equal parts of a sum, the last one taking what
    rounding leaves; for a ratio the same value three times."""
    if not adds_up:
        return value, value, value
    part = Fraction(int(value * 10**places / 3), 10**places)
    return part, part, value - 2 * part


@lru_cache(maxsize=4096)
def scope_of(key: str) -> Scope | None:
    """The scope that the key of a row names (`user:7`, `department:12`); None for other rows."""
    try:
        return scopes.parse(key)
    except ValueError:
        return None
