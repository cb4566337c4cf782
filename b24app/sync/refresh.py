"""What has changed in a portal since it was last asked: one batch, and more only where that is not enough.

Nothing is lost by a crash: the queue of events is listed, what it names is stored, and only the next
check takes it out of the queue; the point from which on changes are asked for moves in the same
transaction that notes the success.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from b24app import clock, store, tables
from b24app.facts.values import Border
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import NO_BUDGET, RateLimited, RestError, RetryLater
from b24app.store import BorderMoved, PortalLeft, Writer, load_border
from b24app.sync import claims, cursor, details, offline, reference, sources, trouble
from b24app.sync.first_read import fail_list, is_begun, read_by_id, server_time
from b24app.sync.parts import Parts
from b24app.sync.sources.deals import DEALS
from b24app.sync.sources.kinds import LongList, Outcome, Touch
from b24app.sync.sources.stage_history import HISTORY
from b24app.sync.state import CHANGES

logger = logging.getLogger(__name__)

OVERLAP_S = 5
"""Changes within the second of the last check, or stored by the portal a little late, are read again."""

REFERENCE_EVERY_S = 600
"""How often people, departments, currencies and stages are read: the portal does not tell of them."""

LATEST_EVERY_S = 600
"""How often the latest rows of lists are read that are rewritten without notice."""

LATEST_S = 31 * 86_400
LATEST_PAGES = 20
"""How far back such a reading goes at most; what is older is left to the nightly comparison."""

CATCH_UP_PAGES = 12
OWNERS_PER_COMMAND = 5
DETAIL_REQUESTS = 2
"""Requests for details in one check: who looks does not wait for a long row of them."""


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
        lists = sources.long_lists(conn, portal_id)
        return _Check(
            parts=parts,
            lists=lists,
            portal_id=portal_id,
            client=parts.client(portal_id, background=background),
            at=at,
            states=cursor.states(conn, portal_id),
            tops=_tops(conn, portal_id, lists),
            border=load_border(conn, portal_id),
            started=started,
        )


def _tops(conn: Connection, portal_id: int, lists: Iterable[LongList]) -> dict[str, int]:
    found = {source.name: cursor.load(conn, portal_id, source.name).get("top") for source in lists}
    return {name: int(top) for name, top in found.items() if top is not None}


@dataclass
class _Latest:
    """The latest rows of a list that is rewritten without notice, as they are being read."""

    source: LongList
    since: int
    top: int
    """The highest id that was stored before: what is newer cannot be missing."""
    rows: list[paging.Row] = field(default_factory=list)
    error: RestError | None = None
    pages: int = 0

    def __post_init__(self) -> None:
        self.prefix = f"latest_{self.source.name}"
        self.chain = paging.Chain(self.source.since(self.source.made_key, self.since), descending=True)

    @property
    def is_done(self) -> bool:
        return self.chain.is_done or self.error is not None or self.pages >= LATEST_PAGES

    def take(self, outcome: Outcome) -> None:
        """Adds what a batch brought."""
        if self.is_done:
            return
        try:
            rows = self.chain.take(self.prefix, outcome)
        except RestError as error:
            self.error = error
            return
        self.rows += rows
        self.pages += max(1, len(rows) // paging.PAGE_SIZE)


@dataclass
class _Check:
    """One check of one portal as it goes on."""

    parts: Parts
    portal_id: int
    client: PortalClient
    lists: tuple[LongList, ...]
    at: dict[str, Any]  # the cursor of this row becomes the next check's
    states: dict[str, str]
    tops: dict[str, int]  # the highest id of each list when its first read began
    border: Border
    started: float
    read: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    rewritten: set[int] = field(default_factory=set)  # deals whose history has to be read anew
    totals: dict[str, int] = field(default_factory=dict)
    by_name: Mapping[str, LongList] = field(init=False)

    failed: set[str] = field(default_factory=set)  # details that could not be read
    behind: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of lists that could not be read: from when on, when to try again, and which records were named."""

    def __post_init__(self) -> None:
        self.noted = offline.Noted(self.lists)
        self.by_name = {source.name: source for source in self.lists}

    def run(self) -> None:
        """1. One batch: the queue, what changed, now and then the short lists. 2. Further pages.
        3. Records that only the queue names. 4. Rewritten histories. 5. Details of changed records.
        6. Deletions, cursor, success."""
        chains = self._chains()
        is_reference_due = self._is_reference_due()
        latest = {} if is_reference_due else self._latest()
        outcome = self._ask(chains, latest, is_reference_due)
        now = server_time(outcome["clock"])
        self._note_queue(outcome)
        if is_reference_due:
            self._store_reference(outcome)
        while True:
            for name, chain in chains.items():
                if not chain.is_done:
                    self._take(name, chain, outcome)
            for one in latest.values():
                one.take(outcome)
            running = [(name, chain) for name, chain in chains.items() if not chain.is_done]
            running += [(one.prefix, one.chain) for one in latest.values() if not one.is_done]
            if not running:
                break
            pages = min(CATCH_UP_PAGES, max(1, BATCH_SIZE // len(running)))
            calls: dict[str, Call] = {}
            for name, chain in running:
                calls.update(chain.calls(name, pages))
            outcome = self.client.batch(calls)
        for one in latest.values():
            self._compare_latest(one)
        self._read_named()
        self._reread_histories()
        self._rederive()
        self._read_details(is_reference_due)
        self._finish(chains, now)

    def _ask(
        self, chains: dict[str, paging.Chain], latest: dict[str, _Latest], is_reference_due: bool
    ) -> Outcome:
        """What became of the one batch. Where a method has no operating time left, the lists that may fall
        behind are left out of it, whichever it is."""
        try:
            return self.client.batch(self._calls(chains, latest, is_reference_due))
        except RateLimited as error:
            if error.code != NO_BUDGET:
                raise
            for name in [name for name in chains if not self.by_name[name].is_vital]:
                self._fall_behind(self.by_name[name], error)
                del chains[name]
            latest.clear()
            return self.client.batch(self._calls(chains, latest, is_reference_due))

    def _is_on(self, source: LongList) -> bool:
        return self.states.get(source.name) != "off"

    def _is_reference_due(self) -> bool:
        age_s = clock.epoch() - int(self.at.get("reference_at") or 0)
        return age_s >= REFERENCE_EVERY_S or bool(self.at.get("rates"))

    def _chains(self) -> dict[str, paging.Chain]:
        """The lists of what changed, by source."""
        chains: dict[str, paging.Chain] = {}
        for source in self.lists:
            before = self.at.get("behind", {}).get(source.name, {})
            if not self._is_on(source):
                continue
            self.noted.changed[source.name] |= set(before.get("named", ()))
            if before.get("until", 0) > self.started:
                self.behind[source.name] = dict(before)
            elif source.changed_key is not None:
                since = int(before.get("since", self.at["since"])) - OVERLAP_S
                chains[source.name] = paging.Chain(source.since(source.changed_key, since))
            elif (last := self._last_id(source)) is not None:
                chains[source.name] = paging.Chain(source.base, last=last)
        return chains

    def _last_id(self, source: LongList) -> int | None:
        """Up to where the rows of a growing list are read; None until its first read has begun."""
        last = self.at.get("last_ids", {}).get(source.name)
        return last if last is not None else self.tops.get(source.name)

    def _latest(self) -> dict[str, _Latest]:
        """The latest rows of lists that are rewritten without notice, when their time has come."""
        if clock.epoch() - int(self.at.get("latest_at") or 0) < LATEST_EVERY_S:
            return {}
        self.at["latest_at"] = clock.epoch()
        since = int(self.at["since"]) - LATEST_S
        return {
            source.name: _Latest(source, since, self._top(source))
            for source in self.lists
            if source.is_rewritten
            and self.states.get(source.name) == "ready"
            and source.name not in self.behind
        }

    def _top(self, source: LongList) -> int:
        with self.parts.engine.connect() as conn:
            top = conn.execute(
                select(func.max(source.id_column)).where(*source.stored(self.portal_id))
            ).scalar_one()
        return int(top or 0)

    def _calls(
        self, chains: Mapping[str, paging.Chain], latest: Mapping[str, _Latest], is_reference_due: bool
    ) -> dict[str, Call]:
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
        for one in latest.values():
            calls.update(one.chain.calls(one.prefix, 1))
        if is_reference_due or has_queue is None or (not has_queue and cursor.is_reading(self.states)):
            calls["bindings"] = Call("event.get")
        if is_reference_due:
            calls.update(reference.calls())
            calls.update({f"probe_{s.name}": s.top() for s in self.lists if not self._is_on(s)})
            calls.update(self._counts())
        return calls

    def _counts(self) -> dict[str, Call]:
        """Where the portal keeps no queue for us, its number of records tells of deletions."""
        if self.at.get("has_queue") is None or cursor.is_reading(self.states):
            return {}
        queued = self.at.get("queued", ())
        return {
            f"count_{source.name}": source.base.count()
            for source in self.lists
            if source.event and source.name not in queued and self._is_on(source)
        }

    def _note_queue(self, outcome: Outcome) -> None:
        taken = outcome.get("handled")
        if isinstance(taken, Reply):
            # Stored by the last check. An entry renewed since then is read by its `updatedTime` now.
            events = taken.result.get("events") if isinstance(taken.result, dict) else None
            renewed = offline.Noted(self.lists)
            offline.note(paging.rows_at(events or [], ()), renewed)
            for name, gone in renewed.deleted.items():
                self.noted.deleted[name] |= gone
            self.at["handled"] = self.at["handled_count"] = 0
        listed = outcome.get("queue")
        if isinstance(listed, RestError) and not isinstance(listed, RetryLater):
            # No right, no method, no plan: deletions are found by comparing counts instead.
            self.at["has_queue"], self.at["queued"] = False, []
        if isinstance(listed, Reply):
            rows = paging.rows_at(listed.result, ())
            offline.note(rows, self.noted)
            self._note_more(offline.more_pages(len(rows), listed.next, listed.total))
            self.at["handled"], self.at["handled_count"] = self.noted.last_id, self.noted.count
        bindings = outcome.get("bindings")
        if isinstance(bindings, Reply):
            queued = offline.queued(paging.rows_at(bindings.result, ()), self.lists)
            self.at["has_queue"], self.at["queued"] = bool(queued), sorted(queued)

    def _note_more(self, starts: range) -> None:
        pages = {f"queue_{start}": offline.look(start) for start in starts}
        for answer in self.client.batch(pages).values() if pages else ():
            if isinstance(answer, RestError):
                return  # the rest stays in the queue for the next check
            offline.note(paging.rows_at(answer.result, ()), self.noted)

    def _store_reference(self, outcome: Outcome) -> None:
        found = reference.read(self.client, outcome)
        with store.writing(self.parts.engine, self.portal_id) as writer:
            reference.store(writer, found)
            if writer.has_new_stage_order:
                self.at["rederive_after"] = 0
            sees_more = self.at.get("was_admin") is False and found.is_admin is True
            for source in self.lists:
                is_back = isinstance(outcome.get(f"probe_{source.name}"), Reply)
                if sees_more or is_back:
                    self._start_again(writer, source, None if is_back else date.min)
                elif self.states.get(source.name) == "ready":
                    writer.set_source(source.name, row_count=writer.count(source.table, *source.only))
            self.border = load_border(writer.conn, self.portal_id)
        self.at["was_admin"] = bool(self.at.get("was_admin") or found.is_admin)
        self.at["reference_at"], self.at["rates"] = clock.epoch(), False
        for source in self.lists:
            counted = outcome.get(f"count_{source.name}")
            if isinstance(counted, Reply) and counted.total is not None:
                self.totals[source.name] = counted.total

    def _start_again(self, writer: Writer, source: LongList, seen_from: date | None) -> None:
        """What could not be seen until now has old dates: the first read of the list is done again."""
        for name in (source.name, *(one.name for one in source.details)):
            writer.set_source(name, state="pending", reason=None, cursor={}, covered_from=seen_from)
            self.states[name] = "pending"
        self.at.get("last_ids", {}).pop(source.name, None)
        writer.changed = True

    def _take(self, name: str, chain: paging.Chain, outcome: Outcome) -> None:
        """Stores the rows that a list brought."""
        source = self.by_name[name]
        try:
            rows = chain.take(name, outcome)
        except RestError as error:
            chain.is_done = True
            if trouble.off_reason(error) is None:
                self._fall_behind(source, error)
                return
            with store.writing(self.parts.engine, self.portal_id) as writer:
                fail_list(writer, source, error)
                writer.changed = True
            self.states[name] = "off"
            return
        self._save(source, rows)

    def _fall_behind(self, source: LongList, error: RestError) -> None:
        """Leaves a list to a later check. Raises the error where that is no matter of this list alone."""
        if source.is_vital or trouble.concerns_portal(error):
            raise error
        before = self.at.get("behind", {}).get(source.name, {})
        failures = int(before.get("failures", 0)) + 1
        self.behind[source.name] = {
            "since": before.get("since", self.at["since"]),
            "until": self.started + trouble.wait_s(error, failures, self.started),
            "failures": failures,
        }
        logger.warning("portal %s: %s: %s", self.portal_id, source.name, trouble.label(error))
        with store.writing(self.parts.engine, self.portal_id) as writer:
            writer.set_source(source.name, error=trouble.label(error))

    def _save(self, source: LongList, rows: Iterable[paging.Row]) -> None:
        facts = source.parsed(rows, self.border)
        if not facts:
            return
        with store.writing(self.parts.engine, self.portal_id, self.border) as writer:
            if source is DEALS:
                self.rewritten |= _with_rewritten_history(writer, facts)
            if source.touches is not None:
                self.noted.changed[source.touches.source] |= _touched(writer, source, source.touches, facts)
            source.save(writer, facts)
        self.read[source.name] |= {source.id_of(fact) for fact in facts}

    def _compare_latest(self, one: _Latest) -> None:
        """Stores the latest rows of a list; stored ones among them that the portal has no more are gone."""
        source = one.source
        if source.name in self.behind or not self._is_on(source):
            return
        if one.error is not None:
            self._fall_behind(source, one.error)
            return
        self._save(source, one.rows)
        found = {row_id for row in one.rows if (row_id := source.base.id_of(row)) is not None}
        conditions = [
            *source.stored(self.portal_id),
            source.made_column >= one.since,
            source.id_column <= one.top,
        ]
        if not one.chain.is_done:
            conditions.append(source.id_column >= min(found))
        with self.parts.engine.connect() as conn:
            stored = set(conn.execute(select(source.id_column).where(*conditions)).scalars())
        gone = stored - found
        if gone and self._sees_all_it_saw():
            self.noted.deleted[source.name] |= gone

    def _read_named(self) -> None:
        """Reads records that events name and no list brought; those that are not there any more go."""
        for source in self.lists:
            name = source.name
            self._note_touched_by_loss(source)
            named = self.noted.changed[name] - self.read[name] - self.noted.deleted[name]
            if not named or not self._is_on(source):
                continue
            try:
                if name not in self.behind:
                    self._save(source, read_by_id(self.client, source, sorted(named)))
            except RestError as error:
                self._fall_behind(source, error)
            if name in self.behind:
                self.behind[name]["named"] = sorted(named)
                continue
            if self._sees_all_it_saw():
                self.noted.deleted[name] |= named - self.read[name]

    def _note_touched_by_loss(self, source: LongList) -> None:
        """A row that is gone changed the record that it belonged to."""
        for other in self.lists:
            touch = other.touches
            if touch is None or touch.source != source.name or not self.noted.deleted[other.name]:
                continue
            with self.parts.engine.connect() as conn:
                found = conn.execute(
                    select(touch.column).where(
                        *other.stored(self.portal_id),
                        other.id_column.in_(sorted(self.noted.deleted[other.name])),
                    )
                ).scalars()
                self.noted.changed[source.name] |= set(found)

    def _read_details(self, is_reference_due: bool) -> None:
        """Reads the details of records that changed. What is off is tried again now and then."""
        for source in self.lists:
            for one in source.details:
                state = self.states.get(one.name)
                is_retry = state == "off" and is_reference_due and self.states.get(source.name) == "ready"
                if state != "ready" and not is_retry:
                    continue
                requests = 1 if is_retry else DETAIL_REQUESTS
                try:
                    details.catch_up(self.parts, self.portal_id, self.client, one, requests=requests)
                except RestError as error:
                    if trouble.concerns_portal(error):
                        raise
                    self.failed.add(one.name)
                    with store.writing(self.parts.engine, self.portal_id) as writer:
                        reference.fail_source(writer, one.name, error)
                        writer.changed = writer.changed or not is_retry
                    continue
                if is_retry:
                    with store.writing(self.parts.engine, self.portal_id) as writer:
                        writer.set_source(one.name, state="pending", reason=None)
                        writer.changed = True

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
                HISTORY.base.where({"@OWNER_ID": owners[start : start + OWNERS_PER_COMMAND]})
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
            for source in self.lists:
                gone = self.noted.deleted[source.name] - self.read[source.name]
                if gone:
                    source.delete(writer, gone)
                if source.follows is not None and self.noted.deleted[source.follows]:
                    at["latest_at"] = 0  # the next check finds out which of its rows went along
            if "since" in at:
                at["since"] = now
            at["last_ids"] = {
                **at.get("last_ids", {}),
                **{
                    name: chain.last
                    for name, chain in chains.items()
                    if self.by_name[name].changed_key is None and self.states.get(name) != "pending"
                },
            }
            at["behind"] = self.behind
            at["deleted"] = self._remembered() if cursor.is_reading(self.states) else {}
            at["rates"] = self.noted.has_new_rates
            at["failures"], at["retry_at"] = 0, 0
            writer.set_source(CHANGES, cursor=at, error=None, read_at=clock.epoch())
            if any(
                total != writer.count(self.by_name[name].table, *self.by_name[name].only)
                for name, total in self.totals.items()
            ):
                asked = cursor.load(writer.conn, self.portal_id, cursor.RECONCILE)
                writer.set_source(cursor.RECONCILE, state="ready", cursor={**asked, "is_asked": True})
            for name in (*chains, *(one.name for source in self.lists for one in source.details)):
                if self.states.get(name) == "ready" and name not in self.behind and name not in self.failed:
                    writer.set_source(name, read_at=clock.epoch(), error=None)
            writer.set_checked(self.started)

    def _remembered(self) -> dict[str, list[int]]:
        """Deletions that the first read, still under way, must not undo."""
        before = self.at.get("deleted", {})
        names = {*before, *(name for name, gone in self.noted.deleted.items() if gone)}
        return {name: sorted({*before.get(name, ()), *self.noted.deleted[name]}) for name in names}


def _touched(writer: Writer, source: LongList, touch: Touch, facts: Iterable[Any]) -> set[int]:
    """Records of another list that new or changed rows belong to, or belonged to."""
    new = {source.id_of(fact): fact for fact in facts}
    names = [column for column in source.table.c if column.name != "portal_id"]
    found: set[int] = set()
    same: set[int] = set()
    rows = writer.conn.execute(
        select(*names).where(*source.stored(writer.portal_id), source.id_column.in_(sorted(new)))
    )
    for row in rows:
        stored = row._mapping
        fact = new[stored[source.id_column.name]]
        if all(getattr(fact, name) == value for name, value in stored.items()):
            same.add(stored[source.id_column.name])
        else:
            found.add(stored[touch.column.name])
    return found | {getattr(fact, touch.column.name) for key, fact in new.items() if key not in same}


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
