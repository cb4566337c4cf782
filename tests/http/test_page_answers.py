"""The answers that come with a page are those that the API gives, whatever has happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, event

from b24app.sync import refresh
from emulator import crm
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA, SALES
from tests.http.api_portal import Company, company
from tests.http.api_server import PORTAL
from tests.http.live import boot, token

MONTH = f"{datetime.now(UTC):%Y-%m}"


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        running.read()
        yield running


def opened(shop: Company, user_id: int) -> requests.Response:
    """The page of the left menu."""
    query, form = shop.emulator.frame_post(shop.portal, user_id, "LEFT_MENU")
    page = requests.post(f"{shop.api.url}/", params=query, data=form, timeout=20)
    assert page.status_code == 200, page.text[:300]
    return page


def without_moment(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "as_of"}


def compare(shop: Company, user_id: int) -> dict[str, Any]:
    """Every answer of the page beside that of the API; returns those of the page."""
    page = opened(shop, user_id)
    first: dict[str, Any] = boot(page)["first"]
    headers = {"Authorization": f"Bearer {token(page)}"}
    assert any(path.startswith("/api/v1/kpi") for path in first)
    for path, answer in first.items():
        told = requests.get(shop.api.url + path, headers=headers, timeout=20).json()
        assert without_moment(answer) == without_moment(told), path
    return first


def revenue(first: dict[str, Any]) -> Any:
    path = next(path for path in first if "revenue" in path and "period=month" in path and "/kpi" in path)
    return first[path]["values"][0]["value"]


def changes(shop: Company) -> list[Callable[[], object]]:
    """One step after the other of what moves numbers, targets, sets, settings, people and states."""

    def call(method: str, path: str, body: Any) -> None:
        answer = shop.api.call(method, f"/api/v1{path}", OLGA, is_admin=True, json=body)
        assert answer.ok, answer.text

    def check() -> None:
        refresh.run(shop.api.parts, PORTAL)

    def sell() -> None:
        shop.add_deal(ANNA, "WON", opportunity=Decimal("100.10"))
        check()

    def target(value: int | None) -> None:
        row = {"metric": "revenue", "scope": f"user:{ANNA}", "month": MONTH, "value": value}
        call("PUT", "/targets", [row])

    def dismiss() -> None:
        shop.portal.change("user", BORIS, ACTIVE=False)
        shop.read()

    def cost() -> None:
        days = {"from": f"{MONTH}-01", "to": f"{MONTH}-28"}
        call(
            "PUT", "/costs", [{"external_id": "c", "channel": "x", "amount": "5", "currency": "RUB", **days}]
        )

    chosen = [{"metric": "deals_won", "weight": 1}, {"metric": "revenue", "weight": 1}]
    seller = {"name": "Sellers", "metrics": chosen, "assigned": {"departments": [SALES]}}
    return [
        sell,
        sell,
        lambda: target(500),
        lambda: target(50),
        lambda: call("POST", "/sets", seller),
        lambda: call("PATCH", "/settings", {"thresholds": {"met": 5, "near": 4}}),
        cost,
        dismiss,
        check,  # nothing new
        sell,
    ]


@pytest.mark.parametrize("user_id", [ANNA, IVAN, OLGA])
def test_what_comes_with_a_page_is_what_the_api_says_after_any_change(shop: Company, user_id: int) -> None:
    compare(shop, user_id)
    for change in changes(shop):
        change()
        compare(shop, user_id)
        compare(shop, user_id)  # kept now


def test_a_page_that_was_opened_before_reads_no_numbers_again(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(7))
    refresh.run(shop.api.parts, PORTAL)
    assert revenue(compare(shop, ANNA)) == "7.00"
    statements: list[str] = []

    @event.listens_for(shop.api.parts.engine, "before_cursor_execute")
    def _note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    assert revenue(boot(opened(shop, ANNA))["first"]) == "7.00"
    assert not [one for one in statements if "FROM deals" in one or "FROM sums_" in one]
    assert len(statements) <= 12  # with a new token, which is stored
    statements.clear()
    crm.move_deal(shop.portal, 1, "LOSE")
    refresh.run(shop.api.parts, PORTAL)
    assert revenue(boot(opened(shop, ANNA))["first"]) == "0.00"


def test_what_was_kept_for_one_is_never_shown_to_another(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(7))
    shop.add_deal(BORIS, "WON", opportunity=Decimal(9))
    refresh.run(shop.api.parts, PORTAL)
    for user_id, amount in (
        (ANNA, "7.00"),
        (BORIS, "9.00"),
        (ANNA, "7.00"),
        (IVAN, "16.00"),
        (BORIS, "9.00"),
    ):
        page = opened(shop, user_id)
        first = boot(page)["first"]
        assert revenue(first) == amount
        people = {one["id"] for one in first["/api/v1/org"]["employees"]}
        assert (IVAN in people) == (user_id == IVAN)
        assert (f"department:{INSIDE}" in page.text) == (user_id == IVAN)
