"""The invented company, read over REST: big enough, dirty enough, and true to itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator import company
from emulator.company import cast
from emulator.world import Portal
from tests.http.demo_portals import TODAY, Reader, invented_company

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)  # noon in Moscow


@pytest.fixture(scope="module")
def admin() -> Iterator[Reader]:
    with invented_company() as reader:
        yield reader


def test_departments_are_nested_and_one_has_no_head(admin: Reader) -> None:
    rows = {row["ID"]: row for row in admin.call("department.get")["result"]}
    assert len(rows) == 12
    assert "PARENT" not in rows["1"]
    regions = rows[str(cast.REGIONS)]
    assert [rows[regions["PARENT"]]["NAME"], rows[rows[regions["PARENT"]]["PARENT"]]["NAME"]] == [
        "Группа розничных продаж",
        "Отдел продаж",
    ]
    assert regions.get("UF_HEAD", "0") == "0"


def test_people_are_of_every_kind(admin: Reader) -> None:
    people = {row["ID"]: row for row in admin.call("user.get", {"sort": "ID", "order": "ASC"})["result"]}
    assert len(people) == 41  # the bot is not among them
    assert str(cast.BOT_ID) not in people
    assert sum(not row["ACTIVE"] for row in people.values()) == 3
    assert people["8"]["UF_DEPARTMENT"] == [cast.KEY_CLIENTS, cast.REGIONS]
    assert people[str(cast.EXTRANET_ID)]["USER_TYPE"] == "extranet"
    assert not people["42"]["UF_DEPARTMENT"]
    assert {"Asia/Yekaterinburg", "Asia/Novosibirsk"} <= {row["TIME_ZONE"] for row in people.values()}


def test_a_year_of_deals_in_three_pipelines_and_five_currencies(admin: Reader) -> None:
    names = [
        "id",
        "categoryId",
        "stageSemanticId",
        "currencyId",
        "opportunity",
        "companyId",
        "contactId",
        "movedTime",
    ]
    deals = admin.items(2, names)
    assert 1_500 <= len(deals) <= 3_000
    assert {deal["categoryId"] for deal in deals} == {0, 1, 3}
    assert min(Counter(deal["stageSemanticId"] for deal in deals).values()) > 200
    rated = {row["CURRENCY"] for row in admin.call("crm.currency.list")["result"]}
    assert {deal["currencyId"] for deal in deals} - rated == {"GEL"}  # the one without a rate
    assert sum(deal["opportunity"] == 0 for deal in deals) > 10
    assert sum(not deal["companyId"] and not deal["contactId"] for deal in deals) > 20
    won = Counter(deal["movedTime"][:7] for deal in deals if deal["stageSemanticId"] == "S")
    assert won["2026-07"] > 1.5 * won["2026-01"]  # summer sells


def test_an_employee_sees_own_deals_and_a_head_those_of_the_people(admin: Reader) -> None:
    seller = {deal["assignedById"] for deal in replace(admin, user_id=6).items(2, ["id", "assignedById"])}
    head = {deal["assignedById"] for deal in replace(admin, user_id=4).items(2, ["id", "assignedById"])}
    assert seller == {6}
    assert head == {4, 6, 7, 8, 9}


def test_calls_are_filtered_by_rights_without_a_word(admin: Reader) -> None:
    asked = {"FILTER": {"PORTAL_USER_ID": 7}, "SORT": "ID", "ORDER": "ASC"}
    assert {row["PORTAL_USER_ID"] for row in admin.call("voximplant.statistic.get", asked)["result"]} == {"7"}
    own = replace(admin, user_id=6).call("voximplant.statistic.get", asked)["result"]
    assert {row["PORTAL_USER_ID"] for row in own} == {"6"}  # the filter was overwritten


def test_calls_drop_what_they_do_not_understand(admin: Reader) -> None:
    def total(filters: dict[str, Any]) -> int:
        return int(admin.call("voximplant.statistic.get", {"FILTER": filters})["total"])

    everything = total({})
    assert total({"@ID": [1]}) == total({"ID": []}) == total({"CALL_TYP": 1}) == everything
    assert total({"ID": [1, 2]}) == 2
    unsorted = admin.call("voximplant.statistic.get", {"SORT": "CALL_START_DATE", "ORDER": "desc"})["result"]
    assert [row["ID"] for row in unsorted[:3]] == ["1", "2", "3"]
    exact = admin.call("voximplant.statistic.get", {"start": 7})
    assert (exact["result"][0]["ID"], exact["next"]) == ("8", 57)


def test_a_closed_session_tells_the_first_reply_and_the_vote(admin: Reader) -> None:
    asked = {"filter": {"PROVIDER_ID": "IMOPENLINES_SESSION", "COMPLETED": "Y"}, "order": {"ID": "ASC"}}
    sessions = admin.call("crm.activity.list", asked)["result"]
    votes: Counter[int] = Counter()
    for session in sessions[:20]:
        history = admin.call(
            "imopenlines.session.history.get", {"SESSION_ID": session["ASSOCIATED_ENTITY_ID"]}
        )
        result = history["result"]
        messages = sorted(result["message"].values(), key=lambda message: int(message["id"]))
        people = {key for key, user in result["users"].items() if not user["bot"] and not user["connector"]}
        assert people <= {session["RESPONSIBLE_ID"]}
        assert messages[-1]["senderid"] == "0"
        assert messages[-1]["params"]["imolVoteSid"] == int(session["ASSOCIATED_ENTITY_ID"])
        votes[messages[-1]["params"]["imolVoteUser"]] += 1
    assert set(votes) <= {0, 1, 5}
    assert votes[5] > 0


def test_a_session_of_others_is_refused_like_an_unknown_one(admin: Reader) -> None:
    stranger = replace(admin, user_id=6)
    for session_id in (101, 999_999):
        answer = stranger.call("imopenlines.session.history.get", {"SESSION_ID": session_id})
        assert answer["error"] == "ACCESS_DENIED"
    assert stranger.call("imopenlines.session.history.get")["error"] == "MISSING_REQUIRED_PARAM"


def test_tasks_are_asked_in_upper_and_answered_in_camel_case(admin: Reader) -> None:
    found = admin.call(
        "tasks.task.list",
        {
            "filter": {">ID": 10, "REAL_STATUS": 5},
            "order": {"ID": "asc"},
            "select": ["ID", "RESPONSIBLE_ID", "GROUP_ID", "STATUS", "CLOSED_DATE", "TIME_ESTIMATE"],
            "start": -1,
        },
    )
    tasks = found["result"]["tasks"]
    assert "total" not in found
    assert len(tasks) == 50
    assert all(isinstance(task["responsibleId"], str) and task["status"] == "5" for task in tasks)
    assert [int(task["id"]) for task in tasks] == sorted(int(task["id"]) for task in tasks)
    assert {type(task["group"]) for task in tasks} == {dict, list}  # `[]` where there is no project
    assert admin.call("tasks.task.list", {"order": {"NOPE": "asc"}})["error"] == "0"


def test_a_returned_task_shows_it_in_its_history(admin: Reader) -> None:
    returned = next(row["TASK_ID"] for row in admin.portal.records["task_history"] if row["FIELD"] == "RENEW")
    rows = admin.call("tasks.task.history.list", {"taskId": returned})["result"]["list"]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    moves = [(row["value"]["from"], row["value"]["to"]) for row in rows if row["field"] == "STATUS"]
    assert ("4", "2") in moves or ("5", "2") in moves
    assert admin.call("tasks.task.history.list", {"taskId": 10**6})["error"] == "0"


def test_time_records_of_all_tasks_are_asked_by_position(admin: Reader) -> None:
    page = {"NAV_PARAMS": {"nPageSize": 50, "iNumPage": 2}}
    rows = admin.call("task.elapseditem.getlist", [0, {"ID": "asc"}, {">ID": 100}, ["*"], page])["result"]
    assert [row["ID"] for row in rows[:2]] == ["151", "152"]
    assert set(rows[0]) == {
        "ID", "TASK_ID", "USER_ID", "COMMENT_TEXT", "SECONDS", "MINUTES", "SOURCE", "CREATED_DATE",
        "DATE_START", "DATE_STOP",
    }  # fmt: skip
    refused = admin.call("task.elapseditem.getlist", [0, {"ID": "asc"}, {"NOPE": 1}])
    assert refused["error"] == "ERROR_CORE"
    of_text_zero = admin.call("task.elapseditem.getlist", ["0", {"ID": "asc"}])
    assert of_text_zero["error"] == "ERROR_CORE"  # text is a task id, and there is no task 0


def test_the_calendar_and_the_projects_are_there(admin: Reader) -> None:
    settings = admin.call("calendar.settings.get")["result"]
    assert (settings["work_time_start"], settings["week_holidays"]) == ("9", ["SA", "SU"])
    groups = admin.call("sonet_group.get", {"FILTER": {"CLOSED": "N"}})["result"]
    assert len(groups) == 7
    names = admin.call("socialnetwork.api.workgroup.list", {"select": ["ID", "NAME", "TYPE"]})["result"]
    assert {row["type"] for row in names["workgroups"]} == {"project", "group"}
    outsider = replace(admin, user_id=37).call("sonet_group.get")["result"]
    assert len(outsider) < len(groups)


def test_every_record_is_as_its_latest_history_row_says(admin: Reader) -> None:
    latest: dict[tuple[int, int], dict[str, Any]] = {}
    finals: Counter[int] = Counter()
    for row in admin.portal.records["stage_history"]:
        latest[row["ENTITY_TYPE_ID"], row["OWNER_ID"]] = row
        if row["ENTITY_TYPE_ID"] == 2 and row["TYPE_ID"] == 3:
            finals[row["OWNER_ID"]] += 1
    for entity, kind, key in ((1, "lead", "STATUS_ID"), (2, "deal", "STAGE_ID")):
        for item in admin.portal.records[kind]:
            row = latest[entity, item["id"]]
            assert (row[key], row["CREATED_TIME"]) == (item["stageId"], item["movedTime"])
    assert max(finals.values()) > 1  # some were closed twice


def test_nothing_is_later_than_now(admin: Reader) -> None:
    may_be_ahead = {
        "DEADLINE",
        "START_TIME",
        "END_TIME",
        "START_DATE_PLAN",
        "END_DATE_PLAN",
        "DATE_FROM",
        "DATE_TO",
    }
    late = [
        (kind, row.get("ID", row.get("id")), name)
        for kind, records in admin.portal.records.items()
        for row in records
        for name, value in row.items()
        if isinstance(value, datetime) and value > NOW and name not in may_be_ahead
    ]
    assert late == []


def test_ids_grow_with_time(admin: Reader) -> None:
    for kind, name in (("lead", "createdTime"), ("deal", "createdTime"), ("stage_history", "CREATED_TIME")):
        moments = [row[name] for row in admin.portal.records[kind]]
        assert moments == sorted(moments)


def test_the_same_seed_makes_the_same_company_and_another_one_another(admin: Reader) -> None:
    again, other = Portal("127.0.0.1:1"), Portal("127.0.0.1:1")
    company.build(again, TODAY, 7)
    company.build(other, TODAY, 8)
    for kind, records in admin.portal.records.items():
        assert list(again.records[kind]) == list(records), kind
    assert list(other.records["deal"]) != list(again.records["deal"])
