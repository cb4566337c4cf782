"""Why the won amount changed: the answer over HTTP, its parts, its records, and whom it is for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from emulator import crm
from tests.cast import ANNA, BORIS, IVAN, OLGA, SALES, SVETA
from tests.http.api_portal import Company, company
from tests.http.test_api_openapi import check, described

LAST_DAYS = 40


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def period(shop: Company) -> str:
    """The last 40 days, today included; compared with the 40 days before."""
    today = date.fromisoformat(shop.api.get("/api/v1/kpi?scope=me", ANNA).json()["today"])
    return f"from={today - timedelta(LAST_DAYS - 1)}&to={today + timedelta(1)}"


def ask(shop: Company, scope: str, user_id: int = IVAN, path: str = "why", **kwargs: Any) -> Any:
    answer = shop.api.get(f"/api/v1/{path}?scope={scope}&{period(shop)}", user_id, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.json()


def money(shop: Company, owner: int, amount: str, days_ago: float, **fields: Any) -> int:
    return shop.add_deal(
        owner, "WON", days_ago=days_ago + 1, closed_days_ago=days_ago, opportunity=Decimal(amount), **fields
    )


def test_the_change_is_split_into_drivers_people_and_records(shop: Company) -> None:
    for days_ago in (50, 50, 3, 3, 3, 3):
        crm.add_item(
            shop.portal,
            "lead",
            {"title": "Call", "assignedById": ANNA},
            at=datetime.now(UTC) - timedelta(days_ago),
        )
    money(shop, ANNA, "1000", 50, title="Old roof")
    money(shop, ANNA, "200", 2, title="Door")
    big = money(shop, BORIS, "40", 2, title="Of Boris", currencyId="USD")
    lost = shop.add_deal(BORIS, days_ago=5, title="Lost")
    crm.move_deal(shop.portal, lost, "LOSE")
    shop.read()

    body = ask(shop, f"department:{SALES}")
    check(body, "Why", described(shop.api))
    # before: 2 leads, 1 deal, 1000; now: 4 leads, 2 deals, 200 + 40 × 80 = 3400; conversion 1/2 both times
    # leads: + 2 × 1/2 × (1000 + 1700) / 2 = 1350; check: + 700 × 1/2 × (2 + 4) / 2 = 1050; sum 2400
    assert (body["before"], body["value"], body["change"]) == ("1000.00", "3400.00", "2400.00")
    assert [(d["key"], d["before"], d["now"], d["effect"]) for d in body["drivers"]] == [
        ("leads", 2, 4, "1350.00"),
        ("conversion", "0.5", "0.5", "0.00"),
        ("average_check", "1000", "1700", "1050.00"),
    ]
    assert [(p["key"], p["effect"]) for p in body["people"]] == [
        (f"user:{ANNA}", "-800.00"),
        (f"user:{BORIS}", "3200.00"),
    ]
    assert body["others"] == "0.00"
    assert (body["lost"]["count"], body["lost"]["before"]) == (1, 0)
    assert [stage["key"] for stage in body["lost"]["stages"]] == ["stage:0:NEW"]
    quality = {row["key"]: (row["count"], row["of"]) for row in body["quality"]}
    assert quality["won_without_client"] == (2, 2)

    moved = ask(shop, f"department:{SALES}", path="why/records")
    check(moved, "WhyRecords", described(shop.api))
    assert [(row["title"], row["effect"]) for row in moved["up"]] == [
        ("Of Boris", "3200.00"),
        ("Door", "200.00"),
    ]
    assert [(row["title"], row["effect"]) for row in moved["down"]] == [("Old roof", "-1000.00")]
    assert moved["up"][0]["path"] == f"/crm/deal/details/{big}/"
    assert moved["hidden"] == 0


def test_an_employee_sees_only_what_is_theirs(shop: Company) -> None:
    money(shop, ANNA, "200", 2, title="Door")
    money(shop, BORIS, "900", 2, title="Of Boris")
    shop.read()
    own = ask(shop, "me", ANNA)
    assert (own["change"], own["people"]) == ("200.00", [])
    assert [row["title"] for row in ask(shop, "me", ANNA, "why/records")["up"]] == ["Door"]
    for path in ("why", "why/records"):
        assert shop.api.get(f"/api/v1/{path}?scope=user:{BORIS}", ANNA).status_code == 403
        assert shop.api.get(f"/api/v1/{path}?scope=department:{SALES}", ANNA).status_code == 403


def test_records_that_the_portal_hides_are_only_counted(shop: Company) -> None:
    money(shop, BORIS, "200", 2, title="Door")
    shop.read()
    grants = {"grants": [{"user": SVETA, "scope": "company"}]}
    shop.api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json=grants).raise_for_status()
    body = ask(shop, "company", SVETA, "why/records")
    assert (body["up"], body["down"], body["hidden"]) == ([], [], 1)
    assert [row["title"] for row in ask(shop, "company", OLGA, "why/records", is_admin=True)["up"]] == [
        "Door"
    ]


def test_a_wrong_parameter_is_named(shop: Company) -> None:
    for query, name in (("colour=red", "colour"), ("compare=never", "compare"), ("from=2026-01-01", "to")):
        answer = shop.api.get(f"/api/v1/why?{query}", OLGA, is_admin=True)
        assert answer.status_code == 400
        assert name in answer.json()["detail"]
