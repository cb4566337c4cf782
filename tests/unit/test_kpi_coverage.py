"""What was not read is never shown as 0; what is partly read says since when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from b24app.metrics.catalog import CATALOG
from tests import oracle, stored
from tests.crm_rows import PORTAL, deal, lead, won
from tests.stored import set_source, value

YEAR = "from=2026-01-01&to=2027-01-01"
ALL = ",".join(metric.key for metric in CATALOG if metric.key in oracle.KEYS)
"""KPIs of deals and leads."""


@pytest.fixture
def portal(engine: Engine) -> int:
    """Won deals in September and November, a lead, one deal in progress; all of it read."""
    portal_id = stored.new_portal(engine)
    records = {
        "deals": [
            won(1, "2026-09-10 10:00", created="2026-09-01 10:00"),
            won(2, "2026-11-10 10:00"),
            deal(3),
        ],
        "leads": [lead(1, "2026-11-02 10:00")],
    }
    stored.save(engine, portal_id, {**PORTAL, **records})
    return portal_id


def sources(engine: Engine, portal_id: int, names: str, **values: Any) -> None:
    with engine.begin() as conn:
        for name in names.split(","):
            set_source(conn, portal_id, name, **values)


def test_before_the_first_read_nothing_has_a_value(engine: Engine, portal: int) -> None:
    sources(engine, portal, "deals,leads,stage_history,currencies,stages", state="pending")
    answer = stored.ask(engine, portal, f"metric={ALL}&scope=company&{YEAR}&compare=previous")
    assert answer["complete"] is False
    assert answer["progress"] < 1
    for found in answer["values"]:
        assert (found["value"], found["reason"], found["before"]) == (None, "not_synced", None)
        assert not found["few_data"]


def test_a_missing_scope_and_a_source_that_is_off_are_said(engine: Engine, portal: int) -> None:
    sources(engine, portal, "leads", state="off", reason="missing_scope")
    asked = f"metric=leads_new,lead_conversion,deals_won&scope=company&{YEAR}"
    new, conversion, won_deals = stored.ask(engine, portal, asked)["values"]
    assert (new["value"], new["reason"]) == (None, "missing_scope")
    assert (conversion["value"], conversion["reason"]) == (None, "missing_scope")
    assert (won_deals["value"], won_deals["reason"]) == (2, None)
    sources(engine, portal, "leads", state="off", reason="source_off")
    assert stored.ask(engine, portal, asked)["values"][0]["reason"] == "source_off"


def test_money_needs_rates_but_counts_do_not(engine: Engine, portal: int) -> None:
    sources(engine, portal, "currencies", state="off", reason="missing_scope")
    revenue, won_deals = stored.ask(engine, portal, f"metric=revenue,deals_won&scope=company&{YEAR}")[
        "values"
    ]
    assert (revenue["value"], revenue["reason"]) == (None, "missing_scope")
    assert won_deals["value"] == 2


def test_the_running_month_is_right_while_older_ones_follow(engine: Engine, portal: int) -> None:
    sources(engine, portal, "deals", state="reading", covered_from=date(2026, 11, 1), progress=0.2)
    month = value(engine, portal, "metric=deals_won&scope=company&period=month&compare=previous")
    assert (month["value"], month["reason"], month["provisional"]) == (1, None, False)
    assert month["before"] is None  # October is not read yet
    year = value(engine, portal, f"metric=deals_won&scope=company&{YEAR}&by=month")
    assert (year["value"], year["provisional"], year["since"]) == (2, True, "2026-11-01")
    assert {row["key"]: row["value"] for row in year["rows"]} == {
        **{f"2026-{month:02}": None for month in range(1, 11)},
        "2026-11": 1,
    }
    october = value(engine, portal, "metric=deals_won&scope=company&period=last_month")
    assert (october["value"], october["reason"]) == (None, "not_synced")


def test_a_count_of_nothing_in_a_partly_read_period_is_not_0(engine: Engine, portal: int) -> None:
    sources(engine, portal, "deals", state="reading", covered_from=date(2026, 11, 1))
    nobody = value(engine, portal, f"metric=deals_won,&scope=user:1&{YEAR}&by=user")
    assert (nobody["value"], nobody["reason"], nobody["provisional"]) == (None, "not_synced", False)
    assert [row["value"] for row in nobody["rows"]] == [None]


def test_what_rests_on_older_records_waits_for_all_of_them(engine: Engine, portal: int) -> None:
    sources(engine, portal, "deals", state="reading", covered_from=date(2026, 11, 1))
    waiting = stored.ask(engine, portal, "metric=pipeline_open,repeat_sales_rate&scope=company&period=month")
    for found in waiting["values"]:
        assert (found["value"], found["reason"]) == (None, "not_synced")


def test_a_read_portal_says_0_and_no_records(engine: Engine, portal: int) -> None:
    answer = stored.ask(engine, portal, "metric=deals_won,revenue,win_rate&scope=company&period=last_month")
    count, money, rate = answer["values"]
    assert answer["complete"] is True
    assert "progress" not in answer
    assert (count["value"], count["reason"]) == (0, None)
    assert (money["value"], money["reason"]) == ("0.00", None)
    assert (rate["value"], rate["denominator"], rate["reason"]) == (None, 0, "no_records")


def test_without_leads_their_source_is_not_waited_for(engine: Engine) -> None:
    portal_id = stored.new_portal(engine, uses_leads=False)
    stored.save(engine, portal_id, {**PORTAL, "deals": [won(1, "2026-11-10 10:00")]})
    sources(engine, portal_id, "leads", state="off", reason="source_off")
    answer = stored.ask(engine, portal_id, f"metric={ALL}&scope=company&period=month")
    assert {found["metric"]: found["reason"] for found in answer["values"]} == {
        **dict.fromkeys(ALL.split(",")),
        # one deal without a client and without a history
        "repeat_sales_rate": "no_records",
        "stage_time": "no_records",
    }
