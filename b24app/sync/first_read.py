"""The first read of a portal: newest first, in steps that are each stored whole with their cursor.

Killed anywhere, it goes on from the last stored step. What changes in the portal meanwhile is read by
`refresh`, which may run beside it: a row of this long read never replaces a newer one.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select

from b24app import clock, store, tables, trace
from b24app.facts import values
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.store import BorderMoved, PortalLeft, Writer, load_border
from b24app.sync import claims, cursor, details, reference, sources, trouble
from b24app.sync.parts import Parts
from b24app.sync.sources.deals import DEALS
from b24app.sync.sources.kinds import Details, LongList
from b24app.sync.sources.leads import LEADS
from b24app.sync.state import CHANGES
from b24app.sync.windows import Window, progress, windows

logger = logging.getLogger(__name__)

FIRST_PAGES = 6
"""Pages in the first request of a window whose length nobody knows; pages beyond its end cost time too."""

SIDE_BY_SIDE = 3
"""Lists that are read at the same time: more would only wait for the portal's limits."""

ROWS_PER_COMMAND = 50


def run(parts: Parts, portal_id: int, *, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Reads on until all is read (True), the caller's time `is_over` or the portal fails (False).

    Does nothing where another process is at it. Never raises for trouble of the portal: it is noted for
    `state`, with the moment from which another try is worth it.
    """
    with claims.hold(parts.engine, portal_id, cursor.FIRST_READ) as is_mine:
        if not is_mine:
            return False
        try:
            return _read(parts, portal_id, is_over)
        except (PortalLeft, BorderMoved):
            return False  # what was parsed for another time zone is read again
        except RestError as error:
            _failed(parts, portal_id, error)
            return False


def is_begun(found: dict[str, Any]) -> bool:
    """Whether a cursor of `changes` says from when on changes are to be read."""
    return "since" in found


def _read(parts: Parts, portal_id: int, is_over: Callable[[], bool]) -> bool:
    client = parts.client(portal_id, background=True)
    with parts.engine.connect() as conn:
        is_first = not is_begun(cursor.load(conn, portal_id, CHANGES))
        states = cursor.states(conn, portal_id)
        lists = sources.long_lists(conn, portal_id)
    new = [source for source in lists if states.get(source.name, "pending") == "pending"]
    if is_first or new:
        _begin(parts, portal_id, client, new)
    unread = _unread(parts, portal_id, lists)
    is_all = in_turn([_SourceRead(parts, portal_id, client, source, is_over) for source in unread])
    if is_all:
        with store.writing(parts.engine, portal_id) as writer:
            writer.set_source(cursor.FIRST_READ, error=None, cursor={})
            today = datetime.now(writer.zone).date()
            writer.set_source(cursor.RECONCILE, state="ready", cursor={"day": today.isoformat()})
            writer.changed = True  # answers may now call themselves complete
        logger.info("portal %s is read", portal_id)
    return is_all


def _unread(parts: Parts, portal_id: int, lists: Iterable[LongList]) -> list[LongList]:
    """The lists that are not read to their end, or not the details of their records."""
    with store.writing(parts.engine, portal_id) as writer:
        states = cursor.states(writer.conn, portal_id)
        found = []
        for source in lists:
            names = _names(source.details)
            if states.get(source.name) == "off":
                for name in names:
                    writer.set_source(
                        name, state="off", reason=cursor.reason(writer.conn, portal_id, source.name)
                    )
            elif any(states.get(name) not in ("ready", "off") for name in (source.name, *names)):
                found.append(source)
        return found


class Steps(Protocol):
    """A work in steps: which one is next, and the doing of it."""

    @property
    def step(self) -> int: ...

    def run_step(self) -> bool | None:
        """None when there are more steps, True when all is done, False when the caller's time is over."""
        ...


def in_turn(works: Sequence[Steps]) -> bool:
    """Whether all works are done: the earliest steps of all of them first, a few side by side.

    Raises the first of their errors, once none of them runs any more; one's error does not stop the others.
    """
    line = [(work.step, place) for place, work in enumerate(works)]
    heapq.heapify(line)
    turn = threading.Lock()
    done: list[bool] = []
    errors: list[BaseException] = []

    def run() -> None:
        while True:
            with turn:
                if not line:
                    return
                _, place = heapq.heappop(line)
            try:
                outcome = works[place].run_step()
            except BaseException as error:
                errors.append(error)
                continue
            if outcome is not None:
                done.append(outcome)
                continue
            with turn:
                heapq.heappush(line, (works[place].step, place))

    # Not an executor: its threads would hold up the end of the process for as long as a portal hangs.
    threads = [
        threading.Thread(target=trace.carried(run), daemon=True) for _ in range(min(SIDE_BY_SIDE, len(works)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return all(done)


def _names(details: Iterable[Details]) -> tuple[str, ...]:
    return tuple(one.name for one in details)


def _begin(parts: Parts, portal_id: int, client: PortalClient, new: list[LongList]) -> None:
    """Reads what other facts refer to; marks where the `new` lists and the reading of changes begin."""
    started = time.time()
    calls = {"clock": Call("server.time"), **{f"top_{source.name}": source.top() for source in new}}
    outcome = client.batch({**calls, **reference.calls()})
    now = server_time(outcome["clock"])
    found = reference.read(client, outcome)
    with store.writing(parts.engine, portal_id) as writer:
        reference.store(writer, found)
        today = datetime.fromtimestamp(now, writer.zone).date()
        for source in new:
            answer = outcome[f"top_{source.name}"]
            if isinstance(answer, RestError) and trouble.off_reason(answer):
                fail_list(writer, source, answer)
                continue
            known: dict[str, Any] = {"state": "reading", "reason": None, "progress": 0.0}
            at = {"today": today.isoformat(), "step": 0, "last": None, "top": _top_id(source, answer)}
            writer.set_source(source.name, cursor=at, **known)
            for name in _names(source.details):
                writer.set_source(name, cursor={}, **known)
        changes = cursor.load(writer.conn, portal_id, CHANGES)
        if not is_begun(changes):
            changes = {"since": now, "reference_at": clock.epoch(), "was_admin": found.is_admin}
            writer.set_source(CHANGES, state="ready", cursor=changes)
            writer.set_checked(started)
        writer.changed = True


def fail_list(writer: Writer, source: LongList, error: RestError) -> None:
    """Notes that a long list could not be read; where it is off, so are its details."""
    reference.fail_source(writer, source.name, error)
    if trouble.off_reason(error):
        for name in _names(source.details):
            reference.fail_source(writer, name, error)


def server_time(answer: Reply | RestError) -> int:
    """The portal's own time in epoch seconds; ours where it does not tell."""
    told = None if isinstance(answer, RestError) else values.moment(answer.result, ZoneInfo("UTC"))
    return told or clock.epoch()


def _top_id(source: LongList, answer: Reply | RestError) -> int:
    if isinstance(answer, RestError):
        return 0
    return max((source.base.id_of(row) or 0 for row in source.base.rows(answer)), default=0)


@dataclass
class _SourceRead:
    """The first read of one list, window by window, each with the details of its records."""

    parts: Parts
    portal_id: int
    client: PortalClient
    source: LongList
    is_over: Callable[[], bool]
    step: int = field(init=False)

    def __post_init__(self) -> None:
        with self.parts.engine.connect() as conn:
            self.step = int(cursor.load(conn, self.portal_id, self.source.name).get("step", 0))

    def run_step(self) -> bool | None:
        """Reads the next window. A list that cannot be read at all is done."""
        try:
            return self._window()
        except RestError as error:
            if trouble.off_reason(error) is None:
                with store.writing(self.parts.engine, self.portal_id) as writer:
                    writer.set_source(self.source.name, error=trouble.label(error))
                raise
            with store.writing(self.parts.engine, self.portal_id) as writer:
                fail_list(writer, self.source, error)
                writer.changed = True
            return True

    def _window(self) -> bool | None:
        with self.parts.engine.connect() as conn:
            at = cursor.load(conn, self.portal_id, self.source.name)
            zone = load_border(conn, self.portal_id).zone
        stretches = windows(date.fromisoformat(at["today"]), zone)
        if at["step"] < len(stretches):
            window = stretches[at["step"]]
            if not self._read_window(window, at, len(stretches)):
                return False
            if self.source is DEALS and window.since is not None:
                self._read_leads_of_won(window.since)
            at = {**at, "step": at["step"] + 1, "last": None}
            self._close(at, window.covers_from, len(stretches))
            self.step = at["step"]
        covers_from = stretches[self.step - 1].covers_from
        is_last = self.step == len(stretches)
        for one in self.source.details:
            if not self._read_details(one, covers_from, is_last):
                return False
        return True if is_last else None

    def _read_window(self, window: Window, at: dict[str, Any], steps: int) -> bool:
        """Whether all of it is read and stored; else the caller's time is over."""
        is_everything = self.source.may_lack_recency and window.since is None
        listing = (
            self.source.base
            if is_everything
            else self.source.since(self.source.recency_key, window.since, window.until)
        )
        chain = paging.Chain(listing, last=at["last"], descending=True)
        pages = FIRST_PAGES
        while not chain.is_done:
            rows = paging.read_batch(self.client, [chain], pages)[0]
            at["last"] = chain.last
            self._store(rows, at, steps)
            pages = min(BATCH_SIZE, pages * 4)
            if not chain.is_done and self.is_over():
                return False
        return True

    def _read_details(self, one: Details, covers_from: date, is_last: bool) -> bool:
        """Whether the details of all records read so far are read too, or cannot be read at all."""
        with self.parts.engine.connect() as conn:
            if cursor.states(conn, self.portal_id).get(one.name) in ("ready", "off"):
                return True
        try:
            if not details.catch_up(self.parts, self.portal_id, self.client, one, is_over=self.is_over):
                return False
        except RestError as error:
            with store.writing(self.parts.engine, self.portal_id) as writer:
                reference.fail_source(writer, one.name, error)
                writer.changed = True
            if trouble.off_reason(error) is None:
                raise
            return True
        with store.writing(self.parts.engine, self.portal_id) as writer:
            if is_last:
                writer.set_source(
                    one.name,
                    state="ready",
                    covered_from=None,
                    progress=1.0,
                    error=None,
                    read_at=clock.epoch(),
                )
            else:
                progress_ = progress(self.step, self.step + 1, None, 0)
                writer.set_source(one.name, covered_from=covers_from, progress=progress_)
            writer.changed = True
        return True

    def _store(self, rows: list[paging.Row], at: dict[str, Any], steps: int) -> None:
        with self.parts.engine.connect() as conn:
            border = load_border(conn, self.portal_id)
        facts = self.source.parsed(rows, border)
        with store.writing(self.parts.engine, self.portal_id, border) as writer:
            self.source.fill(writer, facts, self._gone(writer, self.source))
            writer.set_source(
                self.source.name,
                cursor=at,
                error=None,
                read_at=clock.epoch(),
                progress=progress(at["step"], steps, at["last"], at["top"]),
            )

    def _close(self, at: dict[str, Any], covers_from: date, steps: int) -> None:
        with store.writing(self.parts.engine, self.portal_id) as writer:
            known: dict[str, Any] = {"cursor": at, "error": None, "read_at": clock.epoch()}
            if at["step"] == steps:
                known |= {"state": "ready", "covered_from": None, "progress": 1.0}
            else:
                known |= {
                    "covered_from": covers_from,
                    "progress": progress(at["step"], steps, None, at["top"]),
                }
            known["row_count"] = writer.count(self.source.table, *self.source.only)
            writer.set_source(self.source.name, **known)
            writer.changed = True  # more may now be said than before

    def _read_leads_of_won(self, since: int) -> None:
        """Leads that the won deals of the window came from: processing time begins with them."""
        deal, lead = tables.deals.c, tables.leads.c
        with self.parts.engine.connect() as conn:
            border = load_border(conn, self.portal_id)
            missing = list(
                conn.execute(
                    select(deal.lead_id)
                    .where(
                        deal.portal_id == self.portal_id,
                        deal.semantics == "S",
                        deal.moved_at >= since,
                        deal.lead_id.is_not(None),
                        ~select(lead.lead_id)
                        .where(lead.portal_id == self.portal_id, lead.lead_id == deal.lead_id)
                        .exists(),
                    )
                    .distinct()
                ).scalars()
            )
        try:
            rows = read_by_id(self.client, LEADS, missing)
        except RestError as error:
            if trouble.off_reason(error) is None:
                raise
            return  # without leads, time is counted from the deal
        facts = LEADS.parsed(rows, border)
        with store.writing(self.parts.engine, self.portal_id, border) as writer:
            LEADS.fill(writer, facts, self._gone(writer, LEADS))

    def _gone(self, writer: Writer, source: LongList) -> set[int]:
        """Ids of the source's records that were deleted in the portal while this read was under way."""
        deleted = cursor.load(writer.conn, self.portal_id, CHANGES).get("deleted", {})
        return set(deleted.get(source.of or source.name, ()))


def read_by_id(client: PortalClient, source: LongList, ids: list[int]) -> list[paging.Row]:
    """The rows of these records, those that the reader may see. Raises: RestError."""
    calls = {
        f"ids_{start}": source.base.among(ids[start : start + ROWS_PER_COMMAND]).page(
            beyond=None, bound=None, descending=False
        )
        for start in range(0, len(ids), ROWS_PER_COMMAND)
    }
    found: list[paging.Row] = []
    for answer in client.batch(calls).values() if calls else ():
        if isinstance(answer, RestError):
            raise answer
        found += source.base.rows(answer)
    return found


def _failed(parts: Parts, portal_id: int, error: RestError) -> None:
    now = time.time()
    logger.warning("first read of portal %s: %s", portal_id, trouble.label(error))
    try:
        with store.writing(parts.engine, portal_id) as writer:
            failures = int(cursor.load(writer.conn, portal_id, cursor.FIRST_READ).get("failures", 0)) + 1
            writer.set_source(
                cursor.FIRST_READ,
                error=trouble.label(error),
                cursor={"failures": failures, "retry_at": now + trouble.wait_s(error, failures, now)},
            )
    except PortalLeft:
        return
    state = trouble.portal_state(error)
    if state is not None:
        store.close_portal(parts.engine, portal_id, state)
