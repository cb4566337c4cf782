"""Somebody looks at a portal's numbers: they are checked once for all who look, and not waited for long."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError

from b24app import trace
from b24app.db import reading
from b24app.store.portal import PortalRow, load_portal
from b24app.sync import claims, cursor, refresh
from b24app.sync.first_read import is_begun
from b24app.sync.parts import Parts
from b24app.sync.state import CHANGES
from b24app.tables import portals

logger = logging.getLogger(__name__)

FRESH_S = 5.0
"""One portal is asked for changes at most this often, however many people look.

An open page asks every three seconds: with the way through the queue a change shows within ten. Only who
asks for a live read by name (`fresh=1`) has a check begin earlier, which all who ask meanwhile share."""

WATCH_STEP_S = 2.0
"""How exact the moment of the last look is kept: not every look is a write."""

_POLL_S = 0.05


def touch(
    parts: Parts,
    portal_id: int,
    *,
    wait_s: float = 0.0,
    max_age_s: float = FRESH_S,
    known: PortalRow | None = None,
) -> None:
    """Notes that somebody looks, and has the portal checked if the last check is older than `max_age_s`.

    `known`: the portal's row, where it was just read. `max_age_s=0` asks for a check that begins now
    (`fresh=1`). With `wait_s` the caller waits at most that long for the outcome, else not at all. Trouble of
    the portal is never the caller's.
    """
    asked = time.time()
    threshold = asked - max_age_s
    try:
        if not _is_due(parts, portal_id, known, asked, threshold):
            return
        if wait_s <= 0:
            _nudge(parts, portal_id)
            return
        _wait(parts, portal_id, threshold, asked + wait_s)
    except SQLAlchemyError:
        logger.exception("portal %s cannot be checked: the database fails", portal_id)


def _is_due(parts: Parts, portal_id: int, known: PortalRow | None, now: float, threshold: float) -> bool:
    """Notes the look; whether the portal can be checked and has not been since `threshold`."""
    row = known
    if row is None:
        with reading(parts.engine) as conn:
            row = load_portal(conn, portal_id)
    if row is None or row.state in ("gone", "uninstalled"):
        return False
    mine = portals.c.portal_id == portal_id
    if row.watched_at is None or row.watched_at < now - WATCH_STEP_S:
        with parts.engine.begin() as conn:
            conn.execute(
                update(portals)
                .where(mine, or_(portals.c.watched_at.is_(None), portals.c.watched_at < now))
                .values(watched_at=now)
            )
    if row.checked_at is not None and row.checked_at >= threshold:
        return False
    with reading(parts.engine) as conn:
        at = cursor.load(conn, portal_id, CHANGES)
    # A portal that just failed is left in peace: who looks sees what is stored, and since when.
    return is_begun(at) and float(at.get("retry_at") or 0) <= now


def _nudge(parts: Parts, portal_id: int) -> None:
    jobs = getattr(parts, "jobs", None)
    if jobs is not None:
        jobs.enqueue("refresh", portal_id)


def _wait(parts: Parts, portal_id: int, threshold: float, deadline: float) -> None:
    """Checks in this process, unless somebody is at it: then waits for them, and for their outcome."""
    while (left := deadline - time.time()) > 0:
        if claims.is_checking(parts.engine, portal_id):
            time.sleep(min(_POLL_S, left))
        else:
            # Not in this thread: a portal that hangs must not hold up the page.
            check = threading.Thread(
                target=trace.carried(_check), args=(parts, portal_id, threshold), daemon=True
            )
            check.start()
            check.join(left)
            if not check.is_alive() and not refresh.is_checked(parts.engine, portal_id, threshold):
                if not claims.is_checking(parts.engine, portal_id):
                    return  # the portal fails: no use in asking again now
                continue
        if refresh.is_checked(parts.engine, portal_id, threshold):
            return


def _check(parts: Parts, portal_id: int, threshold: float) -> None:
    try:
        refresh.run(parts, portal_id, background=False, unless_checked_since=threshold)
    except Exception:
        logger.exception("checking portal %s", portal_id)
