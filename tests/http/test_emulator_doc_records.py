"""Documented response examples of tasks, calls, calendar and projects, reproduced from stored records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emulator.server import Emulator
from emulator.world import Portal, Row
from tests.http.demo_portals import Reader
from tests.http.test_emulator_doc_examples import sample


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Emulator() as emulator:
        portal = emulator.add_portal(timezone="Europe/Berlin", is_empty=True)
        portal.put(
            "user", {"ID": 900, "NAME": "Reader", "ACTIVE": True, "IS_ADMIN": True, "USER_TYPE": "employee"}
        )
        yield Reader(emulator, portal, 900)


def zone_of(portal: Portal, moment: str) -> None:
    """Let the portal stand where the example was taken."""
    zones = {"+01:00": "Etc/GMT-1", "+02:00": "Etc/GMT-2"}
    portal.timezone = zones[moment[-6:]]


def moments(row: Row, *names: str) -> Row:
    return {**row, **{name: datetime.fromisoformat(row[name]) for name in names}}


def check(reader: Reader, method: str, params: Any) -> None:
    expected = sample(method)
    answer = reader.call(method, params)
    assert answer["result"] == expected["result"]
    assert answer.get("total") == expected.get("total")


def test_calls(reader: Reader) -> None:
    for row in sample("voximplant.statistic.get")["result"]:
        numbers = {name: int(row[name]) for name in ("ID", "PORTAL_USER_ID", "CRM_ENTITY_ID", "CALL_TYPE")}
        zone_of(reader.portal, row["CALL_START_DATE"])
        reader.portal.put("call", {**moments(row, "CALL_START_DATE"), **numbers})
    check(reader, "voximplant.statistic.get", {"SORT": "ID", "ORDER": "ASC"})


def test_time_records(reader: Reader) -> None:
    (row,) = sample("task.elapseditem.getlist")["result"]
    zone_of(reader.portal, row["DATE_START"])
    reader.portal.put("task", {"ID": 691, "STATUS": 3, "RESPONSIBLE_ID": 1, "CREATED_BY": 1})
    numbers = {name: int(row[name]) for name in ("ID", "TASK_ID", "USER_ID", "SECONDS", "MINUTES", "SOURCE")}
    reader.portal.put("time_record", {**moments(row, "CREATED_DATE", "DATE_START", "DATE_STOP"), **numbers})
    check(reader, "task.elapseditem.getlist", [691, {"ID": "asc"}, {}, ["*"]])


def test_task_history(reader: Reader) -> None:
    rows = sample("tasks.task.history.list")["result"]["list"]
    zone_of(reader.portal, rows[0]["createdDate"])
    user = rows[0]["user"]
    names = {"NAME": user["name"], "LAST_NAME": user["lastName"], "EMAIL": user["login"]}
    reader.portal.put("user", {"ID": user["id"], "ACTIVE": True, "USER_TYPE": "employee", **names})
    reader.portal.put("task", {"ID": 5, "STATUS": 3, "RESPONSIBLE_ID": user["id"], "CREATED_BY": user["id"]})
    for row in rows:
        entry = {
            "ID": row["id"],
            "TASK_ID": 5,
            "CREATED_DATE": datetime.fromisoformat(row["createdDate"]),
            "FIELD": row["field"],
            "FROM": row["value"]["from"],
            "TO": row["value"]["to"],
            "USER_ID": row["user"]["id"],
        }
        reader.portal.put("task_history", entry)
    check(reader, "tasks.task.history.list", {"taskId": 5, "order": {"ID": "ASC"}})


def test_calendar(reader: Reader) -> None:
    example = sample("calendar.settings.get")["result"]
    own = (
        "work_time_start",
        "work_time_end",
        "year_holidays",
        "year_workdays",
        "week_holidays",
        "week_start",
    )
    reader.portal.calendar = {name: example[name] for name in own}
    check(reader, "calendar.settings.get", {})


def test_accessibility(reader: Reader) -> None:
    """The page shortens its second event and second person; the first event is whole."""
    (event,) = sample("calendar.accessibility.get")["result"]["1"]
    zone = ZoneInfo(event["TZ_FROM"])
    moments_of = {
        name: datetime.strptime(event[name], "%d.%m.%Y %H:%M:%S").replace(tzinfo=zone)
        for name in ("DATE_FROM", "DATE_TO")
    }
    kept = {name: event[name] for name in ("NAME", "ACCESSIBILITY", "IMPORTANCE", "EVENT_TYPE")}
    row = {"ID": int(event["ID"]), "OWNER_ID": 1, "TZ": event["TZ_FROM"], **kept, **moments_of}
    reader.portal.put("calendar_event", row)
    check(reader, "calendar.accessibility.get", {"users": [1, 34], "from": "2024-06-20", "to": "2024-12-20"})


@pytest.mark.parametrize("missing", ["from", "to", "users"])
def test_accessibility_without_a_parameter(reader: Reader, missing: str) -> None:
    params = {"users": [1], "from": "2024-06-20", "to": "2024-12-20"}
    del params[missing]
    answer = reader.call("calendar.accessibility.get", params)
    text = f'The required parameter "{missing}" for the method "calendar.accessibility.get" is not set.'
    assert (answer["error"], answer["error_description"]) == ("", text)


def test_projects(reader: Reader) -> None:
    for row in sample("sonet_group.get")["result"]:
        zone_of(reader.portal, row["DATE_CREATE"])
        flags = {name: value == "Y" for name, value in row.items() if value in ("Y", "N")}
        numbers = {name: int(row[name]) for name in ("ID", "OWNER_ID", "SUBJECT_ID", "NUMBER_OF_MEMBERS")}
        dated = moments(row, "DATE_CREATE", "DATE_UPDATE", "DATE_ACTIVITY")
        reader.portal.put("group", {**dated, **flags, **numbers})
    check(reader, "sonet_group.get", {"ORDER": {"ID": "ASC"}})


def test_members(reader: Reader) -> None:
    reader.portal.put(
        "group",
        {"ID": 7, "NAME": "Project", "OWNER_ID": 1269, "MODERATORS": [1271], "MEMBERS": [1269, 1271, 779]},
    )
    check(reader, "sonet_group.user.get", {"ID": 7})
