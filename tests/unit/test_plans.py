from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app import scope as scopes
from b24app.metrics.attainment import Status
from b24app.metrics.metric import Better
from b24app.metrics.periods import Period, shift_months
from b24app.metrics.plans import (
    Fact,
    Planning,
    Plans,
    median,
    months_of,
    raised,
    rounded,
    shares,
    spread_over_quarter,
    stand,
    target_of,
    undistributed,
)
from b24app.org import Org
from b24app.scope import COMPANY, Scope
from tests.cast import ANNA, BORIS, GRETA, GUEST, INSIDE, IVAN, ORG, SALES, SUPPORT, SVETA

F = Fraction
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
QUARTER = Period(OCTOBER, date(2027, 1, 1))
MONTH = Period(NOVEMBER, DECEMBER)
MONDAY = date(2026, 11, 23)  # 16 of 21 working days

SUM = Fact("revenue", Better.UP, adds_up=True, value=F(1600))
RATE = Fact("win_rate", Better.UP, adds_up=False, value=F("0.6"))

amounts = st.fractions(min_value=0, max_value=10**6, max_denominator=100)


def plans(*entries: tuple[str, str, date, int | str]) -> Plans:
    return Plans({(metric, scope, month): F(value) for metric, scope, month, value in entries})


def target(found: Plans, scope: Scope, period: Period, *, adds_up: bool = True) -> Fraction | None:
    return target_of(found, "revenue" if adds_up else "win_rate", scope, period, ORG, adds_up=adds_up)


def test_months_add_up_for_sums() -> None:
    found = plans(*(("revenue", f"user:{ANNA}", month, 100) for month in (OCTOBER, NOVEMBER)))
    found = Plans({**found.values, ("revenue", f"user:{ANNA}", DECEMBER): F("250.5")})
    assert target(found, scopes.user(ANNA), QUARTER) == F("450.5")
    assert target(found, scopes.user(ANNA), MONTH) == 100


def test_months_are_averaged_by_their_days_for_ratios() -> None:
    found = plans(
        ("win_rate", "company", OCTOBER, "0.5"),
        ("win_rate", "company", NOVEMBER, "0.6"),
        ("win_rate", "company", DECEMBER, "0.8"),
    )
    # (31 × 0.5 + 30 × 0.6 + 31 × 0.8) / 92 = 58.3 / 92
    assert target(found, COMPANY, QUARTER, adds_up=False) == F("58.3") / 92


def test_a_month_without_a_target_leaves_the_quarter_without_one() -> None:
    found = plans(("revenue", f"user:{ANNA}", OCTOBER, 100), ("revenue", f"user:{ANNA}", NOVEMBER, 100))
    assert target(found, scopes.user(ANNA), QUARTER) is None


@pytest.mark.parametrize(
    "period", [Period(date(2026, 11, 2), date(2026, 12, 1)), Period(NOVEMBER, date(2026, 11, 30))]
)
def test_a_part_of_a_month_has_no_target(period: Period) -> None:
    found = plans(("revenue", f"user:{ANNA}", NOVEMBER, 100))
    assert months_of(period) == ()
    assert target(found, scopes.user(ANNA), period) is None


def test_nobody_inherits_a_target() -> None:
    found = plans(("revenue", "company", NOVEMBER, 900), ("revenue", f"department:{SALES}", NOVEMBER, 500))
    assert target(found, scopes.user(ANNA), MONTH) is None
    assert target(found, scopes.department(INSIDE), MONTH) is None


def test_a_department_without_a_target_takes_those_of_its_employees() -> None:
    found = plans(
        ("revenue", f"user:{ANNA}", NOVEMBER, 100),  # of Inside and Support: once in the company
        ("revenue", f"user:{BORIS}", NOVEMBER, 10),
        ("revenue", f"user:{GRETA}", NOVEMBER, 1),  # dismissed: stays in totals
        ("revenue", f"user:{IVAN}", NOVEMBER, 1000),
        ("revenue", f"user:{GUEST}", NOVEMBER, 7777),  # no employee
    )
    assert target(found, scopes.department(INSIDE), MONTH) == 111
    assert target(found, scopes.department(SALES), MONTH) == 1111
    assert target(found, COMPANY, MONTH) == 1111
    own = Plans({**found.values, ("revenue", f"department:{SALES}", NOVEMBER): F(2000)})
    assert target(own, scopes.department(SALES), MONTH) == 2000
    assert undistributed(own, "revenue", scopes.department(SALES), NOVEMBER, ORG) == (1111, 889)


def test_a_department_takes_no_ratios_of_its_employees() -> None:
    found = plans(("win_rate", f"user:{ANNA}", NOVEMBER, "0.5"))
    assert target(found, scopes.department(INSIDE), MONTH, adds_up=False) is None


def test_months_of_its_own_and_months_of_its_people_mix() -> None:
    found = plans(
        ("revenue", f"department:{INSIDE}", OCTOBER, 300),
        ("revenue", f"user:{ANNA}", NOVEMBER, 100),
        ("revenue", f"user:{BORIS}", NOVEMBER, 50),
        ("revenue", f"department:{INSIDE}", DECEMBER, 400),
    )
    assert target(found, scopes.department(INSIDE), QUARTER) == 850


def test_a_sum_stands_beside_its_pace() -> None:
    planning = Planning(plans(("revenue", f"user:{ANNA}", NOVEMBER, 2100)))
    found = stand(SUM, scopes.user(ANNA), MONTH, MONDAY, ORG, planning)
    # pace 2100 × 16 / 21, forecast 1600 × 21 / 16
    assert (found.target, found.pace, found.forecast) == (2100, 1600, 2100)
    assert (found.attainment, found.status) == (F(1600, 2100), Status.MET)


def test_a_ratio_stands_beside_the_target_itself() -> None:
    planning = Planning(plans(("win_rate", f"user:{ANNA}", NOVEMBER, "0.7")))
    found = stand(RATE, scopes.user(ANNA), MONTH, MONDAY, ORG, planning)
    assert (found.pace, found.forecast, found.status) == (F("0.7"), None, Status.NEAR)


def test_a_newcomer_is_expected_from_the_first_day_on() -> None:
    hired = Org({**ORG.users, BORIS: replace(ORG.users[BORIS], hired_on=date(2026, 11, 16))}, ORG.departments)
    planning = Planning(
        plans(("revenue", f"user:{ANNA}", NOVEMBER, 2100), ("revenue", f"user:{BORIS}", NOVEMBER, 1100))
    )
    own = stand(replace(SUM, value=F(600)), scopes.user(BORIS), MONTH, MONDAY, hired, planning)
    assert (own.target, own.pace, own.forecast) == (1100, 600, 1100)  # 6 of 11 days
    both = stand(SUM, scopes.department(INSIDE), MONTH, MONDAY, hired, planning)
    assert (both.target, both.pace) == (3200, 2200)  # 1600 + 600


def test_nobody_is_behind_before_a_working_day_has_passed() -> None:
    planning = Planning(plans(("revenue", f"user:{ANNA}", NOVEMBER, 2100)))
    nothing = replace(SUM, value=F(0))
    first = stand(nothing, scopes.user(ANNA), MONTH, date(2026, 11, 2), ORG, planning)
    assert (first.target, first.pace, first.forecast, first.status) == (2100, 100, None, None)
    second = stand(nothing, scopes.user(ANNA), MONTH, date(2026, 11, 3), ORG, planning)
    assert second.status is Status.BEHIND


def test_few_data_and_unread_days_are_not_judged() -> None:
    planning = Planning(plans(("win_rate", f"user:{ANNA}", NOVEMBER, "0.7")))
    few = stand(replace(RATE, few_data=True), scopes.user(ANNA), MONTH, MONDAY, ORG, planning)
    assert few.status is Status.FEW_DATA
    partly = stand(replace(RATE, is_whole=False), scopes.user(ANNA), MONTH, MONDAY, ORG, planning)
    assert partly.status is None
    assert partly.attainment is not None


def test_without_a_target_a_sum_still_has_a_forecast() -> None:
    found = stand(SUM, scopes.user(ANNA), MONTH, MONDAY, ORG, Planning())
    assert (found.target, found.attainment, found.pace) == (None, None, None)
    assert (found.forecast, found.status) == (2100, Status.NO_TARGET)


def test_the_present_state_is_not_brought_nearer_by_days() -> None:
    planning = Planning(plans(("revenue", f"user:{ANNA}", NOVEMBER, 2100)))
    found = stand(replace(SUM, is_snapshot=True), scopes.user(ANNA), MONTH, MONDAY, ORG, planning)
    assert (found.pace, found.forecast, found.status) == (2100, None, Status.BEHIND)


def test_medians_and_round_figures() -> None:
    assert median([F(3), F(1), F(100)]) == 3
    assert median([F(1), F(2)]) == F("1.5")
    assert median([]) is None
    assert [rounded(F(x)) for x in ("1237400", "0.3178", "37", "7.46", "0", "-1237")] == [
        1_200_000, F("0.32"), 37, F("7.5"), 0, -1200,
    ]  # fmt: skip
    assert raised(F("1000.10"), F(5), 2) == F("1050.10")  # 1050.105, to the even cent
    assert raised(F("0.5"), F(-10), 4) == F("0.45")


@given(st.lists(amounts, min_size=1, max_size=9))
def test_half_of_the_values_lie_on_each_side_of_the_median(values: list[Fraction]) -> None:
    middle = median(values)
    assert middle is not None
    assert 2 * sum(value <= middle for value in values) >= len(values)
    assert 2 * sum(value >= middle for value in values) >= len(values)


@given(amounts, st.integers(0, 4))
def test_a_quarter_is_its_three_months(value: Fraction, places: int) -> None:
    parts = spread_over_quarter(value, adds_up=True, places=places)
    assert (sum(parts), len(parts)) == (value, 3)
    assert set(spread_over_quarter(value, adds_up=False, places=places)) == {value}


people = st.sampled_from([ANNA, BORIS, IVAN, SVETA, GRETA])
months = st.sampled_from([OCTOBER, NOVEMBER, DECEMBER])
scope_texts = st.one_of(
    people.map(lambda one: f"user:{one}"),
    st.sampled_from([SALES, INSIDE, SUPPORT]).map(lambda one: f"department:{one}"),
    st.just("company"),
)
any_plans = st.dictionaries(st.tuples(st.just("revenue"), scope_texts, months), amounts, max_size=25).map(
    Plans
)


@given(any_plans, scope_texts.map(scopes.parse))
def test_a_quarter_is_the_sum_of_its_months(found: Plans, scope: Scope) -> None:
    pieces = [
        target_of(found, "revenue", scope, Period(month, shift_months(month, 1)), ORG, adds_up=True)
        for month in (OCTOBER, NOVEMBER, DECEMBER)
    ]
    known = [piece for piece in pieces if piece is not None]
    whole = target_of(found, "revenue", scope, QUARTER, ORG, adds_up=True)
    assert whole == (sum(known, F(0)) if len(known) == 3 else None)


@given(any_plans, scope_texts.map(scopes.parse))
def test_the_pieces_belong_to_people_of_the_scope(found: Plans, scope: Scope) -> None:
    inside = (
        ORG.employees()
        if scope == COMPANY
        else ORG.people(scope.id)
        if str(scope).startswith("department") and scope.id is not None
        else {scope.id}
    )
    for share in shares(found, "revenue", scope, QUARTER, ORG, adds_up=True) or ():
        assert share.user_id is None or share.user_id in inside
