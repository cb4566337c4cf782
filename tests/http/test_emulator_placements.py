"""Placements, options, notices, robots, and the form that a frame receives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator import seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker

APP = "http://127.0.0.1:8024/"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(app_url="http://127.0.0.1:8024") as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal()


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


@pytest.fixture
def ivan(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal, seed.add_user(portal, "Ivan", "I", departments=[1]))


def test_a_placement_is_bound_once_and_described(admin: Asker) -> None:
    titles = {"en": {"TITLE": "KPI"}, "ru": {"TITLE": "Показатели", "DESCRIPTION": "d"}}
    bound = {"PLACEMENT": "crm_deal_detail_tab", "HANDLER": APP, "LANG_ALL": titles, "OPTIONS": {"x": 1}}
    assert admin.result("placement.bind", **bound) is True
    assert admin.refusal("placement.bind", **bound) == (400, "ERROR_CORE")
    assert admin.result("placement.get") == [
        {
            "placement": "CRM_DEAL_DETAIL_TAB", "userId": 0, "handler": APP, "options": [], "title": "",
            "description": "",
            "langAll": {
                "en": {"TITLE": "KPI", "DESCRIPTION": "", "GROUP_NAME": ""},
                "ru": {"TITLE": "Показатели", "DESCRIPTION": "d", "GROUP_NAME": ""},
            },
        }
    ]  # fmt: skip
    assert admin.result("placement.bind", **{**bound, "HANDLER": APP + "other"}) is True
    assert admin.result("placement.unbind", PLACEMENT="CRM_DEAL_DETAIL_TAB", HANDLER=APP) == {"count": 2}
    assert admin.result("placement.unbind", PLACEMENT="CRM_DEAL_DETAIL_TAB") == {"count": 2}
    assert admin.result("placement.unbind", PLACEMENT="CRM_DEAL_DETAIL_TAB") == {"count": 0}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "ERROR_ARGUMENT"),
        ({"PLACEMENT": "NONSENSE", "HANDLER": APP}, "ERROR_PLACEMENT_NOT_FOUND"),
        ({"PLACEMENT": "LEFT_MENU"}, "EMPTY_ERROR_HANDLER_URL"),
        ({"PLACEMENT": "LEFT_MENU", "HANDLER": "ftp://a.b/"}, "ERROR_UNSUPPORTED_PROTOCOL"),
        ({"PLACEMENT": "LEFT_MENU", "HANDLER": APP, "USER_ID": 1}, "ERROR_PLACEMENT_USER_MODE"),
        ({"PLACEMENT": "PAGE_BACKGROUND_WORKER", "HANDLER": APP}, "EMPTY_ERROR_HANDLER_URL"),
    ],
)
def test_wrong_placements_are_refused(
    emulator: Emulator, portal: Portal, admin: Asker, fields: dict[str, Any], code: str
) -> None:
    assert admin.refusal("placement.bind", **fields) == (400, code)
    if code not in ("ERROR_ARGUMENT", "ERROR_UNSUPPORTED_PROTOCOL"):
        emulator.site(portal).quirks.placement_errors_are_200 = True
        assert admin.refusal("placement.bind", **fields) == (200, code)


def test_single_placements_take_one_handler(admin: Asker) -> None:
    assert admin.result("placement.bind", PLACEMENT="REST_APP_URI", HANDLER=APP) is True
    refused = admin.refusal("placement.bind", PLACEMENT="REST_APP_URI", HANDLER=APP + "2")
    assert refused == (400, "ERROR_PLACEMENT_MAX_COUNT")


def test_placements_need_the_scope_of_their_tool_and_an_admin(
    emulator: Emulator, portal: Portal, admin: Asker, ivan: Asker
) -> None:
    emulator.app(portal).scopes -= {"task", "user", "user_basic"}
    assert (
        admin.refusal("placement.bind", PLACEMENT="TASK_VIEW_TAB", HANDLER=APP)[1]
        == "ERROR_PLACEMENT_NOT_FOUND"
    )
    assert (
        admin.result("placement.bind", PLACEMENT="USER_PROFILE_MENU", HANDLER=APP) is True
    )  # user_brief is enough
    codes = admin.result("placement.list")
    assert "TASK_VIEW_TAB" not in codes
    assert "CRM_DEAL_DETAIL_TAB" in codes
    for name in ("bind", "get", "unbind"):
        assert ivan.refusal(f"placement.{name}", PLACEMENT="LEFT_MENU", HANDLER=APP) == (403, "ACCESS_DENIED")


def test_options_of_the_app_and_of_each_user(admin: Asker, ivan: Asker) -> None:
    assert admin.result("app.option.get") == []
    assert admin.refusal("app.option.set", options={}) == (400, "ArgumentNullException")
    assert admin.result("app.option.set", options={"data": "value"}) is True
    assert ivan.result("app.option.get") == {"data": "value"}
    assert ivan.result("app.option.get", option="data") == "value"
    assert ivan.result("app.option.get", option="none") is None
    assert ivan.refusal("app.option.set", options={"a": "b"}) == (400, "AccessException")
    assert ivan.result("user.option.set", options={"mine": ["1"]}) is True
    assert ivan.result("user.option.get") == {"mine": ["1"]}
    assert admin.result("user.option.get") == []


def test_a_notice_with_the_same_tag_replaces_the_earlier(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    assert admin.refusal("im.notify.system.add", MESSAGE="x") == (400, "USER_ID_EMPTY")
    first = admin.result("im.notify.system.add", USER_ID=1, MESSAGE="one", TAG="t")
    second = admin.result("im.notify.system.add", USER_ID=1, MESSAGE="two", TAG="t")
    assert first != second
    assert [one["MESSAGE"] for one in emulator.site(portal).notifications] == ["two"]
    assert admin.result("im.notify.system.add", USER_ID=99, MESSAGE="x") is False


def test_robots_are_registered_and_answered(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    robot = {"CODE": "kpi", "HANDLER": APP + "automation/kpi", "NAME": {"en": "KPI"}, "USE_SUBSCRIPTION": "Y"}
    assert admin.result("bizproc.robot.add", **robot) is True
    assert admin.refusal("bizproc.robot.add", **robot) == (400, "ERROR_ACTIVITY_ALREADY_INSTALLED")
    assert admin.result("bizproc.robot.list") == ["kpi"]
    assert admin.result("bizproc.activity.list") == []
    assert admin.result("bizproc.robot.update", CODE="kpi", FIELDS={"NAME": "New"}) is True
    assert emulator.app(portal).robots["kpi"]["NAME"] == "New"
    wrong = {**robot, "CODE": "two", "HANDLER": "http://other.example/"}
    assert admin.refusal("bizproc.robot.add", **wrong) == (400, "ERROR_WRONG_HANDLER_URL")
    emulator.app(portal).event_tokens.add("waiting")
    assert admin.result("bizproc.event.send", EVENT_TOKEN="waiting", RETURN_VALUES={"v": 1}) is True
    assert admin.refusal("bizproc.event.send", EVENT_TOKEN="waiting") == (403, "ACCESS_DENIED")
    assert emulator.app(portal).workflow_answers[0]["RETURN_VALUES"] == {"v": 1}
    assert admin.result("bizproc.robot.delete", CODE="kpi") is True
    assert admin.refusal("bizproc.robot.delete", CODE="kpi") == (400, "ERROR_ACTIVITY_NOT_FOUND")


def test_uninstalling_leaves_only_options(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    admin.result("placement.bind", PLACEMENT="LEFT_MENU", HANDLER=APP)
    admin.result("app.option.set", options={"kept": "1"})
    emulator.uninstall(portal)
    emulator.install(portal)
    admin = asker(emulator, portal)
    assert admin.result("placement.get") == []
    assert admin.result("app.option.get") == {"kept": "1"}
    emulator.uninstall(portal, clean=1)
    emulator.install(portal)
    assert asker(emulator, portal).result("app.option.get") == []


def test_the_form_of_a_frame(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    query, form = emulator.frame_post(portal, 1, "CRM_DEAL_DETAIL_TAB", {"ID": "410"}, lang="en")
    assert set(query) == {"DOMAIN", "PROTOCOL", "LANG", "APP_SID"}
    assert (query["DOMAIN"], query["PROTOCOL"], query["LANG"]) == (portal.domain, "0", "en")
    assert len(query["APP_SID"]) == 32
    assert set(form) == {
        "AUTH_ID", "AUTH_EXPIRES", "REFRESH_ID", "SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE",
        "member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS",
    }  # fmt: skip
    assert json.loads(form["PLACEMENT_OPTIONS"]) == {"ID": "410"}
    assert form["AUTH_EXPIRES"] == "3600"
    assert form["SERVER_ENDPOINT"] == f"{emulator.auth_url}/rest/"
    admin.token = form["AUTH_ID"]
    assert admin.result("profile")["ID"] == "1"
    _, form = emulator.frame_post(portal, 1)
    assert form["PLACEMENT"] == "DEFAULT"
    assert "PLACEMENT_OPTIONS" not in form
    _, form = emulator.frame_post(emulator.add_portal(is_box=True), 1, options="[]")
    assert not {"SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE"} & set(form)
    assert form["PLACEMENT_OPTIONS"] == "[]"
