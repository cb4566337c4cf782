"""Targets as they are uploaded and edited, checked row by row before anything is stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

from b24app import scope as scopes
from b24app.entries.sheets import Sheet
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.metric import Metric, Unit
from b24app.metrics.periods import shift_months
from b24app.metrics.plans import spread_over_quarter
from b24app.org import Org
from b24app.scope import Scope, Whose

Row = Mapping[str, Any]

COLUMNS = ("metric", "scope", "month", "value")
LIMIT = Decimal(10) ** 15
PLACES = 10
"""A target is smaller than the limit and has no more decimal places."""

BELOW_ZERO = frozenset({"budget_deviation", "channel_roi"})
"""KPIs whose value, and so whose target, may be negative."""

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(20[0-9]{2})-Q([1-4])")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row and the field of it that is wrong. Rows of JSON count from 1, those of a file are its lines."""

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.field} {self.reason}"


class RowsRefused(ValueError):
    """Some rows cannot be taken, so none is: `refusals` in the order of the rows."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        more = len(self.refusals) - 3
        told = "; ".join(str(refusal) for refusal in self.refusals[:3])
        super().__init__(f"{told}; and {more} more" if more > 0 else told)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a target is set for. `month`: its first day."""

    metric: str
    scope: str
    month: date


@dataclass(frozen=True, slots=True)
class Wish:
    """A cell is to hold `value` (exact decimal text, None: nothing).

    `is_checked`: only if it still holds `before`; otherwise somebody else changed it meanwhile.
    """

    cell: Cell
    value: str | None
    before: str | None = None
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What rows may name. An `org` without users is not read yet: then every scope is taken."""

    org: Org
    today: date


def uploaded(sheet: Sheet, known: Known) -> list[Wish]:
    """The wishes of an upload, which knows nothing of what is stored: it sets.

    `month` may be a quarter (`2026-Q4`): its three months get equal parts of a sum, or the same ratio.
    Raises: RowsRefused naming every row that cannot be.
    """
    reader = _Reader(known)
    found: list[Wish] = []
    for place, row in sheet.rows:
        if place in sheet.surplus:
            reader.refuse(place, "row", f"has more than {len(sheet.columns)} cells")
        reader.check_columns(place, row, COLUMNS)
        metric, scope = reader.metric(place, row), reader.scope(place, row)
        months = reader.months(place, row)
        value = reader.value(place, row, metric)
        if metric is None or scope is None or not months or value is None:
            continue
        reader.check_pair(place, metric, scope, months)
        for month, part in zip(months, _parts(metric, value, len(months)), strict=True):
            cell = Cell(metric.key, str(scope), month)
            reader.check_once(place, cell)
            found.append(Wish(cell, plain(part)))
    reader.finish()
    return found


def edited(changes: Sequence[Any], known: Known) -> list[Wish]:
    """The wishes of an editor: each may say what it saw before (`before`), and `value` null takes away.

    Raises: RowsRefused.
    """
    reader = _Reader(known)
    found: list[Wish] = []
    for place, row in enumerate(changes, 1):
        if not isinstance(row, Mapping):
            reader.refuse(place, "row", "is no object")
            continue
        reader.check_columns(place, row, (*COLUMNS, "before"))
        metric, scope = reader.metric(place, row), reader.scope(place, row)
        months = reader.months(place, row, quarters=False)
        value = None if row.get("value") is None else reader.value(place, row, metric)
        if "value" not in row:
            reader.refuse(place, "value", "is missing; null takes the target away")
        before = None if row.get("before") is None else reader.number(place, "before", row["before"])
        if metric is None or scope is None or not months:
            continue
        if value is not None:
            reader.check_pair(place, metric, scope, months)
        cell = Cell(metric.key, str(scope), months[0])
        reader.check_once(place, cell)
        found.append(
            Wish(
                cell,
                None if value is None else plain(value),
                None if before is None else plain(before),
                is_checked="before" in row,
            )
        )
    reader.finish()
    return found


@lru_cache(maxsize=10_000)
def plain(value: Fraction) -> str:
    """The decimal without exponent or needless zeros: `1500`, `0.7`. Exact for what can be stored."""
    number = Decimal(value.numerator) / Decimal(value.denominator)
    written = format(number.quantize(Decimal(1).scaleb(-PLACES)), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _parts(metric: Metric, value: Fraction, months: int) -> tuple[Fraction, ...]:
    if months == 1:
        return (value,)
    places = 2 if metric.unit is Unit.MONEY else 0
    return spread_over_quarter(value, adds_up=metric.adds_up, places=places)


@lru_cache(maxsize=10_000)
def _months(text: str, quarters: bool) -> tuple[date, ...]:
    """The first days of the months that are named; none for anything else."""
    if match := _MONTH.fullmatch(text):
        return (date(int(match[1]), int(match[2]), 1),)
    if quarters and (match := _QUARTER.fullmatch(text)):
        first = date(int(match[1]), int(match[2]) * 3 - 2, 1)
        return tuple(shift_months(first, step) for step in range(3))
    return ()


@lru_cache(maxsize=10_000)
def _scope(text: str) -> Scope:
    return scopes.parse(text)


def _text(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


class _Reader:
    """Reads fields of rows; notes what it refuses and returns None for it."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.refusals: list[Refusal] = []
        self._seen: dict[Cell, int] = {}

    def refuse(self, place: int, field: str, reason: str) -> None:
        self.refusals.append(Refusal(place, field, reason))

    def finish(self) -> None:
        if self.refusals:
            raise RowsRefused(self.refusals)

    def check_columns(self, place: int, row: Row, known: Collection[str]) -> None:
        for name in row:
            if name not in known and (name or row[name]):
                self.refuse(place, str(name), "is unknown")

    def metric(self, place: int, row: Row) -> Metric | None:
        key = _text(row.get("metric"))
        found = BY_KEY.get(key) if isinstance(key, str) else None
        if found is None:
            self.refuse(place, "metric", f"{key!r} is no KPI")
        return found

    def scope(self, place: int, row: Row) -> Scope | None:
        text = _text(row.get("scope"))
        try:
            found = _scope(text if isinstance(text, str) else "")
        except ValueError:
            self.refuse(place, "scope", f"{text!r} is not one of user:ID, department:ID, company")
            return None
        org = self.known.org
        if not org.users or found.whose is Whose.COMPANY:
            return found
        if found.whose is Whose.USER:
            employee = org.users.get(found.id or 0)
            if employee is None or not employee.is_employee:
                self.refuse(place, "scope", f"{found} is no employee of this portal")
                return None
        elif found.id not in org.departments:
            self.refuse(place, "scope", f"{found} is no department of this portal")
            return None
        return found

    def months(self, place: int, row: Row, *, quarters: bool = True) -> tuple[date, ...]:
        text = _text(row.get("month"))
        found = _months(text, quarters) if isinstance(text, str) else ()
        if not found:
            self.refuse(place, "month", f"{text!r} is no month like 2026-11")
        return found

    def value(self, place: int, row: Row, metric: Metric | None) -> Fraction | None:
        found = self.number(place, "value", row.get("value"))
        if found is not None and found < 0 and metric is not None and metric.key not in BELOW_ZERO:
            self.refuse(place, "value", "must not be negative")
            return None
        return found

    def number(self, place: int, field: str, given: Any) -> Fraction | None:
        try:
            if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
                raise InvalidOperation
            number = Decimal(str(given).strip())
        except InvalidOperation:
            self.refuse(place, field, f"{given!r} is no number")
            return None
        if not number.is_finite() or abs(number) >= LIMIT:
            self.refuse(place, field, f"{given!r} is out of all bounds")
            return None
        if number and int(number.normalize().as_tuple().exponent) < -PLACES:
            self.refuse(place, field, f"{given!r} has more than {PLACES} decimal places")
            return None
        return Fraction(number)

    def check_pair(self, place: int, metric: Metric, scope: Scope, months: Sequence[date]) -> None:
        """Refuse what nobody could ever reach: a KPI that employees have not, plans for people who left."""
        if scope.whose not in metric.per:
            self.refuse(place, "scope", f"{metric.key} does not exist for {scope.whose.value}s")
        if scope.whose is Whose.USER and scope.id is not None:
            employee = self.known.org.users.get(scope.id)
            is_gone = employee is not None and not employee.is_active
            if is_gone and any(month > self.known.today for month in months):
                self.refuse(place, "scope", f"{scope} has left; months to come cannot be planned")

    def check_once(self, place: int, cell: Cell) -> None:
        first = self._seen.setdefault(cell, place)
        if first != place:
            self.refuse(place, "row", f"repeats row {first}")
