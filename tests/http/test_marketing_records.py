"""The costs, results and deals behind marketing numbers, over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from emulator import crm
from tests.cast import ANNA, BORIS, IVAN, OLGA, SALES, SUPPORT
from tests.http.api_portal import Company, company

DECADE = "from=2020-01-01&to=2030-01-01"
COST = {"from": "2026-01-01", "to": "2026-01-31", "currency": "RUB"}


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def put(shop: Company, kind: str, *rows: dict[str, Any]) -> None:
    answer = shop.api.call("PUT", f"/api/v1/{kind}", OLGA, is_admin=True, json=list(rows))
    assert answer.json() == {"accepted": len(rows)}


def ask(shop: Company, query: str, user_id: int = OLGA, *, is_admin: bool = True) -> Any:
    answer = shop.api.get(f"/api/v1/kpi/records?{query}&{DECADE}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_costs_and_first_purchases_stand_behind_cac(shop: Company) -> None:
    client = crm.add_item(shop.portal, "company", {"title": "Romashka", "assignedById": ANNA})
    shop.add_deal(
        ANNA, "WON", days_ago=9, closed_days_ago=8, title="First", companyId=client, utmSource="ads"
    )
    shop.add_deal(ANNA, "WON", title="Second", companyId=client)
    shop.add_deal(ANNA, "WON", title="Nobody's")
    shop.read()
    put(
        shop,
        "costs",
        {**COST, "external_id": "a", "channel": "ads", "amount": "310"},
        {**COST, "external_id": "b", "channel": "mail", "amount": "5", "currency": "GBP"},
        {
            **COST,
            "external_id": "c",
            "channel": "ads",
            "amount": "31",
            "from": "2029-12-31",
            "to": "2030-01-01",
        },
    )
    body = ask(shop, "metric=cac&scope=company")
    # 310 + half of 31, for one new client
    assert (body["value"], body["numerator"], body["denominator"]) == ("325.5", "325.50", 1)
    rows = {str(row["title"]) + str(row["id"]): row for row in body["records"]}
    assert (body["total"], body["shown"], body["hidden"], len(rows)) == (6, 6, 0, 6)
    left_out = {row["title"]: row["left_out"] for row in rows.values() if row["type"] == "deal"}
    assert left_out == {"First": None, "Second": "bought_before", "Nobody's": "no_client"}
    assert sum(Fraction(row["adds"] or 0) for row in rows.values()) == Fraction(body["numerator"])
    assert sum(row["weighs"] for row in rows.values() if row["type"] == "deal") == body["denominator"]
    assert body["shown_sum"] == "325.50"
    first, ads, late, mail = (
        rows.pop(next(k for k in rows if k.startswith("First"))),
        rows["adsa"],
        rows["adsc"],
        rows["mailb"],
    )
    assert (first["counts"], first["weighs"], first["channel"]) == (False, 1, "ads")
    assert (ads["type"], ads["adds"], ads["counts"], ads["amount"], ads["day"], ads["until"]) == (
        "cost",
        "310.00",
        True,
        "310.00",
        "2026-01-01",
        "2026-01-31",
    )
    assert (late["adds"], late["amount"]) == ("15.50", "31.00")
    assert (mail["adds"], mail["left_out"], mail["counts"]) == (None, "no_rate", False)


def test_deals_and_costs_of_paid_channels_make_the_return(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", title="Paid", utmSource="ads", opportunity=Decimal(500))
    shop.add_deal(BORIS, "WON", title="Free", utmSource="friends", opportunity=Decimal(9000))
    shop.read()
    put(shop, "costs", {**COST, "external_id": "a", "channel": "ads", "amount": "200"})
    body = ask(shop, "metric=channel_roi&scope=company")
    # (500 − 200) / 200
    assert (body["value"], body["numerator"], body["shown_sum"]) == ("1.5", "300.00", "300.00")
    assert body["left_out"] == [{"reason": "no_cost", "count": 1}]
    told = {row["title"]: (row["adds"], row["weighs"], row["left_out"]) for row in body["records"]}
    assert told == {
        "ads": ("-200.00", "200.00", None),
        "Paid": ("500.00", "0.00", None),
        "Free": (None, None, "no_cost"),
    }


def test_campaign_results_are_listed_without_asking_the_portal(shop: Company) -> None:
    shop.read()
    numbers = {"delivered": 100, "opened": 30, "clicked": 3, "visits": 0}
    put(
        shop,
        "campaigns",
        {"external_id": "a", "channel": "mail", "date": "2026-11-03", "name": "Autumn", **numbers},
        {
            "external_id": "b",
            "channel": "mail",
            "date": "2026-11-04",
            "name": "",
            **numbers,
            "department": SUPPORT,
        },
    )
    body = ask(shop, "metric=engagement_rate&scope=company")
    assert (body["value"], body["shown_sum"]) == ("0.3", 60)
    assert [(row["title"], row["adds"], row["weighs"]) for row in body["records"]] == [
        ("mail", 30, 100),
        ("Autumn", 30, 100),
    ]
    assert body["records"][0]["department"] == {"id": SUPPORT, "name": "Support"}


def test_a_head_sees_the_entries_of_the_department_and_below_only(shop: Company) -> None:
    shop.read()
    put(
        shop,
        "costs",
        {**COST, "external_id": "ours", "channel": "ads", "amount": "1", "department": SALES},
        {**COST, "external_id": "theirs", "channel": "ads", "amount": "77", "department": SUPPORT},
        {**COST, "external_id": "nobody's", "channel": "ads", "amount": "77"},
    )
    body = ask(shop, f"metric=cac&scope=department:{SALES}", IVAN, is_admin=False)
    assert [row["id"] for row in body["records"]] == ["ours"]
    assert "77" not in str(body["records"])
    asked = f"/api/v1/kpi/records?metric=cac&{DECADE}"
    assert shop.api.get(f"{asked}&scope=company", IVAN).status_code == 403


def test_pages_go_from_entries_to_deals(shop: Company) -> None:
    for number in range(3):
        contact = crm.add_item(shop.portal, "contact", {"name": f"Client {number}", "assignedById": ANNA})
        shop.add_deal(ANNA, "WON", title=f"Deal {number}", contactId=contact)
    shop.read()
    put(shop, "costs", *({**COST, "external_id": f"c{n}", "channel": "ads", "amount": n} for n in range(49)))
    pages = [ask(shop, f"metric=cac&scope=company&page={page}") for page in (1, 2, 3)]
    assert [len(page["records"]) for page in pages] == [50, 2, 0]
    assert (pages[0]["total"], pages[0]["pages"]) == (52, 2)
    assert [row["type"] for row in pages[0]["records"]] == ["cost"] * 49 + ["deal"]
    assert len({(row["type"], row["id"]) for page in pages for row in page["records"]}) == 52


def test_the_numbers_follow_an_upload_and_a_deletion_at_once(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", utmSource="ads", opportunity=Decimal(100))
    shop.read()
    path = f"/api/v1/kpi?metric=channel_roi&scope=company&{DECADE}"

    def now() -> Any:
        answer = shop.api.get(path, OLGA, is_admin=True)
        value = answer.json()["values"][0]
        return answer.headers["ETag"], value["value"], value["reason"]

    before, value, reason = now()
    assert (value, reason) == (None, "no_records")
    put(shop, "costs", {**COST, "external_id": "a", "channel": "ads", "amount": "50"})
    after, value, _ = now()
    assert (value, before != after) == ("1", True)
    shop.api.call("DELETE", "/api/v1/costs/a", OLGA, is_admin=True)
    assert now()[1:] == (None, "no_records")


def test_the_catalogue_says_what_has_to_be_entered_first(shop: Company) -> None:
    shop.read()

    def cac() -> Any:
        body = shop.api.get("/api/v1/metrics", OLGA, is_admin=True).json()
        return next(m for m in body["metrics"] if m["key"] == "cac")

    assert (cac()["available"], cac()["reason"], cac()["origin"]) == (False, "no_records", "manual")
    assert cac()["scopes"] == ["department", "company"]
    assert cac()["dimensions"] == ["day", "week", "month", "department", "channel"]
    put(shop, "costs", {**COST, "external_id": "a", "channel": "ads", "amount": "50"})
    assert (cac()["available"], cac()["reason"]) == (True, None)
