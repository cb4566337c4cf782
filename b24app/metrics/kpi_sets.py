"""KPI sets: which KPIs count for whom, with what weight, since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from b24app.org import Employee, Org

FOCUS = 7
"""More KPIs than these are warned about: focus beats completeness."""

FAR = 1_000_000


@dataclass(frozen=True, slots=True)
class Weighted:
    """A KPI of a set. The key may be one that the catalogue no longer has."""

    metric: str
    weight: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whom a set is for: employees by name, by position (in any case), or by department and all below it."""

    departments: frozenset[int] = frozenset()
    positions: frozenset[str] = frozenset()
    users: frozenset[int] = frozenset()

    def names(self, position: str) -> bool:
        """True if the position is one of those named."""
        return bool(position.strip()) and plain(position) in {plain(one) for one in self.positions}


@dataclass(frozen=True, slots=True)
class KpiSet:
    """One version of a set. `starts_on`: the first local day that it is in force on."""

    set_id: str
    version: int
    name: str
    purpose: str
    owner_id: int | None
    starts_on: date
    metrics: tuple[Weighted, ...]
    assigned: Assigned = field(default_factory=Assigned)
    is_retired: bool = False
    made_by: int | None = None
    made_at: int = 0


def latest(versions: Iterable[KpiSet]) -> list[KpiSet]:
    """The newest version of every set that is not retired, whether it is in force yet or not, by name."""
    newest: dict[str, KpiSet] = {}
    for one in versions:
        known = newest.get(one.set_id)
        if known is None or known.version < one.version:
            newest[one.set_id] = one
    kept = (one for one in newest.values() if not one.is_retired)
    return sorted(kept, key=lambda one: (one.name.casefold(), one.set_id))


def in_force(versions: Iterable[KpiSet], day: date) -> list[KpiSet]:
    """The sets of a day, each in the newest version that had begun by then: old periods keep theirs."""
    return latest(one for one in versions if one.starts_on <= day)


def set_of(sets: Sequence[KpiSet], org: Org, user_id: int) -> KpiSet | None:
    """The set of an employee: one for them by name, else for their position, else for the nearest department
    above them. Of several the one that began last."""
    employee = org.users.get(user_id, Employee(user_id, ""))
    by_name = [one for one in sets if user_id in one.assigned.users]
    by_position = [one for one in sets if one.assigned.names(employee.position)]
    return _newest(by_name) or _newest(by_position) or _nearest(sets, org, employee.department_ids)


def set_of_department(sets: Sequence[KpiSet], org: Org, department_id: int) -> KpiSet | None:
    """The set of a department or of the nearest one above it."""
    return _nearest(sets, org, (department_id,))


def plain(position: str) -> str:
    """A position as it is compared: case and outer spaces do not matter."""
    return " ".join(position.casefold().split())


def _nearest(sets: Sequence[KpiSet], org: Org, departments: Iterable[int]) -> KpiSet | None:
    steps: dict[int, int] = {}
    for department_id in departments:
        for step, above in enumerate(_upwards(org, department_id)):
            steps[above] = min(step, steps.get(above, FAR))

    def distance(one: KpiSet) -> int:
        return min((steps.get(number, FAR) for number in one.assigned.departments), default=FAR)

    closest = min((distance(one) for one in sets), default=FAR)
    return None if closest == FAR else _newest([one for one in sets if distance(one) == closest])


def _upwards(org: Org, department_id: int) -> Iterator[int]:
    """The department and those above it, each once, in a tree with cycles too."""
    seen: set[int] = set()
    current: int | None = department_id
    while current is not None and current not in seen:
        seen.add(current)
        yield current
        department = org.departments.get(current)
        current = None if department is None else department.parent_id


def _newest(sets: Sequence[KpiSet]) -> KpiSet | None:
    return max(sets, key=lambda one: (one.starts_on, one.made_at, one.set_id), default=None)


def _weights(**weights: int) -> tuple[Weighted, ...]:
    return tuple(Weighted(metric, Fraction(weight)) for metric, weight in weights.items())


READY: Mapping[str, tuple[Weighted, ...]] = {
    "sales": _weights(
        revenue=3,
        deals_won=2,
        average_check=1,
        win_rate=2,
        funnel_conversion=1,
        processing_time=1,
        repeat_sales_rate=1,
    ),
    "marketing": _weights(
        leads_new=2,
        lead_conversion=2,
        cac=2,
        channel_roi=2,
        engagement_rate=1,
        click_rate=1,
        site_visits=1,
    ),
    "support": _weights(first_response_time=2, csat=3, fcr=2, resolution_time=1, calls_missed_rate=1),
    "projects": _weights(
        on_time_rate=3,
        budget_deviation=2,
        tasks_done=1,
        rework_rate=1,
        task_rating=1,
        resource_plan=1,
        utilization=1,
    ),
    "head": _weights(
        revenue=3, win_rate=2, pipeline_open=1, csat=1, on_time_rate=1, activities_overdue=1, deals_idle=1
    ),
}
"""Sets to begin with; their names and purposes are in `translations`."""
