"""What the tabs of lead, client, task and project cards tell, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from emulator import crm
from tests.cast import ANNA, BORIS, IVAN
from tests.http.api_portal import Company, company

DAY = 86_400


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def ask(shop: Company, card: str, user_id: int = ANNA, *, is_admin: bool = False) -> Any:
    answer = shop.api.get(f"/api/v1/cards/{card}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_client_is_what_they_have_bought(shop: Company) -> None:
    client = crm.add_item(shop.portal, "company", {"title": "Somebody Ltd", "assignedById": ANNA})
    for days, amount in ((30, "100"), (20, "300.50")):
        shop.add_deal(
            ANNA, "WON", days_ago=days, closed_days_ago=days, opportunity=Decimal(amount), companyId=client
        )
    shop.add_deal(BORIS, days_ago=3, opportunity=Decimal(70), companyId=client)
    shop.add_deal(BORIS, "WON", days_ago=3, closed_days_ago=1, opportunity=Decimal(9_999))
    shop.read()
    told = ask(shop, f"company/{client}")
    # 100 + 300.50 of two deals that were won ten days apart
    assert told["purchases"] | {"first_day": None, "last_day": None} == {
        "count": 2,
        "amount": "400.50",
        "currency": "RUB",
        "average": "200.25",
        "first_day": None,
        "last_day": None,
        "without_rate": 0,
    }
    assert told["is_repeat"] is True
    assert abs(told["between_s"] - 10 * DAY) <= 5
    assert told["open"] == {"count": 1, "amount": "70.00"}
    assert told["support"]["cases"] == 0
    assert "Somebody" not in str(told)


def test_a_lead_knows_its_channel(shop: Company) -> None:
    leads = [
        crm.add_item(shop.portal, "lead", {"assignedById": ANNA, "utmSource": "ads", "title": "A lead"})
        for _ in range(3)
    ]
    crm.move_lead(shop.portal, leads[0], "CONVERTED")
    shop.read()
    told = ask(shop, f"lead/{leads[1]}")
    assert told["status"] == "open"
    assert told["channel"] == {"name": "ads", "leads": 3, "converted": 1, "days": 90}
    assert told["owner"] == {"id": ANNA, "name": "Anna Seller", "visible": True}
    assert told["first_response"] == {"seconds": None, "reason": "no_records"}


def test_what_the_portal_does_not_show_is_not_told(shop: Company) -> None:
    lead = crm.add_item(shop.portal, "lead", {"assignedById": IVAN, "title": "Not Anna's"})
    shop.read()
    assert shop.api.get(f"/api/v1/cards/lead/{lead}", ANNA).status_code == 403
    assert shop.api.get("/api/v1/cards/lead/987654", ANNA).status_code == 403
    assert shop.api.get("/api/v1/cards/lead/987654", 1, is_admin=True).status_code == 404
    assert shop.api.get("/api/v1/cards/moon/1", ANNA).status_code == 404
    assert shop.api.get("/api/v1/cards/project/987654", ANNA).status_code == 403
    assert shop.api.get("/api/v1/cards/task/987654", ANNA).status_code == 403
