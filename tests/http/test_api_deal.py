from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from emulator import crm
from tests.cast import ANNA, BORIS, IVAN, OLGA, SVETA
from tests.http.api_portal import Company, company

DAY = 86_400
LATE = 300
"""Seconds that a slow test may take between making a deal and asking for it."""


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def ask(shop: Company, deal_id: int, user_id: int = ANNA, *, is_admin: bool = False) -> Any:
    answer = shop.api.get(f"/api/v1/deals/{deal_id}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def near(seconds: int, days: float) -> bool:
    return days * DAY <= seconds <= days * DAY + LATE


def won_deals(shop: Company, count: int) -> None:
    """Won deals that stood 1, 2, … days as new and then closed."""
    for days in range(1, count + 1):
        shop.add_deal(BORIS, "WON", days_ago=days + 10, closed_days_ago=10, opportunity=Decimal(100))


def test_an_open_deal_stands_beside_the_norm_of_its_pipeline(shop: Company) -> None:
    won_deals(shop, 21)
    deal_id = shop.add_deal(ANNA, days_ago=30, opportunity=Decimal("120000.50"), currencyId="USD")
    shop.read()
    body = ask(shop, deal_id)
    assert body["live"] is True
    assert body["status"] == "open"
    assert body["owner"] == {"id": ANNA, "name": "Anna Seller", "visible": True, "department": None}
    assert (body["pipeline"]["name"], body["stage"]["name"]) == ("General", "New")
    # 120,000.50 USD at 80 RUB
    assert (body["amount"], body["report_amount"], body["report_currency"]) == (
        "120000.50",
        "9600040.00",
        "RUB",
    )
    assert near(body["in_stage"]["seconds"], 30)
    # stays of 1 … 21 days: the median is 11, three quarters of the way from 1 to 21 is 16
    assert (body["in_stage"]["median"], body["in_stage"]["p75"], body["in_stage"]["sample"]) == (
        11 * DAY,
        16 * DAY,
        21,
    )
    assert body["norm"] == {"won_deals": 21, "needed": 20}
    assert body["contribution"] is None


def test_below_twenty_won_deals_there_is_no_norm_yet(shop: Company) -> None:
    won_deals(shop, 3)
    deal_id = shop.add_deal(ANNA, days_ago=2)
    shop.read()
    body = ask(shop, deal_id)
    assert body["in_stage"]["median"] is None
    assert body["norm"] == {"won_deals": 3, "needed": 20}


def test_returns_and_the_first_answer_are_told(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA, "EXECUTING", days_ago=9, closed_days_ago=5)
    crm.move_deal(shop.portal, deal_id, "NEW", at=datetime.now(UTC) - timedelta(days=2))
    deal = shop.portal.records["deal"].get(deal_id)
    assert deal is not None
    created = deal["createdTime"]
    for hours, direction in ((1, 1), (3, 2), (8, 2)):  # the client writes, we answer two hours later
        moment = created + timedelta(hours=hours)
        shop.portal.put(
            "activity",
            {
                "OWNER_TYPE_ID": 2,
                "OWNER_ID": deal_id,
                "TYPE_ID": 4,
                "PROVIDER_ID": "CRM_EMAIL",
                "DIRECTION": direction,
                "COMPLETED": True,
                "CREATED": moment,
                "START_TIME": moment,
                "END_TIME": moment,
                "LAST_UPDATED": moment,
                "RESPONSIBLE_ID": ANNA,
            },
        )
    shop.read()
    body = ask(shop, deal_id)
    assert body["returns"] == 1
    assert near(body["in_stage"]["seconds"], 2)
    assert body["first_response"] == {"seconds": 3 * 3600, "reason": None}


def test_nobody_answered_yet_and_a_planned_call_is_no_answer(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    planned = {"OWNER_TYPE_ID": 2, "OWNER_ID": deal_id, "TYPE_ID": 2, "PROVIDER_ID": "VOXIMPLANT_CALL"}
    times = dict.fromkeys(("START_TIME", "END_TIME", "DEADLINE"), tomorrow)
    now = dict.fromkeys(("CREATED", "LAST_UPDATED"), datetime.now(UTC))
    shop.portal.put(
        "activity", planned | times | now | {"DIRECTION": 2, "COMPLETED": False, "RESPONSIBLE_ID": ANNA}
    )
    shop.read()
    assert ask(shop, deal_id)["first_response"] == {"seconds": None, "reason": "no_records"}


def test_a_closed_deal_says_what_it_gave_and_when(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA, "WON", days_ago=5, closed_days_ago=1, opportunity=Decimal(700))
    lost_id = shop.add_deal(ANNA, "LOSE", days_ago=5, closed_days_ago=1, opportunity=Decimal(700))
    shop.read()
    won = ask(shop, deal_id)
    assert (won["status"], won["in_stage"]) == ("won", None)
    assert near(won["age"]["seconds"], 4)
    assert won["contribution"]["amount"] == "700.00"
    assert won["contribution"]["counted"] is True
    assert won["contribution"]["month"] == won["contribution"]["day"][:7]
    assert ask(shop, lost_id)["contribution"]["amount"] is None


def test_a_deal_of_this_minute_is_shown_before_it_is_stored(shop: Company) -> None:
    shop.read()
    deal_id = shop.add_deal(ANNA, opportunity=Decimal(5))
    assert ask(shop, deal_id)["amount"] == "5.00"


@pytest.mark.parametrize("user_id", [SVETA, BORIS])
def test_a_deal_that_the_portal_does_not_show_is_not_told(shop: Company, user_id: int) -> None:
    deal_id = shop.add_deal(IVAN, opportunity=Decimal(123456))
    shop.read()
    answer = shop.api.get(f"/api/v1/deals/{deal_id}", user_id)
    assert answer.status_code == 403
    assert "123456" not in answer.text
    for unknown in (999999, 10**30):
        assert shop.api.get(f"/api/v1/deals/{unknown}", user_id).status_code == 403


def test_an_admin_is_told_that_a_deal_does_not_exist(shop: Company) -> None:
    shop.read()
    assert shop.api.get("/api/v1/deals/999999", OLGA, is_admin=True).status_code == 404


def test_a_broken_answer_of_the_portal_is_no_deal(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA)
    shop.read()
    shop.portal.change("deal", deal_id, createdTime=None, movedTime=None, updatedTime=None)
    assert ask(shop, deal_id)["live"] is False


def test_while_the_portal_fails_the_stored_deal_is_shown_to_those_who_see_its_kpis(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA, days_ago=3)
    shop.read()
    shop.emulator.faults(shop.portal).add(kind="close", times=100)
    for user_id in (ANNA, IVAN):
        body = ask(shop, deal_id, user_id)
        assert body["live"] is False
        assert near(body["in_stage"]["seconds"], 3)
        assert body["first_response"]["reason"] == "not_synced"
    stranger = shop.api.get(f"/api/v1/deals/{deal_id}", BORIS)
    assert stranger.status_code == 503
    assert stranger.headers["Retry-After"]
