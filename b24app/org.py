"""The company's structure: employees, departments, who heads what. Pure values, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Employee:
    """One user of the portal. `is_employee` is false for extranet, e-mail users and bots."""

    id: int
    name: str
    position: str = ""
    photo: str | None = None
    is_active: bool = True
    is_employee: bool = True
    department_ids: tuple[int, ...] = ()
    hired_on: date | None = None


@dataclass(frozen=True, slots=True)
class Department:
    id: int
    name: str
    parent_id: int | None = None
    head_id: int | None = None
    sort: int = 500


@dataclass(frozen=True)
class Org:
    """A portal's tree. Cycles and missing parents are survived: nobody is lost, nothing loops."""

    users: Mapping[int, Employee] = field(default_factory=dict)
    departments: Mapping[int, Department] = field(default_factory=dict)

    def subtree(self, department_id: int) -> tuple[int, ...]:
        """The department and all under it, each once, parents before children."""
        found: dict[int, None] = {}
        queue = [department_id] if department_id in self.departments else []
        while queue:
            current = queue.pop(0)
            if current not in found:
                found[current] = None
                queue.extend(self._children.get(current, ()))
        return tuple(found)

    def people(self, department_id: int) -> frozenset[int]:
        """Ids of the employees of the department and of everything under it; dismissed ones included."""
        inside = set(self.subtree(department_id))
        return frozenset(
            user.id
            for user in self.users.values()
            if user.is_employee and inside.intersection(user.department_ids)
        )

    def employees(self) -> frozenset[int]:
        """Ids of all employees, dismissed ones included."""
        return frozenset(user.id for user in self.users.values() if user.is_employee)

    def headed_by(self, user_id: int) -> tuple[int, ...]:
        """The departments that the user is head of, without those below them."""
        return tuple(d.id for d in self._sorted(self.departments.values()) if d.head_id == user_id)

    def roots(self) -> tuple[int, ...]:
        """Where a drawing of the tree starts: no parent, a missing parent, or a cycle entered once."""
        starts = [
            d.id
            for d in self._sorted(self.departments.values())
            if d.parent_id is None or d.parent_id not in self.departments
        ]
        reached = {inner for start in starts for inner in self.subtree(start)}
        for department in self._sorted(self.departments.values()):
            if department.id not in reached:
                starts.append(department.id)
                reached.update(self.subtree(department.id))
        return tuple(starts)

    def children(self, department_id: int) -> tuple[int, ...]:
        return self._children.get(department_id, ())

    @cached_property
    def _children(self) -> dict[int, tuple[int, ...]]:
        children: dict[int, list[int]] = {}
        for department in self._sorted(self.departments.values()):
            if department.parent_id is not None:
                children.setdefault(department.parent_id, []).append(department.id)
        return {parent: tuple(ids) for parent, ids in children.items()}

    @staticmethod
    def _sorted(departments: Iterable[Department]) -> list[Department]:
        return sorted(departments, key=lambda d: (d.sort, d.id))
