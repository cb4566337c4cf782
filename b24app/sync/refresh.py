"""What has changed in a portal since it was last asked: one batch, and more only where that is not enough.

Nothing is lost by a crash: the queue of events is listed, what it names is stored, and only the next
check takes it out of the queue; the point from which on changes are asked for moves in the same
transaction that notes the success.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Engine, select

from b24app import clock
from b24app.facts import store, tables
from b24app.facts.store import BorderMoved, PortalLeft, Writer, load_border
from b24app.facts.values import Border, iso
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError, RetryLater
from b24app.sync import claims, cursor, offline, reference, sources, trouble
from b24app.sync.first_read import is_begun, read_by_id, server_time, top_call
from b24app.sync.parts import Parts
from b24app.sync.sources import DEALS, HISTORY, LEADS, Source
from b24app.sync.state import CHANGES

logger = logging.getLogger(__name__)

OVERLAP_S = 5
"""Changes within the second of the last check, or stored by the portal a little late, are read again."""

REFERENCE_EVERY_S = 600
"""How often people, departments, currencies and stages are read: the portal does not tell of them."""

CATCH_UP_PAGES = 12
OWNERS_PER_COMMAND = 5

Outcome = Mapping[str, Reply | RestError]


def run(
    parts: Parts, portal_id: int, *, background: bool = True, unless_checked_since: float | None = None
) -> bool:
    """True when the portal has been asked and what it said is stored.

    With `unless_checked_since` (epoch seconds) a check that began since then will do. False where another
    process is asking, the first read has not begun, or the portal fails: that is noted for `state`, with
    the moment from which another try is worth it. Never raises for it.
    """
    with claims.hold_check(parts.engine, portal_id) as is_mine:
        if not is_mine:
            return False
        try:
            if unless_checked_since is not None and is_checked(parts.engine, portal_id, unless_checked_since):
                return True
            check = _begin(parts, portal_id, background)
            if check is None:
                return False
            check.run()
        except (PortalLeft, BorderMoved):
            return False
        except RestError as error:
            _failed(parts, portal_id, error)
            return False
    return True


def is_checked(engine: Engine, portal_id: int, since: float) -> bool:
    """Whether a check that began at `since` (epoch seconds) or later is stored."""
    portal = tables.portals.c
    with engine.connect() as conn:
        checked_at = conn.execute(
            select(portal.checked_at).where(portal.portal_id == portal_id)
        ).scalar_one_or_none()
    return checked_at is not None and checked_at >= since


def _begin(parts: Parts, portal_id: int, background: bool) -> _Check | None:
    started = time.time()
    with parts.engine.connect() as conn:
        at = cursor.load(conn, portal_id, CHANGES)
        if not is_begun(at):
            return None
        return _Check(
            parts=parts,
            portal_id=portal_id,
            client=parts.client(portal_id, background=background),
            at=at,
            states=cursor.states(conn, portal_id),
            border=load_border(conn, portal_id),
            started=started,
        )


@dataclass
class _Check:
    """One check of one portal as it goes on."""

    parts: Parts
    portal_id: int
    client: PortalClient
    at: dict[str, Any]  # the cursor of this row becomes the next check's
    states: dict[str, str]
    border: Border
    started: float
    noted: offline.Noted = field(default_factory=offline.Noted)
    read: dict[str, set[int]] = field(default_factory=lambda: {"deals": set(), "leads": set()})
    rewritten: set[int] = field(default_factory=set)  # deals whose history has to be read anew
    totals: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """1. One batch: the queue, what changed, now and then the short lists. 2. Further pages.
        3. Records that only the queue names. 4. Rewritten histories. 5. Deletions, cursor, success."""
        chains = self._chains()
        is_reference_due = self._is_reference_due()
        outcome = self.client.batch(self._calls(chains, is_reference_due))
        now = server_time(outcome["clock"])
        self._note_queue(outcome)
        if is_reference_due:
            self._store_reference(outcome)
        for name, chain in chains.items():
            self._take(name, chain, outcome)
        while running := {name: chain for name, chain in chains.items() if not chain.is_done}:
            calls: dict[str, Call] = {}
            for name, chain in running.items():
                calls.update(chain.calls(name, CATCH_UP_PAGES))
            outcome = self.client.batch(calls)
            for name, chain in running.items():
                self._take(name, chain, outcome)
        self._read_named()
        self._reread_histories()
        self._rederive()
        self._finish(chains, now)

    def _is_on(self, source: Source) -> bool:
        return self.states.get(source.name) != "off"

    def _is_reference_due(self) -> bool:
        age_s = clock.epoch() - int(self.at.get("reference_at") or 0)
        return age_s >= REFERENCE_EVERY_S or bool(self.at.get("rates"))

    def _chains(self) -> dict[str, paging.Chain]:
        """The lists of what changed, by source."""
        since = {">=updatedTime": iso(int(self.at["since"]) - OVERLAP_S)}
        chains = {
            source.name: paging.Chain(source.listing(since))
            for source in (DEALS, LEADS)
            if self._is_on(source)
        }
        if self._is_on(HISTORY):
            chains[HISTORY.name] = paging.Chain(HISTORY.listing(), last=int(self.at.get("history_id") or 0))
        return chains

    def _calls(self, chains: Mapping[str, paging.Chain], is_reference_due: bool) -> dict[str, Call]:
        """The one batch. The queue is looked at before the records: what it names is in them."""
        calls: dict[str, Call] = {}
        has_queue = self.at.get("has_queue")
        if has_queue is not False:
            if self.at.get("handled"):
                calls["handled"] = offline.take_out(
                    int(self.at["handled"]), int(self.at.get("handled_count") or 0)
                )
            calls["queue"] = offline.look()
        calls = {"clock": Call("server.time"), **calls}
        for name, chain in chains.items():
            calls.update(chain.calls(name, 1))
        if is_reference_due or has_queue is None or (not has_queue and cursor.is_reading(self.states)):
            calls["bindings"] = Call("event.get")
        if is_reference_due:
            calls.update(reference.calls())
            calls.update({f"probe_{s.name}": top_call(s) for s in sources.ALL if not self._is_on(s)})
            calls.update(self._counts())
        return calls

    def _counts(self) -> dict[str, Call]:
        """Where the portal keeps no queue for us, its number of records tells of deletions."""
        if self.at.get("has_queue") is not False or cursor.is_reading(self.states):
            return {}
        return {
            f"count_{source.name}": Call(
                source.method, {**source.params, "select": [source.id_key], "start": 0}
            )
            for source in (DEALS, LEADS)
            if self._is_on(source)
        }

    def _note_queue(self, outcome: Outcome) -> None:
        taken = outcome.get("handled")
        if isinstance(taken, Reply):
            # Stored by the last check. An entry renewed since then is read by its `updatedTime` now.
            events = taken.result.get("events") if isinstance(taken.result, dict) else None
            renewed = offline.Noted()
            offline.note(paging.rows_at(events or [], ()), renewed)
            for name, gone in renewed.deleted.items():
                self.noted.deleted[name] |= gone
            self.at["handled"] = self.at["handled_count"] = 0
        listed = outcome.get("queue")
        if isinstance(listed, RestError) and not isinstance(listed, RetryLater):
            # No right, no method, no plan: deletions are found by comparing counts instead.
            self.at["has_queue"] = False
        if isinstance(listed, Reply):
            rows = paging.rows_at(listed.result, ())
            offline.note(rows, self.noted)
            self._note_more(offline.more_pages(len(rows), listed.next, listed.total))
            self.at["handled"], self.at["handled_count"] = self.noted.last_id, self.noted.count
        bindings = outcome.get("bindings")
        if isinstance(bindings, Reply):
            self.at["has_queue"] = offline.binds(paging.rows_at(bindings.result, ()))

    def _note_more(self, starts: range) -> None:
        pages = {f"queue_{start}": offline.look(start) for start in starts}
        for answer in self.client.batch(pages).values() if pages else ():
            if isinstance(answer, RestError):
                return  # the rest stays in the queue for the next check
            offline.note(paging.rows_at(answer.result, ()), self.noted)

    def _store_reference(self, outcome: Outcome) -> None:
        found = reference.read(self.client, outcome)
        with store.writing(self.parts.engine, self.portal_id) as writer:
            if reference.store(writer, found):
                self.at["rederive_after"] = 0
            sees_more = self.at.get("was_admin") is False and found.is_admin is True
            for source in sources.ALL:
                is_back = isinstance(outcome.get(f"probe_{source.name}"), Reply)
                if sees_more or is_back:
                    # What could not be seen until now has old dates: the first read does it again.
                    seen_from = None if is_back else date.min
                    writer.set_source(
                        source.name, state="pending", reason=None, cursor={}, covered_from=seen_from
                    )
                    self.at.pop("since", None)
                    writer.changed = True
            self.border = load_border(writer.conn, self.portal_id)
        self.at["was_admin"] = bool(self.at.get("was_admin") or found.is_admin)
        self.at["reference_at"], self.at["rates"] = clock.epoch(), False
        for source in (DEALS, LEADS):
            counted = outcome.get(f"count_{source.name}")
            if isinstance(counted, Reply) and counted.total is not None:
                self.totals[source.name] = counted.total

    def _take(self, name: str, chain: paging.Chain, outcome: Outcome) -> None:
        """Stores the rows that a list brought."""
        try:
            rows = chain.take(name, outcome)
        except RestError as error:
            if trouble.off_reason(error) is None:
                raise
            chain.is_done = True
            with store.writing(self.parts.engine, self.portal_id) as writer:
                reference.fail_source(writer, name, error)
                writer.changed = True
            return
        self._save(sources.BY_NAME[name], rows)

    def _save(self, source: Source, rows: Iterable[paging.Row]) -> None:
        facts = source.parsed(rows, self.border)
        if not facts:
            return
        with store.writing(self.parts.engine, self.portal_id, self.border) as writer:
            if source is DEALS:
                self.rewritten |= _with_rewritten_history(writer, facts)
            source.save(writer, facts)
        if source is DEALS:
            self.read["deals"] |= {fact.deal_id for fact in facts}
        elif source is LEADS:
            self.read["leads"] |= {fact.lead_id for fact in facts}

    def _read_named(self) -> None:
        """Reads records that events name and no list brought; those that are not there any more go."""
        for source in (DEALS, LEADS):
            name = source.name
            named = self.noted.changed[name] - self.read[name] - self.noted.deleted[name]
            if not named or not self._is_on(source):
                continue
            self._save(source, read_by_id(self.client, source, sorted(named)))
            if self._sees_all_it_saw():
                self.noted.deleted[name] |= named - self.read[name]

    def _sees_all_it_saw(self) -> bool:
        """False once the reader lost the right to see everything: absence then proves nothing."""
        portal = tables.portals.c
        with self.parts.engine.connect() as conn:
            is_admin = conn.execute(
                select(portal.reader_is_admin).where(portal.portal_id == self.portal_id)
            ).scalar_one_or_none()
        return not (self.at.get("was_admin") and is_admin is False)

    def _reread_histories(self) -> None:
        owners = sorted(self.rewritten)
        if not owners or not self._is_on(HISTORY):
            return
        chains = {
            f"owners_{start}": paging.Chain(
                HISTORY.listing({"@OWNER_ID": owners[start : start + OWNERS_PER_COMMAND]})
            )
            for start in range(0, len(owners), OWNERS_PER_COMMAND)
        }
        rows: list[paging.Row] = []
        while running := {name: chain for name, chain in chains.items() if not chain.is_done}:
            calls: dict[str, Call] = {}
            for name, chain in running.items():
                calls.update(chain.calls(name, 1))
            outcome = self.client.batch(calls)
            for name, chain in running.items():
                rows += chain.take(name, outcome)
        entries = HISTORY.parsed(rows, self.border)
        with store.writing(self.parts.engine, self.portal_id, self.border) as writer:
            writer.replace_history(owners, entries)

    def _rederive(self) -> None:
        """After a change of stages: the furthest stage of every deal, a portion at a time."""
        after: int | None = self.at.get("rederive_after")
        while after is not None:
            with store.writing(self.parts.engine, self.portal_id) as writer:
                after = writer.rederive_deals(after)
        self.at["rederive_after"] = None

    def _finish(self, chains: Mapping[str, paging.Chain], now: int) -> None:
        at = self.at
        with store.writing(self.parts.engine, self.portal_id) as writer:
            for source in (DEALS, LEADS):
                source.delete(writer, self.noted.deleted[source.name] - self.read[source.name])
            if "since" in at:
                at["since"] = now
            if HISTORY.name in chains:
                at["history_id"] = chains[HISTORY.name].last
            at["deleted"] = self._remembered() if cursor.is_reading(self.states) else {}
            at["rates"] = self.noted.has_new_rates
            at["failures"], at["retry_at"] = 0, 0
            writer.set_source(CHANGES, cursor=at, error=None, read_at=clock.epoch())
            if any(total != writer.count(sources.BY_NAME[name].table) for name, total in self.totals.items()):
                asked = cursor.load(writer.conn, self.portal_id, cursor.RECONCILE)
                writer.set_source(cursor.RECONCILE, state="ready", cursor={**asked, "is_asked": True})
            if not cursor.is_reading(self.states):
                for name in chains:
                    writer.set_source(name, read_at=clock.epoch(), error=None)
            writer.set_checked(self.started)

    def _remembered(self) -> dict[str, list[int]]:
        """Deletions that the first read, still under way, must not undo."""
        before = self.at.get("deleted", {})
        return {name: sorted(set(before.get(name, ())) | self.noted.deleted[name]) for name in self.read}


def _with_rewritten_history(writer: Writer, facts: Iterable[Any]) -> set[int]:
    """Deals that left a final stage or their pipeline: some portals rewrite the history of these."""
    deal = tables.deals.c
    new = {fact.deal_id: fact for fact in facts}
    rows = writer.conn.execute(
        select(deal.deal_id, deal.semantics, deal.category_id, deal.stage_id).where(
            deal.portal_id == writer.portal_id, deal.deal_id.in_(sorted(new))
        )
    )
    return {
        row.deal_id
        for row in rows
        if new[row.deal_id].category_id != row.category_id
        or (row.semantics != "P" and new[row.deal_id].stage_id != row.stage_id)
    }


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
