"""Open channel sessions: what `imopenlines.session.history.get` tells of one, its texts left behind.

Source: bitrix24 imopenlines/openlines/sessions; where the client's vote stands, from the portal's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from b24app.facts import values
from b24app.facts.values import BadRow, Row

LIKE, DISLIKE = 5, 1
"""`params.imolVoteUser`; 0 is no rating."""


@dataclass(frozen=True, slots=True)
class Talk:
    """When a person first answered the client, and the client's rating; None where there is none."""

    replied_at: int | None
    is_positive: bool | None


ANSWER_EXPECTED_S = 60
"""A reply in an open chat need not change anything that the lists of the portal show."""
VOTE_EXPECTED_S = 3 * 86_400
FIRST_VOTE_S = 300
"""A client rates a chat after it was closed, mostly soon; of that nothing tells."""


def read_again_at(talk: Talk, closed_at: int | None, now: int) -> int | None:
    """When the messages of a chat are worth another reading although nothing tells of a change; None: never.

    Moments in epoch seconds; `closed_at` None: it is open.
    """
    if closed_at is None:
        return now + ANSWER_EXPECTED_S if talk.replied_at is None else None
    if talk.is_positive is None and now - closed_at < VOTE_EXPECTED_S:
        return now + max(FIRST_VOTE_S, now - closed_at)  # when it has been closed twice as long
    return None


@dataclass(frozen=True, slots=True)
class _Message:
    at: int
    number: int
    sender: int  # 0: the system
    params: Row


def parse(result: Any, session_id: int | None, zone: ZoneInfo) -> Talk:
    """What the answer tells of the session. Raises: BadRow when it is no answer about a session.

    The first reply is the first message of somebody who is neither bot nor client, after the client's first.
    """
    if not isinstance(result, Mapping) or "message" not in result:
        raise BadRow("no messages")
    messages = sorted(_messages(result["message"], zone), key=lambda message: (message.at, message.number))
    senders = _senders(result.get("users"))
    asked = False
    replied_at = None
    for message in messages:
        sender = senders.get(message.sender)
        if sender is None:  # the system, or nobody that the portal describes
            continue
        if values.yes(sender.get("connector")):
            asked = True
        elif asked and not values.yes(sender.get("bot")):
            replied_at = message.at
            break
    return Talk(replied_at, _rating(messages, session_id))


def _messages(listed: Any, zone: ZoneInfo) -> Iterable[_Message]:
    for row in _entries(listed):
        at = values.moment(row.get("date"), zone)
        if at is not None:
            params = row.get("params")
            yield _Message(
                at=at,
                number=values.whole(row.get("id")) or 0,
                sender=values.whole(row.get("senderid")) or 0,
                params=params if isinstance(params, Mapping) else {},
            )


def _senders(listed: Any) -> dict[int, Row]:
    found = {values.link(row.get("id")): row for row in _entries(listed)}
    if isinstance(listed, Mapping):
        found |= {values.link(key): row for key, row in listed.items() if isinstance(row, Mapping)}
    return {user_id: row for user_id, row in found.items() if user_id is not None}


def _entries(listed: Any) -> Iterable[Row]:
    """The rows of an object by id or of a list: the portal writes an empty object as a list."""
    rows = listed.values() if isinstance(listed, Mapping) else listed if isinstance(listed, list) else ()
    return (row for row in rows if isinstance(row, Mapping))


def _rating(messages: Iterable[_Message], session_id: int | None) -> bool | None:
    """The last rating that the session's closing messages carry; a session that was reopened has several."""
    found = None
    for message in messages:
        rated = values.link(message.params.get("imolVoteSid"))
        if rated is not None and session_id is not None and rated != session_id:
            continue  # of another session in the same chat
        vote = values.whole(message.params.get("imolVoteUser"))
        if vote in (LIKE, DISLIKE):
            found = vote == LIKE
    return found
