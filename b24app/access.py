"""Whose numbers a viewer may see. Pure; the web layer turns a verdict into a status.

An employee sees their own; a head everyone in the departments they head and below; an admin and a program
with API credentials everything; a grant opens a department or the company to a named employee. Which
records are named behind a number is not decided here: the portal decides, by the viewer's own token.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from b24app.org import Org
from b24app.scope import COMPANY, Scope, Whose
from b24app.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Grant:
    """An admin lets an employee see a department (with all under it) or the company."""

    user_id: int
    scope: Scope


class Verdict(StrEnum):
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"  # also where the scope does not exist: a stranger cannot probe for ids
    MISSING = "missing"  # told to those who see everything


@dataclass(frozen=True)
class Visibility:
    """What one viewer may see of one portal."""

    org: Org
    viewer_id: int | None  # None: a program
    everything: bool = False  # the company's totals, every department, every employee
    departments: frozenset[int] = frozenset()  # seen whole, the ones under them named too
    users: frozenset[int] = field(default_factory=frozenset)  # seen one by one, the viewer included
    is_admin: bool = False

    def verdict(self, scope: Scope) -> Verdict:
        """Whether the scope's numbers may be shown, and if not, what may be said about it."""
        if self.can_see(scope):
            return Verdict.ALLOWED
        return Verdict.MISSING if self.is_admin else Verdict.FORBIDDEN

    def can_see(self, scope: Scope) -> bool:
        """True if the scope exists and its numbers are open to the viewer."""
        if scope.whose is Whose.COMPANY:
            return self.everything
        assert scope.id is not None  # noqa: S101  only the company has no id
        if scope.whose is Whose.DEPARTMENT:
            return self.can_see_department(scope.id)
        return self.can_see_user(scope.id)

    def can_see_user(self, user_id: int) -> bool:
        """True for the viewer, and for employees (dismissed ones too) who are open to the viewer."""
        return user_id in self.users

    def can_see_department(self, department_id: int) -> bool:
        """True for a department whose total is open to the viewer."""
        return department_id in self.departments

    def can_see_owner(self, owner_id: int) -> bool:
        """True if records of this owner may be shown; only those who see everything see nobody's records."""
        return self.everything or owner_id in self.users


def allowed(org: Org, viewer: Viewer, grants: Iterable[Grant] = ()) -> Visibility:
    """What the viewer may see. A viewer who is not in the tree (not read yet) still sees themselves."""
    me = frozenset() if viewer.user_id is None else frozenset({viewer.user_id})
    if is_administrator(viewer):
        return Visibility(
            org, viewer.user_id, True, frozenset(org.departments), org.employees() | me, is_admin=True
        )
    granted = [grant.scope for grant in grants if grant.user_id == viewer.user_id]
    if COMPANY in granted:
        return Visibility(org, viewer.user_id, True, frozenset(org.departments), org.employees() | me)
    tops = set(org.headed_by(viewer.user_id)) if viewer.user_id is not None else set()
    tops |= {scope.id for scope in granted if scope.whose is Whose.DEPARTMENT and scope.id is not None}
    departments = frozenset(inner for top in tops for inner in org.subtree(top))
    users = {
        user.id
        for user in org.users.values()
        if user.is_employee and not departments.isdisjoint(user.department_ids)
    }
    return Visibility(org, viewer.user_id, False, departments, me | users)


def is_administrator(viewer: Viewer) -> bool:
    """True for an admin of the portal and for a program: its credentials were made by an admin."""
    return viewer.is_admin or viewer.user_id is None


def may_plan(org: Org, viewer: Viewer, scope: Scope) -> bool:
    """True if the viewer may set targets of the scope: an admin all, a head those of people and departments
    below. Nobody sets their own, nor that of the department they answer for: whoever is above them does."""
    if is_administrator(viewer):
        return True
    if viewer.user_id is None or scope.id is None:
        return False
    headed = org.headed_by(viewer.user_id)
    if scope.whose is Whose.USER:
        return scope.id != viewer.user_id and any(scope.id in org.people(top) for top in headed)
    return any(scope.id != top and scope.id in org.subtree(top) for top in headed)
