"""Work claimed with one UPDATE, over threads, processes and machines.

A claim is a moment in a column: kept fresh while the work goes on, taken over when it has not been
refreshed for a while, because then its process was killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Row, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from b24app.db import upsert
from b24app.tables import portals, sync_sources

LEASE_S = 15.0
BEAT_S = 4.0


@dataclass
class Claim:
    """Held work. `row`: what the claimed row says. `is_given_back`: the work's last transaction did it."""

    row: Row[Any]
    is_given_back: bool = False


@contextmanager
def hold(engine: Engine, portal_id: int, work: str) -> Iterator[bool]:
    """Whether this caller may do the portal's `work` until the block ends; others get False meanwhile."""
    row = {"portal_id": portal_id, "source": work, "state": "ready"}
    with engine.begin() as conn:
        upsert(conn, sync_sources, [row], keep=("state",))
    mine = (sync_sources.c.portal_id == portal_id) & (sync_sources.c.source == work)
    with _held(engine, sync_sources.c.claimed_at, mine) as claim:
        yield claim is not None


@contextmanager
def hold_check(
    engine: Engine, portal_id: int, unless_checked_since: float | None = None
) -> Iterator[Claim | None]:
    """The right to ask the portal what has changed until the block ends, with what a check needs to know of
    the portal; None while somebody else has it, or where a check began since that moment (epoch seconds)."""
    wanted = portals.c.portal_id == portal_id
    if unless_checked_since is not None:
        wanted &= or_(portals.c.checked_at.is_(None), portals.c.checked_at < unless_checked_since)
    told = (portals.c.settings, portals.c.timezone)
    with _held(engine, portals.c.checking_since, portals.c.portal_id == portal_id, wanted, told) as claim:
        yield claim


def is_checking(engine: Engine, portal_id: int) -> bool:
    """Whether somebody is asking the portal right now."""
    with engine.connect() as conn:
        since = conn.execute(
            select(portals.c.checking_since).where(portals.c.portal_id == portal_id)
        ).scalar_one_or_none()
    return since is not None and abs(time.time() - since) <= LEASE_S


@contextmanager
def _held(
    engine: Engine,
    column: Column[Any],
    mine: ColumnElement[bool],
    wanted: ColumnElement[bool] | None = None,
    told: Sequence[Column[Any]] = (),
) -> Iterator[Claim | None]:
    table, now = column.table, time.time()
    free = or_(column.is_(None), column < now - LEASE_S, column > now + LEASE_S)
    with engine.begin() as conn:
        row = conn.execute(
            update(table)
            .where(mine if wanted is None else wanted, free)
            .values({column: now})
            .returning(column, *told)
        ).one_or_none()
    if row is None:
        yield None
        return
    claim = Claim(row)
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(engine, column, mine, over), daemon=True)
    beat.start()
    try:
        yield claim
    finally:
        over.set()
        beat.join()
        if not claim.is_given_back:
            with engine.begin() as conn:
                conn.execute(update(table).where(mine).values({column: None}))


def _beat(engine: Engine, column: Column[Any], mine: ColumnElement[bool], over: threading.Event) -> None:
    # A claim that is given back while its beat waits for the row must not come to life again.
    beaten = update(column.table).where(mine, column.is_not(None))
    while not over.wait(BEAT_S):
        try:
            with engine.begin() as conn:
                conn.execute(beaten.values({column: time.time()}))
        except SQLAlchemyError:
            continue  # a busy or restarting database: the next beat may be in time
