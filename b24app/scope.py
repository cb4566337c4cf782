"""Whose numbers are asked for: one employee, a department with all under it, or the company."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_WRITTEN = re.compile(r"(user|department):([1-9][0-9]{0,8})")


class Whose(StrEnum):
    USER = "user"
    DEPARTMENT = "department"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Scope:
    """Written as `user:7`, `department:12` or `company`; `id` is None for the company only."""

    whose: Whose
    id: int | None = None

    def __str__(self) -> str:
        return self.whose.value if self.id is None else f"{self.whose.value}:{self.id}"


COMPANY = Scope(Whose.COMPANY)


def user(user_id: int) -> Scope:
    return Scope(Whose.USER, user_id)


def department(department_id: int) -> Scope:
    return Scope(Whose.DEPARTMENT, department_id)


def parse(text: str) -> Scope:
    """The scope that `user:7`, `department:12` or `company` names; whether it exists is not asked.

    Raises: ValueError for anything else, `me` included: who that is depends on the viewer.
    """
    if text == Whose.COMPANY:
        return COMPANY
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not one of user:ID, department:ID, company")
    return Scope(Whose(match[1]), int(match[2]))
