from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from b24app.facts import absences
from b24app.facts.absences import Absence

NOVEMBER_20, NOVEMBER_24 = date(2026, 11, 20), date(2026, 11, 24)


def event(begins: str, ends: str, **more: Any) -> dict[str, Any]:
    return {"ID": "1", "DATE_FROM": begins, "DATE_TO": ends, "ACCESSIBILITY": "absent", **more}


def days(*events: dict[str, Any]) -> list[tuple[date, date]]:
    return [(one.from_day, one.to_day) for one in absences.parse({"7": list(events)})]


@pytest.mark.parametrize(
    "row",
    [
        event("20.11.2026", "24.11.2026", DT_SKIP_TIME="Y"),
        event("11/20/2026", "11/24/2026", DT_SKIP_TIME="Y"),
        event("20/11/2026", "24/11/2026", DT_SKIP_TIME="Y"),
        event("2026-11-20", "2026-11-24", DT_SKIP_TIME="Y"),
        event("20.11.2026 09:00:00", "24.11.2026 18:00:00", DT_SKIP_TIME="N"),
        {
            "FROM_HR": True,
            "ID": "5",
            "DT_FROM": "20.11.2026",
            "DT_TO": "24.11.2026",
            "ACCESSIBILITY": "absent",
        },
        {
            "FROM_HR": True,
            "DT_FROM": "20.11.2026 00:00:00",
            "DT_TO": "24.11.2026 00:00:00",
            "ACCESSIBILITY": "absent",
        },
    ],
)
def test_whole_days_in_every_format_of_a_portal(row: dict[str, Any]) -> None:
    assert days(row) == [(NOVEMBER_20, NOVEMBER_24)]


@pytest.mark.parametrize(
    ("begins_at", "expected"),
    [
        (1_785_542_400, date(2026, 8, 1)),  # 1 August, midnight UTC
        (1_767_819_600, date(2026, 1, 8)),  # 7 January 21:00 UTC: 8 January in Moscow
        (None, date(2026, 8, 1)),  # month first, unless something says otherwise
    ],
)
def test_a_date_that_may_be_read_in_two_ways_is_the_one_near_its_moment(
    begins_at: int | None, expected: date
) -> None:
    moment = {} if begins_at is None else {"FROM": begins_at, "TO": begins_at}
    row = {"DT_FROM": "08/01/2026", "DT_TO": "08/01/2026", "ACCESSIBILITY": "absent", **moment}
    assert days(row) == [(expected, expected)]


@pytest.mark.parametrize(
    "row",
    [
        event("20.11.2026 10:00:00", "20.11.2026 12:00:00", DT_SKIP_TIME="N"),  # some hours
        event("20.11.2026", "24.11.2026", ACCESSIBILITY="busy"),
        event("24.11.2026", "20.11.2026"),
        event("soon", "later"),
        event("31.02.2026", "31.02.2026"),
        {"ACCESSIBILITY": "absent"},
    ],
)
def test_hours_meetings_and_nonsense_are_no_absence(row: dict[str, Any]) -> None:
    assert days(row) == []


def test_absences_that_follow_each_other_are_one() -> None:
    found = absences.parse(
        {
            "7": [
                event("25.11.2026", "30.11.2026"),
                event("20.11.2026", "24.11.2026"),
                event("21.11.2026", "22.11.2026"),
                event("02.12.2026", "02.12.2026"),
            ],
            "8": [event("01.12.2026", "01.12.2026")],
            "0": [event("01.12.2026", "01.12.2026")],
        }
    )
    assert found == [
        Absence(7, NOVEMBER_20, date(2026, 11, 30)),
        Absence(7, date(2026, 12, 2), date(2026, 12, 2)),
        Absence(8, date(2026, 12, 1), date(2026, 12, 1)),
    ]


@pytest.mark.parametrize("result", [None, [], {}, {"7": []}, {"7": None}, {"7": [None]}, "no"])
def test_nobody_is_away(result: Any) -> None:
    assert absences.parse(result) == []
