"""The help desk, the projects with budgets and the invoices of the invented company, read over REST."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.company import cast
from emulator.company.tickets import ACTUAL, HELP_DESK, OBJECT, PLANNED, PROJECTS, RATING
from tests.http.demo_portals import Reader, invented_company

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def admin() -> Iterator[Reader]:
    with invented_company() as reader:
        yield reader


def stages_of(admin: Reader, entity_type: int) -> dict[int, list[dict[str, Any]]]:
    """The stage history by item, oldest first."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    last = 0
    while True:
        asked = {"entityTypeId": entity_type, "order": {"ID": "ASC"}, "filter": {">ID": last}, "start": -1}
        rows = admin.call("crm.stagehistory.list", asked)["result"]["items"]
        for row in rows:
            found[row["OWNER_ID"]].append(row)
        if len(rows) < 50:
            return found
        last = rows[-1]["ID"]


def test_the_portal_has_two_smart_processes(admin: Reader) -> None:
    types = admin.call("crm.type.list", {"order": {"id": "ASC"}})["result"]["types"]
    assert [(row["entityTypeId"], row["title"]) for row in types] == [(1036, "Обращения"), (1040, "Проекты")]


def test_a_year_of_tickets_some_of_which_were_reopened(admin: Reader) -> None:
    tickets = admin.items(
        HELP_DESK, ["id", "stageId", "createdTime", "assignedById", "companyId", "contactId"]
    )
    assert 200 <= len(tickets) <= 340
    assert {row["assignedById"] for row in tickets} == {person.id for person in cast.OPERATORS}
    assert min(row["createdTime"] for row in tickets) < "2025-11-01"
    stages = Counter(row["stageId"].partition(":")[2] for row in tickets)
    assert stages["SUCCESS"] > 200
    assert stages["FAIL"] > 3
    assert stages["NEW"] > 1  # they wait for ever
    assert sum(not row["companyId"] and not row["contactId"] for row in tickets) > 5
    history = stages_of(admin, HELP_DESK)
    assert set(history) == {row["id"] for row in tickets}
    for ticket in tickets:
        assert history[ticket["id"]][0]["CREATED_TIME"] == ticket["createdTime"]
        assert history[ticket["id"]][-1]["STAGE_ID"] == ticket["stageId"]
    closings = Counter(owner for owner, rows in history.items() for row in rows if row["TYPE_ID"] == 3)
    assert sum(times > 1 for times in closings.values()) > 5


def test_tickets_are_rated_by_a_list(admin: Reader) -> None:
    fields = admin.call("crm.item.fields", {"entityTypeId": HELP_DESK})["result"]["fields"]
    words = {int(one["ID"]): one["VALUE"] for one in fields[RATING]["items"]}
    assert sorted(words.values()) == ["Отлично", "Плохо", "Хорошо"]
    rated = Counter(row[RATING] for row in admin.items(HELP_DESK, ["id", RATING]))
    assert set(rated) == {None, *words}
    assert min(rated.values()) > 10


def test_projects_have_a_planned_and_an_actual_budget(admin: Reader) -> None:
    projects = admin.items(PROJECTS, ["id", "stageId", PLANNED, ACTUAL, "parentId2", "closedate"])
    assert len(projects) > 25
    closed = [row for row in projects if row["stageId"].endswith(":SUCCESS")]
    assert all(row[ACTUAL] > 0 for row in closed)
    assert any(row[PLANNED] is None for row in projects)
    both = [row for row in closed if row[PLANNED]]
    assert {row[ACTUAL] > row[PLANNED] for row in both} == {True, False}
    deals = {row["id"] for row in admin.items(2, ["id"])}
    assert {row["parentId2"] for row in projects} - {None} <= deals


def test_invoices_belong_to_won_deals(admin: Reader) -> None:
    invoices = admin.items(31, ["id", "stageId", "parentId2", "opportunity"])
    won = {
        row["id"]: row["opportunity"] for row in admin.items(2, ["id", "opportunity"], stageSemanticId="S")
    }
    assert len(invoices) > 50
    assert all(won[row["parentId2"]] == row["opportunity"] for row in invoices)
    assert {row["stageId"].partition(":")[2] for row in invoices} >= {"P", "D"}


def test_deals_carry_a_list_of_their_own(admin: Reader) -> None:
    chosen = Counter(row[OBJECT] for row in admin.items(2, ["id", OBJECT]))
    assert len(chosen) == 5
    assert chosen[None] > 1_000


def test_an_operator_sees_own_tickets_only(admin: Reader) -> None:
    mine = replace(admin, user_id=26).items(HELP_DESK, ["id", "assignedById"])
    assert {row["assignedById"] for row in mine} == {26}


def test_ids_grow_with_time_and_nothing_is_later_than_now(admin: Reader) -> None:
    for kind in ("dynamic_1036", "dynamic_1040", "invoice"):
        moments = [row["createdTime"] for row in admin.portal.records[kind]]
        assert moments == sorted(moments)
    moments = [row["CREATED_TIME"] for row in admin.portal.records["item_stage_history"]]
    assert moments == sorted(moments)
    assert moments[-1] <= NOW
