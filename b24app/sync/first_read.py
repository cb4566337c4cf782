"""The first read of a portal: newest first, in steps that are each stored whole with their cursor.

Killed anywhere, it goes on from the last stored step. What changes in the portal meanwhile is read by
`refresh`, which may run beside it: a row of this long read never replaces a newer one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from b24app import clock
from b24app.facts import store, tables, values
from b24app.facts.store import BorderMoved, PortalLeft, load_border
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.sync import claims, cursor, reference, sources, trouble
from b24app.sync.parts import Parts
from b24app.sync.sources import DEALS, HISTORY, LEADS, ROWS_PER_COMMAND, Source
from b24app.sync.state import CHANGES
from b24app.sync.windows import progress, windows

logger = logging.getLogger(__name__)

FIRST_PAGES = 6
"""Pages in the first request of a window whose length nobody knows; pages beyond its end cost time too."""


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
    with parts.engine.connect() as conn:
        changes = cursor.load(conn, portal_id, CHANGES)
    client = parts.client(portal_id, background=True)
    if not is_begun(changes):
        _begin(parts, portal_id, client)
    with parts.engine.connect() as conn:
        states = cursor.states(conn, portal_id)
    todo = [source for source in sources.ALL if states.get(source.name) not in ("ready", "off")]
    is_all = _side_by_side([_SourceRead(parts, portal_id, client, s, is_over).run for s in todo])
    if is_all:
        with store.writing(parts.engine, portal_id) as writer:
            writer.set_source(cursor.FIRST_READ, error=None, cursor={})
            today = datetime.now(writer.zone).date()
            writer.set_source(cursor.RECONCILE, state="ready", cursor={"day": today.isoformat()})
            writer.changed = True  # answers may now call themselves complete
        logger.info("portal %s is read", portal_id)
    return is_all


def _side_by_side(works: list[Callable[[], bool]]) -> bool:
    """Whether all are done. Raises the first of their errors, once none of them runs any more."""
    done: list[bool] = []
    errors: list[BaseException] = []

    def run_one(work: Callable[[], bool]) -> None:
        try:
            done.append(work())
        except BaseException as error:
            errors.append(error)

    # Not an executor: its threads would hold up the end of the process for as long as a portal hangs.
    threads = [threading.Thread(target=run_one, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return all(done)


def _begin(parts: Parts, portal_id: int, client: PortalClient) -> None:
    """Reads what other facts refer to and marks the point from which on changes are read."""
    started = time.time()
    calls = {"clock": Call("server.time"), **{f"top_{s.name}": top_call(s) for s in sources.ALL}}
    outcome = client.batch({**calls, **reference.calls()})
    now = server_time(outcome["clock"])
    found = reference.read(client, outcome)
    with store.writing(parts.engine, portal_id) as writer:
        reference.store(writer, found)
        tops = {source.name: _top_id(source, outcome[f"top_{source.name}"]) for source in sources.ALL}
        zone = writer.zone
        for source in sources.ALL:
            answer = outcome[f"top_{source.name}"]
            if isinstance(answer, RestError) and trouble.off_reason(answer):
                reference.fail_source(writer, source.name, answer)
                continue
            today = datetime.fromtimestamp(now, zone).date()
            writer.set_source(
                source.name,
                state="reading",
                reason=None,
                progress=0.0,
                cursor={"today": today.isoformat(), "step": 0, "last": None, "top": tops[source.name]},
            )
        writer.set_source(
            CHANGES,
            state="ready",
            cursor={
                "since": now,
                "history_id": tops[HISTORY.name],
                "reference_at": clock.epoch(),
                "was_admin": found.is_admin,
            },
        )
        writer.set_checked(started)
        writer.changed = True


def server_time(answer: Reply | RestError) -> int:
    """The portal's own time in epoch seconds; ours where it does not tell."""
    told = None if isinstance(answer, RestError) else values.moment(answer.result, ZoneInfo("UTC"))
    return told or clock.epoch()


def top_call(source: Source) -> Call:
    """The command for the highest id of a list."""
    page = source.listing().page(beyond=None, bound=None, descending=True)
    return Call(page.method, {**dict(page.params), "select": [source.id_key]})


def _top_id(source: Source, answer: Reply | RestError) -> int:
    if isinstance(answer, RestError):
        return 0
    rows = source.listing().rows(answer)
    return max((source.listing().id_of(row) or 0 for row in rows), default=0)


@dataclass
class _SourceRead:
    """The first read of one list, window by window."""

    parts: Parts
    portal_id: int
    client: PortalClient
    source: Source
    is_over: Callable[[], bool]

    def run(self) -> bool:
        """True once the list is read to its end, or cannot be read at all."""
        try:
            return self._windows()
        except RestError as error:
            if trouble.off_reason(error) is None:
                with store.writing(self.parts.engine, self.portal_id) as writer:
                    writer.set_source(self.source.name, error=trouble.label(error))
                raise
            with store.writing(self.parts.engine, self.portal_id) as writer:
                reference.fail_source(writer, self.source.name, error)
                writer.changed = True
            return True

    def _windows(self) -> bool:
        with self.parts.engine.connect() as conn:
            at = cursor.load(conn, self.portal_id, self.source.name)
            zone = load_border(conn, self.portal_id).zone
        stretches = windows(date.fromisoformat(at["today"]), zone)
        while at["step"] < len(stretches):
            window = stretches[at["step"]]
            key = self.source.recency_key
            # A deal may lack the moment of its last move: the last stretch of deals is everything.
            limits = (
                {}
                if self.source is DEALS and window.since is None
                else self.source.since(key, window.since, window.until)
            )
            chain = paging.Chain(self.source.listing(limits), last=at["last"], descending=True)
            pages = FIRST_PAGES
            while not chain.is_done:
                rows = paging.read_batch(self.client, [chain], pages)[0]
                at["last"] = chain.last
                self._store(rows, at, len(stretches))
                pages = min(BATCH_SIZE, pages * 4)
                if not chain.is_done and self.is_over():
                    return False
            if self.source is DEALS and window.since is not None:
                self._read_leads_of_won(window.since)
            at = {**at, "step": at["step"] + 1, "last": None}
            self._close(at, window.covers_from, len(stretches))
        return True

    def _store(self, rows: list[paging.Row], at: dict[str, Any], steps: int) -> None:
        with self.parts.engine.connect() as conn:
            border = load_border(conn, self.portal_id)
        facts = self.source.parsed(rows, border)
        with store.writing(self.parts.engine, self.portal_id, border) as writer:
            self.source.fill(writer, facts, self._gone(writer))
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
            known["row_count"] = writer.count(self.source.table)
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
            writer.fill_leads(facts, self._gone(writer, LEADS))

    def _gone(self, writer: store.Writer, source: Source | None = None) -> set[int]:
        """Ids deleted in the portal while this read was under way."""
        name = "leads" if (source or self.source) is LEADS else "deals"
        deleted = cursor.load(writer.conn, self.portal_id, CHANGES).get("deleted", {})
        return set(deleted.get(name, ()))


def read_by_id(client: PortalClient, source: Source, ids: list[int]) -> list[paging.Row]:
    """The rows of these records, those that the reader may see. Raises: RestError."""
    calls = {
        f"ids_{start}": Call(
            source.method,
            {
                **source.params,
                "filter": {"@id": ids[start : start + ROWS_PER_COMMAND]},
                "order": {"id": "ASC"},
                "start": -1,
            },
        )
        for start in range(0, len(ids), ROWS_PER_COMMAND)
    }
    found: list[paging.Row] = []
    for answer in client.batch(calls).values() if calls else ():
        if isinstance(answer, RestError):
            raise answer
        found += paging.rows_at(answer.result, ("items",), source.method)
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
