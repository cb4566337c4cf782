"""A hand-computed example of every KPI, through the store and SQL. The sum stands beside each number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from tests import stored
from tests.cast import ANNA, BORIS, COMPANY, GRETA, GUEST, INSIDE, IVAN, OLGA, SALES, SUPPORT, SVETA
from tests.crm_rows import PORTAL, Row, deal, entered, lead, lost, won
from tests.stored import rows, value

Make = Callable[..., int]

NOVEMBER = "from=2026-11-01&to=2026-12-01"
HOUR, DAY = 3600, 86_400


@pytest.fixture
def make(engine: Engine) -> Make:
    """Makes a portal with these records; everything of it is read."""

    def portal(
        deals: list[Row] | None = None,
        *,
        leads: list[Row] | None = None,
        history: list[Row] | None = None,
        uses_leads: bool = True,
        **settings: Any,
    ) -> int:
        portal_id = stored.new_portal(engine, uses_leads=uses_leads)
        stored.choose(engine, portal_id, **settings)
        records = {"deals": deals or [], "leads": leads or [], "history": history or []}
        stored.save(engine, portal_id, {**PORTAL, **records})
        return portal_id

    return portal


def test_deals_won_counts_the_deals_won_in_the_period(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-01 00:00:00"),  # the first second of the month: in
            won(2, "2026-11-30 23:59:59", owner=BORIS),  # the last: in
            won(3, "2026-10-31 23:59:59"),  # October
            won(4, "2026-12-01 00:00:00"),  # December
            lost(5, "2026-11-10 10:00"),
            deal(6),  # in progress
            won(7, "2026-11-10 10:00", recurring=True),  # a template is no deal
            won(8, "2026-11-11 12:00", category=3, stage="C3:WON"),
        ]
    )
    # 1, 2, 8
    assert value(engine, portal, f"metric=deals_won&scope=company&{NOVEMBER}")["value"] == 3
    # 1, 8
    assert value(engine, portal, f"metric=deals_won&scope=user:{ANNA}&{NOVEMBER}")["value"] == 2


def test_revenue_converts_every_currency_exactly(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", amount=1000.10),
            won(2, "2026-11-04 10:00", amount="250.50", currency="KZT"),
            won(3, "2026-11-05 10:00", amount=2, currency="USD"),
            won(4, "2026-11-06 10:00", amount=700, currency="GBP"),  # no rate
            won(5, "2026-10-06 10:00", amount=9999),  # October
            lost(6, "2026-11-06 10:00", amount=5000),
        ]
    )
    found = value(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}")
    # 1000.10 + 250.50 × 16.4 / 100 + 2 × 80.5 = 1000.10 + 41.082 + 161 = 1202.182
    assert found["value"] == "1202.182"
    assert found["left_out"] == [{"reason": "no_rate", "count": 1, "currency": "GBP"}]
    # it still counts in counts: 1, 2, 3, 4
    assert value(engine, portal, f"metric=deals_won&scope=company&{NOVEMBER}")["value"] == 4


def test_revenue_in_another_report_currency_divides_by_its_rate(engine: Engine, make: Make) -> None:
    portal = make(
        [won(1, "2026-11-03 10:00", amount=805), won(2, "2026-11-04 10:00", amount=3, currency="USD")],
        currency="USD",
    )
    answer = stored.ask(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}")
    # 805 / 80.5 + 3 = 13
    assert answer["values"][0]["value"] == "13.00"
    assert answer["currency"] == "USD"


def test_average_check_leaves_a_deal_without_a_rate_out_of_both_sides(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", amount=100),
            won(2, "2026-11-04 10:00", amount=0),  # a deal of nothing is a deal
            won(3, "2026-11-05 10:00", amount=2, currency="USD"),
            won(4, "2026-11-06 10:00", amount=700, currency="GBP"),  # no rate
        ]
    )
    found = value(engine, portal, f"metric=average_check&scope=company&{NOVEMBER}")
    # (100 + 0 + 2 × 80.5) / 3 = 261 / 3 = 87
    assert (found["value"], found["numerator"], found["denominator"]) == ("87", "261.00", 3)
    assert found["left_out"] == [{"reason": "no_rate", "count": 1, "currency": "GBP"}]


def test_average_check_of_a_department_is_no_average_of_averages(engine: Engine, make: Make) -> None:
    portal = make(
        [won(1, "2026-11-03 10:00", amount=900)]
        + [won(n, "2026-11-04 10:00", owner=BORIS, amount=100) for n in (2, 3, 4)]
    )
    # (900 + 3 × 100) / 4 = 300; the average of 900 and 100 would be 500
    found = value(engine, portal, f"metric=average_check&scope=department:{INSIDE}&{NOVEMBER}")
    assert (found["value"], found["numerator"], found["denominator"]) == ("300", "1200.00", 4)


def test_deals_lost_counts_every_unsuccessful_final_stage(engine: Engine, make: Make) -> None:
    portal = make(
        [
            lost(1, "2026-11-03 10:00"),
            lost(2, "2026-11-04 10:00", stage="APOLOGY"),
            lost(3, "2026-10-04 10:00"),
            won(4, "2026-11-04 10:00"),
        ]
    )
    # 1, 2
    assert value(engine, portal, f"metric=deals_lost&scope=company&{NOVEMBER}")["value"] == 2


def test_win_rate_is_won_over_closed(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00"),
            won(2, "2026-11-03 11:00", owner=BORIS),
            lost(3, "2026-11-03 12:00", owner=BORIS),
            deal(4),
        ]
    )
    found = value(engine, portal, f"metric=win_rate&scope=company&{NOVEMBER}&by=user")
    # 2 / (2 + 1)
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.6666666667", 2, 3)
    by_key = {row["key"]: row for row in found["rows"]}
    # Anna 1 / 1, Boris 1 / 2; Ivan closed nothing: no data, not 0
    assert by_key[f"user:{ANNA}"]["value"] == "1"
    assert by_key[f"user:{BORIS}"]["value"] == "0.5"
    assert (by_key[f"user:{IVAN}"]["value"], by_key[f"user:{IVAN}"]["denominator"]) == (None, 0)


def test_ratios_roll_up_by_sums(engine: Engine, make: Make) -> None:
    portal = make(
        [won(1, "2026-11-03 10:00")]
        + [won(n, "2026-11-03 10:00", owner=BORIS) for n in range(2, 11)]
        + [lost(n, "2026-11-03 10:00", owner=BORIS) for n in range(11, 101)]
    )
    found = value(engine, portal, f"metric=win_rate&scope=department:{INSIDE}&{NOVEMBER}")
    # 1/1 and 9/99 give 10/100 = 10 %, not (100 % + 9.09 %) / 2 = 54.5 %
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.1", 10, 100)


FUNNEL_DEALS = [
    deal(1, stage="NEW"),
    deal(2, stage="WORK"),
    won(3, "2026-11-20 10:00"),  # no history: a won deal reached all stages
    lost(4, "2026-11-20 10:00"),  # its history shows OFFER
    lost(5, "2026-11-20 10:00"),  # its history shows NEW only
    lost(6, "2026-11-20 10:00"),  # no history: nothing is known
    deal(7, stage="WORK"),  # went back from OFFER
    deal(8, stage="NEW", created="2026-10-30 10:00"),  # October
    deal(9, stage="NEW", recurring=True),
]
FUNNEL_HISTORY = [
    entered(1, 4, "2026-11-02 10:00", "NEW"),
    entered(2, 4, "2026-11-03 10:00", "OFFER"),
    entered(3, 4, "2026-11-20 10:00", "LOSE"),
    entered(4, 5, "2026-11-02 10:00", "NEW"),
    entered(5, 5, "2026-11-20 10:00", "LOSE"),
    entered(6, 7, "2026-11-02 10:00", "OFFER"),
    entered(7, 7, "2026-11-05 10:00", "WORK"),
]


def test_funnel_counts_how_far_the_cohort_came(engine: Engine, make: Make) -> None:
    portal = make(
        FUNNEL_DEALS,
        history=FUNNEL_HISTORY,
        leads=[
            lead(1, "2026-11-02 10:00", converted=True),
            lead(2, "2026-11-03 10:00"),
            lead(3, "2026-11-04 10:00"),
            lead(4, "2026-10-31 23:59:59", converted=True),
        ],
    )
    found = value(engine, portal, f"metric=funnel&scope=company&{NOVEMBER}&by=stage")
    steps = [(r["key"], r["value"], r["numerator"], r["denominator"], r["share"]) for r in found["rows"]]
    # cohort of the pipeline: 1–7 = 7 deals
    # NEW: all but 6 = 6; WORK: 2, 3, 4, 7 = 4; OFFER: 3, 4, 7 = 3; won: 3 = 1
    assert steps == [
        ("lead:created", None, 3, None, None),
        ("lead:converted", "0.3333333333", 1, 3, None),
        ("stage:0:NEW", "0.8571428571", 6, 7, "0.8571428571"),  # 6 / 7 of the cohort
        ("stage:0:WORK", "0.6666666667", 4, 6, "0.5714285714"),  # 4 / 6; 4 / 7
        ("stage:0:OFFER", "0.75", 3, 4, "0.4285714286"),  # 3 / 4; 3 / 7
        ("stage:0:WON", "0.3333333333", 1, 3, "0.1428571429"),  # 1 / 3; 1 / 7
        ("stage:3:C3:NEW", None, 0, 0, None),
        ("stage:3:C3:WORK", None, 0, 0, None),
        ("stage:3:C3:OFFER", None, 0, 0, None),
        ("stage:3:C3:WON", None, 0, 0, None),
    ]
    # the whole way: 1 won of 7
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.1428571429", 1, 7)


def test_funnel_has_its_rows_without_being_asked_and_no_lead_steps_without_leads(
    engine: Engine, make: Make
) -> None:
    portal = make(FUNNEL_DEALS, history=FUNNEL_HISTORY, uses_leads=False, pipelines=[0])
    steps = rows(engine, portal, f"metric=funnel&scope=company&{NOVEMBER}")
    assert list(steps) == ["stage:0:NEW", "stage:0:WORK", "stage:0:OFFER", "stage:0:WON"]


def test_funnel_forgets_the_stages_of_the_pipeline_a_deal_came_from(engine: Engine, make: Make) -> None:
    portal = make(
        [deal(1, category=3, stage="C3:NEW")],
        history=[
            entered(1, 1, "2026-11-02 10:00", "OFFER", category=0),
            entered(2, 1, "2026-11-03 10:00", "C3:NEW", category=3),
        ],
        pipelines=[3],
    )
    steps = rows(engine, portal, f"metric=funnel&scope=company&{NOVEMBER}")
    reached = [steps[f"stage:3:C3:{name}"]["numerator"] for name in ("NEW", "WORK", "OFFER", "WON")]
    # it stands in NEW; the OFFER it saw belongs to another pipeline
    assert reached == [1, 0, 0, 0]


def test_funnel_conversion_is_won_by_now_over_created(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-20 10:00", created="2026-10-05 10:00"),  # created in October, won since
            deal(2, created="2026-10-06 10:00"),
            lost(3, "2026-10-09 10:00", created="2026-10-07 10:00"),
            won(4, "2026-11-09 10:00", created="2026-11-07 10:00"),  # November's cohort
        ]
    )
    found = value(engine, portal, "metric=funnel_conversion&scope=company&from=2026-10-01&to=2026-11-01")
    # 1 of 1, 2, 3
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.3333333333", 1, 3)


def test_processing_time_runs_from_the_first_contact(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-04 10:00", created="2026-11-03 10:00"),  # 1 day
            won(2, "2026-11-04 10:00", created="2026-11-03 10:00", lead=7),  # from its lead: 5 days
            won(3, "2026-11-04 10:00", created="2026-11-04 04:00", lead=8),  # the lead is later: 6 hours
            won(4, "2026-11-04 10:00", created="2026-11-04 10:00", lead=404),  # 0; its lead is gone
            won(5, "2026-11-04 10:00", created="2026-11-04 10:01"),  # backwards: left out
            won(6, "2026-10-04 10:00", created="2026-10-01 10:00"),  # October
            lost(7, "2026-11-04 10:00", created="2026-11-01 10:00"),
        ],
        leads=[lead(7, "2026-10-30 10:00"), lead(8, "2026-11-04 09:00")],
    )
    found = value(engine, portal, f"metric=processing_time&scope=company&{NOVEMBER}")
    # (1 d + 5 d + 6 h + 0) / 4 = (86 400 + 432 000 + 21 600 + 0) / 4 = 540 000 / 4 = 135 000 s
    assert (found["numerator"], found["denominator"]) == (DAY + 5 * DAY + 6 * HOUR, 4)
    assert found["value"] == "135000"
    assert found["left_out"] == [{"reason": "negative_duration", "count": 1}]


def test_repeat_sales_look_for_earlier_purchases_over_all_time(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2025-02-01 10:00", company=5, category=3, stage="C3:WON"),  # long ago, other pipeline
            won(2, "2026-11-03 10:00", company=5),  # repeat
            won(3, "2026-11-04 10:00", contact=9),  # first of contact 9
            won(4, "2026-11-05 10:00", contact=9, company=6),  # the client is company 6: first
            won(5, "2026-11-06 10:00", contact=9),  # repeat
            won(6, "2026-11-07 10:00"),  # nobody known: on neither side
            won(8, "2026-11-08 10:00", company=7),  # same moment as 7 …
            won(7, "2026-11-08 10:00", company=7, owner=BORIS),  # … the lower id is first: 8 is the repeat
            lost(9, "2026-11-01 10:00", company=8),
            won(10, "2026-11-09 10:00", company=8),  # a lost deal is no purchase: first
            won(11, "2026-11-01 10:00", company=11, recurring=True),
            won(12, "2026-11-10 10:00", company=11),  # a template is no purchase: first
        ],
        pipelines=[0],
    )
    found = value(engine, portal, f"metric=repeat_sales_rate&scope=company&{NOVEMBER}")
    # repeats 2, 5, 8 of 2, 3, 4, 5, 7, 8, 10, 12
    assert (found["numerator"], found["denominator"], found["value"]) == (3, 8, "0.375")
    assert found["left_out"] == [{"reason": "no_client", "count": 1}]  # 6
    # Boris has 7, the first purchase
    boris = value(engine, portal, f"metric=repeat_sales_rate&scope=user:{BORIS}&{NOVEMBER}")
    assert (boris["numerator"], boris["denominator"]) == (0, 1)


def test_pipeline_open_is_what_is_in_progress_now(engine: Engine, make: Make) -> None:
    portal = make(
        [
            deal(1, amount=1000, created="2019-01-01 10:00"),  # however old
            deal(2, amount=10, currency="USD", owner=BORIS),
            deal(3, amount=5, currency="GBP"),  # no rate
            deal(4, amount=99, recurring=True),
            won(5, "2026-11-03 10:00", amount=7),
        ]
    )
    found = value(engine, portal, f"metric=pipeline_open&scope=company&{NOVEMBER}&compare=previous&by=user")
    # 1000 + 10 × 80.5 = 1805
    assert found["value"] == "1805.00"
    assert found["left_out"] == [{"reason": "no_rate", "count": 1, "currency": "GBP"}]
    assert found["before"] is None  # what was open a month ago is not known
    assert {row["key"]: row["value"] for row in found["rows"]}[f"user:{BORIS}"] == "805.00"
    months = rows(engine, portal, "metric=pipeline_open&scope=company&from=2026-10-01&to=2027-01-01&by=month")
    assert {key: row["value"] for key, row in months.items()} == {"2026-10": None, "2026-11": "1805.00"}


def test_stage_time_is_the_mean_of_the_stays_that_ended(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-05 10:00"),
            deal(2, owner=BORIS, stage="WORK"),
            deal(3, category=3, stage="C3:NEW"),
            deal(4, stage="WORK", recurring=True),
        ],
        history=[
            entered(1, 1, "2026-10-30 10:00", "NEW"),  # 2 days, left on 1 November
            entered(2, 1, "2026-11-01 10:00", "WORK"),  # 4 days
            entered(3, 1, "2026-11-05 10:00", "WON"),  # final: no stay to measure
            entered(4, 2, "2026-11-02 10:00", "NEW"),  # 6 hours
            entered(5, 2, "2026-11-02 16:00", "WORK"),  # it is still there
            entered(6, 3, "2026-11-03 10:00", "OFFER", category=0),  # 1 hour, in the pipeline it left
            entered(7, 3, "2026-11-03 11:00", "C3:NEW", category=3),  # entered; the clock was wrong:
            entered(8, 3, "2026-11-03 10:30", "C3:WORK", category=3),  # left 30 minutes before it was entered
            entered(9, 3, "2026-11-03 12:00", "C3:NEW", category=3),  # C3:WORK took 1.5 hours
            entered(10, 4, "2026-11-01 10:00", "NEW"),
            entered(11, 4, "2026-11-02 10:00", "WORK"),
        ],
    )
    found = value(engine, portal, f"metric=stage_time&scope=company&{NOVEMBER}&by=stage")
    # 2 d + 4 d + 6 h + 1 h + 1.5 h = 172 800 + 345 600 + 21 600 + 3 600 + 5 400 = 549 000 s over 5 stays
    assert (found["numerator"], found["denominator"], found["value"]) == (549_000, 5, "109800")
    assert found["left_out"] == [{"reason": "negative_duration", "count": 1}]
    stays = {row["key"]: (row["value"], row["denominator"]) for row in found["rows"]}
    assert stays == {
        "stage:0:NEW": ("97200", 2),  # (172 800 + 21 600) / 2
        "stage:0:WORK": ("345600", 1),
        "stage:0:OFFER": ("3600", 1),
        "stage:3:C3:NEW": (None, 0),  # its only stay is a data problem
        "stage:3:C3:WORK": ("5400", 1),
    }
    # a stay is judged by the pipeline it was in: 2 d + 4 d + 6 h + 1 h over 4
    stored.choose(engine, portal, pipelines=[0])
    general = value(engine, portal, f"metric=stage_time&scope=company&{NOVEMBER}")
    assert (general["numerator"], general["denominator"]) == (543_600, 4)
    # October: nothing ended
    assert (
        value(engine, portal, "metric=stage_time&scope=company&from=2026-10-01&to=2026-11-01")["reason"]
        == "no_records"
    )


def test_leads_new_counts_leads_created(engine: Engine, make: Make) -> None:
    portal = make(
        [deal(1)],
        leads=[
            lead(1, "2026-11-01 00:00:00"),
            lead(2, "2026-11-30 23:59:59", owner=BORIS),
            lead(3, "2026-10-31 23:59:59"),
        ],
        pipelines=[3],  # pipelines are a matter of deals
    )
    # 1, 2
    assert value(engine, portal, f"metric=leads_new&scope=company&{NOVEMBER}")["value"] == 2


def test_without_leads_a_new_deal_is_a_new_lead(engine: Engine, make: Make) -> None:
    portal = make(
        [deal(1), won(2, "2026-11-20 10:00"), deal(3, recurring=True), deal(4, created="2026-10-02 10:00")],
        leads=[lead(1, "2026-11-01 10:00", converted=True)],  # from the time when there were leads
        uses_leads=False,
    )
    # deals 1, 2
    assert value(engine, portal, f"metric=leads_new&scope=company&{NOVEMBER}")["value"] == 2
    found = value(engine, portal, f"metric=lead_conversion&scope=company&{NOVEMBER}")
    # converted is won: 2 of 1, 2
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.5", 1, 2)


def test_lead_conversion_is_converted_by_now_over_created(engine: Engine, make: Make) -> None:
    portal = make(
        leads=[
            lead(1, "2026-11-02 10:00", converted=True),
            lead(2, "2026-11-03 10:00"),
            lead(3, "2026-11-04 10:00"),
            lead(4, "2026-10-02 10:00", converted=True),
        ]
    )
    found = value(engine, portal, f"metric=lead_conversion&scope=company&{NOVEMBER}")
    # 1 of 1, 2, 3
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.3333333333", 1, 3)


def test_whose_number_it_is(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", owner=ANNA, amount=1),  # in Inside and in Support
            won(2, "2026-11-03 10:00", owner=BORIS, amount=10),
            won(3, "2026-11-03 10:00", owner=GRETA, amount=100),  # dismissed
            won(4, "2026-11-03 10:00", owner=SVETA, amount=1000),
            won(5, "2026-11-03 10:00", owner=GUEST, amount=10_000),  # extranet: the company's only
            won(6, "2026-11-03 10:00", owner=777, amount=100_000),  # nobody known: the company's only
            won(7, "2026-11-03 10:00", owner=OLGA, amount=1_000_000),
        ]
    )
    amounts = {
        key: row["value"]
        for key, row in rows(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}&by=department").items()
    }
    assert amounts == {
        f"department:{COMPANY}": "1001111.00",  # Anna once, though she is in two
        f"department:{SALES}": "111.00",  # Anna, Boris, Greta of the department below
        f"department:{INSIDE}": "111.00",
        f"department:{SUPPORT}": "1001.00",  # Sveta and Anna
    }
    assert value(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}")["value"] == "1111111.00"
    people = rows(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}&by=user")
    assert {key: row["value"] for key, row in people.items()} == {
        f"user:{OLGA}": "1000000.00",
        f"user:{IVAN}": "0.00",
        f"user:{ANNA}": "1.00",
        f"user:{BORIS}": "10.00",
        f"user:{SVETA}": "1000.00",
        f"user:{GRETA}": "100.00",
    }
    # the dismissed are a row only where they have numbers
    october = rows(engine, portal, "metric=revenue&scope=company&from=2026-10-01&to=2026-11-01&by=user")
    assert f"user:{GRETA}" not in october


def test_a_running_month_is_compared_with_the_same_days_of_the_month_before(
    engine: Engine, make: Make
) -> None:
    portal = make(
        [won(n, "2026-11-05 10:00") for n in (1, 2, 3)]
        + [won(4, "2026-10-01 00:00"), won(5, "2026-10-23 23:59:59"), won(6, "2026-10-24 00:00:00")]
    )
    answer = stored.ask(
        engine, portal, f"metric=deals_won,win_rate&scope=user:{ANNA}&period=month&compare=previous"
    )
    won_deals, rate = answer["values"]
    # 23 November: October 1–23 has 4 and 5, not 6; (3 − 2) / 2
    assert (won_deals["value"], won_deals["before"], won_deals["change"]) == (3, 2, "0.5")
    assert answer["compared"] == {"from": "2026-10-01", "to": "2026-10-24"}
    # 3/3 and 2/2
    assert (rate["before"], rate["change"]) == ("1", "0")


def test_there_is_no_change_from_nothing(engine: Engine, make: Make) -> None:
    portal = make([won(1, "2026-11-05 10:00")])
    answer = stored.ask(
        engine, portal, "metric=deals_won,win_rate&scope=company&period=month&compare=previous"
    )
    won_deals, rate = answer["values"]
    assert (won_deals["before"], won_deals["change"]) == (0, None)
    assert (rate["before"], rate["change"]) == (None, None)


def test_few_data_are_said_below_the_minimum_sample(engine: Engine, make: Make) -> None:
    nine = [won(n, "2026-11-05 10:00") for n in range(1, 5)] + [
        lost(n, "2026-11-05 10:00") for n in range(5, 10)
    ]
    portal = make([*nine])
    asked = f"metric=win_rate,average_check,deals_won&scope=company&{NOVEMBER}"

    def few() -> dict[str, bool]:
        return {v["metric"]: v["few_data"] for v in stored.ask(engine, portal, asked)["values"]}

    # 9 closed < 10; 4 won < 5; a count rests on nothing else
    assert few() == {"win_rate": True, "average_check": True, "deals_won": False}
    stored.save(engine, portal, {**PORTAL, "deals": [*nine, won(10, "2026-11-05 10:00")]})
    # 10 closed, 5 won
    assert few() == {"win_rate": False, "average_check": False, "deals_won": False}
    stored.choose(engine, portal, min_sample={"ratio": 11, "mean": 6})
    assert few() == {"win_rate": True, "average_check": True, "deals_won": False}


def test_days_weeks_and_months_are_cut_in_the_portals_zone(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-01 23:59:59"),  # Sunday
            won(2, "2026-11-02 00:00:00"),  # Monday
            won(3, "2026-11-23 13:00:00"),
            won(4, "2026-11-25 13:00:00"),  # after today, by a wrong clock: it still adds up
        ]
    )

    def counts(by: str) -> dict[str, int]:
        asked = f"metric=deals_won&scope=company&{NOVEMBER}&by={by}"
        return {key: row["value"] for key, row in rows(engine, portal, asked).items()}

    assert counts("month") == {"2026-11": 4}
    # the first Monday lies before the period
    assert counts("week") == {
        "2026-10-26": 1, "2026-11-02": 1, "2026-11-09": 0, "2026-11-16": 0, "2026-11-23": 2,
    }  # fmt: skip
    days = counts("day")
    assert list(days) == [f"2026-11-{day:02}" for day in (*range(1, 24), 25)]
    assert {day: count for day, count in days.items() if count} == {
        "2026-11-01": 1, "2026-11-02": 1, "2026-11-23": 1, "2026-11-25": 1,
    }  # fmt: skip


def test_a_day_ends_where_it_ends_also_when_the_clock_goes_back(engine: Engine) -> None:
    portal_id = stored.new_portal(engine, timezone="Europe/Berlin")
    # 25 October 2026 is 25 hours long in Berlin: 22:00 UTC on the 24th to 23:00 UTC on the 25th
    moments = ["2026-10-24T21:59:59+00:00", "2026-10-24T22:00:00+00:00", "2026-10-25T22:59:59+00:00",
               "2026-10-25T23:00:00+00:00"]  # fmt: skip
    deals = [{**won(n, "2026-10-25 12:00"), "movedTime": moment} for n, moment in enumerate(moments, 1)]
    stored.save(engine, portal_id, {**PORTAL, "deals": deals})
    found = rows(engine, portal_id, "metric=deals_won&scope=company&from=2026-10-24&to=2026-10-27&by=day")
    assert {day: row["value"] for day, row in found.items()} == {
        "2026-10-24": 1, "2026-10-25": 2, "2026-10-26": 1,
    }  # fmt: skip


def test_by_channel_and_pipeline(engine: Engine, make: Make) -> None:
    portal = make(
        [
            won(1, "2026-11-03 10:00", utm="yandex", amount=1),
            won(2, "2026-11-03 10:00", source="WEB", amount=20),
            won(3, "2026-11-03 10:00", category=3, stage="C3:WON", amount=300),
            won(4, "2026-11-03 10:00", utm="ya", amount=4000),
        ],
        channels=[{"utm_source": "ya", "channel": "yandex"}],
    )
    channels = rows(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}&by=channel")
    assert {key: row["value"] for key, row in channels.items()} == {
        "channel:Web site": "20.00",
        "channel:unknown": "300.00",
        "channel:yandex": "4001.00",  # 1 + 4000
    }
    pipelines = rows(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}&by=pipeline")
    assert {key: row["value"] for key, row in pipelines.items()} == {
        "pipeline:0": "4021.00",  # 1 + 20 + 4000
        "pipeline:3": "300.00",
    }


def test_changes_and_deletions_count(engine: Engine, make: Make) -> None:
    portal = make([won(1, "2026-11-03 10:00", amount=5), won(2, "2026-11-03 10:00", amount=7)])
    asked = f"metric=revenue&scope=user:{ANNA}&{NOVEMBER}"
    assert value(engine, portal, asked)["value"] == "12.00"
    changed = [deal(1, amount=5), won(2, "2026-11-03 10:00", amount=8, owner=BORIS)]
    stored.save(engine, portal, {**PORTAL, "deals": changed})
    # 1 was reopened, 2 went to Boris
    assert value(engine, portal, asked)["value"] == "0.00"
    assert value(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}")["value"] == "8.00"


def test_absurd_amounts_still_add_up(engine: Engine, make: Make) -> None:
    biggest = "9999999999999.99"
    portal = make([won(n, "2026-11-03 10:00", amount=biggest) for n in range(1, 121)])
    # 120 × 9 999 999 999 999.99
    found = value(engine, portal, f"metric=revenue&scope=company&{NOVEMBER}")
    assert found["value"] == "1199999999999998.80"


def test_the_neighbours_portal_is_never_counted(engine: Engine, make: Make) -> None:
    mine, other = make([won(1, "2026-11-03 10:00", company=1)]), make([won(1, "2026-11-01 10:00", company=1)])
    for portal in (mine, other):
        found = value(engine, portal, f"metric=repeat_sales_rate&scope=company&{NOVEMBER}")
        assert (found["numerator"], found["denominator"]) == (0, 1)


def test_today_is_the_portals_day(engine: Engine) -> None:
    kamchatka = stored.new_portal(engine, timezone="Asia/Kamchatka")
    evening = datetime(2026, 11, 23, 13, tzinfo=UTC)  # 1:00 on the 24th over there
    assert stored.ask(engine, kamchatka, "scope=company&period=day", now=evening)["from"] == "2026-11-24"
