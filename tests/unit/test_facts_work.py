"""CRM activities, calls, tasks, time records, projects and budget items: rows of portals become facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from b24app.facts import activities, budget_items, calls, projects, tasks, time_records
from b24app.facts.budget_items import BudgetFields
from b24app.facts.values import BadRow, Border

MOSCOW = Border(ZoneInfo("Europe/Moscow"), {(1042, 9, "DT1042_9:SUCCESS"): "S"})
CREATED, ENDED = "2026-11-01T10:00:00+03:00", "2026-11-02T11:00:00+03:00"
UPDATED = "2026-11-03T12:00:00+03:00"

ACTIVITY: dict[str, Any] = {
    "ID": "31", "OWNER_ID": "410", "OWNER_TYPE_ID": "2", "TYPE_ID": "1", "PROVIDER_ID": "CRM_MEETING",
    "CREATED": CREATED, "LAST_UPDATED": UPDATED, "START_TIME": CREATED, "END_TIME": ENDED,
    "DEADLINE": CREATED, "COMPLETED": "Y", "RESPONSIBLE_ID": "7", "DIRECTION": "0", "SETTINGS": [],
}  # fmt: skip


def activity(**fields: Any) -> activities.CrmActivity:
    return activities.parse({**ACTIVITY, **fields}, MOSCOW)


@pytest.mark.parametrize(
    ("kind", "day"),
    [
        ({"TYPE_ID": "1", "PROVIDER_ID": "CRM_MEETING"}, 2),
        ({"TYPE_ID": 2, "PROVIDER_ID": "VOXIMPLANT_CALL"}, 2),
        ({"TYPE_ID": "6", "PROVIDER_ID": "IMOPENLINES_SESSION"}, 2),
        ({"TYPE_ID": "4", "PROVIDER_ID": "CRM_EMAIL"}, 1),
        ({"TYPE_ID": "6", "PROVIDER_ID": "CRM_TODO"}, 3),
        ({"TYPE_ID": "1", "PROVIDER_ID": "CRM_MEETING", "END_TIME": None}, 3),
    ],
)
def test_completion_is_told_by_what_kind_it_is(kind: dict[str, Any], day: int) -> None:
    assert activity(**kind).done_day == date(2026, 11, day)
    assert activity(**kind, COMPLETED="N").done_day is None


@pytest.mark.parametrize("none", [None, "", "9999-12-31T00:00:00+03:00", "31.12.9999 00:00:00"])
def test_a_deadline_of_the_last_year_is_none(none: Any) -> None:
    assert activity(DEADLINE=none).deadline_at is None


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ([], (False, False)),
        (None, (False, False)),
        ({"IS_BATCH_EMAIL": False}, (True, False)),
        ({"IS_BATCH_EMAIL": "N"}, (True, False)),
        ({"IS_BATCH_EMAIL": 0}, (True, False)),
        ({"IS_BATCH_EMAIL": True}, (False, False)),
        ({"IS_BATCH_EMAIL": None}, (False, False)),
        ({"IS_BATCH_EMAIL": True, "READ_CONFIRMED": 1790000000}, (True, True)),
        ({"READ_CONFIRMED": "1790000000"}, (True, True)),
        ({"READ_CONFIRMED": "0"}, (False, False)),
    ],
)
def test_opening_of_a_mail_is_read_from_its_settings(settings: Any, seen: tuple[bool, bool]) -> None:
    found = activity(SETTINGS=settings)
    assert (found.is_trackable, found.is_opened) == seen


@pytest.mark.parametrize(
    ("bindings", "found"),
    [
        (None, ((2, 410),)),
        ([], ((2, 410),)),
        ([{"OWNER_ID": "5", "OWNER_TYPE_ID": "3"}, {"OWNER_ID": "410", "OWNER_TYPE_ID": "2"}],
         ((2, 410), (3, 5))),
        ({"0": {"OWNER_ID": 411, "OWNER_TYPE_ID": 2}}, ((2, 410), (2, 411))),
        ([{"OWNER_ID": "0", "OWNER_TYPE_ID": "3"}, "junk"], ((2, 410),)),
    ],
)  # fmt: skip
def test_an_activity_is_bound_to_its_owner_too(bindings: Any, found: Any) -> None:
    assert activity(BINDINGS=bindings).bindings == found


def test_a_session_has_its_number() -> None:
    session = {"TYPE_ID": "6", "PROVIDER_ID": "IMOPENLINES_SESSION", "ASSOCIATED_ENTITY_ID": "77"}
    assert activity(**session).session_id == 77
    assert activity(ASSOCIATED_ENTITY_ID="77").session_id is None


def test_an_activity_without_an_owner_item_or_dates() -> None:
    found = activity(OWNER_ID="0", OWNER_TYPE_ID=None, LAST_UPDATED="", END_TIME="")
    assert (found.item_type_id, found.item_id, found.bindings) == (None, None, ())
    assert found.updated_at == found.created_at
    with pytest.raises(BadRow):
        activity(CREATED=None, LAST_UPDATED=None, START_TIME=None)


CALL: dict[str, Any] = {
    "ID": "9", "PORTAL_USER_ID": "7", "CALL_TYPE": "2", "CALL_DURATION": "65", "CALL_VOTE": None,
    "CALL_START_DATE": "2026-11-01T23:30:00+02:00", "CALL_FAILED_CODE": "200", "CRM_ENTITY_TYPE": "CONTACT",
    "CRM_ENTITY_ID": "12", "PHONE_NUMBER": "+79990000000",
}  # fmt: skip


def call(**fields: Any) -> calls.PhoneCall:
    return calls.parse({**CALL, **fields}, MOSCOW)


def test_a_call_belongs_to_the_local_day_of_its_start() -> None:
    found = call()
    assert found.started_day == date(2026, 11, 2)
    assert (found.call_type, found.is_answered, found.duration_s) == (2, True, 65)
    assert found.client == "contact:12"
    assert "+7999" not in repr(found)


@pytest.mark.parametrize(
    ("code", "answered"), [("200", True), (200, True), ("304", False), ("603-S", False), (None, False)]
)
def test_only_one_code_means_answered(code: Any, answered: bool) -> None:
    assert call(CALL_FAILED_CODE=code).is_answered is answered


@pytest.mark.parametrize(("vote", "found"), [("5", 5), (1, 1), ("0", None), (None, None), ("9", None)])
def test_no_vote_is_no_rating(vote: Any, found: int | None) -> None:
    assert call(CALL_VOTE=vote).vote == found


@pytest.mark.parametrize(("kind", "number"), [("", "12"), ("CONTACT", "0"), (None, None), ("DEAL", "4")])
def test_a_call_of_nobody_known(kind: Any, number: Any) -> None:
    assert call(CRM_ENTITY_TYPE=kind, CRM_ENTITY_ID=number).client is None


TASK: dict[str, Any] = {
    "id": "8", "responsibleId": "7", "status": "5", "groupId": "3", "createdDate": CREATED,
    "changedDate": UPDATED, "closedDate": ENDED, "deadline": "2026-11-02T23:59:59+03:00",
    "timeEstimate": "3600", "timeSpentInLogs": None, "mark": "P",
}  # fmt: skip


def task(**fields: Any) -> tasks.Task:
    return tasks.parse({**TASK, **fields}, MOSCOW)


def test_a_task_is_closed_only_in_its_last_status() -> None:
    assert task().closed_day == date(2026, 11, 2)
    assert task(status="4").closed_at is None
    assert task(closedDate=None).closed_at is None


def test_empty_fields_of_a_task() -> None:
    found = task(groupId="0", deadline=None, timeEstimate="", mark="", responsibleId=None)
    assert (found.project_id, found.deadline_at, found.estimate_s, found.spent_s) == (0, None, 0, 0)
    assert (found.mark, found.owner_id) == (None, 0)


def change(field: str, before: Any, after: Any, at: str = ENDED) -> dict[str, Any]:
    return {"id": "1", "createdDate": at, "field": field, "value": {"from": before, "to": after}}


@pytest.mark.parametrize(
    ("history", "returned"),
    [
        ([], False),
        ([change("NEW", None, None), change("STATUS", "2", "3"), change("STATUS", "3", "5")], False),
        ([change("STATUS", "4", "2")], True),
        ([change("REAL_STATUS", 5, 3)], True),
        ([change("STATUS", "4", "5")], False),
        ([change("STATUS", "5", "6")], False),
        ([change("RENEW", None, None)], True),
        ([change("STATUS", "4", "2"), change("RENEW", None, None)], True),
        ([change("STATUS", "6", "2"), change("RENEW", None, None)], False),
        ([change("STATUS", "6", "2", at=CREATED), change("RENEW", None, None)], True),
        ([{"field": "STATUS", "value": []}, {"field": None, "value": None}], False),
    ],
)
def test_a_return_is_a_task_sent_back_after_it_was_handed_in(history: Any, returned: bool) -> None:
    assert tasks.was_returned(history) is returned


def test_a_time_record_counts_on_the_day_worked() -> None:
    row = {
        "ID": "4", "TASK_ID": "8", "USER_ID": "7", "SECONDS": "90", "MINUTES": "1",
        "CREATED_DATE": "2026-11-01T00:00:00+03:00", "DATE_START": "2026-11-09T09:00:00+03:00",
    }  # fmt: skip
    found = time_records.parse(row, MOSCOW)
    assert (found.worked_day, found.seconds, found.task_id) == (date(2026, 11, 1), 90, 8)
    assert time_records.parse({**row, "SECONDS": None}, MOSCOW).seconds == 60
    with pytest.raises(BadRow):
        time_records.parse({**row, "CREATED_DATE": None}, MOSCOW)


def test_a_project_is_read_from_either_list() -> None:
    old = projects.parse({"ID": "5", "NAME": " Site ", "CLOSED": "Y"})
    assert old == projects.parse({"id": "5", "name": "Site", "closed": "Y"})
    assert (old.project_id, old.name, old.is_closed) == (5, "Site", True)


FIELDS = BudgetFields(1042, "ufCrm9Plan", "ufCrm9Fact", "RUB")
ITEM: dict[str, Any] = {
    "id": 3, "assignedById": 7, "categoryId": 9, "stageId": "DT1042_9:SUCCESS", "createdTime": CREATED,
    "movedTime": ENDED, "updatedTime": UPDATED, "ufCrm9Plan": 1000, "ufCrm9Fact": "1200.50",
}  # fmt: skip


def item(**fields: Any) -> budget_items.BudgetItem:
    return budget_items.parse({**ITEM, **fields}, MOSCOW, FIELDS)


def test_a_budget_counts_on_the_day_its_item_was_closed() -> None:
    found = item()
    assert found.closed_day == date(2026, 11, 2)
    assert (found.planned, found.actual) == (Decimal(1000), Decimal("1200.50"))
    assert found.currency == "RUB"
    assert item(stageId="DT1042_9:NEW").closed_at is None
    assert item(stageSemanticId="F", stageId="DT1042_9:NEW").closed_day == date(2026, 11, 2)
    assert item(stageSemanticId="S", isRecurring="Y").closed_day is None


@pytest.mark.parametrize(
    ("fields", "money"),
    [
        ({"currencyId": "usd"}, (1000, Decimal("1200.50"), "USD")),
        ({"ufCrm9Plan": "1000|EUR", "ufCrm9Fact": "900|EUR"}, (1000, 900, "EUR")),
        ({"ufCrm9Plan": "1000|EUR", "ufCrm9Fact": ""}, (1000, 0, "EUR")),
        ({"ufCrm9Plan": "", "ufCrm9Fact": None}, (0, 0, "RUB")),
        ({"ufCrm9Plan": "1000|EUR"}, (0, 0, "")),
        ({"ufCrm9Plan": "1e20"}, (0, 0, "")),
    ],
)
def test_money_of_a_budget(fields: dict[str, Any], money: tuple[Any, Any, str]) -> None:
    found = item(**fields)
    assert (found.planned, found.actual, found.currency) == money
