from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.access import Grant, Verdict, allowed
from b24app.org import Department, Employee, Org
from b24app.scope import COMPANY, department, parse, user
from b24app.viewer import Viewer
from tests import cast
from tests.cast import ANNA, BORIS, GRETA, GUEST, INSIDE, IVAN, OLGA, ORG, SALES, SUPPORT, SVETA

ALLOWED, FORBIDDEN, MISSING = Verdict.ALLOWED, Verdict.FORBIDDEN, Verdict.MISSING


@pytest.mark.parametrize(
    ("viewer_id", "scope", "verdict"),
    [
        (ANNA, f"user:{ANNA}", ALLOWED),
        (ANNA, f"user:{BORIS}", FORBIDDEN),  # a colleague of the same department
        (ANNA, f"department:{INSIDE}", FORBIDDEN),
        (ANNA, "company", FORBIDDEN),
        (ANNA, "user:999", FORBIDDEN),  # not told that there is nobody
        (IVAN, f"department:{SALES}", ALLOWED),
        (IVAN, f"department:{INSIDE}", ALLOWED),  # below the one that he heads
        (IVAN, f"user:{BORIS}", ALLOWED),
        (IVAN, f"user:{GRETA}", ALLOWED),  # her past stays in his totals
        (IVAN, f"user:{GUEST}", FORBIDDEN),  # an extranet user is no employee
        (IVAN, f"department:{SUPPORT}", FORBIDDEN),
        (IVAN, f"user:{SVETA}", FORBIDDEN),
        (IVAN, f"user:{OLGA}", FORBIDDEN),
        (IVAN, "company", FORBIDDEN),
        (SVETA, f"user:{ANNA}", ALLOWED),  # Anna is in two departments, Sveta heads one of them
        (SVETA, f"department:{INSIDE}", FORBIDDEN),
        (OLGA, "department:1", ALLOWED),
        (OLGA, f"user:{SVETA}", ALLOWED),
        (OLGA, "company", FORBIDDEN),  # records of nobody known are the company's only
        (GUEST, f"user:{GUEST}", ALLOWED),
        (GUEST, f"department:{INSIDE}", FORBIDDEN),
    ],
)
def test_each_sees_what_their_place_in_the_tree_opens(viewer_id: int, scope: str, verdict: Verdict) -> None:
    assert allowed(ORG, cast.viewer(viewer_id)).verdict(parse(scope)) == verdict


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ("company", ALLOWED),
        (f"department:{SUPPORT}", ALLOWED),
        (f"user:{GRETA}", ALLOWED),
        ("department:999", MISSING),
        ("user:999", MISSING),
        (f"user:{GUEST}", MISSING),
    ],
)
@pytest.mark.parametrize("viewer", [cast.viewer(SVETA, is_admin=True), cast.viewer(None)])
def test_admins_and_programs_see_all_and_are_told_what_is_missing(
    viewer: Viewer, scope: str, verdict: Verdict
) -> None:
    assert allowed(ORG, viewer).verdict(parse(scope)) == verdict


def test_a_granted_department_opens_with_all_under_it_to_the_named_employee_only() -> None:
    grants = (Grant(BORIS, department(SALES)),)
    boris = allowed(ORG, cast.viewer(BORIS), grants)
    assert boris.can_see(department(INSIDE))
    assert boris.can_see(user(IVAN))
    assert not boris.can_see(department(SUPPORT))
    assert not boris.can_see(COMPANY)
    assert not allowed(ORG, cast.viewer(SVETA), grants).can_see(department(SALES))


def test_a_granted_company_opens_everything_but_tells_nothing_of_missing_scopes() -> None:
    sveta = allowed(ORG, cast.viewer(SVETA), (Grant(SVETA, COMPANY),))
    assert sveta.can_see(COMPANY)
    assert sveta.can_see(user(OLGA))
    assert sveta.can_see_owner(999)  # a deal of nobody known is in the company's number
    assert sveta.verdict(user(999)) == FORBIDDEN


def test_a_grant_of_a_department_that_was_removed_opens_nothing() -> None:
    boris = allowed(ORG, cast.viewer(BORIS), (Grant(BORIS, department(77)),))
    assert not boris.can_see(department(77))
    assert boris.users == {BORIS}


def test_viewers_see_themselves_before_the_tree_is_read() -> None:
    assert allowed(Org(), cast.viewer(ANNA)).can_see(user(ANNA))
    assert allowed(Org(), cast.viewer(OLGA, is_admin=True)).can_see(COMPANY)


@pytest.mark.parametrize(
    "text", ["me", "", "user", "user:", "user:0", "user:-1", "user:7 ", "team:3", "COMPANY"]
)
def test_a_scope_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        parse(text)


@pytest.mark.parametrize("text", ["company", "user:7", "department:12"])
def test_a_scope_is_written_as_it_is_read(text: str) -> None:
    assert str(parse(text)) == text


ids = st.integers(1, 6)


@st.composite
def orgs(draw: st.DrawFn) -> Org:
    """Any tree, broken ones too: cycles, missing parents, heads who are nobody."""
    tree = {
        number: Department(
            number, f"D{number}", draw(st.none() | st.integers(1, 8)), draw(st.none() | st.integers(1, 8))
        )
        for number in draw(st.sets(ids))
    }
    people = {
        number: Employee(
            number,
            f"U{number}",
            is_employee=draw(st.booleans()),
            department_ids=tuple(draw(st.sets(st.integers(1, 8), max_size=2))),
        )
        for number in draw(st.sets(ids))
    }
    return Org(people, tree)


@given(orgs(), ids)
def test_nobody_sees_beyond_the_departments_they_head(org: Org, viewer_id: int) -> None:
    seen = allowed(org, cast.viewer(viewer_id))
    below = {inner for top in org.headed_by(viewer_id) for inner in org.subtree(top)}
    assert seen.departments == below
    assert seen.users - {viewer_id} <= {person for number in below for person in org.people(number)}
    assert not seen.can_see(COMPANY)


@given(orgs(), ids)
def test_whoever_sees_a_department_sees_everybody_counted_in_it(org: Org, viewer_id: int) -> None:
    seen = allowed(org, cast.viewer(viewer_id))
    for number in seen.departments:
        assert org.people(number) <= seen.users
