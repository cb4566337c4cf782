"""Writing activities and tasks on the emulated portal, and notices: rules, rights, history, events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from emulator import activities, crm, seed, tasks
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker, inbox

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALL = {
    "OWNER_TYPE_ID": 2, "OWNER_ID": 1, "TYPE_ID": 2, "SUBJECT": "New call", "RESPONSIBLE_ID": 1,
    "COMMUNICATIONS": [{"VALUE": "+499832322323", "ENTITY_ID": 134, "ENTITY_TYPE_ID": 3}],
    "START_TIME": "2026-03-05T12:00:00+00:00", "END_TIME": "2026-03-05T12:30:00+00:00", "COMPLETED": "N",
    "DEADLINE": "2027-01-01T00:00:00+00:00",
}  # fmt: skip


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    portal = emulator.add_portal(timezone="Europe/Moscow")
    emulator.app(portal).is_installed = True
    crm.add_item(portal, "deal", {"title": "D"}, at=NOON)
    return portal


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


@pytest.fixture
def ivan(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal, seed.add_user(portal, "Ivan", "I"))


def test_an_activity_lives_from_add_to_delete_and_everybody_is_told(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    with inbox() as box:
        for verb in ("Add", "Update", "Delete"):
            admin.result("event.bind", event=f"onCrmActivity{verb}", handler=box.url)
        number = admin.result("crm.activity.add", fields=CALL)
        row = admin.result("crm.activity.get", id=number)
        assert (row["PROVIDER_ID"], row["PROVIDER_TYPE_ID"], row["STATUS"]) == (
            "VOXIMPLANT_CALL",
            "CALL",
            "1",
        )
        assert row["DEADLINE"] == row["START_TIME"] == "2026-03-05T15:00:00+03:00"  # copied, not given
        fields = {"COMPLETED": "Y", "OWNER_ID": 77, "AUTHOR_ID": 5}
        assert admin.result("crm.activity.update", id=number, fields=fields) is True
        row = admin.result("crm.activity.get", id=number)
        assert (row["COMPLETED"], row["STATUS"], row["OWNER_ID"], row["AUTHOR_ID"]) == ("Y", "2", "1", "1")
        bound = admin.result("crm.activity.list", filter={"BINDINGS": {"OWNER_TYPE_ID": 3, "OWNER_ID": 134}})
        assert [one["ID"] for one in bound] == [str(number)]
        assert admin.result("crm.activity.delete", id=number) is True
        emulator.events(portal).settle()
    ids = {"FIELDS": {"ID": str(number)}}
    assert sorted((form["event"], form["data"] == ids) for form in box.forms) == [
        ("ONCRMACTIVITYADD", True), ("ONCRMACTIVITYDELETE", True), ("ONCRMACTIVITYUPDATE", True),
    ]  # fmt: skip
    assert admin.post("crm.activity.get", id=number).json()["error_description"] == "Activity is not found."


def test_an_activity_moves_the_last_activity_of_its_item_and_nothing_else(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    names = ["id", "updatedTime", "lastActivityTime"]
    before = admin.result("crm.item.list", entityTypeId=2, select=names)["items"][0]
    with inbox() as box:
        admin.result("event.bind", event="onCrmDealUpdate", handler=box.url)
        admin.result("crm.activity.add", fields=CALL)
        emulator.events(portal).settle()
    after = admin.result("crm.item.list", entityTypeId=2, select=names)["items"][0]
    assert box.forms == []
    assert after["updatedTime"] == before["updatedTime"]
    assert after["lastActivityTime"] > before["lastActivityTime"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"SUBJECT": ""}, "The field SUBJECT is not defined or empty"),
        ({"RESPONSIBLE_ID": 0}, "The field RESPONSIBLE_ID is not defined or invalid"),
        ({"TYPE_ID": 3}, "The field TYPE_ID is not defined or invalid"),
        ({"COMMUNICATIONS": []}, "The field COMMUNICATIONS is not defined or invalid"),
        (
            {"COMMUNICATIONS": CALL["COMMUNICATIONS"] * 2},  # type: ignore[operator]
            "The only one communication is allowed for activity of specified type",
        ),
        (
            {"OWNER_ID": 99},
            "Could not build binding. Please ensure that owner info and communications are defined correctly",
        ),
        ({"TYPE_ID": 6}, "The custom activity without provider is not supported in current context"),
        (
            {"TYPE_ID": 6, "PROVIDER_ID": "CONFIGURABLE_REST_APP"},
            "Use crm.activity.configurable.add for this activity provider",
        ),
    ],
)
def test_incomplete_activities_are_refused_in_the_pages_words(
    admin: Asker, changes: dict[str, Any], text: str
) -> None:
    response = admin.post("crm.activity.add", fields={**CALL, **changes})
    assert (response.status_code, response.json()) == (400, {"error": "", "error_description": text})


def test_a_next_step_is_a_todo_with_its_own_deadline(portal: Portal, admin: Asker) -> None:
    asked = {"ownerTypeId": 2, "ownerId": 1, "title": "Call back", "description": "about the price"}
    created = admin.result(
        "crm.activity.todo.add", **asked, deadline="2026-03-09T10:00:00", pingOffsets=[0, 15], colorId="2"
    )
    row = admin.result("crm.activity.get", id=created["id"])
    assert (row["TYPE_ID"], row["PROVIDER_ID"], row["PROVIDER_TYPE_ID"]) == ("6", "CRM_TODO", "TODO")
    assert (row["SUBJECT"], row["RESPONSIBLE_ID"], row["COMPLETED"]) == ("Call back", "1", "N")
    assert row["DEADLINE"] == "2026-03-09T10:00:00+03:00"  # without an offset: the server's time
    assert row["SETTINGS"] == {"COLOR": "2", "PING_OFFSETS": [0, 15]}


def test_todos_are_refused_with_codes(portal: Portal, admin: Asker, ivan: Asker) -> None:
    asked = {"ownerTypeId": 2, "ownerId": 1, "deadline": "2026-03-09T10:00:00+03:00"}
    assert admin.refusal("crm.activity.todo.add", ownerTypeId=2, ownerId=1) == (400, "100")
    for changes, code in (
        ({"ownerTypeId": 1060}, "OWNER_NOT_FOUND"),
        ({"ownerId": 9}, "NOT_FOUND"),
        ({"deadline": "tomorrow"}, "WRONG_DATETIME_FORMAT"),
    ):
        assert admin.refusal("crm.activity.todo.add", **{**asked, **changes}) == (400, code)
    assert ivan.refusal("crm.activity.todo.add", **asked) == (400, "ACCESS_DENIED")
    own = crm.add_item(portal, "deal", {"assignedById": 2}, at=NOON)
    assert ivan.result("crm.activity.todo.add", **{**asked, "ownerId": own})["id"] > 0


def test_activities_follow_the_rights_on_their_item(portal: Portal, admin: Asker, ivan: Asker) -> None:
    number = admin.result("crm.activity.add", fields=CALL)
    for method in ("get", "update", "delete"):
        response = ivan.post(f"crm.activity.{method}", id=number, fields={"SUBJECT": "x"})
        assert response.json()["error_description"] == "Access denied."
    assert ivan.post("crm.activity.add", fields=CALL).json()["error_description"] == "Access denied."
    seed.add_smart_process(portal, "SPA", entity_type_id=1036)
    ticket = crm.add_item(portal, "dynamic_1036", {"assignedById": 2}, at=NOON)
    activities.add_todo(portal, 1036, ticket, NOON, title="T")
    listed = ivan.result("crm.activity.list", filter={"OWNER_TYPE_ID": 1036})
    assert [row["OWNER_ID"] for row in listed] == [str(ticket)]


def task_history(admin: Asker, task_id: str) -> list[tuple[str, Any, Any]]:
    rows = admin.result("tasks.task.history.list", taskId=task_id, order={"ID": "ASC"})["list"]
    return [(row["field"], row["value"]["from"], row["value"]["to"]) for row in rows]


def test_a_task_leaves_history_and_events(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    with inbox() as box:
        for verb in ("Add", "Update", "Delete"):
            admin.result("event.bind", event=f"onTask{verb}", handler=box.url)
        fields = {"TITLE": "Measure", "RESPONSIBLE_ID": 1, "DEADLINE": "2026-03-09T18:00:00+03:00"}
        task = admin.result("tasks.task.add", fields=fields)["task"]
        assert (task["id"], task["status"], task["createdBy"], task["group"]) == ("1", "2", "1", [])
        for status in (3, 5, 2):
            admin.result("tasks.task.update", taskId=1, fields={"STATUS": status})
        changed = admin.result("tasks.task.update", taskId=1, fields={"MARK": "P", "DEADLINE": ""})["task"]
        assert (changed["mark"], changed["deadline"], changed["closedDate"]) == ("P", None, None)
        assert changed["dateStart"] is not None
        history = task_history(admin, "1")
        assert admin.result("tasks.task.delete", taskId=1) == {"task": True}
        assert admin.result("tasks.task.get", taskId=1) == []
        emulator.events(portal).settle()
    deadline = str(int(datetime(2026, 3, 9, 15, tzinfo=UTC).timestamp()))
    assert history == [
        ("NEW", None, None), ("STATUS", "2", "3"), ("STATUS", "3", "5"), ("STATUS", "5", "2"),
        ("RENEW", None, None), ("DEADLINE", deadline, None), ("MARK", "", "P"),
    ]  # fmt: skip
    assert box.forms[0]["event"] == "ONTASKADD"
    assert {form["event"] for form in box.forms} == {"ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE"}


def test_a_task_under_control_goes_to_its_creator_first(portal: Portal, admin: Asker, ivan: Asker) -> None:
    tasks.add_task(portal, {"TITLE": "T", "RESPONSIBLE_ID": 2, "TASK_CONTROL": True}, at=NOON)
    handed_in = ivan.result("tasks.task.update", taskId=1, fields={"STATUS": 5})["task"]
    assert (handed_in["status"], handed_in["closedDate"]) == ("4", None)
    accepted = admin.result("tasks.task.update", taskId=1, fields={"STATUS": 5})["task"]
    assert (accepted["status"], accepted["closedBy"]) == ("5", "1")


@pytest.mark.parametrize(
    ("method", "asked", "code"),
    [
        ("add", {}, "100"),
        ("add", {"fields": {"RESPONSIBLE_ID": 1}}, "ERROR_CORE"),
        ("add", {"fields": {"TITLE": "T"}}, "ERROR_CORE"),
        ("add", {"fields": {"TITLE": "T", "RESPONSIBLE_ID": 99}}, "ERROR_CORE"),
        ("update", {"taskId": 1, "fields": {}}, "100"),
        ("update", {"fields": {"TITLE": "U"}}, "100"),
        ("update", {"taskId": "one", "fields": {"TITLE": "U"}}, "0"),
        ("update", {"taskId": 9, "fields": {"TITLE": "U"}}, "0"),
        ("update", {"taskId": 1, "fields": {"STATUS": 9}}, "ERROR_CORE"),
        ("update", {"taskId": 1, "fields": {"PARENT_ID": 1}}, "ERROR_CORE"),
        ("delete", {"taskId": 9}, "1048582"),
        ("get", {}, "100"),
        ("get", {"taskId": "x"}, "0"),
    ],
)
def test_wrong_tasks_are_refused(
    portal: Portal, admin: Asker, method: str, asked: dict[str, Any], code: str
) -> None:
    tasks.add_task(portal, {"TITLE": "T"}, at=NOON)
    assert admin.refusal(f"tasks.task.{method}", **asked) == (400, code)


def test_tasks_of_others_are_out_of_reach(portal: Portal, ivan: Asker) -> None:
    tasks.add_task(portal, {"TITLE": "Boss's", "RESPONSIBLE_ID": 1}, at=NOON)
    assert ivan.result("tasks.task.get", taskId=1) == []
    assert ivan.refusal("tasks.task.update", taskId=1, fields={"TITLE": "x"}) == (400, "0")
    assert ivan.refusal("tasks.task.delete", taskId=1) == (400, "1048582")


def test_logged_time_counts_and_no_event_tells(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    tasks.add_task(portal, {"TITLE": "T"}, at=NOON)
    with inbox() as box:
        admin.result("event.bind", event="onTaskUpdate", handler=box.url)
        tasks.log_time(portal, 1, 1, 5400, at=NOON)
        emulator.events(portal).settle()
    assert box.forms == []
    task = admin.result("tasks.task.get", taskId=1, select=["ID", "TIME_SPENT_IN_LOGS"])["task"]
    assert task["timeSpentInLogs"] == "5400"
    records = admin.result("task.elapseditem.getlist", **{"0": 1})
    assert [(row["SECONDS"], row["MINUTES"], row["SOURCE"]) for row in records] == [("5400", "90", "2")]


def test_notices_are_read_and_taken_back_by_their_owner(portal: Portal, admin: Asker, ivan: Asker) -> None:
    assert admin.result("im.notify.get") == {"notifications": [], "users": []}
    first = ivan.result("im.notify.personal.add", USER_ID=1, MESSAGE=" hello ", SUB_TAG="s")
    second = ivan.result("im.notify.system.add", USER_ID=1, MESSAGE="report", TAG="t")
    third = ivan.result("im.notify", USER_ID=1, TYPE="SYSTEM", MESSAGE="report 2", TAG="t")
    shown = admin.result("im.notify.get")
    assert [(one["id"], one["text"], one["author_id"]) for one in shown["notifications"]] == [
        (third, "report 2", 0), (first, "hello", 2),
    ]  # fmt: skip
    assert (shown["total_count"], shown["total_unread_count"]) == (2, 2)
    assert [one["first_name"] for one in shown["users"]] == ["Ivan"]
    assert admin.result("im.notify.read", ID=third, ONLY_CURRENT="Y") is True
    assert admin.result("im.notify.get")["total_unread_count"] == 1
    assert ivan.result("im.notify.delete", ID=first) is False  # another's
    assert ivan.result("im.notify.delete", SUB_TAG="s") is True
    assert ivan.result("im.notify.delete", TAG="t") is True
    assert second != third
    assert admin.result("im.notify.get")["notifications"] == []


@pytest.mark.parametrize(
    ("method", "asked", "code"),
    [
        ("im.notify.system.add", {"MESSAGE": "x"}, "USER_ID_EMPTY"),
        ("im.notify.personal.add", {"USER_ID": 1, "MESSAGE": "  "}, "MESSAGE_EMPTY"),
        ("im.notify.system.add", {"USER_ID": 1, "MESSAGE": "x", "ATTACH": "a" * 60_001}, "ATTACH_OVERSIZE"),
        ("im.notify.system.add", {"USER_ID": 1, "MESSAGE": "x", "ATTACH": "{"}, "ATTACH_ERROR"),
        ("im.notify.delete", {}, "PARAMS_ERROR"),
        ("im.notify.get", {"LAST_ID": 5}, "LAST_ID_AND_LAST_TYPE"),
        ("im.notify.get", {"LAST_ID": "x", "LAST_TYPE": 3}, "LAST_ID_STRING"),
    ],
)
def test_wrong_notices_are_refused(admin: Asker, method: str, asked: dict[str, Any], code: str) -> None:
    assert admin.refusal(method, **asked) == (400, code)


def test_changes_of_other_processes_come_through_the_control_surface(
    emulator: Emulator, portal: Portal
) -> None:
    def act(name: str, **body: Any) -> Any:
        url = f"{emulator.auth_url}/_control/portals/{portal.member_id}/actions/{name}"
        response = requests.post(url, json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    assert act("add_smart_process", title="SPA", entity_type_id=1036) == 1036
    field = act("add_custom_field", kind="dynamic_1036", title="Sum", user_type="double", code="SUM")
    item = act("add_item", kind="dynamic_1036", fields={"title": "T", field: 5})
    moved = act("move_item", kind="dynamic_1036", id=item, stage_id="DT1036_1:SUCCESS")
    assert (moved["stageSemanticId"], moved[field]) == ("S", 5)
    task = act("add_task", fields={"TITLE": "T"}, at="2026-03-02T12:00:00+00:00")
    assert act("update_task", id=task, fields={"STATUS": 3})["STATUS"] == 3
    assert act("log_time", id=task, user_id=1, seconds=60) == 1
    number = act("add_activity", owner_type=1036, owner_id=item, fields={"SUBJECT": "S"})
    assert act("update_activity", id=number, fields={"COMPLETED": True})["STATUS"] == 2
