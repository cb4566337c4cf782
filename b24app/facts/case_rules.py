"""Support cases out of chats, calls and tickets: what counts as opened, answered, closed and whose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from b24app.metrics.work_calendar import WorkCalendar, working_seconds

SESSION, CALL, TICKET = "session", "call", "ticket"
"""Where a case comes from."""

INCOMING = (2, 3)
"""`CALL_TYPE` of calls by clients."""
GOOD_VOTE = 4
"""`CALL_VOTE` from here on is a positive rating."""

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
"""Entity types of the portal."""

Clients = Mapping[tuple[int, int], str | None]
"""By entity type and id the client of a deal or lead; None where it has none."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request. `reply_s`, `resolution_s`: negative where the clock ran backwards."""

    source: str
    entity_type_id: int  # of tickets, else 0
    case_id: int  # of the chat's CRM activity, the call or the item
    owner_id: int
    opened_at: int
    opened_day: date
    replied_at: int | None
    closed_at: int | None
    closed_day: date | None
    client: str | None
    is_positive: bool | None
    was_reopened: bool
    is_read: bool  # False: whether there was a reply is not known yet
    follow_up_until: int | None  # another request of the client until then belongs to this one
    reply_s: int | None
    resolution_s: int | None


@dataclass(frozen=True, slots=True)
class Session:
    """A chat: its CRM activity with what was read of its messages."""

    activity_id: int
    owner_id: int
    opened_at: int
    closed_at: int | None
    item: tuple[int, int] | None  # the CRM item that owns it: (entity type, id)
    replied_at: int | None = None
    is_positive: bool | None = None
    was_reopened: bool = False
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    call_id: int
    owner_id: int
    call_type: int
    is_answered: bool
    started_at: int
    duration_s: int
    vote: int | None
    client: str | None


@dataclass(frozen=True, slots=True)
class TicketState:
    entity_type_id: int
    item_id: int
    owner_id: int
    opened_at: int
    closed_at: int | None
    client: str | None
    replied_at: int | None
    is_positive: bool | None
    was_reopened: bool
    is_read: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """How days are cut and durations counted. `calendar` None: calendar time.

    `follow_up_s`: how long after its closing a request may be followed by another one that belongs to it.
    """

    zone: ZoneInfo
    calendar: WorkCalendar | None = None
    follow_up_s: int = 7 * 86_400

    def day(self, moment: int) -> date:
        """The portal's local day of a moment in epoch seconds."""
        return datetime.fromtimestamp(moment, self.zone).date()

    def seconds(self, start: int, end: int | None) -> int | None:
        """Seconds from one moment to the other; of working time where that is what counts.

        A clock that ran backwards did so at night as well: then they are negative in both ways.
        """
        if end is None:
            return None
        if self.calendar is None or end < start:
            return end - start
        return working_seconds(
            self.calendar, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), self.zone
        )


def of_session(session: Session, clients: Clients, timing: Timing) -> Case:
    """The case that a chat is."""
    return _case(
        timing,
        source=SESSION,
        case_id=session.activity_id,
        owner_id=session.owner_id,
        opened_at=session.opened_at,
        replied_at=session.replied_at,
        closed_at=session.closed_at,
        client=None if session.item is None else client_of(session.item, clients),
        is_positive=session.is_positive,
        was_reopened=session.was_reopened,
        is_read=session.is_read,
    )


def of_call(call: Call, clients: Clients, timing: Timing) -> Case | None:
    """The case that an incoming call is; None for other calls. A missed one is never closed.

    The portal does not tell how long the caller waited, so a call has no reply.
    """
    if call.call_type not in INCOMING:
        return None
    kind, _, number = (call.client or "").partition(":")
    return _case(
        timing,
        source=CALL,
        case_id=call.call_id,
        owner_id=call.owner_id,
        opened_at=call.started_at,
        replied_at=None,
        closed_at=call.started_at + call.duration_s if call.is_answered else None,
        client=client_of((LEAD, int(number)), clients) if kind == "lead" else call.client,
        is_positive=None if call.vote is None else call.vote >= GOOD_VOTE,
        was_reopened=False,
        is_read=True,
    )


def of_ticket(ticket: TicketState, timing: Timing) -> Case:
    """The case that an item of the help desk is."""
    return _case(
        timing,
        source=TICKET,
        entity_type_id=ticket.entity_type_id,
        case_id=ticket.item_id,
        owner_id=ticket.owner_id,
        opened_at=ticket.opened_at,
        replied_at=ticket.replied_at,
        closed_at=ticket.closed_at,
        client=ticket.client,
        is_positive=ticket.is_positive,
        was_reopened=ticket.was_reopened,
        is_read=ticket.is_read,
    )


def client_of(item: tuple[int, int], clients: Clients) -> str | None:
    """Who asks: the company or contact itself, else the client of the deal or lead, else the lead itself."""
    entity_type_id, number = item
    if entity_type_id == COMPANY:
        return f"company:{number}"
    if entity_type_id == CONTACT:
        return f"contact:{number}"
    known = clients.get(item)
    return f"lead:{number}" if known is None and entity_type_id == LEAD else known


def _case(
    timing: Timing,
    *,
    source: str,
    case_id: int,
    owner_id: int,
    opened_at: int,
    replied_at: int | None,
    closed_at: int | None,
    client: str | None,
    is_positive: bool | None,
    was_reopened: bool,
    is_read: bool,
    entity_type_id: int = 0,
) -> Case:
    return Case(
        source=source,
        entity_type_id=entity_type_id,
        case_id=case_id,
        owner_id=owner_id,
        opened_at=opened_at,
        opened_day=timing.day(opened_at),
        replied_at=replied_at,
        closed_at=closed_at,
        closed_day=None if closed_at is None else timing.day(closed_at),
        client=client,
        is_positive=is_positive,
        was_reopened=was_reopened,
        is_read=is_read,
        follow_up_until=None if closed_at is None else closed_at + timing.follow_up_s,
        reply_s=timing.seconds(opened_at, replied_at),
        resolution_s=timing.seconds(opened_at, closed_at),
    )
