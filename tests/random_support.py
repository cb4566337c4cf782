"""Small portals with chats, calls and tickets in every state, made from one number."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests import random_portal
from tests.random_portal import _iso, _moment

CLIENT, BOT, SYSTEM = 5001, 90, 0
DESK_TYPE, DESK, ELSEWHERE = 1036, 5, 6
STAGES = (("NEW", None), ("WORK", None), ("WAIT", None), ("DONE", "S"), ("SPAM", "F"))
FIELD = "ufCrm7_1"


def make_support(seed: int) -> dict[str, Any]:
    """A portal of `random_portal` with `chats` (each with its `history`, None: not read), `calls`, `tickets`
    (each with its `course`) and what an admin chose: `support`, `fcr_days`, `working`."""
    pick = random.Random(seed)
    portal = random_portal.make(seed)
    for lead in portal["leads"]:
        lead |= {"companyId": pick.choice([0, 0, 12]), "contactId": pick.choice([None, 7])}
    desk = {"entity_type_id": DESK_TYPE, "category_id": DESK}
    rated = {**desk, "rating_field": FIELD, "positive_values": ["44", "45"]}
    owners = [user["ID"] for user in portal["users"]] + [0, 999]
    portal |= {
        "support": {
            "sessions": pick.random() < 0.8,
            "calls": pick.random() < 0.6,
            "tickets": pick.choice([[], [desk], [rated]]),
        },
        "fcr_days": pick.choice([1, 7, 7, 30]),
        "working": pick.random() < 0.4,
        "chats": [_chat(pick, portal, number, owners) for number in range(1, pick.randint(1, 20))],
        "calls": [_call(pick, portal, number, owners) for number in range(1, pick.randint(1, 16))],
        "tickets": [_ticket(pick, portal, number, owners) for number in range(1, pick.randint(1, 16))],
    }
    portal["stages"] = [
        *portal["stages"],
        *(
            {
                "ENTITY_ID": f"DYNAMIC_{DESK_TYPE}_STAGE_{category}",
                "STATUS_ID": f"DT{DESK_TYPE}_{category}:{name}",
                "SEMANTICS": semantics,
            }
            for category in (DESK, ELSEWHERE)
            for name, semantics in STAGES
        ),
    ]
    return portal


def _later(pick: random.Random, moment: datetime) -> datetime:
    """After seconds, hours or days; now and then before."""
    span = pick.choice([timedelta(seconds=pick.randint(1, 900)), timedelta(hours=pick.randint(1, 60))])
    if pick.random() < 0.2:
        span = timedelta(days=7)
    return moment - span if pick.random() < 0.06 else moment + span


def _chat(pick: random.Random, portal: dict[str, Any], number: int, owners: list[int]) -> dict[str, Any]:
    opened = _moment(pick, portal["timezone"])
    owner = pick.choice(owners)
    said: list[tuple[int, datetime, dict[str, Any]]] = []
    at = opened
    for _ in range(pick.randint(0, 5)):
        said.append((pick.choice([CLIENT, CLIENT, BOT, SYSTEM, owner or 1, 1]), at, {}))
        at = _later(pick, at)
    closed = _later(pick, at) if pick.random() < 0.75 else None
    if closed is not None:
        vote = pick.choice([0, 1, 5, "5", "1"])
        said.append((SYSTEM, closed, {"imolVoteSid": str(1000 + number), "imolVoteUser": vote}))
    if pick.random() < 0.2:  # the same chat had another session
        said.append((SYSTEM, at, {"imolVoteSid": 999_999, "imolVoteUser": 1}))
    kind = pick.choice([1, 2, 3, 3, 4, 4, 1036])
    return {
        "ID": str(number),
        "OWNER_ID": str(pick.randint(1, 9)),
        "OWNER_TYPE_ID": str(kind),
        "TYPE_ID": "6",
        "PROVIDER_ID": "IMOPENLINES_SESSION",
        "ASSOCIATED_ENTITY_ID": str(1000 + number),
        "CREATED": _iso(opened),
        "START_TIME": _iso(opened),
        "END_TIME": _iso(closed or at),
        "LAST_UPDATED": _iso(closed or at),
        "COMPLETED": "Y" if closed else "N",
        "RESPONSIBLE_ID": str(owner),
        "DIRECTION": "1",
        "SETTINGS": [],
        "history": None if pick.random() < 0.1 else _history(pick, said),
    }


def _history(pick: random.Random, said: list[tuple[int, datetime, dict[str, Any]]]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"id": str(n), "senderid": str(sender), "date": _iso(at), "text": "…", "params": params or []}
        for n, (sender, at, params) in enumerate(said, start=1)
    ]
    pick.shuffle(rows)
    senders = {row["senderid"] for row in rows if row["senderid"] != "0"}
    users = {
        sender: {"id": sender, "bot": sender == str(BOT), "connector": sender == str(CLIENT)}
        for sender in senders
    }
    return {"message": {row["id"]: row for row in rows} or [], "users": users or []}


def _call(pick: random.Random, portal: dict[str, Any], number: int, owners: list[int]) -> dict[str, Any]:
    kind, client = pick.choice([(None, None), ("CONTACT", 7), ("COMPANY", 12), ("LEAD", pick.randint(1, 9))])
    return {
        "ID": str(number),
        "PORTAL_USER_ID": str(pick.choice(owners)),
        "CALL_TYPE": pick.choice("12234"),
        "CALL_DURATION": str(pick.choice([0, 30, 600, -5])),
        "CALL_START_DATE": _iso(_moment(pick, portal["timezone"])),
        "CALL_FAILED_CODE": pick.choice(["200", "200", "304"]),
        "CALL_VOTE": pick.choice([None, "0", "", "1", "3", "4", "5"]),
        "CRM_ENTITY_TYPE": kind,
        "CRM_ENTITY_ID": client,
    }


def _ticket(pick: random.Random, portal: dict[str, Any], number: int, owners: list[int]) -> dict[str, Any]:
    category = pick.choice([DESK, DESK, DESK, ELSEWHERE])
    at = created = _moment(pick, portal["timezone"])
    course = [("NEW", created)]
    for _ in range(pick.randint(0, 4)):
        at = _later(pick, at)
        course.append((pick.choice(STAGES)[0], at))
    moved = [n for n in range(1, len(course)) if course[n][0] != course[n - 1][0]]
    return {
        "id": number,
        "assignedById": pick.choice(owners),
        "categoryId": category,
        "stageId": f"DT{DESK_TYPE}_{category}:{course[-1][0]}",
        "createdTime": _iso(created),
        "movedTime": _iso(course[moved[-1]][1] if moved else created),
        "updatedTime": _iso(at),
        "companyId": pick.choice([0, 12]),
        "contactId": pick.choice([None, 7]),
        FIELD: pick.choice([None, "", 44, "45", "46", 0, ["46"], ["44"]]),
        "course": [
            {
                "ID": number * 100 + n,
                "TYPE_ID": 1 if n == 0 else 2,
                "OWNER_ID": number,
                "CREATED_TIME": _iso(moment),
                "CATEGORY_ID": category,
                "STAGE_ID": f"DT{DESK_TYPE}_{category}:{stage}",
            }
            for n, (stage, moment) in enumerate(course)
        ],
    }


def zone(portal: dict[str, Any]) -> ZoneInfo:
    """The portal's time zone."""
    return ZoneInfo(portal["timezone"])
