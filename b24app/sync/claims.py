"""Work claimed with one UPDATE, over threads, processes and machines.

A claim is a moment in a column: kept fresh while the work goes on, taken over when it has not been
refreshed for a while, because then its process was killed.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Row, bindparam, or_, select, true, update
from sqlalchemy.exc import SQLAlchemyError

from b24app.db import reading, upsert
from b24app.tables import portals, sync_sources

LEASE_S = 15.0
BEAT_S = 4.0


@dataclass
class Claim:
    """Held work. `row`: what the claimed row says. `is_given_back`: the work's last transaction did it."""

    row: Row[Any]
    is_given_back: bool = False


class _Place:
    """The statements about claims of one kind. `told` is what of its row a claim needs to know."""

    def __init__(
        self,
        column: Column[Any],
        mine: ColumnElement[bool],
        is_wanted: ColumnElement[bool],
        *told: Column[Any],
    ) -> None:
        free = or_(column.is_(None), column < bindparam("before"), column > bindparam("after"))
        changed = update(column.table).values({column: bindparam("moment")})
        self.take = changed.where(mine, is_wanted, free).returning(column, *told)
        # A claim that is given back while its beat waits for the row must not come to life again.
        self.beat = changed.where(mine, column.is_not(None))
        self.drop = update(column.table).values({column: None}).where(mine)


_WORK = _Place(
    sync_sources.c.claimed_at,
    (sync_sources.c.portal_id == bindparam("portal")) & (sync_sources.c.source == bindparam("work")),
    true(),
)
_CHECK = _Place(
    portals.c.checking_since,
    portals.c.portal_id == bindparam("portal"),
    or_(portals.c.checked_at.is_(None), portals.c.checked_at < bindparam("since")),
    portals.c.settings,
    portals.c.timezone,
)


@contextmanager
def hold(engine: Engine, portal_id: int, work: str) -> Iterator[bool]:
    """Whether this caller may do the portal's `work` until the block ends; others get False meanwhile."""
    row = {"portal_id": portal_id, "source": work, "state": "ready"}
    with engine.begin() as conn:
        upsert(conn, sync_sources, [row], keep=("state",))
    with _held(engine, _WORK, {"portal": portal_id, "work": work}) as claim:
        yield claim is not None


@contextmanager
def hold_check(
    engine: Engine, portal_id: int, unless_checked_since: float | None = None
) -> Iterator[Claim | None]:
    """The right to ask the portal what has changed until the block ends, with the portal's settings and time
    zone; None while somebody else has it, or where a check began since that moment (epoch seconds)."""
    since = math.inf if unless_checked_since is None else unless_checked_since
    with _held(engine, _CHECK, {"portal": portal_id}, since=since) as claim:
        yield claim


def is_checking(engine: Engine, portal_id: int) -> bool:
    """Whether somebody is asking the portal right now."""
    with reading(engine) as conn:
        since = conn.execute(
            select(portals.c.checking_since).where(portals.c.portal_id == portal_id)
        ).scalar_one_or_none()
    return since is not None and abs(time.time() - since) <= LEASE_S


@contextmanager
def _held(engine: Engine, place: _Place, mine: Mapping[str, Any], **wanted: float) -> Iterator[Claim | None]:
    now = time.time()
    moments = {"moment": now, "before": now - LEASE_S, "after": now + LEASE_S}
    with engine.begin() as conn:
        row = conn.execute(place.take, {**mine, **moments, **wanted}).one_or_none()
    if row is None:
        yield None
        return
    claim = Claim(row)
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(engine, place, mine, over), daemon=True)
    beat.start()
    try:
        yield claim
    finally:
        over.set()
        beat.join()
        if not claim.is_given_back:
            with engine.begin() as conn:
                conn.execute(place.drop, mine)


def _beat(engine: Engine, place: _Place, mine: Mapping[str, Any], over: threading.Event) -> None:
    while not over.wait(BEAT_S):
        try:
            with engine.begin() as conn:
                conn.execute(place.beat, {**mine, "moment": time.time()})
        except SQLAlchemyError:
            continue  # a busy or restarting database: the next beat may be in time
