"""Work claimed with one UPDATE, over threads, processes and machines.

A claim is a moment in a column: kept fresh while the work goes on, taken over when it has not been
refreshed for a while, because then its process was killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Engine, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from b24app.db import upsert
from b24app.tables import portals, sync_sources

LEASE_S = 15.0
BEAT_S = 4.0


@contextmanager
def hold(engine: Engine, portal_id: int, work: str) -> Iterator[bool]:
    """Whether this caller may do the portal's `work` until the block ends; others get False meanwhile."""
    row = {"portal_id": portal_id, "source": work, "state": "ready"}
    with engine.begin() as conn:
        upsert(conn, sync_sources, [row], keep=("state",))
    mine = (sync_sources.c.portal_id == portal_id) & (sync_sources.c.source == work)
    with _held(engine, sync_sources, mine, "claimed_at") as is_mine:
        yield is_mine


@contextmanager
def hold_check(engine: Engine, portal_id: int) -> Iterator[bool]:
    """Whether this caller may ask the portal what has changed until the block ends."""
    with _held(engine, portals, portals.c.portal_id == portal_id, "checking_since") as is_mine:
        yield is_mine


def is_checking(engine: Engine, portal_id: int) -> bool:
    """Whether somebody is asking the portal right now."""
    with engine.connect() as conn:
        since = conn.execute(
            select(portals.c.checking_since).where(portals.c.portal_id == portal_id)
        ).scalar_one_or_none()
    return since is not None and abs(time.time() - since) <= LEASE_S


@contextmanager
def _held(engine: Engine, table: Any, mine: ColumnElement[bool], name: str) -> Iterator[bool]:
    column = table.c[name]
    now = time.time()
    with engine.begin() as conn:
        taken = conn.execute(
            update(table)
            .where(mine, or_(column.is_(None), column < now - LEASE_S, column > now + LEASE_S))
            .values({name: now})
        )
    if taken.rowcount != 1:
        yield False
        return
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(engine, table, mine, name, over), daemon=True)
    beat.start()
    try:
        yield True
    finally:
        over.set()
        beat.join()
        with engine.begin() as conn:
            conn.execute(update(table).where(mine).values({name: None}))


def _beat(engine: Engine, table: Any, mine: ColumnElement[bool], name: str, over: threading.Event) -> None:
    while not over.wait(BEAT_S):
        try:
            with engine.begin() as conn:
                conn.execute(update(table).where(mine).values({name: time.time()}))
        except SQLAlchemyError:
            continue  # a busy or restarting database: the next beat may be in time
