"""Invented contacts with clients: calls, meetings, e-mails and to-dos on leads and deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator.company.year import Year
from emulator.world import Portal, Row

MEETING, CALL, EMAIL, PROVIDER = 1, 2, 4, 6  # TYPE_ID of an activity
IN, OUT = 1, 2  # DIRECTION
KINDS = (("call", 0.42), ("email", 0.26), ("todo", 0.2), ("meeting", 0.12))
SUBJECTS = {
    "call": ("Уточнить потребности", "Обсудить предложение", "Согласовать сроки", "Напомнить об оплате"),
    "email": ("Коммерческое предложение", "Ответ по спецификации", "Договор на согласование", "Счёт"),
    "todo": ("Подготовить расчёт", "Запросить реквизиты", "Проверить наличие на складе", "Отправить образцы"),
    "meeting": ("Встреча на объекте", "Презентация решения", "Подписание договора"),
}
FAILED = ("603-S", "486", "480", "304")
FAILURES = {"603-S": "Decline self", "486": "Busy", "480": "Temporarily unavailable", "304": "Missed call"}


@dataclass
class Contact:
    """An activity and, for a call, its row of the phone statistics."""

    activity: Row
    call: Row | None = None


def add_contacts(portal: Portal, year: Year) -> None:
    """Add what was done about every lead and deal, and the next steps of those still open."""
    found: list[Contact] = []
    for kind, entity, mean in (("lead", 1, 0.7), ("deal", 2, 2.6)):
        for item in portal.records[kind]:
            ended = item["movedTime"] if item["stageSemanticId"] != "P" else year.now
            span = (ended - item["createdTime"]).total_seconds()
            for _ in range(min(year.how_many(mean), 9)):
                at = year.working(item["createdTime"] + timedelta(seconds=span * year.random.random()))
                if at < year.now:
                    found.append(_done(year, item, entity, at))
            is_open = item["stageSemanticId"] == "P" and not item.get("isRecurring")
            if is_open and year.random.random() < 0.66:
                found.append(_planned(year, item, entity))
    _store(portal, found)


def activity(owner_type: int, owner_id: int, person: int, created: datetime, **more: Any) -> Row:
    """An `activity` row with the portal's own defaults; `more` replaces or adds fields."""
    return {
        "OWNER_ID": owner_id,
        "OWNER_TYPE_ID": owner_type,
        "TYPE_ID": PROVIDER,
        "PROVIDER_ID": "CRM_TODO",
        "PROVIDER_TYPE_ID": "TODO",
        "PROVIDER_GROUP_ID": None,
        "ASSOCIATED_ENTITY_ID": 0,
        "SUBJECT": "",
        "CREATED": created,
        "LAST_UPDATED": created,
        "START_TIME": created,
        "END_TIME": created,
        "DEADLINE": created,
        "COMPLETED": False,
        "STATUS": 1,
        "RESPONSIBLE_ID": person,
        "AUTHOR_ID": person,
        "EDITOR_ID": person,
        "PRIORITY": 2,
        "NOTIFY_TYPE": 0,
        "NOTIFY_VALUE": 0,
        "DESCRIPTION": "",
        "DIRECTION": OUT,
        "LOCATION": "",
        "SETTINGS": {},
        "PROVIDER_PARAMS": {},
        "PROVIDER_DATA": "",
        "ORIGINATOR_ID": None,
        "ORIGIN_ID": None,
        "RESULT_MARK": 0,
        "RESULT_VALUE": None,
        "RESULT_SUM": None,
        "RESULT_CURRENCY_ID": None,
        "RESULT_STATUS": 0,
        "RESULT_STREAM": 0,
        "RESULT_SOURCE_ID": None,
        "AUTOCOMPLETE_RULE": 0,
        "IS_INCOMING_CHANNEL": False,
        "BINDINGS": [{"OWNER_ID": owner_id, "OWNER_TYPE_ID": owner_type}],
        **more,
    }


def call_row(
    year: Year, person: int, at: datetime, call_type: int, *, seconds: int, code: str = "200"
) -> Row:
    """A `call` row as the phone statistics keep it; a call that failed lasts 0 seconds."""
    number = f"7900{year.random.randint(1_000_000, 1_009_999)}"
    return {
        "PORTAL_USER_ID": person,
        "PORTAL_NUMBER": "reg18042",
        "PHONE_NUMBER": number,
        "CALL_ID": f"externalCall.{year.random.getrandbits(64):016x}.{int(at.timestamp())}",
        "EXTERNAL_CALL_ID": None,
        "CALL_CATEGORY": "external",
        "CALL_TYPE": call_type,
        "CALL_DURATION": seconds if code == "200" else 0,
        "CALL_START_DATE": at,
        "CALL_VOTE": 0,
        "COST": f"{seconds / 60 * 1.2:.4f}",
        "COST_CURRENCY": "RUR",
        "CALL_FAILED_CODE": code,
        "CALL_FAILED_REASON": "Success call" if code == "200" else FAILURES[code],
        "CRM_ENTITY_TYPE": None,
        "CRM_ENTITY_ID": None,
        "CRM_ACTIVITY_ID": None,
        "REST_APP_ID": None,
        "REST_APP_NAME": None,
        "TRANSCRIPT_ID": None,
        "TRANSCRIPT_PENDING": "N",
        "SESSION_ID": None,
        "REDIAL_ATTEMPT": None,
        "COMMENT": None,
        "RECORD_DURATION": None,
        "RECORD_FILE_ID": None,
        "CALL_RECORD_URL": None,
    }


def _done(year: Year, item: Row, entity: int, at: datetime) -> Contact:
    random = year.random
    kind = random.choices([name for name, _ in KINDS], [share for _, share in KINDS])[0]
    person = item["assignedById"]
    subject = random.choice(SUBJECTS[kind])
    if kind == "call":
        return _phoned(year, item, entity, at, subject)
    if kind == "email":
        return Contact(_email(year, item, entity, at, subject))
    minutes = random.randint(30, 120) if kind == "meeting" else 15
    end = min(at + timedelta(minutes=minutes), year.now)
    provider = {"TYPE_ID": MEETING, "PROVIDER_ID": "CRM_MEETING", "PROVIDER_TYPE_ID": "MEETING"}
    times = {"START_TIME": at, "END_TIME": end, "DEADLINE": at if kind == "meeting" else end}
    planned = max(item["createdTime"], at - timedelta(days=random.randint(0, 4)))
    done = {"COMPLETED": True, "STATUS": 2, "LAST_UPDATED": end, "SUBJECT": subject}
    row = activity(entity, item["id"], person, planned, **times, **done)
    return Contact({**row, **provider} if kind == "meeting" else row)


def _phoned(year: Year, item: Row, entity: int, at: datetime, subject: str) -> Contact:
    random = year.random
    person = item["assignedById"]
    call_type = random.choices((1, 2, 3, 4), (0.66, 0.26, 0.05, 0.03))[0]
    code = "200" if random.random() < (0.78 if call_type in (1, 4) else 0.87) else random.choice(FAILED)
    if call_type in (2, 3) and code != "200":
        code = "304"
    seconds = int(random.lognormvariate(4.9, 0.8))
    call = call_row(year, person, at, call_type, seconds=seconds, code=code)
    linked = ("COMPANY", item["companyId"]) if item["companyId"] else ("CONTACT", item["contactId"])
    if entity == 1 and not linked[1]:
        linked = ("LEAD", item["id"])
    if linked[1]:
        call.update(CRM_ENTITY_TYPE=linked[0], CRM_ENTITY_ID=linked[1])
    is_missed = call_type in (2, 3) and code != "200"
    end = min(at + timedelta(seconds=call["CALL_DURATION"]), year.now)
    row = activity(
        entity,
        item["id"],
        person,
        at,
        TYPE_ID=CALL,
        PROVIDER_ID="VOXIMPLANT_CALL",
        PROVIDER_TYPE_ID="CALLBACK" if call_type == 4 else "CALL",
        SUBJECT=subject,
        END_TIME=end,
        LAST_UPDATED=end,
        COMPLETED=not is_missed or random.random() < 0.7,
        STATUS=3 if not is_missed else 1,
        DIRECTION=OUT if call_type in (1, 4) else IN,
        ORIGIN_ID=f"VI_{call['CALL_ID']}",
        SETTINGS={"MISSED_CALL": True} if is_missed else {},
        RESULT_STATUS=2 if code == "200" else 1,
        RESULT_STREAM=4 if is_missed else {1: 2, 2: 1, 3: 1, 4: 3}[call_type],
    )
    return Contact(row, call)


def _email(year: Year, item: Row, entity: int, at: datetime, subject: str) -> Row:
    random = year.random
    is_out = random.random() < 0.7
    settings: Row = {}
    updated = at
    if is_out and random.random() < 0.9:
        settings["IS_BATCH_EMAIL"] = False
        opened = at + timedelta(hours=random.expovariate(1 / 9))
        if random.random() < 0.55 and opened < year.now:
            settings["READ_CONFIRMED"] = int(opened.timestamp())
            updated = opened
    return activity(
        entity,
        item["id"],
        item["assignedById"],
        at,
        TYPE_ID=EMAIL,
        PROVIDER_ID="CRM_EMAIL",
        PROVIDER_TYPE_ID="EMAIL",
        SUBJECT=subject,
        DIRECTION=OUT if is_out else IN,
        COMPLETED=is_out or random.random() < 0.9,
        STATUS=2,
        LAST_UPDATED=updated,
        SETTINGS=settings,
        IS_INCOMING_CHANNEL=not is_out,
    )


def _planned(year: Year, item: Row, entity: int) -> Contact:
    """The next step: mostly ahead, sometimes overdue, now and then without a deadline."""
    random = year.random
    deadline = year.working(year.now + timedelta(days=random.triangular(-12, 16, 4)))
    created = max(item["createdTime"], min(deadline, year.now) - timedelta(days=random.uniform(0.1, 6)))
    kind = random.choice(("todo", "todo", "meeting"))
    more: Row = {"SUBJECT": random.choice(SUBJECTS[kind]), "START_TIME": deadline, "END_TIME": deadline}
    if kind == "meeting":
        more |= {"TYPE_ID": MEETING, "PROVIDER_ID": "CRM_MEETING", "PROVIDER_TYPE_ID": "MEETING"}
    more["DEADLINE"] = None if kind == "todo" and random.random() < 0.06 else deadline
    return Contact(activity(entity, item["id"], item["assignedById"], min(created, year.now), **more))


def _store(portal: Portal, found: list[Contact]) -> None:
    """Number activities and calls by time; a record was last active when it was last dealt with."""
    kinds = {1: "lead", 2: "deal"}
    calls: list[Row] = []
    for contact in sorted(found, key=lambda contact: contact.activity["CREATED"]):
        row = contact.activity
        activity_id = portal.put("activity", row, quiet=True)
        if contact.call is not None:
            contact.call["CRM_ACTIVITY_ID"] = activity_id
            calls.append(contact.call)
        item = portal.records[kinds[row["OWNER_TYPE_ID"]]].get(row["OWNER_ID"])
        if item is not None and item["lastActivityTime"] < row["CREATED"]:
            item.update(lastActivityTime=row["CREATED"], lastActivityBy=row["AUTHOR_ID"])
    for call in sorted(calls, key=lambda call: call["CALL_START_DATE"]):
        portal.put("call", call, quiet=True)
