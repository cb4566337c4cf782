"""A KPI set as an editor sends it, checked before it is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from b24app.metrics.catalog import BY_KEY
from b24app.metrics.kpi_sets import Assigned, Weighted
from b24app.org import Org
from b24app.refusal import PartsRefused, Why

KEYS = ("name", "purpose", "owner_id", "starts_on", "metrics", "assigned", "version")
NAME_LIMIT, PURPOSE_LIMIT, LIST_LIMIT, METRIC_LIMIT = 200, 2_000, 1_000, 30
HEAVIEST = 1_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new version of a set is to be. `version`: the one that the editor saw, None for a new set."""

    name: str
    purpose: str
    owner_id: int | None
    starts_on: date
    metrics: tuple[Weighted, ...]
    assigned: Assigned
    version: int | None = None


class DraftRefused(PartsRefused):
    """Raised with everything that is wrong: its path (`metrics[0].weight`) and why."""


def read(body: object, org: Org, today: date) -> Draft:
    """The draft in a request; a set begins today where it does not say when. Raises: DraftRefused."""
    if not isinstance(body, Mapping):
        raise DraftRefused({"set": Why("not_an_object")})
    reader = _Reader(org)
    for name in body:
        if name not in KEYS:
            reader.refuse(str(name), "unknown")
    draft = Draft(
        name=reader.words("name", body.get("name"), NAME_LIMIT, is_needed=True),
        purpose=reader.words("purpose", body.get("purpose"), PURPOSE_LIMIT),
        owner_id=reader.employee("owner_id", body.get("owner_id")),
        starts_on=reader.day("starts_on", body.get("starts_on"), today),
        metrics=reader.metrics(body.get("metrics")),
        assigned=reader.assigned(body.get("assigned")),
        version=reader.version(body.get("version")),
    )
    if reader.reasons:
        raise DraftRefused(reader.reasons)
    return draft


class _Reader:
    """Reads the parts; notes what it refuses and goes on with something harmless."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.reasons: dict[str, Why] = {}

    def refuse(self, name: str, code: str, **values: object) -> None:
        self.reasons.setdefault(name, Why(code, values))

    def words(self, name: str, value: Any, longest: int, *, is_needed: bool = False) -> str:
        found = value.strip() if isinstance(value, str) else ""
        if (value is not None and not isinstance(value, str)) or len(found) > longest:
            self.refuse(name, "too_long", longest=longest)
        elif is_needed and not found:
            self.refuse(name, "missing")
        return found

    def employee(self, name: str, value: Any) -> int | None:
        if value is None:
            return None
        employee = self.org.users.get(value) if _is_whole(value) else None
        if employee is None or not employee.is_employee:
            self.refuse(name, "no_employee")
            return None
        return employee.id

    def day(self, name: str, value: Any, today: date) -> date:
        if value is None:
            return today
        try:
            found = date.fromisoformat(value if isinstance(value, str) else "")
            if found.isoformat() != value or not 2000 <= found.year < 2100:
                raise ValueError
        except ValueError:
            self.refuse(name, "no_date")
            return today
        return found

    def version(self, value: Any) -> int | None:
        if value is not None and not _is_whole(value):
            self.refuse("version", "no_whole_number")
            return None
        return value if value is None else int(value)

    def metrics(self, value: Any) -> tuple[Weighted, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= METRIC_LIMIT:
            self.refuse("metrics", "no_metrics", most=METRIC_LIMIT)
            return ()
        found: dict[str, Weighted] = {}
        for place, entry in enumerate(value):
            at = f"metrics[{place}]"
            if not isinstance(entry, Mapping) or not set(entry) <= {"metric", "weight"}:
                self.refuse(at, "no_weighted_metric")
                continue
            key = entry.get("metric")
            if not isinstance(key, str) or key not in BY_KEY:
                self.refuse(f"{at}.metric", "no_metric", metric=key)
                continue
            if key in found:
                self.refuse(f"{at}.metric", "twice", metric=key)
            found[key] = Weighted(key, self._weight(f"{at}.weight", entry.get("weight", 1)))
        return tuple(found.values())

    def assigned(self, value: Any) -> Assigned:
        if value is None:
            return Assigned()
        kinds = ("departments", "positions", "users")
        if not isinstance(value, Mapping) or not set(value) <= set(kinds):
            self.refuse("assigned", "no_assignment")
            return Assigned()
        lists = {kind: self._entries(f"assigned.{kind}", value.get(kind)) for kind in kinds}
        for place, number in enumerate(lists["departments"]):
            if not _is_whole(number) or number not in self.org.departments:
                self.refuse(f"assigned.departments[{place}]", "no_department")
        for place, position in enumerate(lists["positions"]):
            if not isinstance(position, str) or not position.strip() or len(position) > NAME_LIMIT:
                self.refuse(f"assigned.positions[{place}]", "no_position")
        for place, number in enumerate(lists["users"]):
            self.employee(f"assigned.users[{place}]", number if number is not None else "")
        if self.reasons:
            return Assigned()
        return Assigned(
            departments=frozenset(lists["departments"]),
            positions=frozenset(position.strip() for position in lists["positions"]),
            users=frozenset(lists["users"]),
        )

    def _entries(self, name: str, value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > LIST_LIMIT:
            self.refuse(name, "no_list_up_to", most=LIST_LIMIT)
            return []
        return value

    def _weight(self, name: str, value: Any) -> Fraction:
        try:
            number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 < number <= HEAVIEST or number.as_tuple().exponent < -4:  # type: ignore[operator]
            self.refuse(name, "no_weight", most=HEAVIEST)
            return Fraction(1)
        return Fraction(number)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
