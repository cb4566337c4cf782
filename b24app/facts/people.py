"""Users and departments: `user.get`, `department.get`. Names of employees only, no contacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from b24app.facts import values
from b24app.facts.values import Row

USER_FIELDS = (
    "ID", "ACTIVE", "NAME", "LAST_NAME", "WORK_POSITION", "PERSONAL_PHOTO", "UF_DEPARTMENT", "USER_TYPE",
    "UF_EMPLOYMENT_DATE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class User:
    user_id: int
    name: str
    position: str
    photo: str | None
    is_active: bool
    is_employee: bool
    hired_on: date | None
    department_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Department:
    department_id: int
    parent_id: int | None
    head_id: int | None
    name: str
    sort: int


def parse_user(row: Row) -> User:
    """The fact in a row of `user.get`. Raises: BadRow without an id."""
    departments = _ids(row.get("UF_DEPARTMENT"))
    user_type = values.text(row.get("USER_TYPE"), 32)
    names = (values.text(row.get(key), 100) for key in ("NAME", "LAST_NAME"))
    photo = values.text(row.get("PERSONAL_PHOTO"), 2000)
    return User(
        user_id=values.required_id(row, "ID"),
        name=" ".join(name for name in names if name),
        position=values.text(row.get("WORK_POSITION"), 200) or "",
        photo=photo if photo and photo.startswith(("https://", "http://", "/")) else None,
        is_active="ACTIVE" not in row or values.yes(row["ACTIVE"]),
        # The list holds no bots and no e-mail users; without a type only extranet users have no department.
        is_employee=user_type.lower() == "employee" if user_type else bool(departments),
        hired_on=values.calendar_date(row.get("UF_EMPLOYMENT_DATE")),
        department_ids=departments,
    )


def parse_department(row: Row) -> Department:
    """The fact in a row of `department.get`: no PARENT at the root, no UF_HEAD or "0" without a head."""
    sort = values.whole(row.get("SORT"))
    return Department(
        department_id=values.required_id(row, "ID"),
        parent_id=values.link(row.get("PARENT")),
        head_id=values.link(row.get("UF_HEAD")),
        name=values.text(row.get("NAME"), 255) or "",
        sort=500 if sort is None else sort,
    )


def _ids(value: Any) -> tuple[int, ...]:
    listed = (
        value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
    )
    found = (values.link(item) for item in listed)
    return tuple(sorted({item for item in found if item is not None}))
