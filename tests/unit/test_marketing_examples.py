"""A hand-computed example of every marketing KPI. The sum stands beside each number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from tests import stored
from tests.cast import ANNA, BORIS, INSIDE, SALES, SUPPORT, SVETA
from tests.crm_rows import PORTAL, Row, lost, won
from tests.entering import cost, enter, result
from tests.stored import rows, value

Make = Callable[..., int]

NOVEMBER = "from=2026-11-01&to=2026-12-01"
COMPANY_WIDE = f"scope=company&{NOVEMBER}"


@pytest.fixture
def make(engine: Engine) -> Make:
    """Makes a portal with these deals, costs and campaign results."""

    def portal(
        deals: list[Row] | None = None,
        costs: list[dict[str, Any]] | None = None,
        campaigns: list[dict[str, Any]] | None = None,
        **settings: Any,
    ) -> int:
        portal_id = stored.new_portal(engine)
        stored.choose(engine, portal_id, **settings)
        stored.save(engine, portal_id, {**PORTAL, "deals": deals or []})
        enter(engine, portal_id, costs=costs, campaigns=campaigns)
        return portal_id

    return portal


def numbers(found: dict[str, Any]) -> tuple[Any, Any, Any]:
    return found["value"], found["numerator"], found["denominator"]


def test_cac_divides_the_costs_by_the_clients_who_bought_for_the_first_time(
    engine: Engine, make: Make
) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", company=1),  # new
            won(2, "2026-11-04 10:00", company=1),  # the same client again
            won(3, "2026-11-05 10:00", contact=2),  # new
            won(4, "2026-10-05 10:00", company=3, category=3),  # bought in another pipeline before …
            won(5, "2026-11-06 10:00", company=3),  # … so this is no new one
            won(6, "2026-11-07 10:00"),  # nobody known
            lost(7, "2026-11-07 10:00", company=4),
            won(8, "2026-11-08 10:00", company=5, recurring=True),  # a template
        ],
        [
            cost("ads", "2026-11-01", "2026-11-30", 900),
            cost("ads", "2026-10-17", "2026-11-15", 300),  # 15 of its 30 days: 150
            cost("mail", "2026-11-30", "2026-12-01", "10", "USD"),  # 1 of 2 days: 5 USD = 402.50
            cost("mail", "2026-11-30", "2026-11-30", 77, "GBP"),  # no rate
            cost("ads", "2026-12-01", "2026-12-31", 5000),
        ],
    )
    found = value(engine, portal, f"metric=cac&{COMPANY_WIDE}")
    # (900 + 150 + 5 × 80.5) / 2 = 1452.5 / 2 = 726.25
    assert numbers(found) == ("726.25", "1452.50", 2)
    assert (found["unit"], found["few_data"]) == ("money", True)
    assert found["left_out"] == [
        {"reason": "no_rate", "count": 1, "currency": "GBP"},
        {"reason": "bought_before", "count": 2},
        {"reason": "no_client", "count": 1},
    ]


def test_cac_shares_of_a_cost_are_rounded_to_ten_places(engine: Engine, make: Make) -> None:
    portal = make(
        [won(1, "2026-11-03 10:00", company=1)],
        [cost("ads", "2026-11-30", "2026-12-02", 100), cost("ads", "2026-10-31", "2026-11-02", 100)],
    )
    found = value(engine, portal, f"metric=cac&{COMPANY_WIDE}")
    # 100 × 1/3 + 100 × 2/3 = 100, not 33.3333333333 + 66.6666666667
    assert numbers(found) == ("100", "100.00", 1)
    first = value(engine, portal, "metric=cac&scope=company&from=2026-11-03&to=2026-12-01")
    assert numbers(first) == ("33.3333333333", "33.3333333333", 1)
    days = rows(engine, portal, f"metric=cac&{COMPANY_WIDE}&by=day")
    # 100 / 3 a day; the one new customer is of the 3rd, when nothing was spent
    assert numbers(days["2026-11-02"]) == (None, "33.3333333333", 0)
    assert numbers(days["2026-11-03"]) == ("0", "0.00", 1)


def test_cac_of_a_department_takes_the_costs_entered_for_it_or_below(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", company=1, owner=ANNA),  # Anna is in Inside sales and in Support
            won(2, "2026-11-03 10:00", company=2, owner=BORIS),
            won(3, "2026-11-03 10:00", company=3, owner=SVETA),
        ],
        [
            cost("ads", "2026-11-01", "2026-11-30", 10, department=INSIDE),
            cost("ads", "2026-11-01", "2026-11-30", 100, department=SALES),
            cost("ads", "2026-11-01", "2026-11-30", 1000, department=SUPPORT),
            cost("ads", "2026-11-01", "2026-11-30", 10_000),  # of no department: of the company only
            cost("ads", "2026-11-01", "2026-11-30", 100_000, department=404),  # deleted since: the same
        ],
    )

    def of(scope: str) -> tuple[Any, Any, Any]:
        return numbers(value(engine, portal, f"metric=cac&scope={scope}&{NOVEMBER}"))

    assert of(f"department:{INSIDE}") == ("5", "10.00", 2)  # 10 / (Anna's, Boris')
    assert of(f"department:{SALES}") == ("55", "110.00", 2)  # (10 + 100) / 2
    assert of(f"department:{SUPPORT}") == ("500", "1000.00", 2)  # 1000 / (Anna's, Sveta's)
    assert of("company") == ("37036.6666666667", "111110.00", 3)
    assert {
        key: numbers(row)
        for key, row in rows(engine, portal, f"metric=cac&{COMPANY_WIDE}&by=department").items()
    } == {
        "department:1": ("370", "1110.00", 3),  # everything below the root, each once
        f"department:{SALES}": ("55", "110.00", 2),
        f"department:{INSIDE}": ("5", "10.00", 2),
        f"department:{SUPPORT}": ("500", "1000.00", 2),
    }


def test_cac_by_channel_follows_the_channel_of_the_first_deal(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", company=1, utm="ya"),
            won(2, "2026-11-04 10:00", company=2, source="WEB"),
            won(3, "2026-11-04 10:00", company=3, source="WEB"),
        ],
        [
            cost("Search", "2026-11-01", "2026-11-30", 60),
            cost("Web site", "2026-11-01", "2026-11-30", 30),
            cost("Radio", "2026-11-01", "2026-11-30", 5),
        ],
        channels=[{"utm_source": "ya", "channel": "Search"}],
    )
    assert {
        key: numbers(row)
        for key, row in rows(engine, portal, f"metric=cac&{COMPANY_WIDE}&by=channel").items()
    } == {
        "channel:Radio": (None, "5.00", 0),  # nobody came: no data, not 0
        "channel:Search": ("60", "60.00", 1),
        "channel:Web site": ("15", "30.00", 2),
    }


def test_costs_belong_to_no_employee(engine: Engine, make: Make) -> None:
    portal = make(
        [won(1, "2026-11-03 10:00", company=1)],
        [cost("ads", "2026-11-01", "2026-11-30", 60)],
        [result("mail", "2026-11-03", delivered=5)],
    )
    keys = "cac,channel_roi,engagement_rate,click_rate,site_visits"
    for found in stored.ask(engine, portal, f"metric={keys}&scope=user:{ANNA}&{NOVEMBER}")["values"]:
        assert (found["value"], found["reason"]) == (None, "not_per_employee")


def test_channel_roi_counts_only_channels_that_cost_something(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", amount=300, utm="ads"),
            won(2, "2026-11-04 10:00", amount=2, currency="USD", utm="ads"),
            won(3, "2026-11-04 10:00", amount=7, currency="GBP", utm="ads"),  # no rate
            won(4, "2026-11-04 10:00", amount=5000, utm="friends"),  # brought for nothing
            won(5, "2026-10-04 10:00", amount=9000, utm="ads"),  # October
            won(6, "2026-11-05 10:00", amount=50, utm="mail"),
        ],
        [
            cost("ads", "2026-11-01", "2026-11-30", 200),
            cost("mail", "2026-11-01", "2026-11-30", 100),
            cost("radio", "2026-11-01", "2026-11-30", 20),
        ],
    )
    found = value(engine, portal, f"metric=channel_roi&{COMPANY_WIDE}&by=channel")
    # ads 300 + 2 × 80.5 = 461, mail 50, radio 0: (511 − 320) / 320 = 191 / 320
    assert numbers(found) == ("0.596875", "191.00", "320.00")
    assert found["left_out"] == [
        {"reason": "no_rate", "count": 1, "currency": "GBP"},
        {"reason": "no_cost", "count": 1},
    ]
    assert {row["key"]: numbers(row) for row in found["rows"]} == {
        "channel:ads": ("1.305", "261.00", "200.00"),  # (461 − 200) / 200
        "channel:friends": (None, "0.00", "0.00"),
        "channel:mail": ("-0.5", "-50.00", "100.00"),  # (50 − 100) / 100
        "channel:radio": ("-1", "-20.00", "20.00"),
    }


def test_channel_roi_of_a_month_looks_at_the_channels_paid_in_it(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-10-03 10:00", amount=300, utm="ads"),
            won(2, "2026-11-04 10:00", amount=500, utm="ads"),
        ],
        [cost("ads", "2026-11-01", "2026-11-30", 250), cost("mail", "2026-10-01", "2026-10-31", 10)],
    )
    months = rows(engine, portal, "metric=channel_roi&scope=company&from=2026-10-01&to=2026-12-01&by=month")
    # October: only mail was paid, nobody came by it; November: (500 − 250) / 250
    assert numbers(months["2026-10"]) == ("-1", "-10.00", "10.00")
    assert numbers(months["2026-11"]) == ("1", "250.00", "250.00")


def test_campaign_results_make_rates_and_visits(engine: Engine, make: Make) -> None:
    portal = make(
        campaigns=[
            result("mail", "2026-11-01", delivered=1000, opened=250, clicked=40, visits=35),
            result("mail", "2026-11-30", delivered=500, opened=50, clicked=5, department=INSIDE),
            result("ads", "2026-11-10", visits=700, department=SUPPORT),
            result("mail", "2026-10-31", delivered=10, opened=10, clicked=10, visits=10),
            result("mail", "2026-12-01", delivered=10, opened=10, clicked=10, visits=10),
        ]
    )
    asked = "metric=engagement_rate,click_rate,site_visits"
    opened, clicked, visits = stored.ask(engine, portal, f"{asked}&{COMPANY_WIDE}")["values"]
    assert numbers(opened) == ("0.2", 300, 1500)  # (250 + 50) / (1000 + 500)
    assert numbers(clicked) == ("0.03", 45, 1500)  # (40 + 5) / 1500
    assert numbers(visits) == (735, None, None)  # 35 + 700
    inside = stored.ask(engine, portal, f"{asked}&scope=department:{SALES}&{NOVEMBER}")["values"]
    assert [numbers(v) for v in inside] == [("0.1", 50, 500), ("0.01", 5, 500), (0, None, None)]
    by_channel = rows(engine, portal, f"metric=site_visits&{COMPANY_WIDE}&by=channel")
    assert {key: row["value"] for key, row in by_channel.items()} == {"channel:ads": 700, "channel:mail": 35}
    by_day = rows(engine, portal, f"metric=engagement_rate&{COMPANY_WIDE}&by=month")
    assert numbers(by_day["2026-11"]) == ("0.2", 300, 1500)


def test_what_was_never_entered_is_not_zero(engine: Engine, make: Make) -> None:
    portal = make([won(1, "2026-11-03 10:00", company=1, amount=50)])
    keys = "cac,channel_roi,engagement_rate,click_rate,site_visits"
    for found in stored.ask(engine, portal, f"metric={keys}&{COMPANY_WIDE}&by=month")["values"]:
        assert (found["value"], found["reason"]) == (None, "no_records")
        assert [row["value"] for row in found["rows"]] == [None]
    enter(engine, portal, campaigns=[result("mail", "2026-10-03", visits=5)])
    # now it is known that November brought nobody
    assert value(engine, portal, f"metric=site_visits&{COMPANY_WIDE}")["value"] == 0


def test_costs_of_a_neighbour_are_never_counted(engine: Engine, make: Make) -> None:
    portal = make([won(1, "2026-11-03 10:00", company=1)], [cost("ads", "2026-11-01", "2026-11-30", 60)])
    make([], [cost("ads", "2026-11-01", "2026-11-30", 5_000)], [result("ads", "2026-11-03", visits=9)])
    assert value(engine, portal, f"metric=cac&{COMPANY_WIDE}")["numerator"] == "60.00"
    assert value(engine, portal, f"metric=site_visits&{COMPANY_WIDE}")["value"] is None


def test_a_running_month_is_compared_with_the_same_days_of_the_costs_before(
    engine: Engine, make: Make
) -> None:
    portal = make(
        [won(1, "2026-10-03 10:00", company=1), won(2, "2026-11-03 10:00", company=2)],
        [cost("ads", "2026-10-01", "2026-10-31", 310), cost("ads", "2026-11-01", "2026-11-30", 600)],
    )
    found = value(engine, portal, "metric=cac&scope=company&period=month&compare=previous")
    # 23 days of October at 10 a day
    assert (found["value"], found["before"]) == ("600", "230")
