"""Tasks, hours, calls and CRM activities with all the dirt, added to a random portal."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.random_portal import _iso, _moment, make

KINDS = (
    ("1", "CRM_MEETING"), ("2", "VOXIMPLANT_CALL"), ("4", "CRM_EMAIL"), ("4", "CRM_EMAIL"),
    ("6", "CRM_TODO"), ("6", "IMOPENLINES_SESSION"),
)  # fmt: skip


def make_work(seed: int) -> dict[str, Any]:
    """A portal as `tests.oracle_work` reads it."""
    portal = make(seed)
    pick = random.Random(seed + 1)
    people = [user["ID"] for user in portal["users"]] + [0, 999]
    portal["projects"] = [{"ID": str(number), "NAME": f"Project {number}"} for number in (1, 2, 3)]
    portal["projects_chosen"] = pick.choice([None, None, [1], [0, 2], [3]])
    portal["hours_per_day"] = pick.choice([8, 7.5, 6])
    portal["calendar"] = {
        "week_holidays": pick.choice([["SA", "SU"], ["FR", "SA"], ["SU"]]),
        "year_holidays": pick.choice(["", "4.11", "4.11,12.10,31.12"]),
        "year_workdays": pick.choice(["", "31.10", "1.11,7.11"]),
    }
    numbers = range(1, pick.randint(1, 15))
    portal["tasks"] = [_task(pick, portal["timezone"], number, people) for number in numbers]
    portal["time_records"] = [
        {
            "ID": str(number),
            "TASK_ID": str(pick.randint(1, 16)),
            "USER_ID": str(pick.choice(people)),
            "SECONDS": str(pick.choice([0, 60, 3600, 5400, 28_801, -60])),
            "CREATED_DATE": _iso(_moment(pick, portal["timezone"])),
        }
        for number in range(1, pick.randint(1, 20))
    ]
    portal["calls"] = [
        {
            "ID": str(number),
            "PORTAL_USER_ID": str(pick.choice(people)),
            "CALL_TYPE": str(pick.randint(1, 5)),
            "CALL_DURATION": str(pick.choice([0, 1, 65, 3600, -3])),
            "CALL_START_DATE": _iso(_moment(pick, portal["timezone"])),
            "CALL_FAILED_CODE": pick.choice(["200", "200", "304", "603-S", "OTHER"]),
        }
        for number in range(1, pick.randint(1, 20))
    ]
    deals = [deal["id"] for deal in portal["deals"]] or [1]
    portal["activities"] = [
        _activity(pick, portal["timezone"], number, people, deals) for number in range(1, pick.randint(1, 25))
    ]
    portal["budget"] = pick.choice([None, None, 2, 1042])
    if portal["budget"] is not None:
        items = [_budget(pick, portal, number, people) for number in range(1, pick.randint(1, 10))]
        portal["budget"] = {"entity_type_id": portal["budget"], "items": items}
    return portal


def _maybe(pick: random.Random, moment: datetime, chance: float = 0.7) -> str | None:
    return _iso(moment) if pick.random() < chance else None


def _task(pick: random.Random, zone: str, number: int, people: list[int]) -> dict[str, Any]:
    deadline = _moment(pick, zone)
    closed = pick.choice([deadline, deadline + timedelta(seconds=1), _moment(pick, zone)])
    status = pick.choice([2, 3, 4, 5, 5, 5, 5, 6])
    return {
        "id": str(number),
        "responsibleId": str(pick.choice(people)),
        "status": str(status),
        "groupId": pick.choice(["0", "1", "2", "3", None]),
        "createdDate": _iso(_moment(pick, zone)),
        "changedDate": _iso(closed),
        "closedDate": _maybe(pick, closed, 0.95),
        "deadline": _maybe(pick, deadline),
        "timeEstimate": pick.choice(["0", "3600", "5000", None]),
        "timeSpentInLogs": pick.choice([None, "0", "1800", "9000"]),
        "mark": pick.choice(["P", "N", "", None]),
        "history": None if pick.random() < 0.1 else _history(pick, closed),
    }


def _history(pick: random.Random, at: datetime) -> list[dict[str, Any]]:
    steps = [pick.choice("23456") for _ in range(pick.randint(1, 4))]
    return [
        {
            "field": pick.choice(["STATUS", "REAL_STATUS"]),
            "createdDate": _iso(at),
            "value": {"from": a, "to": b},
        }
        for a, b in pairwise(steps)
    ]


def _activity(
    pick: random.Random, zone: str, number: int, people: list[int], deals: list[int]
) -> dict[str, Any]:
    type_id, provider = pick.choice(KINDS)
    settings = pick.choice(
        [[], {"IS_BATCH_EMAIL": False}, {"IS_BATCH_EMAIL": True}, {"READ_CONFIRMED": 1_790_000_000},
         {"IS_BATCH_EMAIL": False, "READ_CONFIRMED": 0}]
    )  # fmt: skip
    return {
        "ID": str(number),
        "OWNER_ID": str(pick.choice(deals)),
        "OWNER_TYPE_ID": pick.choice(["2", "2", "3"]),
        "TYPE_ID": type_id,
        "PROVIDER_ID": provider,
        "DIRECTION": pick.choice(["0", "1", "2", "2"]),
        "CREATED": _iso(_moment(pick, zone)),
        "LAST_UPDATED": _iso(_moment(pick, zone)),
        "START_TIME": _iso(_moment(pick, zone)),
        "END_TIME": _maybe(pick, _moment(pick, zone), 0.9),
        "DEADLINE": pick.choice([None, "9999-12-31T00:00:00+04:00", _iso(_moment(pick, zone))]),
        "COMPLETED": pick.choice("YN"),
        "RESPONSIBLE_ID": str(pick.choice(people)),
        "SETTINGS": settings,
        "BINDINGS": [
            {"OWNER_ID": str(pick.choice(deals)), "OWNER_TYPE_ID": pick.choice(["2", "3"])}
            for _ in range(pick.randint(0, 2))
        ],
    }


def _budget(pick: random.Random, portal: dict[str, Any], number: int, people: list[int]) -> dict[str, Any]:
    moved = _iso(_moment(pick, portal["timezone"]))
    return {
        "id": number,
        "assignedById": pick.choice(people),
        "categoryId": pick.choice([0, 3]),
        "stageId": "DONE",
        "stageSemanticId": pick.choice("PSSF"),
        "createdTime": moved,
        "movedTime": moved,
        "updatedTime": moved,
        "currencyId": pick.choice(["RUB", "USD", "XXX"]),
        "ufPlan": pick.choice([0, 100, "1234.56"]),
        "ufFact": pick.choice([0, 90, "2000.01"]),
    }
