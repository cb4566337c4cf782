"""What has changed in a portal since it was last asked: one batch, and more only where that is not enough.

Nothing is lost by a crash: the queue of events is listed, what it names is stored, and only the next
check takes it out of the queue (`offline`); the point from which on changes are asked for moves in the
same transaction that notes the success.
"""

from __future__ import annotations

import logging
import time
from datetime import date

from sqlalchemy import Engine, select

from b24app import clock, store, tables
from b24app.db import reading
from b24app.rest import paging
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.store import BorderMoved, PortalLeft, Writer, load_border
from b24app.sync import batch, claims, cursor, follow_up, latest, reference, trouble
from b24app.sync.batch import Plan
from b24app.sync.check import Check, begin
from b24app.sync.first_read import server_time
from b24app.sync.list_read import fail_list
from b24app.sync.parts import Parts
from b24app.sync.sources.kinds import LongList, Outcome
from b24app.sync.state import CHANGES

logger = logging.getLogger(__name__)

NOTED_EVERY_S = 60
"""How often the row of each source is written that checks read without trouble."""


def run(
    parts: Parts, portal_id: int, *, background: bool = True, unless_checked_since: float | None = None
) -> bool:
    """True when the portal has been asked and what it said is stored.

    With `unless_checked_since` (epoch seconds) a check that began since then will do. False where another
    process is asking, the first read has not begun, or the portal fails: that is noted for `state`, with
    the moment from which another try is worth it. Never raises for it.
    """
    with claims.hold_check(parts.engine, portal_id, unless_checked_since) as claim:
        if claim is None:
            return unless_checked_since is not None and is_checked(
                parts.engine, portal_id, unless_checked_since
            )
        try:
            begun = begin(parts, portal_id, claim.row, background)
            if begun is None:
                return False
            _run(begun)
            claim.is_given_back = True  # in the transaction that notes the success
        except (PortalLeft, BorderMoved):
            return False
        except RestError as error:
            _failed(parts, portal_id, error)
            return False
    return True


def is_checked(engine: Engine, portal_id: int, since: float) -> bool:
    """Whether a check that began at `since` (epoch seconds) or later is stored."""
    portal = tables.portals.c
    with reading(engine) as conn:
        checked_at = conn.execute(
            select(portal.checked_at).where(portal.portal_id == portal_id)
        ).scalar_one_or_none()
    return checked_at is not None and checked_at >= since


def _run(check: Check) -> None:
    """1. One batch: the queue, what changed, now and then what nobody tells of. 2. Further pages.
    3. What follows: records that only the queue names, rewritten histories, details. 4. Deletions, cursor,
    success."""
    planned = batch.plan(check)
    outcome = batch.ask(check, planned)
    now = server_time(outcome["clock"])
    batch.note_queue(check, outcome, now)
    if planned.has_reference:
        _store_reference(check, outcome)
    counted = _counted(check, outcome)
    _take(check, planned, outcome)
    while calls := planned.further_calls():
        _take(check, planned, check.client.batch(calls))
    for one in planned.latest.values():
        latest.compare(check, one)
    follow_up.read_named(check)
    follow_up.reread_histories(check)
    follow_up.rederive(check)
    follow_up.read_details(check, planned.has_reference)
    _finish(check, planned, now, counted)


def _take(check: Check, planned: Plan, outcome: Outcome) -> None:
    """Stores the rows that a batch brought of the lists of changes; keeps those of the latest."""
    for name, chain in planned.chains.items():
        if not chain.is_done:
            _take_list(check, name, chain, outcome)
    for one in planned.latest.values():
        one.take(outcome)


def _take_list(check: Check, name: str, chain: paging.Chain, outcome: Outcome) -> None:
    source = check.by_name[name]
    try:
        rows = chain.take(name, outcome)
    except RestError as error:
        chain.is_done = True
        if trouble.off_reason(error) is None:
            check.fall_behind(source, error)
            return
        with check.writing() as writer:
            fail_list(writer, source, error)
            writer.changed = True
        check.states[name] = "off"
        return
    check.save(source, rows)


def _store_reference(check: Check, outcome: Outcome) -> None:
    """Stores the short lists."""
    found = reference.read(check.client, outcome)
    with check.writing() as writer:
        reference.store(writer, found)
        if writer.has_new_stage_order:
            check.at["rederive_after"] = 0
        sees_more = check.at.get("was_admin") is False and found.is_admin is True
        for source in check.lists:
            is_back = isinstance(outcome.get(f"probe_{source.name}"), Reply)
            if sees_more or is_back:
                _start_again(check, writer, source, None if is_back else date.min)
            elif check.states.get(source.name) == "ready":
                writer.set_source(source.name, row_count=writer.count(source.table, *source.only))
        check.border = load_border(writer.conn, check.portal_id)
    check.at["was_admin"] = bool(check.at.get("was_admin") or found.is_admin)
    check.at["reference_at"], check.at["rates"] = clock.epoch(), False


def _counted(check: Check, outcome: Outcome) -> dict[str, int]:
    """How many records the portal counts of the lists that were counted."""
    counts = {source.name: outcome.get(f"count_{source.name}") for source in check.lists}
    return {
        name: counted.total
        for name, counted in counts.items()
        if isinstance(counted, Reply) and counted.total is not None
    }


def _start_again(check: Check, writer: Writer, source: LongList, seen_from: date | None) -> None:
    """What could not be seen until now has old dates: the first read of the list is done again."""
    for name in (source.name, *(one.name for one in source.details)):
        writer.set_source(name, state="pending", reason=None, cursor={}, covered_from=seen_from)
        check.states[name] = "pending"
    check.at.get("last_ids", {}).pop(source.name, None)
    writer.changed = True


def _finish(check: Check, planned: Plan, now: int, counted: dict[str, int]) -> None:
    at, chains = check.at, planned.chains
    with check.writing() as writer:
        for source in check.lists:
            gone = check.noted.deleted[source.name] - check.read[source.name]
            if gone:
                source.delete(writer, gone)
            if source.follows is not None and check.noted.deleted[source.follows]:
                at["latest_at"] = 0  # the next check finds out which of its rows went along
        at["since"] = now
        at["last_ids"] = {
            **at.get("last_ids", {}),
            **{
                name: chain.last
                for name, chain in chains.items()
                if check.by_name[name].changed_key is None and check.states.get(name) != "pending"
            },
        }
        at["behind"] = check.behind
        at["deleted"] = _remembered(check) if cursor.is_reading(check.states) else {}
        at["rates"] = check.noted.has_new_rates
        at["failures"], at["retry_at"] = 0, 0
        if counted:
            _compare_counts(check, writer, counted)
        writer.set_source(CHANGES, cursor=at, error=None, read_at=clock.epoch())
        for name in (*chains, *(one.name for source in check.lists for one in source.details)):
            if check.states.get(name) == "ready" and name not in check.behind and name not in check.failed:
                _note_read(check, writer, name)
        writer.set_checked(check.started, ends_claim=True)


def _compare_counts(check: Check, writer: Writer, counted: dict[str, int]) -> None:
    """Has everything compared where the portal twice in a row holds another number of records than we do.

    Once says nothing: a record may have been made or deleted while this check went on. The next one counts
    again.
    """
    at = check.at
    differs = any(
        total != writer.count(check.by_name[name].table, *check.by_name[name].only)
        for name, total in counted.items()
    )
    if differs and at.get("differs"):
        asked = cursor.load(writer.conn, check.portal_id, cursor.RECONCILE)
        writer.set_source(cursor.RECONCILE, state="ready", cursor={**asked, "is_asked": True})
    at["differs"] = differs and not at.get("differs")


def _note_read(check: Check, writer: Writer, name: str) -> None:
    """A source without trouble is as fresh as the check (`state.load`): its own row may say so later."""
    before = check.standings.get(name)
    read_at = clock.epoch()
    if before is None or before.error or (before.read_at or 0) <= read_at - NOTED_EVERY_S:
        writer.set_source(name, read_at=read_at, error=None)


def _remembered(check: Check) -> dict[str, list[int]]:
    """Deletions that the first read, still under way, must not undo."""
    before = check.at.get("deleted", {})
    names = {*before, *(name for name, gone in check.noted.deleted.items() if gone)}
    return {name: sorted({*before.get(name, ()), *check.noted.deleted[name]}) for name in names}


def _failed(parts: Parts, portal_id: int, error: RestError) -> None:
    now = time.time()
    logger.warning("checking portal %s: %s", portal_id, trouble.label(error))
    try:
        with store.writing(parts.engine, portal_id) as writer:
            at = cursor.load(writer.conn, portal_id, CHANGES)
            failures = int(at.get("failures") or 0) + 1
            at |= {"failures": failures, "retry_at": now + trouble.wait_s(error, failures, now)}
            writer.set_source(CHANGES, error=trouble.label(error), cursor=at)
    except PortalLeft:
        return
    state = trouble.portal_state(error)
    if state is not None:
        store.close_portal(parts.engine, portal_id, state)
