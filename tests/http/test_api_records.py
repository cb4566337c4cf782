from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from emulator import crm
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA, SALES, SVETA
from tests.http.api_portal import Company, company

MONTH = "from=2020-01-01&to=2030-01-01"


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def ask(shop: Company, query: str, user_id: int = ANNA, *, is_admin: bool = False) -> Any:
    answer = shop.api.get(f"/api/v1/kpi/records?{query}&{MONTH}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_rows_add_up_to_the_number(shop: Company) -> None:
    company_id = crm.add_item(shop.portal, "company", {"title": "Romashka", "assignedById": ANNA})
    shop.add_deal(ANNA, "WON", opportunity=Decimal("100.50"), title="Roof", companyId=company_id)
    shop.add_deal(ANNA, "WON", opportunity=Decimal(10), currencyId="USD", title="Door")
    shop.add_deal(ANNA, "WON", opportunity=Decimal(7), currencyId="XXX", title="Window")
    shop.add_deal(ANNA, "LOSE", opportunity=Decimal(1000), title="Lost")
    shop.add_deal(BORIS, "WON", opportunity=Decimal(5000), title="Of Boris")
    shop.read()
    body = ask(shop, "metric=revenue")
    # 100.50 RUB + 10 USD at 80 = 900.50; the one without a rate is listed, and left out of the money
    assert (body["value"], body["shown_sum"], body["total"], body["hidden"]) == ("900.50", "900.50", 3, 0)
    rows = {row["title"]: row for row in body["records"]}
    assert set(rows) == {"Roof", "Door", "Window"}
    assert (rows["Door"]["adds"], rows["Door"]["amount"], rows["Door"]["currency"]) == (
        "800.00",
        "10.00",
        "USD",
    )
    assert (rows["Window"]["adds"], rows["Window"]["left_out"]) == (None, "no_rate")
    assert rows["Roof"]["client"] == {"type": "company", "id": company_id, "name": "Romashka"}
    assert rows["Roof"]["path"] == f"/crm/deal/details/{rows['Roof']['id']}/"
    assert rows["Roof"]["stage"] == {"id": "WON", "name": "Deal successful"}
    assert rows["Roof"]["owner"] == {"id": ANNA, "name": "Anna Seller"}


def test_a_ratio_lists_its_denominator_and_marks_what_counts(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", title="Won")
    shop.add_deal(ANNA, "LOSE", title="Lost")
    shop.add_deal(ANNA, title="Open")
    shop.read()
    body = ask(shop, "metric=win_rate")
    assert (body["value"], body["numerator"], body["denominator"]) == ("0.5", 1, 2)
    assert {row["title"]: row["counts"] for row in body["records"]} == {"Won": True, "Lost": False}
    assert (body["total"], body["shown_sum"]) == (2, 1)


def test_a_mean_lists_the_seconds_of_each(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", days_ago=3, closed_days_ago=1)
    shop.read()
    body = ask(shop, "metric=processing_time")
    (row,) = body["records"]
    assert abs(row["adds"] - 2 * 86_400) <= 1
    assert body["numerator"] == row["adds"]


def test_leads_are_listed_as_leads(shop: Company) -> None:
    lead_id = crm.add_item(shop.portal, "lead", {"title": "Call", "assignedById": ANNA})
    crm.add_item(shop.portal, "lead", {"title": "Other", "assignedById": BORIS})
    crm.move_lead(shop.portal, lead_id, "CONVERTED")
    shop.read()
    body = ask(shop, "metric=lead_conversion")
    (row,) = body["records"]
    assert (row["type"], row["id"], row["title"], row["counts"]) == ("lead", lead_id, "Call", True)
    assert row["pipeline"] is None


def test_pages_of_fifty_hold_each_record_once(shop: Company) -> None:
    for number in range(103):
        shop.add_deal(ANNA, "WON", title=f"Deal {number}")
    shop.read()
    pages = [ask(shop, f"metric=deals_won&page={page}") for page in (1, 2, 3, 4)]
    assert [len(page["records"]) for page in pages] == [50, 50, 3, 0]
    assert (pages[0]["total"], pages[0]["pages"], pages[0]["value"]) == (103, 3, 103)
    assert len({row["id"] for page in pages for row in page["records"]}) == 103


def test_what_the_portal_does_not_show_is_counted_and_not_described(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(100), title="Shown")
    gone = shop.add_deal(BORIS, "WON", opportunity=Decimal(60), title="Secret")
    shop.read()
    shop.portal.change("user", BORIS, UF_DEPARTMENT=[20])  # on the portal Ivan heads him no more
    body = ask(shop, f"metric=revenue&scope=department:{SALES}", IVAN)
    assert (body["value"], body["total"], body["shown"], body["hidden"]) == ("160.00", 2, 1, 1)
    assert (body["shown_sum"], body["hidden_sum"]) == ("100.00", "60.00")
    assert [row["title"] for row in body["records"]] == ["Shown"]
    assert "Secret" not in str(body)
    assert gone not in [row["id"] for row in body["records"]]


def test_the_sum_of_hidden_records_is_for_heads_and_admins(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA, "WON", opportunity=Decimal(100))
    shop.read()
    crm.delete_item(shop.portal, "deal", deal_id)
    assert ask(shop, "metric=revenue")["hidden_sum"] is None
    assert ask(shop, f"metric=revenue&scope=user:{ANNA}", OLGA, is_admin=True)["hidden_sum"] == "100.00"


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("query", "user_id", "is_admin", "status", "named"),
    [
        (f"metric=revenue&scope=user:{BORIS}", ANNA, False, 403, "scope"),
        (f"metric=revenue&scope=department:{INSIDE}", SVETA, False, 403, "scope"),
        ("metric=revenue&scope=company", IVAN, False, 403, "scope"),
        ("metric=revenue&scope=user:999", ANNA, False, 403, "scope"),
        ("metric=revenue&scope=user:999", OLGA, True, 404, "scope"),
        ("metric=none", ANNA, False, 404, "metric"),
        ("", ANNA, False, 400, "metric"),
        ("metric=revenue,win_rate", ANNA, False, 400, "metric"),
        ("metric=revenue&page=0", ANNA, False, 400, "page"),
        ("metric=revenue&page=x", ANNA, False, 400, "page"),
        ("metric=revenue&page=1&page=2", ANNA, False, 400, "page"),
        ("metric=revenue&by=day", ANNA, False, 400, "by"),
        ("metric=revenue&from=2026-13-01&to=2026-12-01", ANNA, False, 400, "from"),
    ],
)
def test_wrong_questions_are_refused_by_name(
    shop: Company, query: str, user_id: int, is_admin: bool, status: int, named: str
) -> None:
    shop.read()
    answer = shop.api.get(f"/api/v1/kpi/records?{query}", user_id, is_admin=is_admin)
    assert (answer.status_code, answer.json()["parameter"]) == (status, named)


def test_no_record_is_named_while_the_portal_does_not_answer(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", title="Secret")
    shop.read()
    shop.emulator.faults(shop.portal).add(kind="close", times=100)
    answer = shop.api.get(f"/api/v1/kpi/records?metric=deals_won&{MONTH}", ANNA)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
