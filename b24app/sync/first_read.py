"""The first read of a portal: newest first, several requests at a time, each stored whole with its cursor.

Killed anywhere, it goes on from what is stored. What changes in the portal meanwhile is read by
`refresh`, which may run beside it: a row of this long read never replaces a newer one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from b24app import clock, store
from b24app.facts import values
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import NO_BUDGET, RestError
from b24app.rest.limits import PARALLEL
from b24app.store import BorderMoved, PortalLeft
from b24app.sync import claims, cursor, reference, side_by_side, sources, trouble
from b24app.sync.lanes import pages_each
from b24app.sync.list_read import ListRead, fail_list, top_id
from b24app.sync.parts import Parts
from b24app.sync.sources.kinds import Details, LongList
from b24app.sync.state import CHANGES

logger = logging.getLogger(__name__)

STORERS = 2
"""Threads beside those that wait for the portal: while a page is stored, another one is on its way."""


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
    storing = threading.Lock()
    works = [
        ListRead(parts, portal_id, client, source, storing=storing, is_over=is_over) for source in unread
    ]
    is_all = side_by_side.run(works, threads=PARALLEL + STORERS, pages=pages_each, is_over=is_over)
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


def _names(details: Iterable[Details]) -> tuple[str, ...]:
    return tuple(one.name for one in details)


def _begin(parts: Parts, portal_id: int, client: PortalClient, new: list[LongList]) -> None:
    """Reads what other facts refer to; marks where the `new` lists and the reading of changes begin."""
    started = time.time()
    calls = {"clock": Call("server.time"), **{f"top_{source.name}": source.top() for source in new}}
    outcome = client.batch({**calls, **reference.calls(new)})
    now = server_time(outcome["clock"])
    found = reference.read(client, outcome)
    with store.writing(parts.engine, portal_id) as writer:
        reference.store(writer, found)
        today = datetime.fromtimestamp(now, writer.zone).date()
        if any(source.name in store.SUMMED for source in new):
            writer.pause_sums()
        for source in new:
            answer = outcome[f"top_{source.name}"]
            if isinstance(answer, RestError) and trouble.off_reason(answer):
                fail_list(writer, source, answer)
                continue
            known: dict[str, Any] = {"state": "reading", "reason": None, "progress": 0.0}
            at = {
                "today": today.isoformat(),
                "zone": writer.zone.key,
                "step": 0,
                "top": top_id(source, answer),
            }
            writer.set_source(source.name, cursor=at, **known)
            for name in _names(source.details):
                writer.set_source(name, cursor={}, **known)
        changes = cursor.load(writer.conn, portal_id, CHANGES)
        if not is_begun(changes):
            changes = {"since": now, "reference_at": clock.epoch(), "was_admin": found.is_admin}
            writer.set_source(CHANGES, state="ready", cursor=changes)
            writer.set_checked(started)
            # Not only at the end: between the last list and that, the comparison would look due.
            writer.set_source(cursor.RECONCILE, state="ready", cursor={"day": today.isoformat()})
        writer.changed = True


def server_time(answer: Reply | RestError) -> int:
    """The portal's own time in epoch seconds; ours where it does not tell."""
    told = None if isinstance(answer, RestError) else values.moment(answer.result, ZoneInfo("UTC"))
    return told or clock.epoch()


def _failed(parts: Parts, portal_id: int, error: RestError) -> None:
    """Notes when another try is worth it; keeping to the portal's limits is no failure."""
    now = time.time()
    is_pause = error.code == NO_BUDGET
    if not is_pause:
        logger.warning("first read of portal %s: %s", portal_id, trouble.label(error))
    try:
        with store.writing(parts.engine, portal_id) as writer:
            before = int(cursor.load(writer.conn, portal_id, cursor.FIRST_READ).get("failures", 0))
            failures = 0 if is_pause else before + 1
            writer.set_source(
                cursor.FIRST_READ,
                error=None if is_pause else trouble.label(error),
                cursor={"failures": failures, "retry_at": now + trouble.wait_s(error, failures, now)},
            )
    except PortalLeft:
        return
    state = trouble.portal_state(error)
    if state is not None:
        store.close_portal(parts.engine, portal_id, state)
