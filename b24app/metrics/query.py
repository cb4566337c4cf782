"""What a request asks for, read and checked by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from b24app import scope as scopes
from b24app.metrics import periods
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.metric import By, Metric
from b24app.metrics.periods import Compare, Period
from b24app.scope import Scope

DEFAULT_SET = (
    "revenue", "deals_won", "average_check", "win_rate", "funnel_conversion", "processing_time", "leads_new",
)  # fmt: skip
"""The KPIs of somebody who has no set of their own: sales."""

E = TypeVar("E", By, Compare)

PARAMETERS = ("metric", "scope", "from", "to", "period", "compare", "by", "fresh")
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
LONGEST_BY_DAY = 20_000
"""Days; more rows than anybody can draw."""


class BadParameter(ValueError):
    """A parameter is wrong: `name` says which, the text why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


class UnknownMetric(LookupError):
    """There is no KPI of this key."""


@dataclass(frozen=True, slots=True)
class KpiQuery:
    """A checked question. Whether the viewer may ask it is not decided here."""

    metrics: tuple[Metric, ...]
    scope: Scope
    period: Period
    compare: Compare | None = None
    by: By | None = None
    is_fresh: bool = False

    @property
    def key(self) -> str:
        """The same for all who ask for the same."""
        metrics = ",".join(metric.key for metric in self.metrics)
        return f"{metrics} {self.scope} {self.period} {self.compare} {self.by}"


def parse(
    args: Iterable[tuple[str, str]],
    me: int | None,
    today: date,
    own_set: Callable[[Period], Sequence[str]] = lambda period: DEFAULT_SET,
) -> KpiQuery:
    """The question in the parameters of a request. `me`: the viewer; None for a program.

    own_set: the keys of the viewer's KPI set in a period, for a question that names no KPI.

    Raises: BadParameter, UnknownMetric.
    """
    values: dict[str, list[str]] = {}
    for name, value in args:
        if name not in PARAMETERS:
            raise BadParameter(name, f"is no parameter; known are {', '.join(PARAMETERS)}")
        values.setdefault(name, []).append(value.strip())
    keys = [key.strip() for value in values.pop("metric", []) for key in value.split(",")]
    for name, given in values.items():
        if len(given) > 1:
            raise BadParameter(name, "is given more than once")
    single = {name: given[0] for name, given in values.items() if given[0]}
    by = _choice("by", single.get("by"), By)
    period = _period(single, today)
    if by is By.DAY and period.days > LONGEST_BY_DAY:
        raise BadParameter("by", f"day is for periods of up to {LONGEST_BY_DAY} days")
    return KpiQuery(
        metrics=_named([key for key in keys if key], by) if any(keys) else _chosen(own_set(period), by),
        scope=_scope(single.get("scope"), me),
        period=period,
        compare=_choice("compare", single.get("compare"), Compare),
        by=by,
        is_fresh=_flag("fresh", single.get("fresh")),
    )


def _chosen(keys: Iterable[str], by: By | None) -> tuple[Metric, ...]:
    """The KPIs of a set that can be split so; a key that the catalogue no longer has is left out."""
    found = (BY_KEY[key] for key in dict.fromkeys(keys) if key in BY_KEY)
    return tuple(metric for metric in found if by is None or by in metric.by)


def _named(keys: Sequence[str], by: By | None) -> tuple[Metric, ...]:
    for key in keys:
        if key not in BY_KEY:
            raise UnknownMetric(key)
    found = tuple(BY_KEY[key] for key in dict.fromkeys(keys))
    for metric in found:
        if by is not None and by not in metric.by:
            can = ", ".join(sorted(metric.by))
            raise BadParameter("by", f"{by} is not possible for {metric.key}; possible are {can}")
    return found


def _scope(text: str | None, me: int | None) -> Scope:
    if text is None:
        return scopes.COMPANY if me is None else scopes.user(me)
    if text == "me":
        if me is None:
            raise BadParameter("scope", "me means nothing for a program; name a user")
        return scopes.user(me)
    try:
        return scopes.parse(text)
    except ValueError as error:
        raise BadParameter("scope", f"{error}, me") from error


def _period(single: dict[str, str], today: date) -> Period:
    name = single.get("period")
    if name is not None:
        for other in ("from", "to"):
            if other in single:
                raise BadParameter(other, "is given beside period; give one or the other")
        try:
            return periods.named(name, today)
        except ValueError as error:
            raise BadParameter("period", str(error)) from error
    if "from" not in single and "to" not in single:
        return periods.named("month", today)
    start, end = _day("from", single.get("from")), _day("to", single.get("to"))
    if start >= end:
        raise BadParameter("to", f"is exclusive and must be later than from: {start} .. {end}")
    return Period(start, end)


def _day(name: str, text: str | None) -> date:
    if text is None:
        raise BadParameter(name, "is missing: from and to go together")
    try:
        day = date.fromisoformat(text)
        written = day.isoformat() == text  # fromisoformat takes 20261101 and 2026-W45-1 too
    except ValueError:
        written = False
    if not written:
        raise BadParameter(name, f"{text!r} is no date YYYY-MM-DD")
    if not EARLIEST <= day <= LATEST:
        raise BadParameter(name, f"{text} is out of the calendar {EARLIEST} .. {LATEST}")
    return day


def _choice(name: str, text: str | None, kind: type[E]) -> E | None:
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise BadParameter(name, f"{text!r} is not one of {', '.join(kind)}") from error


def _flag(name: str, text: str | None) -> bool:
    if text not in (None, "0", "1"):
        raise BadParameter(name, f"{text!r} is neither 0 nor 1")
    return text == "1"
