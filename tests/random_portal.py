"""Small portals with all the dirt, made from one number."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONES = ("Europe/Moscow", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "America/Havana")
FIRST, LAST = date(2026, 9, 20), date(2026, 11, 25)
"""Days with records: three months, and the clock changes of the western zones."""

CURRENCIES = [
    {"CURRENCY": "RUB", "AMOUNT": "1", "AMOUNT_CNT": "1", "BASE": "Y"},
    {"CURRENCY": "USD", "AMOUNT": "81.25", "AMOUNT_CNT": "1", "BASE": "N"},
    {"CURRENCY": "KZT", "AMOUNT": "16.4", "AMOUNT_CNT": "100", "BASE": "N"},
    {"CURRENCY": "HUF", "AMOUNT": "25", "AMOUNT_CNT": "100", "BASE": "N"},
]


def make(seed: int) -> dict[str, Any]:
    """A portal as `tests.oracle` reads it."""
    pick = random.Random(seed)
    zone = pick.choice(ZONES)
    departments = _departments(pick)
    users = _users(pick, [int(d["ID"]) for d in departments])
    categories: list[dict[str, Any]] = [{"id": 0, "name": "General", "sort": 100, "isDefault": "Y"}]
    categories += [{"id": 3, "name": "Partners", "sort": 50, "isDefault": "N"}] * pick.randint(0, 1)
    portal: dict[str, Any] = {
        "timezone": zone,
        "uses_leads": pick.random() < 0.7,
        "pipelines": pick.choice([None, None, None, [0], [3], [0, 3]]),
        "report": pick.choice([None, None, "HUF"]),
        "rules": pick.choice(
            [
                [],
                [
                    {"source_id": "WEB", "channel": "Site"},
                    {"utm_source": "yandex", "channel": "Search"},
                    {"utm_source": "yandex", "source_id": "WEB", "channel": "Search on site"},
                    {"utm_source": "yandex", "channel": "never"},
                ],
            ]
        ),
        "users": users,
        "departments": departments,
        "currencies": CURRENCIES,
        "categories": categories,
        "stages": [row for category in categories for row in _stages(pick, category["id"])],
        "sources": [
            {"ENTITY_ID": "SOURCE", "STATUS_ID": "WEB", "NAME": "Web site"},
            {"ENTITY_ID": "SOURCE", "STATUS_ID": "CALL", "NAME": "Call"},
        ],
        "leads": [],
        "deals": [],
        "history": [],
    }
    owners = [user["ID"] for user in users] + [0, 999]
    for lead_id in range(1, pick.randint(0, 8) + 1):
        portal["leads"].append(_lead(pick, zone, lead_id, owners))
    for deal_id in range(1, pick.randint(0, 18) + 1):
        _add_deal(pick, zone, deal_id, owners, portal)
    pick.shuffle(portal["deals"])
    return portal


def _departments(pick: random.Random) -> list[dict[str, Any]]:
    """A tree, or what people make of one: missing parents, cycles, a department that is its own parent."""
    ids = list(range(1, pick.randint(1, 6) + 1))
    found = []
    for number in ids:
        row: dict[str, Any] = {"ID": str(number), "NAME": f"Department {number}", "SORT": 500}
        parent = pick.choice([None, 77, *ids]) if pick.random() < 0.4 else pick.choice([None, *ids[:number]])
        if parent is not None:
            row["PARENT"] = str(parent)
        found.append(row)
    return found


def _users(pick: random.Random, departments: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "ID": number,
            "NAME": f"User {number}",
            "ACTIVE": pick.random() < 0.8,
            "USER_TYPE": pick.choice(["employee"] * 5 + ["extranet"]),
            "UF_DEPARTMENT": pick.sample(departments, min(len(departments), pick.choice([0, 1, 1, 1, 2]))),
        }
        for number in range(1, pick.randint(1, 6) + 1)
    ]


def _stages(pick: random.Random, category: int) -> list[dict[str, Any]]:
    entity, prefix = ("DEAL_STAGE", "") if category == 0 else (f"DEAL_STAGE_{category}", f"C{category}:")
    names = ["NEW", "WORK", "OFFER", "BILL"][: pick.randint(1, 4)]
    sorts = pick.sample(range(10, 100, 10), len(names))
    found: list[tuple[str, int, str | None]] = [
        (name, sort, None) for name, sort in zip(names, sorts, strict=True)
    ]
    found += [("WON", 200, "S"), ("LOSE", 300, "F"), ("APOLOGY", 400, "F")]
    return [
        {"ENTITY_ID": entity, "STATUS_ID": prefix + n, "NAME": n.title(), "SORT": str(s), "SEMANTICS": sem}
        for n, s, sem in found
    ]


def _moment(pick: random.Random, zone: str, earliest: date = FIRST) -> datetime:
    """A second of some day; often the first or the last one of it."""
    day = earliest + timedelta(days=pick.randint(0, max(0, (LAST - earliest).days)))
    if pick.random() < 0.25:
        day = date(2026, 11, 3)  # ties
    clock = pick.choice([time(0, 0, 0), time(23, 59, 59), time(12, 0, 0), None])
    if clock is None:
        clock = time(pick.randint(0, 23), pick.randint(0, 59), pick.randint(0, 59))
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def _iso(moment: datetime) -> str:
    """As a portal in another zone writes it."""
    return moment.astimezone(ZoneInfo("Asia/Dubai")).isoformat(timespec="seconds")


def _lead(pick: random.Random, zone: str, lead_id: int, owners: list[int]) -> dict[str, Any]:
    created = _moment(pick, zone)
    semantics = pick.choice("PSF")
    return {
        "id": lead_id,
        "assignedById": pick.choice(owners),
        "stageId": {"P": "NEW", "S": "CONVERTED", "F": "JUNK"}[semantics],
        "stageSemanticId": semantics,
        "createdTime": _iso(created),
        "movedTime": _iso(created + timedelta(hours=pick.randint(0, 200))),
        "updatedTime": _iso(created + timedelta(hours=200)),
        **_origin(pick),
    }


def _origin(pick: random.Random) -> dict[str, Any]:
    return {
        "sourceId": pick.choice(["WEB", "CALL", "GONE", "", None]),
        "utmSource": pick.choice(["yandex", "google", "", None, None]),
    }


def _add_deal(
    pick: random.Random, zone: str, deal_id: int, owners: list[int], portal: dict[str, Any]
) -> None:
    created = _moment(pick, zone)
    category = pick.choice(portal["categories"])["id"]
    visited: list[tuple[datetime, int, dict[str, Any]]] = []
    at = created
    for _ in range(pick.randint(1, 5)):
        visited.append((at, category, pick.choice(_of(portal, category))))
        if visited[-1][2]["SEMANTICS"] == "S" and pick.random() < 0.8:
            break  # most won deals stay won
        # edited clocks: now and then the next stage is entered before this one
        at += timedelta(seconds=pick.choice([0, 1, 3600, 86_400, 700_000, -5000]))
        if pick.random() < 0.15:
            category = pick.choice(portal["categories"])["id"]
    moved, category, stage = visited[-1]
    if pick.random() < 0.1:
        moved = created - timedelta(hours=1)
    company, contact = pick.choice([0, 0, 1, 2]), pick.choice([None, 0, 1])
    portal["deals"].append(
        {
            "id": deal_id,
            "assignedById": pick.choice(owners),
            "categoryId": category,
            "stageId": stage["STATUS_ID"],
            "stageSemanticId": stage["SEMANTICS"] or "P",
            "opportunity": pick.choice([0, 1, "1234.5678", 99.99, 10**6, -5, pick.randint(1, 10**9) / 100]),
            "currencyId": pick.choice(["RUB", "RUB", "USD", "KZT", "XXX"]),
            "createdTime": _iso(created),
            "movedTime": _iso(moved),
            "updatedTime": _iso(max(created, moved)),
            "isRecurring": pick.choice(["N"] * 7 + ["Y"]),
            "leadId": pick.choice([None, 0, 1, 2, 3, 4, 55]),
            "companyId": company,
            "contactId": contact,
            **_origin(pick),
        }
    )
    if pick.random() < 0.9:  # imported deals have no history
        for moment, place, entered in visited:
            portal["history"].append(
                {
                    "ID": len(portal["history"]) + 1,
                    "TYPE_ID": 2,
                    "OWNER_ID": deal_id,
                    "CREATED_TIME": _iso(moment),
                    "CATEGORY_ID": place,
                    "STAGE_ID": entered["STATUS_ID"],
                    "STAGE_SEMANTIC_ID": entered["SEMANTICS"] or "P",
                }
            )


def _of(portal: dict[str, Any], category: int) -> list[dict[str, Any]]:
    entity = "DEAL_STAGE" if category == 0 else f"DEAL_STAGE_{category}"
    return [stage for stage in portal["stages"] if stage["ENTITY_ID"] == entity]
