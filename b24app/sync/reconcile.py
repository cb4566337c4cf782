"""The nightly comparison: records per month here and in the portal; months that differ are read again.

It finds what nobody told: deletions without an event, rows lost to a right that came and went.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from b24app import clock, store, tables
from b24app.facts.values import Border, day_start
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.errors import RestError
from b24app.store import BorderMoved, PortalLeft, load_border
from b24app.sync import claims, cursor, sources, trouble
from b24app.sync.parts import Parts
from b24app.sync.sources.kinds import LongList

logger = logging.getLogger(__name__)

Span = tuple[int | None, int | None]
"""Moments in epoch seconds, the second exclusive; None: open on that side."""

RETRY_S = 3600.0

REWRITTEN_S = 40 * 86_400
"""How long after they were made rows are expected to be rewritten without notice: votes, time records."""


def run(parts: Parts, portal_id: int) -> dict[str, int]:
    """Rows repaired by source; empty where nothing differed, another process is at it or the portal fails."""
    with claims.hold(parts.engine, portal_id, cursor.RECONCILE) as is_mine:
        if not is_mine:
            return {}
        repaired: dict[str, int] = {}
        error: RestError | None = None
        try:
            _compare_all(parts, portal_id, repaired)
        except (PortalLeft, BorderMoved):
            return {}
        except RestError as failure:
            error = failure
            logger.warning("reconciling portal %s: %s", portal_id, trouble.label(failure))
        _note(parts, portal_id, repaired, error)
        return repaired


def _compare_all(parts: Parts, portal_id: int, repaired: dict[str, int]) -> None:
    client = parts.client(portal_id, background=True)
    with parts.engine.connect() as conn:
        border = load_border(conn, portal_id)
        states = cursor.states(conn, portal_id)
        lists = sources.long_lists(conn, portal_id)
    for source in lists:
        if states.get(source.name) == "ready":
            count = _Comparison(parts, portal_id, client, border, source).run()
            if count:
                repaired[source.name] = count
                logger.warning("portal %s: %d rows of %s repaired", portal_id, count, source.name)


@dataclass
class _Comparison:
    """One list against what is stored of it."""

    parts: Parts
    portal_id: int
    client: PortalClient
    border: Border
    source: LongList

    def run(self) -> int:
        """How many rows were repaired."""
        spans = self._spans()
        calls = {f"span_{index}": self._count_call(span) for index, span in enumerate(spans)}
        told = list(self.client.batch(calls).values())
        repaired = 0
        for span, answer in zip(spans, told, strict=True):
            if isinstance(answer, RestError):
                raise answer
            is_other = answer.total is None or answer.total != self._stored_count(span)
            if is_other or self._may_be_rewritten(span):
                repaired += self._repair(span)
        return repaired

    def _may_be_rewritten(self, span: Span) -> bool:
        """Whether rows of the span may have changed without notice and without changing their number."""
        return self.source.is_rewritten and (span[1] is None or span[1] > clock.epoch() - REWRITTEN_S)

    def _spans(self) -> list[Span]:
        """The months that hold anything, and what lies before and after them."""
        made = self.source.made_column
        with self.parts.engine.connect() as conn:
            first, last = conn.execute(
                select(func.min(made), func.max(made)).where(*self.source.stored(self.portal_id))
            ).one()
        if first is None:
            return [(None, None)]
        return month_spans(int(first), int(last), self.border.zone)

    def _count_call(self, span: Span) -> Call:
        return self.source.since(self.source.made_key, *span).count()

    def _where(self, span: Span) -> list[Any]:
        made = self.source.made_column
        conditions = list(self.source.stored(self.portal_id))
        if span[0] is not None:
            conditions.append(made >= span[0])
        if span[1] is not None:
            conditions.append(made < span[1])
        return conditions

    def _stored_count(self, span: Span) -> int:
        statement = select(func.count()).select_from(self.source.table).where(*self._where(span))
        with self.parts.engine.connect() as conn:
            return int(conn.execute(statement).scalar_one())

    def _repair(self, span: Span) -> int:
        """Reads the span whole; adds what is missing here, removes what is not in the portal."""
        stored = self._stored_ids(span)
        top = max(self._stored_ids((None, None)), default=0)
        found: set[int] = set()
        listing = self.source.since(self.source.made_key, *span)
        for rows in paging.read_all(self.client, listing):
            found |= {row_id for row in rows if (row_id := listing.id_of(row)) is not None}
            facts = self.source.parsed(rows, self.border)
            with store.writing(self.parts.engine, self.portal_id, self.border) as writer:
                self.source.fill(writer, facts, set())
        gone = {row_id for row_id in stored - found if row_id <= top}
        if gone and self._may_drop():
            with store.writing(self.parts.engine, self.portal_id) as writer:
                self.source.delete(writer, gone)
        return len(gone) + len(found - stored)

    def _stored_ids(self, span: Span) -> set[int]:
        with self.parts.engine.connect() as conn:
            return set(conn.execute(select(self.source.id_column).where(*self._where(span))).scalars())

    def _may_drop(self) -> bool:
        """Not where the reader lost the right to see everything: absence then proves nothing."""
        portal = tables.portals.c
        with self.parts.engine.connect() as conn:
            is_admin = conn.execute(
                select(portal.reader_is_admin).where(portal.portal_id == self.portal_id)
            ).scalar_one_or_none()
            was_admin = cursor.load(conn, self.portal_id, "changes").get("was_admin")
        return not (was_admin and is_admin is False)


def month_spans(first: int, last: int, zone: ZoneInfo) -> list[Span]:
    """Local months from the one of `first` to that of `last`, the outer two open to their sides."""
    month = datetime.fromtimestamp(first, zone).date().replace(day=1)
    edges: list[int] = []
    while True:
        month = (month + timedelta(days=32)).replace(day=1)
        edge = day_start(month, zone)
        if edge > last:
            break
        edges.append(edge)
    return list(pairwise((None, *edges, None)))


def _note(parts: Parts, portal_id: int, repaired: dict[str, int], error: RestError | None) -> None:
    """Remembers the outcome: the day is done, or when to try again."""
    try:
        with store.writing(parts.engine, portal_id) as writer:
            before = cursor.load(writer.conn, portal_id, cursor.RECONCILE)
            if error is None:
                today = datetime.now(writer.zone).date().isoformat()
                at: dict[str, Any] = {"day": today, "repaired": repaired}
            else:
                at = {**before, "retry_at": clock.epoch() + RETRY_S}
            writer.set_source(
                cursor.RECONCILE,
                cursor=at,
                error=None if error is None else trouble.label(error),
                read_at=clock.epoch(),
            )
    except PortalLeft:
        return
