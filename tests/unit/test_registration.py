from __future__ import annotations

from typing import Any

import pytest

from b24app.manifest import load
from b24app.portals.registration import Task, closed, is_already_bound, missing_scopes, plan

MANIFEST = load()
URL = "https://kpi.example"
ALL = frozenset(scope.any_of[0] for scope in MANIFEST.scopes)


def bind(tasks: list[Task]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lists of `placement.get` and `event.get` after the tasks, as a portal would show them."""
    places, events = [], []
    for task in tasks:
        if task.method == "placement.bind":
            places.append(
                {
                    "placement": task.params["PLACEMENT"],
                    "handler": task.params["HANDLER"],
                    "langAll": task.params["LANG_ALL"],
                    "options": [],
                }
            )
        elif task.params.get("event_type") == "offline":
            events.append({"event": task.params["event"], "connector_id": "", "offline": 1})
        else:
            events.append(
                {"event": task.params["event"], "handler": task.params["handler"], "auth_type": "0"}
            )
    return places, events


def test_a_first_installation_binds_everything() -> None:
    tasks = plan(MANIFEST, URL, ALL, [], [])
    assert {task.subject for task in tasks if task.kind == "placement"} == {
        "CRM_DEAL_DETAIL_TAB",
        "USER_PROFILE_TOOLBAR",
        "USER_PROFILE_MENU",
        "LEFT_MENU",
        "CRM_ANALYTICS_MENU",
        "CRM_LEAD_DETAIL_TAB",
        "CRM_CONTACT_DETAIL_TAB",
        "CRM_COMPANY_DETAIL_TAB",
        "TASK_VIEW_TAB",
        "SONET_GROUP_DETAIL_TAB",
        "TELEPHONY_ANALYTICS_MENU",
        "REST_APP_URI",
    }
    assert all(task.params["HANDLER"] == f"{URL}/" for task in tasks if task.kind == "placement")
    titles = {task.params["LANG_ALL"]["ru"]["TITLE"] for task in tasks if task.kind == "placement"}
    assert "KPI отдела" in titles
    assert {"ONAPPUNINSTALL", "ONCRMDEALDELETE"} <= {task.subject for task in tasks if task.kind == "event"}


def test_a_second_installation_finds_nothing_to_do() -> None:
    places, events = bind(plan(MANIFEST, URL, ALL, [], []))
    assert plan(MANIFEST, URL, ALL, places, events) == []


def test_another_address_of_the_app_replaces_the_old_one() -> None:
    places, events = bind(plan(MANIFEST, "https://old.example", ALL, [], []))
    tasks = plan(MANIFEST, URL, ALL, places, events)
    removals = [task for task in tasks if task.kind == "removal"]
    assert len(removals) == len(MANIFEST.places) + len(MANIFEST.online_events)
    assert tasks[0].kind == "removal"
    assert {task.subject for task in tasks if task.kind == "placement"} == {p.code for p in MANIFEST.places}
    offline = [task for task in tasks if task.params.get("event_type") == "offline"]
    assert offline == []


def test_a_changed_title_is_bound_anew() -> None:
    places, events = bind(plan(MANIFEST, URL, ALL, [], []))
    places[0]["langAll"] = {"en": {"TITLE": "Old name"}}
    tasks = plan(MANIFEST, URL, ALL, places, events)
    assert [task.method for task in tasks] == ["placement.unbind", "placement.bind"]
    assert {task.subject for task in tasks} == {places[0]["placement"]}


def test_a_place_that_is_bound_twice_is_bound_once_again() -> None:
    places, events = bind(plan(MANIFEST, URL, ALL, [], []))
    tasks = plan(MANIFEST, URL, ALL, [*places, places[0]], events)
    assert [task.method for task in tasks] == ["placement.unbind", "placement.bind"]


def test_the_tab_of_a_help_desk_comes_and_goes_with_the_choice() -> None:
    code = "CRM_DYNAMIC_1032_DETAIL_TAB"
    chosen = MANIFEST.with_objects([1032])
    places, events = bind(plan(chosen, URL, ALL, [], []))
    assert code in {place["placement"] for place in places}
    assert plan(chosen, URL, ALL, places, events) == []
    assert [(task.method, task.subject) for task in plan(MANIFEST, URL, ALL, places, events)] == [
        ("placement.unbind", code)
    ]


def test_a_place_that_the_manifest_has_no_more_is_removed() -> None:
    places, events = bind(plan(MANIFEST, URL, ALL, [], []))
    outdated = {"placement": "CRM_QUOTE_DETAIL_TAB", "handler": f"{URL}/", "langAll": []}
    tasks = plan(MANIFEST, URL, ALL, [*places, outdated], events)
    assert [(task.method, task.subject) for task in tasks] == [("placement.unbind", "CRM_QUOTE_DETAIL_TAB")]


@pytest.mark.parametrize("empty", [[], {}, None, False, "", {"0": "x"}])
def test_odd_empty_answers_mean_that_nothing_is_bound(empty: Any) -> None:
    assert plan(MANIFEST, URL, ALL, empty, empty) == plan(MANIFEST, URL, ALL, [], [])


def test_missing_scopes_close_what_needs_them() -> None:
    granted = (ALL - {"crm", "user", "department", "task"}) | {"user_brief"}
    assert missing_scopes(MANIFEST, granted) == ["crm", "department", "task"]
    tasks = plan(MANIFEST, URL, granted, [], [])
    assert {task.subject for task in tasks if task.kind == "placement"} == {
        "USER_PROFILE_TOOLBAR",
        "USER_PROFILE_MENU",
        "LEFT_MENU",
        "SONET_GROUP_DETAIL_TAB",
        "TELEPHONY_ANALYTICS_MENU",
        "REST_APP_URI",
    }
    assert not any(task.subject.startswith(("ONCRM", "ONTASK")) for task in tasks)
    assert {"CRM_DEAL_DETAIL_TAB", "ONCRMDEALADD", "ONTASKDELETE"} <= closed(MANIFEST, granted)


def test_a_portal_that_tells_no_scopes_is_tried() -> None:
    assert missing_scopes(MANIFEST, frozenset()) == []
    assert plan(MANIFEST, URL, frozenset(), [], []) == plan(MANIFEST, URL, ALL, [], [])


def test_a_lost_scope_does_not_remove_what_is_bound() -> None:
    places, events = bind(plan(MANIFEST, URL, ALL, [], []))
    assert plan(MANIFEST, URL, frozenset({"placement"}), places, events) == []


def test_an_error_that_says_already_bound_is_a_success() -> None:
    assert is_already_bound("Unable to set placement handler: Handler already binded")
    assert not is_already_bound("Placement not found")
