"""Writes of facts. Every change of a portal's facts moves its `data_version` in the same transaction.

Writers of one portal take turns: each transaction first locks the portal's bookkeeping row, so what it
reads before it writes cannot change under it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from b24app import tables
from b24app.db import chunks, upsert
from b24app.facts import deals, derive, sessions
from b24app.facts.absences import Absence
from b24app.facts.activities import CrmActivity
from b24app.facts.budget_items import BudgetItem
from b24app.facts.calls import PhoneCall
from b24app.facts.deals import Deal
from b24app.facts.leads import Lead
from b24app.facts.people import Department, User
from b24app.facts.projects import Project
from b24app.facts.reference import Currency, LeadSource, Pipeline, SmartProcess, Stage
from b24app.facts.sessions import Talk
from b24app.facts.stages import Entry
from b24app.facts.tasks import Task
from b24app.facts.tickets import Course, Ticket
from b24app.facts.time_records import TimeRecord
from b24app.facts.values import Border
from b24app.store import kept_sums, support_cases
from b24app.store.derived import Derived
from b24app.sums.kept import VERSION

LOCK_SOURCE = "changes"
"""The row of `sync_sources` that writers of a portal lock."""

SUMMED = ("deals", "leads", "stage_history")
"""Sources whose records have sums that are kept beside them."""

CLOSED = ("gone", "uninstalled", "purging")
"""States of a portal whose rows are not to grow any more."""


class PortalLeft(Exception):
    """The portal was removed or closed while its rows were being read: nothing may be stored any more."""


class BorderMoved(Exception):
    """The portal's time zone changed since the rows were parsed: read them again."""


def load_border(conn: Connection, portal_id: int) -> Border:
    """What `parse` needs for this portal. Raises: PortalLeft."""
    name = conn.execute(
        select(tables.portals.c.timezone).where(tables.portals.c.portal_id == portal_id)
    ).scalar_one_or_none()
    if name is None:
        raise PortalLeft(portal_id)
    stages = tables.stages.c
    rows = conn.execute(
        select(stages.entity_type_id, stages.category_id, stages.stage_id, stages.semantics).where(
            stages.portal_id == portal_id
        )
    )
    return Border(ZoneInfo(name), {(row[0], row[1], row[2]): row[3] for row in rows})


@contextmanager
def writing(engine: Engine, portal_id: int, border: Border | None = None) -> Iterator[Writer]:
    """One transaction of a portal's facts: all of it is stored, or nothing.

    `border`: the one that the rows were parsed with. Raises: PortalLeft, BorderMoved.
    """
    with engine.begin() as conn:
        lock(conn, portal_id)
        portal = conn.execute(_PORTAL, {"mine": portal_id}).one_or_none()
        if portal is None or portal.state in CLOSED:
            raise PortalLeft(portal_id)
        if border is not None and border.zone.key != portal.timezone:
            raise BorderMoved(portal_id)
        keeps_sums = portal.sums_version == VERSION or not _is_filling(conn, portal_id)
        if keeps_sums and portal.sums_version != VERSION:
            kept_sums.make_anew(conn, portal_id)
        writer = Writer(conn, portal_id, ZoneInfo(portal.timezone), keeps_sums=keeps_sums)
        yield writer
        writer.sums.settle()
        if support_cases.follow(conn, portal_id, writer.touched) or writer.derived.changed:
            writer.changed = True
        if "checked_at" in writer.standing and portal.state == "unpaid":
            writer.standing["state"] = "active"
            writer.changed = True
        # Also where nothing changed: the portal may be on its way out, and must not find new rows behind it.
        if not _advance(conn, portal_id, 1 if writer.changed else 0, writer.standing):
            raise PortalLeft(portal_id)


def _is_filling(conn: Connection, portal_id: int) -> bool:
    """Whether a list that sums are kept of is being read for the first time."""
    source = tables.sync_sources.c
    filling = select(source.source).where(
        source.portal_id == portal_id, source.source.in_(SUMMED), source.state == "reading"
    )
    return conn.execute(filling.limit(1)).first() is not None


def lock(conn: Connection, portal_id: int) -> None:
    """Waits until no other transaction writes this portal's facts; they wait for this one from now on."""
    if conn.execute(_LOCK, {"mine": portal_id}).rowcount > 0:
        return
    known = conn.execute(
        select(tables.portals.c.portal_id).where(tables.portals.c.portal_id == portal_id)
    ).scalar_one_or_none()
    if known is not None:
        upsert(
            conn,
            tables.sync_sources,
            [{"portal_id": portal_id, "source": LOCK_SOURCE, "state": "ready"}],
            keep=("state",),
        )


def bump(conn: Connection, portal_id: int) -> None:
    """Marks the portal's facts as changed: answers computed before are stale."""
    _advance(conn, portal_id, 1)


def close_portal(engine: Engine, portal_id: int, state: str) -> None:
    """Notes that the portal is unpaid or gone, unless it has left for another reason."""
    portals = tables.portals
    with engine.begin() as conn:
        conn.execute(
            update(portals)
            .where(portals.c.portal_id == portal_id, portals.c.state.not_in(CLOSED))
            .values(state=state)
        )


def _advance(conn: Connection, portal_id: int, step: int, standing: Mapping[str, Any] | None = None) -> bool:
    """Moves the version and changes columns of the portal's own row; False where the portal has left."""
    done = conn.execute(_ADVANCE, {"mine": portal_id, "step": step, **(standing or {})})
    return done.rowcount == 1


# What every check executes, made once. Values that are no parameters of these are those of columns.
_PORTAL = select(tables.portals.c.state, tables.portals.c.timezone, tables.portals.c.sums_version).where(
    tables.portals.c.portal_id == bindparam("mine")
)
_ADVANCE = (
    update(tables.portals)
    .where(
        tables.portals.c.portal_id == bindparam("mine"),
        *(tables.portals.c.state != one for one in CLOSED),  # a list would be written out anew each time
    )
    .values(data_version=tables.portals.c.data_version + bindparam("step"))
)
_SET_SOURCE = update(tables.sync_sources).where(
    tables.sync_sources.c.portal_id == bindparam("mine"), tables.sync_sources.c.source == bindparam("named")
)
_LOCK = (
    update(tables.sync_sources)
    .where(tables.sync_sources.c.portal_id == bindparam("mine"), tables.sync_sources.c.source == LOCK_SOURCE)
    .values(state=tables.sync_sources.c.state)
)


class Writer:
    """The writes of one open transaction.

    `changed` tells whether any fact is now different, `has_new_stage_order` whether the furthest stages of
    deals have to be derived anew, `touched` what support cases may follow from. `standing` has columns of
    the portal's own row that are written at the end.
    """

    def __init__(self, conn: Connection, portal_id: int, zone: ZoneInfo, *, keeps_sums: bool = True) -> None:
        self.conn = conn
        self.portal_id = portal_id
        self.zone = zone
        self.changed = False
        self.has_new_stage_order = False
        self.touched: dict[str, set[int]] = {}
        self.standing: dict[str, Any] = {}
        self.sums = kept_sums.KeptSums(conn, portal_id, is_on=keeps_sums)
        self.derived = Derived(conn, portal_id, self.sums)

    def pause_sums(self) -> None:
        """Keeps no sums from now on: they are made anew by the first write after lists have been filled."""
        self.set_portal(sums_version=None)
        self.sums = self.derived.sums = kept_sums.KeptSums(self.conn, self.portal_id, is_on=False)

    def save_deals(self, facts: Iterable[Deal]) -> None:
        """Stores deals as they were just read; returns nothing, known identical rows cost no write."""
        self._save_deals(facts, is_newer=_always)

    def fill_deals(self, facts: Iterable[Deal], skip: Collection[int] = ()) -> None:
        """Stores deals of a long read: a row that was changed or deleted (`skip`) meanwhile stays so."""
        gone = set(skip)
        kept = (fact for fact in facts if fact.deal_id not in gone)
        self._save_deals(kept, is_newer=lambda old, new: new["updated_at"] >= old["updated_at"])

    def save_leads(self, facts: Iterable[Lead]) -> None:
        """Stores leads as they were just read."""
        self._save_leads(facts, is_newer=_always)

    def fill_leads(self, facts: Iterable[Lead], skip: Collection[int] = ()) -> None:
        """Stores leads of a long read; see `fill_deals`."""
        gone = set(skip)
        kept = (fact for fact in facts if fact.lead_id not in gone)
        self._save_leads(kept, is_newer=lambda old, new: new["updated_at"] >= old["updated_at"])

    def save_activities(self, facts: Iterable[CrmActivity]) -> None:
        """Stores CRM activities as they were just read; of open ones also what they are bound to."""
        self._save_activities(facts, is_newer=_always)

    def fill_activities(self, facts: Iterable[CrmActivity], skip: Collection[int] = ()) -> None:
        """Stores CRM activities of a long read; see `fill_deals`."""
        gone = set(skip)
        kept = (fact for fact in facts if fact.activity_id not in gone)
        self._save_activities(kept, is_newer=lambda old, new: new["updated_at"] >= old["updated_at"])

    def save_calls(self, facts: Iterable[PhoneCall]) -> None:
        """Stores calls as they were just read."""
        self._store(tables.calls, {fact.call_id: self._row(fact) for fact in facts}, _always)

    def fill_calls(self, facts: Iterable[PhoneCall], skip: Collection[int] = ()) -> None:
        """Stores calls of a long read without those deleted meanwhile (`skip`)."""
        gone = set(skip)
        self.save_calls(fact for fact in facts if fact.call_id not in gone)

    def save_tasks(self, facts: Iterable[Task]) -> None:
        """Stores tasks as they were just read; whether one was returned stays known while it is closed."""
        self._save_tasks(facts, is_newer=_always)

    def fill_tasks(self, facts: Iterable[Task], skip: Collection[int] = ()) -> None:
        """Stores tasks of a long read; see `fill_deals`."""
        gone = set(skip)
        kept = (fact for fact in facts if fact.task_id not in gone)
        self._save_tasks(kept, is_newer=lambda old, new: new["changed_at"] >= old["changed_at"])

    def set_returned(self, found: Mapping[tuple[int, int], bool]) -> None:
        """Notes what the histories of tasks say, by (task, the moment of closing for which it was read)."""
        task = tables.tasks.c
        for (task_id, closed_at), was_returned in found.items():
            done = self.conn.execute(
                update(tables.tasks)
                .where(
                    task.portal_id == self.portal_id,
                    task.task_id == task_id,
                    task.closed_at == closed_at,
                    task.was_returned.is_distinct_from(was_returned),
                )
                .values(was_returned=was_returned)
            )
            self.changed = self.changed or done.rowcount > 0

    def save_time_records(self, facts: Iterable[TimeRecord]) -> None:
        """Stores time records as they were just read."""
        rows = {fact.record_id: self._row(fact) for fact in facts}
        self._store(tables.time_records, rows, _always)

    def fill_time_records(self, facts: Iterable[TimeRecord], skip: Collection[int] = ()) -> None:
        """Stores time records of a long read without those deleted meanwhile (`skip`)."""
        gone = set(skip)
        self.save_time_records(fact for fact in facts if fact.record_id not in gone)

    def save_budget_items(self, facts: Iterable[BudgetItem]) -> None:
        """Stores items with a money budget as they were just read."""
        self._store(tables.budget_items, {fact.item_id: self._row(fact) for fact in facts}, _always)

    def fill_budget_items(self, facts: Iterable[BudgetItem], skip: Collection[int] = ()) -> None:
        """Stores items of a long read without those deleted meanwhile (`skip`)."""
        gone = set(skip)
        self.save_budget_items(fact for fact in facts if fact.item_id not in gone)

    def save_talks(self, found: Mapping[tuple[int, int], Talk], now: int) -> None:
        """Notes what the messages of chats tell, by (session, the change of it for which they were read).

        `now`: epoch seconds. A chat that changed meanwhile stays to be read.
        """
        session = tables.sessions.c
        for row in self._rows(tables.sessions, session.session_id, sorted({key for key, _ in found})):
            for read_for in (version for key, version in found if key == row["session_id"]):
                talk = found[row["session_id"], read_for]
                again = sessions.read_again_at(talk, row["seen_closed_at"], now)
                self.conn.execute(
                    update(tables.sessions)
                    .where(session.portal_id == self.portal_id, session.activity_id == row["activity_id"])
                    .values(
                        replied_at=talk.replied_at,
                        is_positive=talk.is_positive,
                        read_at=now,
                        read_again_at=again if row["updated_at"] == read_for else 0,
                    )
                )
            self._touch(tables.sessions, [row["activity_id"]])

    def save_tickets(self, facts: Iterable[Ticket]) -> None:
        """Stores items of entity types with a help desk as they were just read."""
        self._save_tickets(facts, is_newer=_always)

    def fill_tickets(self, facts: Iterable[Ticket], skip: Collection[int] = ()) -> None:
        """Stores items of a long read; see `fill_deals`."""
        gone = set(skip)
        kept = (fact for fact in facts if fact.item_id not in gone)
        self._save_tickets(kept, is_newer=lambda old, new: new["updated_at"] >= old["updated_at"])

    def save_courses(self, entity_type_id: int, found: Mapping[tuple[int, int], Course]) -> None:
        """Notes what the stage histories of tickets tell, by (item, the move up to which they were read).

        A ticket that moved meanwhile stays to be read. Some portals wipe a part of the history: a first move
        that was seen before stays known.
        """
        ticket = tables.tickets.c
        for (item_id, read_for), course in found.items():
            first = course.moved_first_at
            is_earlier = true() if first is None else ticket.replied_at < first
            self.conn.execute(
                update(tables.tickets)
                .where(
                    ticket.portal_id == self.portal_id,
                    ticket.entity_type_id == entity_type_id,
                    ticket.item_id == item_id,
                )
                .values(
                    replied_at=case((is_earlier, ticket.replied_at), else_=first),
                    was_reopened=or_(ticket.was_reopened, literal(course.was_reopened)),
                    is_read=True,
                    is_waiting=ticket.moved_at != read_for,
                )
            )
        self._touch(tables.tickets, (item_id for item_id, _ in found))

    def save_entries(self, entries: Iterable[Entry]) -> None:
        """Adds rows of stage history, ends the stays that they end, and moves deals' furthest stages."""
        new = {entry.history_id: self._row(entry) for entry in entries}
        if not new:
            return
        items = sorted({row["item_id"] for row in new.values()})
        owners = self.derived.owners_of_stays(items)
        known = self._entries_of(items)
        merged = {row["history_id"]: dict(row) for row in known}
        for history_id, row in new.items():
            old = merged.get(history_id, {"left_at": None, "left_day": None})
            merged[history_id] = {**old, **row, "owner_id": owners.get(row["item_id"])}
        self._store_entries(known, merged)
        self._rederive(items, merged.values())

    def replace_history(self, item_ids: Collection[int], entries: Iterable[Entry]) -> None:
        """Makes `entries` the whole history of these deals: rows that the portal removed are removed."""
        kept = {entry.history_id: entry for entry in entries}
        stays = tables.stage_stays.c
        gone = [
            row["history_id"] for row in self._entries_of(sorted(item_ids)) if row["history_id"] not in kept
        ]
        self.sums.before(kept_sums.OF_STAYS, item_ids)
        self._delete(tables.stage_stays, stays.history_id, gone, stays.entity_type_id == deals.ENTITY_TYPE_ID)
        self.save_entries(kept.values())
        self._recount(sorted(set(item_ids) - {entry.item_id for entry in kept.values()}))

    def delete_deals(self, ids: Collection[int]) -> None:
        """Removes deals with their stays: every number that they were in follows."""
        stays = tables.stage_stays.c
        self.sums.before((*kept_sums.OF_DEALS, *kept_sums.OF_STAYS), ids)
        known = self._rows(tables.deals, tables.deals.c.deal_id, sorted(ids))
        self._delete(tables.deals, tables.deals.c.deal_id, ids)
        self._delete(tables.stage_stays, stays.item_id, ids, stays.entity_type_id == deals.ENTITY_TYPE_ID)
        self.derived.settle_first_purchases({row["client"] for row in known if row["is_first"]})

    def delete_entries(self, ids: Collection[int]) -> None:
        """Removes rows of deals' stage history; the stays around them end anew."""
        stays = tables.stage_stays.c
        mine = stays.entity_type_id == deals.ENTITY_TYPE_ID
        rows = self._rows(tables.stage_stays, stays.history_id, sorted(ids), mine)
        items = sorted({row["item_id"] for row in rows})
        self.sums.before(kept_sums.OF_STAYS, items)
        self._delete(tables.stage_stays, stays.history_id, ids, mine)
        self._recount(items)

    def delete_leads(self, ids: Collection[int]) -> None:
        self.sums.before(kept_sums.OF_LEADS, ids)
        self._delete(tables.leads, tables.leads.c.lead_id, ids)
        self.derived.settle_first_contacts(sorted(ids))

    def delete_activities(self, ids: Collection[int]) -> None:
        """Removes CRM activities with what they were bound to."""
        self._delete(tables.activities, tables.activities.c.activity_id, ids)
        self._delete(tables.activity_bindings, tables.activity_bindings.c.activity_id, ids)

    def delete_calls(self, ids: Collection[int]) -> None:
        self._delete(tables.calls, tables.calls.c.call_id, ids)

    def delete_tasks(self, ids: Collection[int]) -> None:
        self._delete(tables.tasks, tables.tasks.c.task_id, ids)

    def delete_time_records(self, ids: Collection[int]) -> None:
        self._delete(tables.time_records, tables.time_records.c.record_id, ids)

    def delete_budget_items(self, ids: Collection[int]) -> None:
        self._delete(tables.budget_items, tables.budget_items.c.item_id, ids)

    def delete_tickets(self, entity_type_id: int, ids: Collection[int]) -> None:
        ticket = tables.tickets.c
        self._delete(tables.tickets, ticket.item_id, ids, ticket.entity_type_id == entity_type_id)

    def replace_users(self, facts: Iterable[User], *, drop_missing: bool = True) -> None:
        """Makes `facts` the portal's users; without `drop_missing` the ones not in it stay as they are."""
        found = list(facts)
        rows = [
            {field: getattr(user, field) for field in _names(User) if field != "department_ids"}
            for user in found
        ]
        inside = [
            {"user_id": user.user_id, "department_id": department_id}
            for user in found
            for department_id in user.department_ids
        ]
        ids = {user.user_id for user in found}
        keep = (lambda row: False) if drop_missing else (lambda row: row["user_id"] not in ids)
        self._replace(tables.users, rows, keep=keep)
        self._replace(tables.memberships, inside, keep=keep)

    def replace_departments(self, facts: Iterable[Department]) -> None:
        self._replace(tables.departments, map(self._row, facts))

    def replace_absences(self, facts: Iterable[Absence]) -> None:
        self._replace(tables.absences, map(self._row, facts))

    def replace_currencies(self, facts: Iterable[Currency]) -> None:
        self._replace(tables.currencies, map(self._row, facts))

    def replace_pipelines(self, facts: Iterable[Pipeline]) -> None:
        self._replace(tables.pipelines, map(self._row, facts))

    def replace_lead_sources(self, facts: Iterable[LeadSource]) -> None:
        self._replace(tables.lead_sources, map(self._row, facts))

    def replace_projects(self, facts: Iterable[Project]) -> None:
        self._replace(tables.projects, map(self._row, facts))

    def save_smart_processes(self, facts: Iterable[SmartProcess]) -> None:
        """Stores titles; those that are not told stay known."""
        self._replace(tables.smart_processes, map(self._row, facts), keep=lambda row: True)

    def replace_calendar(self, data: Mapping[str, Any]) -> None:
        """Makes `data` (`work_calendar.to_stored`) the company's calendar."""
        self._replace(tables.work_calendars, [{"data": dict(data)}])

    def replace_stages(self, facts: Iterable[Stage]) -> bool:
        """True when the order or meaning of deal stages changed: `rederive_deals` must follow."""
        before = self._stage_order
        self._replace(tables.stages, map(self._row, facts))
        del self._stage_order
        is_other = before != self._stage_order
        self.has_new_stage_order = self.has_new_stage_order or is_other
        return is_other

    def rederive_deals(self, after_id: int, limit: int = 5_000) -> int | None:
        """Computes the furthest stage of the next deals above `after_id`; their last id, None at the end."""
        deal = tables.deals.c
        ids = list(
            self.conn.execute(
                select(deal.deal_id)
                .where(deal.portal_id == self.portal_id, deal.deal_id > after_id)
                .order_by(deal.deal_id)
                .limit(limit)
            ).scalars()
        )
        self._rederive(ids, self._entries_of(ids))
        return ids[-1] if len(ids) == limit else None

    def known_ids(self, table: Table, ids: Iterable[int]) -> set[int]:
        """Which of these records are stored."""
        key = _id_column(table)
        found: set[int] = set()
        for chunk in chunks(sorted(set(ids))):
            found.update(
                self.conn.execute(
                    select(key).where(table.c.portal_id == self.portal_id, key.in_(chunk))
                ).scalars()
            )
        return found

    def clear(self, table: Table, *only: Any) -> None:
        """Removes the portal's rows of a table, or those that meet the conditions."""
        done = self.conn.execute(delete(table).where(table.c.portal_id == self.portal_id, *only))
        self.changed = self.changed or done.rowcount > 0

    def count(self, table: Table, *only: Any) -> int:
        """How many rows of the portal a table holds, all or those that meet the conditions."""
        statement = select(func.count()).select_from(table).where(table.c.portal_id == self.portal_id, *only)
        return int(self.conn.execute(statement).scalar_one())

    def set_source(self, source: str, **values: Any) -> None:
        """Changes columns of the source's bookkeeping row, making it if there is none."""
        changed = self.conn.execute(_SET_SOURCE, {"mine": self.portal_id, "named": source, **values})
        if changed.rowcount == 0:
            row = {"state": "pending", **values, "portal_id": self.portal_id, "source": source}
            upsert(self.conn, tables.sync_sources, [row])

    def set_portal(self, **values: Any) -> None:
        """Changes columns of the portal's own row; counts as a change only where one is different."""
        portals = tables.portals
        different = or_(*(portals.c[name].is_distinct_from(value) for name, value in values.items()))
        done = self.conn.execute(
            update(portals).where(portals.c.portal_id == self.portal_id, different).values(**values)
        )
        self.changed = self.changed or done.rowcount > 0

    def set_checked(self, moment: float, *, ends_claim: bool = False) -> None:
        """The facts show the portal as it was at that moment (epoch seconds), and it answers again.

        ends_claim: whoever holds the check lets go of it in the same transaction.
        """
        self.standing["checked_at"] = moment
        if ends_claim:
            self.standing["checking_since"] = None

    def _save_deals(self, facts: Iterable[Deal], is_newer: _IsNewer) -> None:
        rows = {fact.deal_id: self._row(fact) for fact in facts}
        ids = sorted(rows)
        entries = _by_item(self._entries_of(ids))
        contacts = self.derived.lead_moments({row["lead_id"] for row in rows.values()} - {None})
        known = self._known(tables.deals, ids)
        for deal_id, row in rows.items():
            old = known.get(deal_id)
            row["reached_stage_id"] = self._furthest(row, entries.get(deal_id, ()))
            row["first_contact_at"] = min(row["created_at"], contacts.get(row["lead_id"], row["created_at"]))
            # Whether it is the first purchase is settled once all are written; until then it stays so.
            row["is_first"] = old is not None and old["is_first"] and _purchase(old)[:2] == _purchase(row)[:2]
        fresh = self._fresh(known, rows, is_newer)
        moved = [key for key in fresh if key not in known or _owner(known[key]) != _owner(rows[key])]
        self.sums.before(kept_sums.OF_DEALS, fresh)
        self.sums.before(kept_sums.OF_STAYS, moved)
        self._write(tables.deals, [rows[key] for key in fresh])
        self.derived.give_stays(moved)
        self.derived.settle_first_purchases(
            {
                purchase[0]
                for key in fresh
                if (old := known.get(key)) is None or _purchase(old) != _purchase(rows[key])
                for purchase in (_purchase(rows[key]), *(() if old is None else (_purchase(old),)))
                if purchase[1]
            }
        )

    def _save_leads(self, facts: Iterable[Lead], is_newer: _IsNewer) -> None:
        rows = {fact.lead_id: self._row(fact) for fact in facts}
        known = self._known(tables.leads, sorted(rows))
        fresh = self._fresh(known, rows, is_newer)
        self.sums.before(kept_sums.OF_LEADS, fresh)
        self._write(tables.leads, [rows[key] for key in fresh])
        self.derived.settle_first_contacts(fresh)

    def _save_activities(self, facts: Iterable[CrmActivity], is_newer: _IsNewer) -> None:
        found = {fact.activity_id: fact for fact in facts}
        rows = {
            activity_id: {name: getattr(fact, name) for name in _names(CrmActivity) if name != "bindings"}
            for activity_id, fact in found.items()
        }
        outdated = self._store(tables.activities, rows, is_newer)
        # What is completed needs no bindings: they are there to find records without a next step.
        self._bind({
            activity_id: set() if fact.is_completed else set(fact.bindings)
            for activity_id, fact in found.items()
            if activity_id not in outdated
        })  # fmt: skip

    def _bind(self, wanted: Mapping[int, set[tuple[int, int]]]) -> None:
        """Makes these the items that the activities are bound to."""
        binding = tables.activity_bindings.c
        known: dict[int, set[tuple[int, int]]] = {}
        for row in self._rows(tables.activity_bindings, binding.activity_id, sorted(wanted)):
            known.setdefault(row["activity_id"], set()).add((row["item_type_id"], row["item_id"]))
        other = [key for key, items in wanted.items() if items != known.get(key, set())]
        self._delete(tables.activity_bindings, binding.activity_id, [key for key in other if key in known])
        self._write(
            tables.activity_bindings,
            [
                {"item_type_id": kind, "item_id": item_id, "activity_id": key}
                for key in other
                for kind, item_id in sorted(wanted[key])
            ],
        )

    def _save_tasks(self, facts: Iterable[Task], is_newer: _IsNewer) -> None:
        rows = {fact.task_id: self._row(fact) for fact in facts}
        for row in rows.values():
            row["was_returned"] = None
        for known in self._rows(tables.tasks, tables.tasks.c.task_id, sorted(rows)):
            row = rows[known["task_id"]]
            # Once returned is returned for ever; "never" holds until it is closed another time.
            if known["was_returned"] or (
                row["closed_at"] is not None and row["closed_at"] == known["closed_at"]
            ):
                row["was_returned"] = known["was_returned"]
        self._store(tables.tasks, rows, is_newer)

    def _save_tickets(self, facts: Iterable[Ticket], is_newer: _IsNewer) -> None:
        by_type: dict[int, dict[int, Ticket]] = {}
        for fact in facts:
            by_type.setdefault(fact.entity_type_id, {})[fact.item_id] = fact
        ticket = tables.tickets.c
        for entity_type_id, found in by_type.items():
            mine = ticket.entity_type_id == entity_type_id
            rows = self._rows(tables.tickets, ticket.item_id, sorted(found), mine)
            known = {row["item_id"]: row for row in rows}
            fresh: list[dict[str, Any]] = []
            for item_id, fact in found.items():
                row, old = self._row(fact), known.get(item_id)
                if old is not None and (old == {**old, **row} or not is_newer(old, row)):
                    continue
                has_moved = old is None or old["is_waiting"] or old["moved_at"] != fact.moved_at
                fresh.append({**row, "is_waiting": fact.is_taken and has_moved})
            self._write(tables.tickets, fresh)

    def _store(self, table: Table, rows: Mapping[int, dict[str, Any]], is_newer: _IsNewer) -> set[int]:
        """Writes the rows that differ from what is stored and are newer than it; the ids of older ones."""
        known = self._known(table, sorted(rows))
        fresh = self._fresh(known, rows, is_newer)
        self._write(table, [rows[row_id] for row_id in fresh])
        return {row_id for row_id, row in rows.items() if known.get(row_id) != row} - set(fresh)

    def _known(self, table: Table, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The stored rows with these ids."""
        key = _id_column(table)
        return {row[key.name]: row for row in self._rows(table, key, ids)}

    @staticmethod
    def _fresh(
        known: Mapping[int, dict[str, Any]], rows: Mapping[int, dict[str, Any]], is_newer: _IsNewer
    ) -> list[int]:
        """Ids of the rows that differ from what is stored and are newer than it."""
        return [
            row_id
            for row_id, row in rows.items()
            if (old := known.get(row_id)) is None or (old != row and is_newer(old, row))
        ]

    def _store_entries(
        self, known: Sequence[Mapping[str, Any]], merged: Mapping[int, dict[str, Any]]
    ) -> None:
        self.sums.before(kept_sums.OF_STAYS, {row["item_id"] for row in merged.values()})
        before = {row["history_id"]: row for row in known}
        for rows in _by_item(merged.values()).values():
            ends = derive.left_moments(_Entry(row) for row in rows)
            for row in rows:
                left_at = ends[row["history_id"]]
                row["left_at"] = left_at
                row["left_day"] = None if left_at is None else Border(self.zone).day(left_at)
        self._write(
            tables.stage_stays,
            [row for history_id, row in merged.items() if before.get(history_id) != row],
        )

    def _recount(self, item_ids: Sequence[int]) -> None:
        """Ends the stays of these deals anew and moves their furthest stages."""
        known = self._entries_of(item_ids)
        self._store_entries(known, {row["history_id"]: dict(row) for row in known})
        self._rederive(item_ids, known)

    def _rederive(self, deal_ids: Sequence[int], known: Iterable[dict[str, Any]]) -> None:
        """Moves the furthest stages of these deals; `known`: all their entries."""
        entries = _by_item(known)
        moved = []
        for row in self._rows(tables.deals, tables.deals.c.deal_id, deal_ids):
            reached = self._furthest(row, entries.get(row["deal_id"], ()))
            if reached != row["reached_stage_id"]:
                moved.append({"key": row["deal_id"], "value": reached})
        self.derived.change(tables.deals.c.reached_stage_id, moved)

    def _furthest(self, deal: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> str | None:
        return derive.furthest_stage(
            self._stage_order, deal["category_id"], deal["stage_id"], (_Entry(row) for row in entries)
        )

    @cached_property
    def _stage_order(self) -> dict[tuple[int, str], int]:
        """Sort order of the in-progress stages of deals."""
        stage = tables.stages.c
        rows = self.conn.execute(
            select(stage.category_id, stage.stage_id, stage.sort).where(
                stage.portal_id == self.portal_id,
                stage.entity_type_id == deals.ENTITY_TYPE_ID,
                stage.semantics == "P",
            )
        )
        return {(row.category_id, row.stage_id): row.sort for row in rows}

    def _entries_of(self, item_ids: Sequence[int]) -> list[dict[str, Any]]:
        stays = tables.stage_stays.c
        return self._rows(
            tables.stage_stays, stays.item_id, item_ids, stays.entity_type_id == deals.ENTITY_TYPE_ID
        )

    def _rows(self, table: Table, key: Any, ids: Sequence[int], *also: Any) -> list[dict[str, Any]]:
        """Stored rows without `portal_id`."""
        columns = [column for column in table.c if column.name != "portal_id"]
        names = [column.name for column in columns]
        found: list[dict[str, Any]] = []
        for chunk in chunks(ids):
            statement = select(*columns).where(table.c.portal_id == self.portal_id, key.in_(chunk), *also)
            found.extend(dict(zip(names, row, strict=True)) for row in self.conn.execute(statement))
        return found

    def _replace(
        self,
        table: Table,
        rows: Iterable[Mapping[str, Any]],
        keep: Callable[[Mapping[str, Any]], bool] = lambda row: False,
    ) -> None:
        """Makes `rows` the portal's rows of a small table, apart from stored ones that `keep` names."""
        key = [column for column in table.primary_key if column.name != "portal_id"]
        columns = [column for column in table.c if column.name != "portal_id"]
        names = [column.name for column in columns]

        def identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
            return tuple(row[column.name] for column in key)

        known = {}
        for values in self.conn.execute(select(*columns).where(table.c.portal_id == self.portal_id)):
            row = dict(zip(names, values, strict=True))
            known[identity(row)] = row
        wanted = {identity(row): dict(row) for row in rows}
        gone = [name for name, row in known.items() if name not in wanted and not keep(row)]
        for chunk in chunks(gone):
            self.changed = True
            self.conn.execute(
                delete(table).where(and_(table.c.portal_id == self.portal_id, tuple_(*key).in_(chunk)))
            )
        other = [row for name, row in wanted.items() if known.get(name) != row]
        self._write(table, other)
        if gone or other:
            # A number never used before: see `store.company`.
            self.set_portal(reference_version=secrets.randbits(62))

    def _write(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self.changed = True
            upsert(self.conn, table, ({"portal_id": self.portal_id, **row} for row in rows))
            key = support_cases.FOLLOWED.get(table.name)
            if key is not None:
                self._touch(table, (row.get(key, 0) for row in rows))

    def _delete(self, table: Table, key: Any, ids: Collection[int], *also: Any) -> None:
        for chunk in chunks(sorted(ids)):
            done = self.conn.execute(
                delete(table).where(table.c.portal_id == self.portal_id, key.in_(chunk), *also)
            )
            self.changed = self.changed or done.rowcount > 0
        if key.name == support_cases.FOLLOWED.get(table.name):
            self._touch(table, ids)

    def _touch(self, table: Table, ids: Iterable[int]) -> None:
        self.touched.setdefault(table.name, set()).update(ids)

    @staticmethod
    def _row(fact: Any) -> dict[str, Any]:
        return {name: getattr(fact, name) for name in _names(type(fact))}


_IsNewer = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


def _always(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """What was just read is newer than what is stored."""
    return True


class _Entry:
    """A stored row of stage history as `derive` reads it."""

    __slots__ = ("category_id", "entered_at", "history_id", "stage_id")

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.history_id: int = row["history_id"]
        self.category_id: int = row["category_id"]
        self.stage_id: str = row["stage_id"]
        self.entered_at: int = row["entered_at"]


def _by_item(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    ordered = sorted(rows, key=lambda row: row["item_id"])
    return {item: list(group) for item, group in groupby(ordered, key=lambda row: row["item_id"])}


def _purchase(deal: Mapping[str, Any]) -> tuple[str | None, bool, int]:
    """(client, whether it is a purchase of theirs, when): what decides which purchase is the first."""
    client = deal["client"]
    is_purchase = client is not None and deal["semantics"] == "S" and not deal["is_recurring"]
    return client, is_purchase, deal["moved_at"]


def _owner(deal: Mapping[str, Any]) -> int | None:
    """Whose the stays of the deal are."""
    return None if deal["is_recurring"] else deal["owner_id"]


def _id_column(table: Table) -> Any:
    """The id that the portal gives to a row of the table."""
    return next(column for column in table.primary_key if column.name not in ("portal_id", "entity_type_id"))


def _names(kind: type[Any]) -> tuple[str, ...]:
    found = _FIELD_NAMES.get(kind)
    if found is None:
        found = _FIELD_NAMES[kind] = tuple(field.name for field in fields(kind))
    return found


_FIELD_NAMES: dict[type[Any], tuple[str, ...]] = {}
