"""Numbers of projects and activity read over HTTP, and the records behind each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from b24app.sync import refresh
from emulator import activities, crm, crm_types, seed, tasks
from tests.cast import ANNA, BORIS, IVAN, OLGA, SALES
from tests.http.api_portal import Company, company
from tests.http.api_server import PORTAL

EVER = "from=2020-01-01&to=2030-01-01"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = 3600


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def ask(shop: Company, metric: str, user_id: int = ANNA, *, more: str = "", is_admin: bool = False) -> Any:
    path = f"/api/v1/kpi/records?metric={metric}&{EVER}{more}"
    answer = shop.api.get(path, user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def add_task(shop: Company, title: str, owner: int = ANNA, **fields: Any) -> int:
    return tasks.add_task(
        shop.portal, {"TITLE": title, "RESPONSIBLE_ID": owner, **fields}, at=NOW - timedelta(days=9)
    )


def close(shop: Company, task_id: int, *, returned: bool = False) -> None:
    steps = [tasks.CONTROL, tasks.WAITING, tasks.DONE] if returned else [tasks.DONE]
    for hours, status in enumerate(steps, 1):
        tasks.update_task(
            shop.portal, task_id, {"STATUS": status}, at=NOW - timedelta(days=5) + timedelta(hours=hours)
        )


def test_tasks_are_named_by_the_portal_and_add_up(shop: Company) -> None:
    group = {"NAME": "Site", "OWNER_ID": ANNA, "ACTIVE": True, "VISIBLE": True, "CLOSED": False}
    group_id = shop.portal.put("group", group)
    good = add_task(shop, "Draw", GROUP_ID=group_id)
    bad = add_task(shop, "Write")
    add_task(shop, "Open")
    close(shop, good)
    close(shop, bad, returned=True)
    shop.read()
    body = ask(shop, "rework_rate")
    assert (body["value"], body["numerator"], body["denominator"]) == ("0.5", 1, 2)
    rows = {row["title"]: row for row in body["records"]}
    assert {title: (row["counts"], row["adds"], row["weighs"]) for title, row in rows.items()} == {
        "Draw": (False, 0, 1),
        "Write": (True, 1, 1),
    }
    assert rows["Draw"]["type"] == "task"
    assert rows["Draw"]["project"] == {"id": group_id, "name": "Site"}
    assert rows["Draw"]["path"] == f"/company/personal/user/{ANNA}/tasks/task/view/{good}/"
    assert (rows["Draw"]["stage"], rows["Draw"]["pipeline"]) == (None, None)
    assert (body["total"], body["shown"], body["hidden"], body["shown_sum"]) == (2, 2, 0, 1)


def test_hours_and_the_plan_are_behind_one_number(shop: Company) -> None:
    planned = add_task(shop, "Plan", DEADLINE=NOW - timedelta(days=1), TIME_ESTIMATE=4 * HOUR)
    tasks.log_time(shop.portal, planned, ANNA, 3 * HOUR, at=NOW - timedelta(days=2))
    shop.read()
    body = ask(shop, "resource_plan")
    assert (body["value"], body["numerator"], body["denominator"]) == ("0.75", 3 * HOUR, 4 * HOUR)
    assert [(row["type"], row["title"], row["adds"], row["weighs"]) for row in body["records"]] == [
        ("task", "Plan", 0, 4 * HOUR),
        ("time_record", "Plan", 3 * HOUR, 0),
    ]
    found = shop.api.get(f"/api/v1/kpi?metric=utilization&scope=me&{EVER}", ANNA).json()["values"][0]
    assert found["numerator"] == 3 * HOUR
    assert [row["type"] for row in ask(shop, "utilization")["records"]] == ["time_record"]


def test_calls_with_a_negative_duration_are_listed_with_the_reason(shop: Company) -> None:
    contact_id = crm.add_item(
        shop.portal, "contact", {"name": "Petr", "lastName": "Ivanov", "assignedById": ANNA}
    )
    for seconds, code in ((60, "200"), (-5, "200"), (0, "304")):
        shop.portal.put(
            "call",
            {
                "PORTAL_USER_ID": ANNA, "CALL_TYPE": 2, "CALL_DURATION": seconds, "CALL_FAILED_CODE": code,
                "CALL_START_DATE": NOW - timedelta(days=1), "PHONE_NUMBER": f"+7{seconds}",
                "CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": contact_id,
            },
        )  # fmt: skip
    shop.read()
    body = ask(shop, "talk_time", OLGA, more="&scope=company", is_admin=True)
    assert body["value"] == body["shown_sum"] == 60
    assert {(row["title"], row["counts"], row["left_out"]) for row in body["records"]} == {
        ("+760", True, None),
        ("+7-5", False, "negative_duration"),
    }
    row = body["records"][0]
    assert row["client"] == {"type": "contact", "id": contact_id, "name": "Petr Ivanov"}
    assert row["path"] == f"/crm/contact/details/{contact_id}/"
    missed = ask(shop, "calls_missed_rate", OLGA, more="&scope=company", is_admin=True)
    assert (missed["numerator"], missed["denominator"], missed["total"]) == (1, 3, 3)


def test_activities_and_idle_deals(shop: Company) -> None:
    busy = shop.add_deal(ANNA, title="Busy")
    shop.add_deal(ANNA, title="Idle")
    shop.add_deal(BORIS, title="Of Boris")
    soon, late = NOW + timedelta(days=1), NOW - timedelta(days=1)
    activities.add_todo(shop.portal, 2, busy, soon, title="Call back", responsible_id=ANNA)
    activities.add_todo(shop.portal, 2, busy, late, title="Send the offer", responsible_id=ANNA)
    shop.read()
    idle = ask(shop, "deals_idle")
    assert [(row["type"], row["title"]) for row in idle["records"]] == [("deal", "Idle")]
    overdue = ask(shop, "activities_overdue")
    assert overdue["value"] == 1
    (row,) = overdue["records"]
    assert (row["type"], row["title"], row["path"]) == (
        "activity", "Send the offer", f"/crm/deal/details/{busy}/",
    )  # fmt: skip


def test_what_the_portal_does_not_show_stays_hidden(shop: Company) -> None:
    close(shop, add_task(shop, "Secret", BORIS, CREATED_BY=OLGA))
    shop.read()
    shop.portal.change("user", BORIS, UF_DEPARTMENT=[20])  # on the portal Ivan heads him no more
    body = ask(shop, "tasks_done", IVAN, more=f"&scope=department:{SALES}")
    assert (body["value"], body["shown"], body["hidden"], body["hidden_sum"]) == (1, 0, 1, 1)
    assert "Secret" not in str(body)


def test_a_money_budget_is_read_once_it_is_chosen_and_followed(shop: Company) -> None:
    number = seed.add_smart_process(shop.portal, "Works")
    kind = f"dynamic_{number}"
    planned = seed.add_custom_field(shop.portal, kind, "Planned", "double")
    actual = seed.add_custom_field(shop.portal, kind, "Actual", "double")
    item = {"assignedById": ANNA, "currencyId": "RUB", planned: 1000, actual: 1250, "title": "House"}
    house = crm.add_item(shop.portal, kind, item, at=NOW - timedelta(days=3))
    garage = crm.add_item(
        shop.portal, kind, {**item, "title": "Garage", "currencyId": "USD", actual: 900}, at=NOW
    )
    category = crm_types.default_category(shop.portal, kind)
    for item_id in (house, garage):
        crm.move_item(shop.portal, kind, item_id, f"DT{number}_{category}:SUCCESS", at=NOW)
    shop.read()
    assert ask(shop, "budget_deviation")["reason"] == "no_records"  # of tasks: there are none
    chosen = {"entity_type_id": number, "planned_field": planned, "actual_field": actual}
    answer = shop.api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json={"budget": chosen})
    assert answer.status_code == 200, answer.text
    assert ask(shop, "budget_deviation")["reason"] == "not_synced"
    shop.read()
    body = ask(shop, "budget_deviation")
    # planned 1000 + 1000 × 80 = 81,000; actual 1250 + 900 × 80 = 73,250; -7750 / 81000
    assert (body["value"], body["numerator"], body["denominator"]) == (
        "-0.0956790123", "-7750.00", "81000.00",
    )  # fmt: skip
    rows = {row["title"]: row for row in body["records"]}
    assert (rows["House"]["adds"], rows["House"]["weighs"]) == ("250.00", "1000.00")
    assert rows["House"]["path"] == f"/crm/type/{number}/details/{house}/"
    assert (rows["House"]["type"], rows["House"]["currency"]) == ("item", "RUB")
    crm.update_item(shop.portal, kind, house, {actual: 1500})
    assert refresh.run(shop.api.parts, PORTAL)
    assert ask(shop, "budget_deviation")["numerator"] == "-7500.00"
    crm.update_item(shop.portal, kind, house, {"opportunity": Decimal(7)})
    answer = shop.api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json={"budget": None})
    assert answer.status_code == 200, answer.text
    assert ask(shop, "budget_deviation")["reason"] == "no_records"
