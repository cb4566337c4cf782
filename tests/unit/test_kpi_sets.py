from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from b24app import i18n, kpi_sets
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.kpi_sets import (
    FOCUS,
    READY,
    Assigned,
    KpiSet,
    Weighted,
    in_force,
    latest,
    set_of,
    set_of_department,
)
from b24app.metrics.metric import Better
from b24app.metrics.rank import places
from b24app.org import Department, Org
from b24app.set_drafts import Draft, DraftRefused, read
from tests import stored
from tests.cast import ANNA, BORIS, COMPANY, GUEST, INSIDE, IVAN, OLGA, ORG, SALES, SUPPORT, SVETA

TODAY = date(2026, 11, 23)
SELLER = Org({**ORG.users, BORIS: replace(ORG.users[BORIS], position=" Senior  seller ")}, ORG.departments)


def made(name: str, version: int = 1, starts_on: date = date(2026, 1, 1), **assigned: Any) -> KpiSet:
    whom = Assigned(**{kind: frozenset(values) for kind, values in assigned.items()})
    return KpiSet(name, version, name, "", None, starts_on, (Weighted("revenue"),), whom)


def test_the_nearest_assignment_wins() -> None:
    company, sales = made("company", departments=[COMPANY]), made("sales", departments=[SALES])
    seller, anna = made("seller", positions=["senior SELLER"]), made("anna", users=[ANNA])
    sets = [company, sales, seller, anna]
    found = {user_id: set_of(sets, SELLER, user_id) for user_id in (OLGA, IVAN, ANNA, BORIS, SVETA)}
    assert found == {OLGA: company, IVAN: sales, ANNA: anna, BORIS: seller, SVETA: company}
    assert set_of_department(sets, SELLER, INSIDE) == sales
    assert set_of_department(sets, SELLER, SUPPORT) == company
    assert set_of([anna], SELLER, BORIS) is None


def test_a_cycle_in_the_tree_is_survived() -> None:
    org = Org(ORG.users, {10: Department(10, "a", 11), 11: Department(11, "b", 10)})
    assert set_of([made("x", departments=[99])], org, ANNA) is None
    assert set_of([made("x", departments=[10])], org, ANNA) is not None


def test_old_periods_keep_the_version_that_was_in_force() -> None:
    first, second = made("x", 1, date(2026, 1, 1)), made("x", 2, date(2026, 7, 1))
    ended = replace(made("x", 3, date(2026, 11, 1)), is_retired=True)
    versions = [first, second, ended]
    assert in_force(versions, date(2025, 12, 31)) == []
    assert in_force(versions, date(2026, 6, 30)) == [first]
    assert in_force(versions, date(2026, 7, 1)) == [second]
    assert in_force(versions, date(2026, 11, 1)) == []
    assert latest([first, second]) == [second]


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.dates(date(2026, 1, 1), date(2026, 12, 31))), unique_by=lambda v: v[0]
    )
)
def test_what_begins_later_changes_no_day_before(entries: list[tuple[int, date]]) -> None:
    versions = [made("x", number, starts_on) for number, starts_on in entries]
    for day in (date(2026, 3, 1), date(2026, 9, 1)):
        begun = [one for one in versions if one.starts_on <= day]
        assert in_force(versions, day) == latest(begun)


def test_ready_made_sets_name_kpis_of_the_catalogue_and_keep_to_the_focus() -> None:
    assert list(READY) == ["sales", "marketing", "support", "projects", "head"]
    for key, metrics in READY.items():
        assert 4 <= len(metrics) <= FOCUS
        assert [one.metric for one in metrics if one.metric not in BY_KEY] == [], key
        for lang in ("en", "ru"):
            assert i18n.text(lang, f"sets.ready.{key}.name")


DRAFT = {
    "name": " Sellers ",
    "purpose": "Sell",
    "owner_id": OLGA,
    "starts_on": "2026-12-01",
    "metrics": [{"metric": "revenue", "weight": 2.5}, {"metric": "win_rate"}],
    "assigned": {"departments": [SALES], "positions": ["seller "], "users": [ANNA]},
}


def test_a_draft_is_read() -> None:
    assert read(DRAFT, ORG, TODAY) == Draft(
        name="Sellers",
        purpose="Sell",
        owner_id=OLGA,
        starts_on=date(2026, 12, 1),
        metrics=(Weighted("revenue", Fraction(5, 2)), Weighted("win_rate", Fraction(1))),
        assigned=Assigned(frozenset({SALES}), frozenset({"seller"}), frozenset({ANNA})),
    )
    assert read({"name": "x", "metrics": [{"metric": "revenue"}]}, ORG, TODAY).starts_on == TODAY


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"purpose": "x" * 2001}, "purpose"),
        ({"owner_id": GUEST}, "owner_id"),
        ({"owner_id": True}, "owner_id"),
        ({"starts_on": "1.12.2026"}, "starts_on"),
        ({"metrics": []}, "metrics"),
        ({"metrics": "revenue"}, "metrics"),
        ({"metrics": [{"metric": "happiness"}]}, "metrics[0].metric"),
        ({"metrics": [{"metric": "revenue"}, {"metric": "revenue"}]}, "metrics[1].metric"),
        ({"metrics": [{"metric": "revenue", "weight": 0}]}, "metrics[0].weight"),
        ({"metrics": [{"metric": "revenue", "weight": "NaN"}]}, "metrics[0].weight"),
        ({"metrics": [{"metric": "revenue", "weight": True}]}, "metrics[0].weight"),
        ({"metrics": [{"metric": "revenue", "colour": 1}]}, "metrics[0]"),
        ({"assigned": {"departments": [404]}}, "assigned.departments[0]"),
        ({"assigned": {"users": [GUEST]}}, "assigned.users[0]"),
        ({"assigned": {"users": [None]}}, "assigned.users[0]"),
        ({"assigned": {"positions": [" "]}}, "assigned.positions[0]"),
        ({"assigned": {"teams": []}}, "assigned"),
        ({"assigned": [1]}, "assigned"),
        ({"colour": "red"}, "colour"),
        ({"version": "1"}, "version"),
    ],
)
def test_what_is_wrong_with_a_draft_is_named(change: dict[str, Any], path: str) -> None:
    with pytest.raises(DraftRefused) as refused:
        read({**DRAFT, **change}, ORG, TODAY)
    assert list(refused.value.reasons) == [path]


def test_a_stored_set_is_read_again(engine: Engine) -> None:
    portal = stored.new_portal(engine)
    draft = read(DRAFT, ORG, TODAY)
    with engine.begin() as conn:
        first = kpi_sets.create(conn, portal, draft, by=OLGA, at=5)
        second = kpi_sets.change(
            conn, portal, first.set_id, replace(draft, name="New", version=1), by=None, at=6
        )
        with pytest.raises(kpi_sets.SetMoved) as moved:
            kpi_sets.change(conn, portal, first.set_id, replace(draft, version=1), by=OLGA, at=7)
        assert moved.value.current == second
        assert kpi_sets.load(conn, portal) == [first, second]
        assert kpi_sets.load(conn, portal + 1) == []


values = st.dictionaries(st.integers(1, 30), st.fractions(-5, 5, max_denominator=4), max_size=12)


@given(st.sampled_from(list(Better)), values)
def test_places_follow_values(better: Better, found: dict[int, Fraction]) -> None:
    order = places(better, found)
    assert set(order) == (set() if better is Better.NEITHER else set(found))
    for one, place in order.items():
        others = [other for other in order.values() if other.place < place.place]
        assert place.place == len(others) + 1
        assert place.of == len(found)
        for other, theirs in order.items():
            if found[one] == found[other]:
                assert place == theirs


def test_the_best_place_is_the_best_value() -> None:
    found = {1: Fraction(10), 2: Fraction(20), 3: Fraction(20), 4: Fraction(5)}
    assert [places(Better.UP, found)[user].place for user in (1, 2, 3, 4)] == [3, 1, 1, 4]
    assert [places(Better.DOWN, found)[user].place for user in (1, 2, 3, 4)] == [2, 3, 3, 1]
    near = {1: Fraction("0.9"), 2: Fraction("1.05"), 3: Fraction("1.5")}
    assert [places(Better.NEAR_100, near)[user].place for user in (1, 2, 3)] == [2, 1, 3]


def test_texts_are_complete_in_both_languages() -> None:
    def keys(node: Any, path: str = "") -> set[str]:
        if isinstance(node, dict):
            return {found for name, inner in node.items() for found in keys(inner, f"{path}.{name}")}
        return {path}

    english, russian = (keys(i18n.languages()[lang]["sets"]) for lang in ("en", "ru"))
    assert english == russian
