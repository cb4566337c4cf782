"""The department tree, also where people made something else of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b24app.org import Department, Employee, Org
from tests import cast


@st.composite
def orgs(draw: st.DrawFn) -> Org:
    """Any parents: missing ones, themselves, cycles. Anybody anywhere, also in departments that are gone."""
    ids = draw(st.lists(st.integers(1, 12), unique=True, max_size=9))
    parents = st.one_of(st.none(), st.integers(1, 14))
    departments = {i: Department(i, f"D{i}", draw(parents), draw(parents)) for i in ids}
    users = {
        i: Employee(
            i,
            f"U{i}",
            is_active=draw(st.booleans()),
            is_employee=draw(st.booleans()),
            department_ids=tuple(draw(st.lists(st.integers(1, 14), max_size=3, unique=True))),
        )
        for i in draw(st.lists(st.integers(1, 20), unique=True, max_size=8))
    }
    return Org(users, departments)


def _below(org: Org, department_id: int) -> set[int]:
    """The plain way: add children until nothing is added."""
    found = {department_id} & set(org.departments)
    while more := {d.id for d in org.departments.values() if d.parent_id in found} - found:
        found |= more
    return found


@given(orgs())
def test_a_department_holds_everything_under_it_once(org: Org) -> None:
    for department_id in org.departments:
        subtree = org.subtree(department_id)
        assert len(subtree) == len(set(subtree))
        assert set(subtree) == _below(org, department_id)
        assert subtree[0] == department_id


@given(orgs())
def test_the_roots_lose_no_department(org: Org) -> None:
    assert {inner for root in org.roots() for inner in org.subtree(root)} == set(org.departments)


@given(orgs())
def test_people_of_a_department_are_the_employees_of_its_whole_subtree(org: Org) -> None:
    for department_id in org.departments:
        below = _below(org, department_id)
        assert org.people(department_id) == {
            user.id for user in org.users.values() if user.is_employee and below & set(user.department_ids)
        }
        assert org.people(department_id) <= org.employees()


def test_one_person_in_two_departments_counts_once_in_the_one_above() -> None:
    assert cast.ANNA in cast.ORG.people(cast.INSIDE)
    assert cast.ANNA in cast.ORG.people(cast.SUPPORT)
    assert sorted(cast.ORG.people(cast.COMPANY)) == [
        cast.OLGA, cast.IVAN, cast.ANNA, cast.BORIS, cast.SVETA, cast.GRETA,
    ]  # fmt: skip


def test_the_dismissed_stay_and_strangers_do_not_count() -> None:
    assert cast.GRETA in cast.ORG.people(cast.SALES)
    assert cast.GUEST not in cast.ORG.people(cast.SALES)


def test_a_department_that_is_not_there_holds_nobody() -> None:
    assert cast.ORG.subtree(404) == ()
    assert cast.ORG.people(404) == frozenset()


def test_a_cycle_is_entered_once() -> None:
    circle = Org({}, {1: Department(1, "A", 2), 2: Department(2, "B", 1)})
    assert circle.roots() == (1,)
    assert circle.subtree(1) == (1, 2)
    assert circle.subtree(2) == (2, 1)
