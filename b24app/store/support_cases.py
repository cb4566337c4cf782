"""Keeps support cases in step with the chats, calls and tickets that they are derived from.

`follow` looks at what a transaction changed; `rederive` makes all cases anew when the rules have changed.
Both run inside the caller's transaction, after `store.lock`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select, update

from b24app import tables
from b24app.db import chunks, upsert
from b24app.facts import activities as crm_activities
from b24app.facts import case_rules
from b24app.facts.case_rules import CALL, DEAL, LEAD, SESSION, TICKET, Case, Clients, Timing
from b24app.facts.tickets import Desk
from b24app.metrics import work_calendar
from b24app.portals import settings as portal_settings
from b24app.portals.settings import PortalSettings

CHUNK = 1_000
"""Ids in one IN list."""
DAY_S = 86_400

CALENDAR = "work_calendars"
STAGES = "stages"
FOLLOWED: Mapping[str, str] = {
    "activities": "activity_id",
    "sessions": "activity_id",
    "calls": "call_id",
    "deals": "deal_id",
    "leads": "lead_id",
    "tickets": "item_id",
    CALENDAR: "portal_id",
    STAGES: "entity_type_id",
}
"""Tables whose changes can change cases, with the column that tells which ones."""

Touched = Mapping[str, set[int]]
"""Ids that a transaction wrote or removed, by table."""


def desks_of(chosen: PortalSettings) -> tuple[Desk, ...]:
    """The pipelines that serve as help desks."""
    return tuple(
        Desk(
            entity_type_id=ticket.entity_type_id,
            category_id=ticket.category_id,
            rating_field=ticket.rating_field,
            positive_values=frozenset(ticket.positive_values),
        )
        for ticket in chosen.support.tickets
    )


def rules_of(chosen: PortalSettings) -> tuple[object, ...]:
    """What of the settings cases are made by: where these differ, all cases have to be made anew."""
    return (chosen.support, chosen.working_hours_for_support, chosen.fcr_days, chosen.timezone)


def follow(conn: Connection, portal_id: int, touched: Touched) -> bool:
    """Brings the cases in line with what was written or removed; True when any of them is different now."""
    if not any(touched.values()):
        return False
    book = _Book(conn, portal_id, portal_settings.load(conn, portal_id))
    if touched.get(CALENDAR) and book.chosen.working_hours_for_support:
        return rederive(conn, portal_id)
    is_changed = False
    for ids in chunks(book.sessions_behind(touched)):
        is_changed |= book.derive_sessions(ids)
    for ids in chunks(book.calls_behind(touched)):
        is_changed |= book.derive_calls(ids)
    for entity_type_id, ids in book.tickets_behind(touched):
        is_changed |= book.derive_tickets(entity_type_id, ids)
    return is_changed


def rederive(conn: Connection, portal_id: int) -> bool:
    """Makes all cases anew by the portal's present settings; True when any of them is different now."""
    book = _Book(conn, portal_id, portal_settings.load(conn, portal_id))
    is_changed = book.drop_unchosen()
    for ids in book.all_sessions():
        is_changed |= book.derive_sessions(ids)
    for ids in book.all_calls():
        is_changed |= book.derive_calls(ids)
    for entity_type_id, ids in book.all_tickets():
        is_changed |= book.derive_tickets(entity_type_id, ids)
    return is_changed


@dataclass
class _Book:
    """The cases of one portal inside one transaction."""

    conn: Connection
    portal_id: int
    chosen: PortalSettings

    def sessions_behind(self, touched: Touched) -> list[int]:
        """Activities that may be chats and changed, or whose client may have changed."""
        found = set(touched.get("activities", ())) | touched.get("sessions", set())
        activity = tables.activities.c
        for kind, name in ((DEAL, "deals"), (LEAD, "leads")):
            for ids in chunks(sorted(touched.get(name, ()))):
                found.update(
                    self.conn.execute(
                        select(activity.activity_id).where(
                            activity.portal_id == self.portal_id,
                            activity.item_type_id == kind,
                            activity.item_id.in_(ids),
                            activity.provider_id == crm_activities.SESSION,
                        )
                    ).scalars()
                )
        return sorted(found)

    def calls_behind(self, touched: Touched) -> list[int]:
        """Calls that changed, or whose lead did."""
        if not self.chosen.support.calls:
            return []
        found = set(touched.get("calls", ()))
        call = tables.calls.c
        for ids in chunks(sorted(touched.get("leads", ()))):
            found.update(
                self.conn.execute(
                    select(call.call_id).where(
                        call.portal_id == self.portal_id,
                        call.client.in_([f"lead:{number}" for number in ids]),
                    )
                ).scalars()
            )
        return sorted(found)

    def tickets_behind(self, touched: Touched) -> Iterator[tuple[int, Sequence[int]]]:
        """By entity type the tickets that changed; all of them where stages may mean something else now."""
        if touched.get(STAGES):
            yield from self.all_tickets()
            return
        for entity_type_id in self._desk_types:
            changed = set(touched.get("tickets", ()))
            if entity_type_id == DEAL:
                changed |= touched.get("deals", set())
                self._drop_lost_deals(touched.get("deals", ()))
            for ids in chunks(sorted(changed)):
                yield entity_type_id, ids

    def _drop_lost_deals(self, ids: Collection[int]) -> None:
        """Removes tickets whose deal is deleted or in another pipeline: their list does not tell of that."""
        categories = [desk.category_id for desk in desks_of(self.chosen) if desk.entity_type_id == DEAL]
        ticket, deal = tables.tickets.c, tables.deals.c
        is_there = (
            select(deal.deal_id)
            .where(
                deal.portal_id == ticket.portal_id,
                deal.deal_id == ticket.item_id,
                deal.category_id.in_(categories),
            )
            .exists()
        )
        for chunk in chunks(sorted(ids)):
            self.conn.execute(
                delete(tables.tickets).where(
                    ticket.portal_id == self.portal_id,
                    ticket.entity_type_id == DEAL,
                    ticket.item_id.in_(chunk),
                    ~is_there,
                )
            )

    def all_sessions(self) -> Iterator[Sequence[int]]:
        activity = tables.activities.c
        is_session = activity.provider_id == crm_activities.SESSION
        return self._pages(tables.activities, activity.activity_id, is_session)

    def all_calls(self) -> Iterator[Sequence[int]]:
        if self.chosen.support.calls:
            yield from self._pages(tables.calls, tables.calls.c.call_id)

    def all_tickets(self) -> Iterator[tuple[int, Sequence[int]]]:
        ticket = tables.tickets.c
        for entity_type_id in self._desk_types:
            mine = ticket.entity_type_id == entity_type_id
            for ids in self._pages(tables.tickets, ticket.item_id, mine):
                yield entity_type_id, ids

    def drop_unchosen(self) -> bool:
        """Removes the cases of sources that are switched off, and of tickets that are none any more."""
        ticket, case = tables.tickets.c, tables.cases.c
        is_ticket = (
            select(ticket.item_id)
            .where(
                ticket.portal_id == case.portal_id,
                ticket.entity_type_id == case.entity_type_id,
                ticket.item_id == case.case_id,
                ticket.is_taken,
            )
            .exists()
        )
        support = self.chosen.support
        off = [name for name, is_on in ((SESSION, support.sessions), (CALL, support.calls)) if not is_on]
        gone = or_(and_(case.source == TICKET, ~is_ticket), case.source.in_(off))
        done = self.conn.execute(delete(tables.cases).where(case.portal_id == self.portal_id, gone))
        return done.rowcount > 0

    def derive_sessions(self, ids: Sequence[int]) -> bool:
        """Makes the cases of these activities anew; those that are no chats, or not there, have none."""
        activity, session = tables.activities, tables.sessions
        beside = and_(
            session.c.portal_id == activity.c.portal_id, session.c.activity_id == activity.c.activity_id
        )
        rows = self.conn.execute(
            select(
                activity.c.activity_id, activity.c.owner_id, activity.c.created_at, activity.c.started_at,
                activity.c.done_at, activity.c.item_type_id, activity.c.item_id,
                activity.c.session_id, activity.c.updated_at, session.c.updated_at.label("seen_update"),
                session.c.seen_closed_at, session.c.was_reopened, session.c.replied_at,
                session.c.is_positive, session.c.read_at,
            )
            .select_from(activity.outerjoin(session, beside))
            .where(
                activity.c.portal_id == self.portal_id,
                activity.c.activity_id.in_(ids),
                activity.c.provider_id == crm_activities.SESSION,
            )
        ).all()  # fmt: skip
        clients = self._clients({(row.item_type_id, row.item_id) for row in rows})
        found: list[Case] = []
        seen: list[dict[str, Any]] = []
        for row in rows:
            # A later closing than the one that was seen: it was open in between.
            was_closed, is_closed = row.seen_closed_at is not None, row.done_at is not None
            reopened = was_closed and (not is_closed or row.done_at > row.seen_closed_at)
            was_reopened = bool(row.was_reopened) or reopened
            if row.seen_update != row.updated_at or row.seen_closed_at != row.done_at:
                seen.append(
                    {
                        "portal_id": self.portal_id,
                        "activity_id": row.activity_id,
                        "session_id": row.session_id,
                        "updated_at": row.updated_at,
                        "seen_closed_at": row.done_at,
                        "was_reopened": was_reopened,
                        "read_again_at": None if row.session_id is None else 0,
                    }
                )
            item = None if row.item_id is None else (row.item_type_id, row.item_id)
            session_ = case_rules.Session(
                activity_id=row.activity_id,
                owner_id=row.owner_id,
                opened_at=row.created_at if row.started_at is None else row.started_at,
                closed_at=row.done_at,
                item=item,
                replied_at=row.replied_at,
                is_positive=row.is_positive,
                was_reopened=was_reopened,
                is_read=row.read_at is not None or row.session_id is None,
            )
            found.append(case_rules.of_session(session_, clients, self._timing))
        upsert(self.conn, session, seen)
        self._forget_sessions(set(ids) - {row.activity_id for row in rows})
        return self._put(SESSION, 0, ids, found if self.chosen.support.sessions else ())

    def derive_calls(self, ids: Sequence[int]) -> bool:
        """Makes the cases of these calls anew."""
        call = tables.calls.c
        names = [field.name for field in fields(case_rules.Call)]
        rows = self.conn.execute(
            select(*(call[name] for name in names)).where(
                call.portal_id == self.portal_id, call.call_id.in_(ids)
            )
        )
        calls = [case_rules.Call(*row) for row in rows]
        kinds = (one.client.partition(":") for one in calls if one.client is not None)
        leads = {(LEAD, int(number)) for kind, _, number in kinds if kind == "lead"}
        clients = self._clients(leads)
        cases = (case_rules.of_call(one, clients, self._timing) for one in calls)
        return self._put(CALL, 0, ids, [case for case in cases if case is not None])

    def derive_tickets(self, entity_type_id: int, ids: Sequence[int]) -> bool:
        """Makes the cases of these items anew."""
        ticket = tables.tickets.c
        rows = self.conn.execute(
            select(tables.tickets).where(
                ticket.portal_id == self.portal_id,
                ticket.entity_type_id == entity_type_id,
                ticket.item_id.in_(ids),
                ticket.is_taken,
            )
        ).all()
        found: list[Case] = []
        seen: list[dict[str, Any]] = []
        for row in rows:
            place = (row.entity_type_id, row.category_id, row.stage_id)
            closed_at = row.moved_at if (row.semantics or self._semantics.get(place, "P")) != "P" else None
            was_reopened = row.was_reopened or (row.seen_closed_at is not None and closed_at is None)
            if row.seen_closed_at != closed_at:
                seen.append({"key": row.item_id, "closed_at": closed_at, "reopened": was_reopened})
            state = case_rules.TicketState(
                entity_type_id=entity_type_id,
                item_id=row.item_id,
                owner_id=row.owner_id,
                opened_at=row.created_at,
                closed_at=closed_at,
                client=row.client,
                replied_at=row.replied_at,
                is_positive=row.is_positive,
                was_reopened=was_reopened,
                is_read=row.is_read,
            )
            found.append(case_rules.of_ticket(state, self._timing))
        if seen:
            self.conn.execute(
                update(tables.tickets)
                .where(
                    ticket.portal_id == self.portal_id,
                    ticket.entity_type_id == entity_type_id,
                    ticket.item_id == bindparam("key"),
                )
                .values(seen_closed_at=bindparam("closed_at"), was_reopened=bindparam("reopened")),
                seen,
            )
        return self._put(TICKET, entity_type_id, ids, found)

    def _put(self, source: str, entity_type_id: int, ids: Sequence[int], cases: Iterable[Case]) -> bool:
        """Makes `cases` the ones that these ids have; True when that changed any."""
        case = tables.cases.c
        mine = and_(
            case.portal_id == self.portal_id,
            case.source == source,
            case.entity_type_id == entity_type_id,
        )
        names = [field.name for field in fields(Case)]
        wanted = {one.case_id: {name: getattr(one, name) for name in names} for one in cases}
        known = {
            row["case_id"]: row
            for row in (
                dict(zip(names, values, strict=True))
                for values in self.conn.execute(
                    select(*(case[name] for name in names)).where(mine, case.case_id.in_(ids))
                )
            )
        }
        gone = [case_id for case_id in known if case_id not in wanted]
        if gone:
            self.conn.execute(delete(tables.cases).where(mine, case.case_id.in_(gone)))
        other = [row for case_id, row in wanted.items() if known.get(case_id) != row]
        upsert(self.conn, tables.cases, ({"portal_id": self.portal_id, **row} for row in other))
        return bool(gone or other)

    def _clients(self, items: Collection[tuple[int | None, int | None]]) -> Clients:
        """The clients of the deals and leads among the items."""
        found: dict[tuple[int, int], str | None] = {}
        for kind, table, key in (
            (DEAL, tables.deals, tables.deals.c.deal_id),
            (LEAD, tables.leads, tables.leads.c.lead_id),
        ):
            ids = sorted(number for of, number in items if of == kind and number is not None)
            for chunk in chunks(ids):
                rows = self.conn.execute(
                    select(key, table.c.client).where(table.c.portal_id == self.portal_id, key.in_(chunk))
                )
                found.update({(kind, number): client for number, client in rows})
        return found

    def _forget_sessions(self, ids: Collection[int]) -> None:
        """Removes what was kept of chats whose activities are gone."""
        session = tables.sessions.c
        if ids:
            self.conn.execute(
                delete(tables.sessions).where(
                    session.portal_id == self.portal_id, session.activity_id.in_(sorted(ids))
                )
            )

    def _pages(
        self, table: Any, key: ColumnElement[int], *only: ColumnElement[bool]
    ) -> Iterator[Sequence[int]]:
        """All ids of the portal's rows, a portion at a time."""
        last = 0
        while True:
            page = select(key).where(table.c.portal_id == self.portal_id, key > last, *only)
            ids = self.conn.execute(page.order_by(key).limit(CHUNK)).scalars().all()
            if ids:
                yield ids
            if len(ids) < CHUNK:
                return
            last = ids[-1]

    @cached_property
    def _desk_types(self) -> tuple[int, ...]:
        return tuple(sorted({desk.entity_type_id for desk in desks_of(self.chosen)}))

    @cached_property
    def _timing(self) -> Timing:
        zone, follow_up_s = ZoneInfo(self.chosen.timezone), self.chosen.fcr_days * DAY_S
        if not self.chosen.working_hours_for_support:
            return Timing(zone, None, follow_up_s)
        stored = self.conn.execute(
            select(tables.work_calendars.c.data).where(tables.work_calendars.c.portal_id == self.portal_id)
        ).scalar_one_or_none()
        calendar = work_calendar.from_stored(stored) if stored else work_calendar.WorkCalendar()
        return Timing(zone, calendar, follow_up_s)

    @cached_property
    def _semantics(self) -> Mapping[tuple[int, int, str], str]:
        """What the stages of the help desks mean; smart processes do not say so in their items."""
        stage = tables.stages.c
        rows = self.conn.execute(
            select(stage.entity_type_id, stage.category_id, stage.stage_id, stage.semantics).where(
                stage.portal_id == self.portal_id, stage.entity_type_id.in_(self._desk_types)
            )
        )
        return {(row[0], row[1], row[2]): row[3] for row in rows}
