"""Calls: `voximplant.statistic.get`. Source: bitrix24 telephony/voximplant-statistic-get.

The list has no `select`: numbers, comments and transcripts that come with a row stay behind this border.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from b24app.facts import values
from b24app.facts.values import BadRow, Border, Row

ANSWERED = "200"
CLIENTS = ("company", "contact", "lead")
LONGEST_S = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PhoneCall:
    call_id: int
    owner_id: int
    call_type: int
    is_answered: bool
    duration_s: int
    started_at: int
    started_day: date
    vote: int | None
    client: str | None


def parse(row: Row, border: Border) -> PhoneCall:
    """The fact in a row of the call statistics. Raises: BadRow without an id or a start."""
    call_id = values.required_id(row, "ID")
    started = values.moment(row.get("CALL_START_DATE"), border.zone)
    if started is None:
        raise BadRow("no CALL_START_DATE")
    duration = values.whole(row.get("CALL_DURATION")) or 0
    vote = values.whole(row.get("CALL_VOTE")) or 0
    return PhoneCall(
        call_id=call_id,
        owner_id=values.link(row.get("PORTAL_USER_ID")) or 0,
        call_type=values.whole(row.get("CALL_TYPE")) or 0,
        is_answered=values.text(row.get("CALL_FAILED_CODE"), 16) == ANSWERED,
        duration_s=max(-LONGEST_S, min(duration, LONGEST_S)),
        started_at=started,
        started_day=border.day(started),
        vote=vote if 1 <= vote <= 5 else None,
        client=_client(row),
    )


def _client(row: Row) -> str | None:
    kind = (values.text(row.get("CRM_ENTITY_TYPE"), 16) or "").lower()
    number = values.link(row.get("CRM_ENTITY_ID"))
    return f"{kind}:{number}" if kind in CLIENTS and number is not None else None
