"""Support numbers read over HTTP, the records behind each of them, and what an admin's choices change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from b24app.sync import refresh
from emulator import activities, crm, seed
from tests.cast import ANNA, BORIS, OLGA
from tests.http.api_portal import Company, company
from tests.http.api_server import PORTAL

EVER = "from=2020-01-01&to=2030-01-01"
NOW = datetime.now(UTC).replace(microsecond=0)
CLIENT = 5001


@pytest.fixture
def desk(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


def ask(desk: Company, metric: str, user_id: int = OLGA, *, more: str = "&scope=company") -> Any:
    path = f"/api/v1/kpi/records?metric={metric}&{EVER}{more}"
    answer = desk.api.get(path, user_id, is_admin=user_id == OLGA)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kpi(desk: Company, metric: str) -> Any:
    answer = desk.api.get(f"/api/v1/kpi?metric={metric}&scope=company&{EVER}", OLGA, is_admin=True)
    assert answer.status_code == 200, answer.text
    return answer.json()["values"][0]


def settle(desk: Company, **chosen: Any) -> None:
    """An admin changes settings."""
    answer = desk.api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json=chosen)
    assert answer.status_code == 200, answer.text


def add_chat(
    desk: Company,
    session_id: int,
    subject: str,
    *,
    item: tuple[int, int],
    owner: int = ANNA,
    reply_s: int | None = 60,
    vote: int = 0,
) -> int:
    """A chat of yesterday that was closed after ten minutes; the id of its activity."""
    opened = NOW - timedelta(days=1)
    closed = opened + timedelta(seconds=600)
    said: list[tuple[int, datetime, dict[str, int]]] = [(CLIENT, opened, {})]
    if reply_s is not None:
        said.append((owner, opened + timedelta(seconds=reply_s), {}))
    said.append((0, closed, {"imolVoteSid": session_id, "imolVoteUser": vote}))
    for sender, at, params in said:
        desk.portal.put(
            "session_message",
            {
                "SESSION_ID": session_id, "CHAT_ID": 20_000 + session_id, "SENDER_ID": sender, "DATE": at,
                "TEXT": "…", "PARAMS": params,
            },
            quiet=True,
        )  # fmt: skip
    fields = {
        "PROVIDER_ID": "IMOPENLINES_SESSION", "ASSOCIATED_ENTITY_ID": session_id, "SUBJECT": subject,
        "RESPONSIBLE_ID": owner, "START_TIME": opened, "END_TIME": closed, "COMPLETED": True,
    }  # fmt: skip
    return activities.add_activity(desk.portal, *item, fields, at=closed)


def add_call(desk: Company, number: str, *, vote: int = 0) -> int:
    return desk.portal.put(
        "call",
        {
            "PORTAL_USER_ID": ANNA, "CALL_TYPE": 2, "CALL_DURATION": 30, "CALL_FAILED_CODE": "200",
            "CALL_START_DATE": NOW - timedelta(hours=1), "PHONE_NUMBER": number, "CALL_VOTE": vote,
        },
    )  # fmt: skip


def test_chats_calls_and_tickets_are_listed_as_what_they_are(desk: Company) -> None:
    contact = crm.add_item(
        desk.portal, "contact", {"name": "Petr", "lastName": "Ivanov", "assignedById": ANNA}
    )
    entity_type_id = seed.add_smart_process(desk.portal, "Tickets")
    category_id = next(
        row["id"] for row in desk.portal.records["item_category"] if row["entityTypeId"] == entity_type_id
    )
    add_chat(desk, 101, "Chat with Petr", item=(3, contact))
    add_call(desk, "+7999")
    ticket = crm.add_item(
        desk.portal,
        f"dynamic_{entity_type_id}",
        {"title": "It is broken", "assignedById": ANNA, "contactId": contact},
    )
    desk.read()
    assert kpi(desk, "cases")["value"] == 1
    tickets = [{"entity_type_id": entity_type_id, "category_id": category_id}]
    settle(desk, support={"calls": True, "tickets": tickets})
    assert kpi(desk, "cases")["reason"] == "not_synced"  # the new help desk is still to be read
    desk.read()
    assert kpi(desk, "cases")["value"] == 3
    body = ask(desk, "cases")
    client = {"type": "contact", "id": contact, "name": "Petr Ivanov"}
    assert [(row["type"], row["title"], row["path"], row["client"]) for row in body["records"]] == [
        ("item", "It is broken", f"/crm/type/{entity_type_id}/details/{ticket}/", client),
        ("call", "+7999", "/telephony/detail.php", None),
        ("activity", "Chat with Petr", f"/crm/contact/details/{contact}/", client),
    ]
    assert (body["total"], body["shown"], body["hidden"], body["shown_sum"]) == (3, 3, 0, 3)


def test_every_case_is_counted_or_left_out_for_one_reason(desk: Company) -> None:
    contact = crm.add_item(desk.portal, "contact", {"name": "Petr", "assignedById": ANNA})
    add_chat(desk, 101, "Good", item=(3, contact), vote=5)
    add_chat(desk, 102, "Bad", item=(3, contact), vote=1, reply_s=120)
    add_chat(desk, 103, "Silent", item=(3, contact), reply_s=None)
    add_call(desk, "+7999", vote=5)
    settle(desk, support={"calls": True})
    desk.read()
    times = ask(desk, "first_response_time")
    assert (times["value"], times["numerator"], times["denominator"]) == ("90", 180, 2)
    assert {row["title"]: (row["adds"], row["weighs"], row["left_out"]) for row in times["records"]} == {
        "Good": (60, 1, None),
        "Bad": (120, 1, None),
        "Silent": (0, 0, "no_reply"),
        "+7999": (0, 0, "no_delay"),
    }
    rated = ask(desk, "csat")
    assert (rated["numerator"], rated["denominator"]) == (2, 3)
    assert {row["title"]: (row["adds"], row["weighs"], row["left_out"]) for row in rated["records"]} == {
        "Good": (1, 1, None),
        "Bad": (0, 1, None),
        "Silent": (0, 0, "no_rating"),
        "+7999": (1, 1, None),
    }
    once = ask(desk, "fcr")
    assert (once["numerator"], once["denominator"], once["total"], once["provisional"]) == (4, 4, 4, True)
    length = ask(desk, "resolution_time")
    assert (length["value"], length["shown_sum"]) == ("457.5", 1830)  # (3 × 600 + 30) / 4


def test_what_a_viewer_may_not_see_is_counted_but_not_named(desk: Company) -> None:
    mine = crm.add_item(desk.portal, "contact", {"name": "Petr", "assignedById": ANNA})
    of_boris = crm.add_item(desk.portal, "contact", {"name": "Anton", "assignedById": BORIS})
    add_chat(desk, 101, "Mine", item=(3, mine))
    add_chat(desk, 102, "Client of Boris", item=(3, of_boris))
    desk.read()
    body = ask(desk, "cases", ANNA, more="")
    assert (body["total"], body["shown"], body["hidden"]) == (2, 1, 1)
    assert [row["title"] for row in body["records"]] == ["Mine"]


def test_a_choice_of_working_time_changes_the_numbers_at_once(desk: Company) -> None:
    contact = crm.add_item(desk.portal, "contact", {"name": "Petr", "assignedById": ANNA})
    add_chat(desk, 101, "Chat", item=(3, contact))
    days = [NOW - timedelta(days=number) for number in range(3)]
    holidays = ",".join(f"{day.day}.{day.month:02}" for day in days)
    desk.portal.calendar = {**desk.portal.calendar, "year_holidays": holidays}  # nobody worked yesterday
    desk.read()
    assert kpi(desk, "resolution_time")["value"] == "600"
    settle(desk, working_hours_for_support=True)
    assert kpi(desk, "resolution_time")["value"] == "0"
    settle(desk, working_hours_for_support=False, fcr_days=1)
    assert kpi(desk, "resolution_time")["value"] == "600"
    settle(desk, support={"sessions": False})
    assert kpi(desk, "resolution_time")["reason"] == "source_off"


def test_a_new_chat_shows_at_the_next_look(desk: Company) -> None:
    contact = crm.add_item(desk.portal, "contact", {"name": "Petr", "assignedById": ANNA})
    desk.read()
    assert (kpi(desk, "cases")["value"], kpi(desk, "csat")["reason"]) == (0, "no_records")
    activity_id = add_chat(desk, 101, "Chat", item=(3, contact), vote=5)
    activities.update_activity(desk.portal, activity_id, {"COMPLETED": True})  # a moment ago
    assert refresh.run(desk.api.parts, PORTAL)
    assert (kpi(desk, "cases")["value"], kpi(desk, "csat")["value"]) == (1, "1")
