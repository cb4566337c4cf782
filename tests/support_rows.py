"""Rows of chats with their messages, of calls by clients and of tickets: only what matters is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from b24app import store
from b24app.facts import activities, calls, sessions, tickets
from b24app.facts.tickets import Desk
from tests.cast import ANNA
from tests.crm_rows import Row, at
from tests.work_rows import activity
from tests.work_rows import call as any_call

CLIENT, BOT, SYSTEM = 5001, 90, 0
"""Who writes in chats besides employees."""


@dataclass(frozen=True)
class Chat:
    """The row of a chat's CRM activity and what the portal answers about its messages (None: not read)."""

    row: Row
    history: Row | None

    @property
    def session_id(self) -> int:
        return int(self.row["ASSOCIATED_ENTITY_ID"])


def chat(
    number: int,
    opened: str,
    *,
    reply: str | None = None,
    closed: str | None = None,
    vote: int | None = None,
    owner: int = ANNA,
    item: tuple[int, int] = (3, 1),
    is_read: bool = True,
    updated: str | None = None,
) -> Chat:
    """A chat of a client; `item`: the (entity type, id) that owns it; `vote` as in `imolVoteUser`."""
    row = activity(
        number,
        owner=owner,
        provider="IMOPENLINES_SESSION",
        created=opened,
        updated=updated or closed or opened,
    )
    row |= {
        "ASSOCIATED_ENTITY_ID": str(1000 + number),
        "OWNER_TYPE_ID": str(item[0]),
        "OWNER_ID": str(item[1]),
        "END_TIME": at(closed) if closed else None,
        "COMPLETED": "Y" if closed else "N",
    }
    said: list[tuple[int, str, Row]] = [(CLIENT, opened, {})]
    if reply:
        said.append((owner, reply, {}))
    if closed:
        said.append((SYSTEM, closed, {"imolVoteSid": 1000 + number, "imolVoteUser": vote or 0}))
    return Chat(row, history(said) if is_read else None)


def history(said: Iterable[tuple[int, str, Row]]) -> Row:
    """The answer of `imopenlines.session.history.get` with these messages: (sender, moment, params)."""
    messages: dict[str, Row] = {
        str(n): {
            "id": str(n),
            "senderid": str(sender),
            "date": at(moment),
            "text": "…",
            "params": params or [],
        }
        for n, (sender, moment, params) in enumerate(said, start=1)
    }
    senders = {m["senderid"] for m in messages.values()} - {str(SYSTEM)}
    return {
        "message": messages or [],
        "users": {
            sender: {"id": sender, "bot": sender == str(BOT), "connector": sender == str(CLIENT)}
            for sender in senders
        },
    }


def call(
    number: int,
    started: str,
    *,
    seconds: int = 60,
    code: str = "200",
    kind: int = 2,
    vote: int | None = None,
    client: tuple[str, int] | None = None,
    owner: int = ANNA,
) -> Row:
    """A call, by a client unless `kind` says otherwise."""
    row = any_call(number, started, owner=owner, kind=kind, code=code, seconds=seconds)
    kind_of, number_of = client or (None, None)
    return {**row, "CALL_VOTE": vote, "CRM_ENTITY_TYPE": kind_of, "CRM_ENTITY_ID": number_of}


def ticket(
    number: int,
    opened: str,
    *stages: tuple[str, str],
    category: int = 5,
    owner: int = ANNA,
    company: int = 0,
    **fields: Any,
) -> tuple[Row, list[Row]]:
    """An item of a help desk and its history: it is made in NEW and moves on to (stage, moment)."""
    course = [("NEW", opened), *stages]
    last, moved = course[-1]
    item = {
        "id": number,
        "assignedById": owner,
        "categoryId": category,
        "stageId": f"DT1036_{category}:{last}",
        "createdTime": at(opened),
        "movedTime": at(moved),
        "updatedTime": at(moved),
        "companyId": company,
        **fields,
    }
    entries = [
        {
            "ID": number * 100 + n,
            "TYPE_ID": 1 if n == 0 else 2,
            "OWNER_ID": number,
            "CREATED_TIME": at(moment),
            "CATEGORY_ID": category,
            "STAGE_ID": f"DT1036_{category}:{stage}",
        }
        for n, (stage, moment) in enumerate(course)
    ]
    return item, entries


def stages_of_desk(category: int = 5) -> list[Row]:
    """The statuses of the help desk's pipeline: NEW, WORK, and DONE and SPAM as final ones."""
    return [
        {
            "ENTITY_ID": f"DYNAMIC_1036_STAGE_{category}",
            "STATUS_ID": f"DT1036_{category}:{stage}",
            "SEMANTICS": said,
        }
        for stage, said in (("NEW", None), ("WORK", None), ("DONE", "S"), ("SPAM", "F"))
    ]


def save(
    engine: Engine,
    portal_id: int,
    *,
    chats: Iterable[Chat] = (),
    calls_: Iterable[Row] = (),
    tickets_: Iterable[tuple[Row, list[Row]]] = (),
    desks: tuple[Desk, ...] = (Desk(1036, 5),),
    now: int = 0,
) -> None:
    """Stores them as the reader would: first the lists, then what is asked for one by one."""
    chats, tickets_ = list(chats), list(tickets_)
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id) as writer:
        writer.save_activities(activities.parse(chat.row, border) for chat in chats)
        writer.save_calls(calls.parse(row, border) for row in calls_)
        writer.save_tickets(tickets.parse(item, border, 1036, desks) for item, _ in tickets_)
    talks: dict[tuple[int, int], sessions.Talk] = {}
    for one in chats:
        if one.history is not None:
            version = activities.parse(one.row, border).updated_at
            talks[one.session_id, version] = sessions.parse(one.history, one.session_id, border.zone)
    courses: Mapping[tuple[int, int], tickets.Course] = {
        (item["id"], tickets.parse(item, border, 1036, desks).moved_at): tickets.course(entries, border, 1036)
        for item, entries in tickets_
    }
    with store.writing(engine, portal_id) as writer:
        writer.save_talks(talks, now)
        writer.save_courses(1036, courses)
