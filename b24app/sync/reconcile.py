"""The nightly comparison: records per month here and in the portal; months that differ are read again.

It finds what nobody told: deletions without an event, rows lost to a right that came and went. A portal is
asked gently: what one turn does not get through is compared an hour later.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from b24app import audit, clock, store, tables
from b24app.facts.values import Border, day_start
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.client import PortalClient
from b24app.rest.errors import RestError, TokenDead
from b24app.store import BorderMoved, PortalLeft, kept_sums, load_border
from b24app.sync import claims, cursor, sources, trouble
from b24app.sync.parts import Parts
from b24app.sync.sources.kinds import LongList
from b24app.sync.state import Difference

logger = logging.getLogger(__name__)

Span = tuple[int | None, int | None]
"""Moments in epoch seconds, the second exclusive; None: open on that side."""

RETRY_S = 3600.0

TURN_REQUESTS = 3
"""Requests for counts in one turn, where nobody waits for it."""

TURNS_APART_S = 3600.0

REWRITTEN_S = 40 * 86_400
"""How long after they were made rows are expected to be rewritten without notice: votes, time records."""

KEPT = 100
"""Differences that are remembered; the audit log has all of them."""


def run(parts: Parts, portal_id: int) -> dict[str, int]:
    """Rows repaired by source; empty where nothing differed, another process is at it or the portal fails."""
    with claims.hold(parts.engine, portal_id, cursor.RECONCILE) as is_mine:
        if not is_mine:
            return {}
        try:
            night = _begin(parts, portal_id)
            if not night.compared:
                _mend_sums(parts, portal_id)
            _note(night, _failure(night))
        except (PortalLeft, BorderMoved, TokenDead):
            return {}
        return night.repaired()


def _failure(night: _Night) -> RestError | None:
    """Runs the turn; what it ended with, if not well."""
    try:
        night.run()
    except RestError as error:
        logger.warning("reconciling portal %s: %s", night.portal_id, trouble.label(error))
        return error
    return None


def _mend_sums(parts: Parts, portal_id: int) -> None:
    """Makes the kept sums anew should they not be those of the facts: what is broken does not stay broken."""
    with parts.engine.connect() as conn:
        differing = kept_sums.differing(conn, portal_id)
    if differing:
        logger.error("portal %s: kept sums are wrong and made anew: %s", portal_id, ", ".join(differing))
        with store.writing(parts.engine, portal_id) as writer:
            kept_sums.make_anew(writer.conn, portal_id)
            writer.changed = True


def _begin(parts: Parts, portal_id: int) -> _Night:
    client = parts.client(portal_id, background=True)
    with parts.engine.connect() as conn:
        at = cursor.load(conn, portal_id, cursor.RECONCILE)
        border = load_border(conn, portal_id)
        today = datetime.fromtimestamp(clock.epoch(), border.zone).date().isoformat()
        states = cursor.states(conn, portal_id)
        lists = [one for one in sources.long_lists(conn, portal_id) if states.get(one.name) == "ready"]
    # Where counts have shown that something is missing, all of it is compared now.
    is_going_on = at.get("night") == today and not at.get("is_asked")
    compared = set(at.get("compared", ())) if is_going_on else set()
    left = [_Comparison(parts, portal_id, client, border, one) for one in lists if one.name not in compared]
    limit = None if at.get("is_asked") else TURN_REQUESTS * BATCH_SIZE
    return _Night(parts, portal_id, client, today, at, left, limit, compared)


@dataclass
class _Night:
    """One turn of one night's comparison."""

    parts: Parts
    portal_id: int
    client: PortalClient
    today: str
    at: dict[str, Any]
    left: list[_Comparison]
    limit: int | None
    """Commands for counts in this turn; one list is always compared."""
    compared: set[str]
    found: list[Difference] = field(default_factory=list)

    def run(self) -> None:
        """Compares as many lists as fit the turn, their counts in the same requests. Raises: RestError."""
        turn = self._turn()
        calls = {
            f"c{index}_{number}": call
            for index, one in enumerate(turn)
            for number, call in enumerate(one.calls())
        }
        told = self.client.batch(calls)
        for index, one in enumerate(turn):
            counts: list[int | None] = []
            for number in range(len(one.spans)):
                answer = told[f"c{index}_{number}"]
                if isinstance(answer, RestError):
                    raise answer
                counts.append(answer.total)
            for difference in one.compare(counts):
                self._remember(difference)
            self.left.remove(one)
            self.compared.add(one.source.name)

    def repaired(self) -> dict[str, int]:
        """Rows by source."""
        counted: Counter[str] = Counter()
        for one in self.found:
            counted[one.source] += one.repaired
        return {name: count for name, count in counted.items() if count}

    def _remember(self, one: Difference) -> None:
        """Tells of it at once: a turn may be long, and its process may die."""
        self.found.append(one)
        logger.warning(
            "portal %s: %s of %s: %s there, %d here, %d rows repaired",
            self.portal_id, one.source, one.month, one.in_portal, one.stored, one.repaired,
        )  # fmt: skip
        plain = {**asdict(one), "month": None if one.month is None else one.month.isoformat()[:7]}
        with store.writing(self.parts.engine, self.portal_id) as writer:
            at = cursor.load(writer.conn, self.portal_id, cursor.RECONCILE)
            if at.get("night") != self.today:
                at = {name: at[name] for name in ("day", "is_asked", "retry_at") if name in at}
            now = clock.epoch()
            at |= {
                "night": self.today, "at": now, "differences": [*at.get("differences", ()), plain][-KEPT:]
            }  # fmt: skip
            writer.set_source(cursor.RECONCILE, cursor=at)
            audit.record(writer.conn, self.portal_id, None, audit.DATA_REPAIRED, one.source, plain, at=now)

    def _turn(self) -> list[_Comparison]:
        turn: list[_Comparison] = []
        commands = 0
        for one in self.left:
            commands += len(one.spans)
            if turn and self.limit is not None and commands > self.limit:
                break
            turn.append(one)
        return turn


class _Comparison:
    """One list against what is stored of it, month by month."""

    def __init__(
        self, parts: Parts, portal_id: int, client: PortalClient, border: Border, source: LongList
    ) -> None:
        self.source = source
        self._parts = parts
        self._portal_id = portal_id
        self._client = client
        self._border = border
        self.spans = self._spans()

    def calls(self) -> list[Call]:
        """The commands that count the months in the portal."""
        return [self.source.since(self.source.made_key, *span).count() for span in self.spans]

    def compare(self, told: list[int | None]) -> Iterator[Difference]:
        """What differed, repaired. `told`: what the portal counts of each month. Raises: RestError."""
        for span, in_portal in zip(self.spans, told, strict=True):
            stored = self._stored_count(span)
            if stored == in_portal and not self._may_be_rewritten(span):
                continue
            repaired = self._repair(span)
            if repaired or stored != in_portal:
                month = month_of(span, self._border.zone)
                yield Difference(self.source.name, month, in_portal, stored, repaired)

    def _may_be_rewritten(self, span: Span) -> bool:
        """Whether rows of the span may have changed without notice and without changing their number."""
        return self.source.is_rewritten and (span[1] is None or span[1] > clock.epoch() - REWRITTEN_S)

    def _spans(self) -> list[Span]:
        """The months that hold anything, and what lies before and after them."""
        made = self.source.made_column
        with self._parts.engine.connect() as conn:
            first, last = conn.execute(
                select(func.min(made), func.max(made)).where(*self.source.stored(self._portal_id))
            ).one()
        if first is None:
            return [(None, None)]
        return month_spans(int(first), int(last), self._border.zone)

    def _where(self, span: Span) -> list[Any]:
        made = self.source.made_column
        conditions = list(self.source.stored(self._portal_id))
        if span[0] is not None:
            conditions.append(made >= span[0])
        if span[1] is not None:
            conditions.append(made < span[1])
        return conditions

    def _stored_count(self, span: Span) -> int:
        statement = select(func.count()).select_from(self.source.table).where(*self._where(span))
        with self._parts.engine.connect() as conn:
            return int(conn.execute(statement).scalar_one())

    def _repair(self, span: Span) -> int:
        """Reads the span whole; adds what is missing here, removes what is not in the portal."""
        stored = self._stored_ids(span)
        top = max(self._stored_ids((None, None)), default=0)
        found: set[int] = set()
        listing = self.source.since(self.source.made_key, *span)
        for rows in paging.read_all(self._client, listing):
            found |= {row_id for row in rows if (row_id := listing.id_of(row)) is not None}
            facts = self.source.parsed(rows, self._border)
            with store.writing(self._parts.engine, self._portal_id, self._border) as writer:
                self.source.fill(writer, facts, set())
        gone = {row_id for row_id in stored - found if row_id <= top}
        if gone and self._may_drop():
            with store.writing(self._parts.engine, self._portal_id) as writer:
                self.source.delete(writer, gone)
            return len(gone) + len(found - stored)
        return len(found - stored)

    def _stored_ids(self, span: Span) -> set[int]:
        with self._parts.engine.connect() as conn:
            return set(conn.execute(select(self.source.id_column).where(*self._where(span))).scalars())

    def _may_drop(self) -> bool:
        """Not where the reader lost the right to see everything: absence then proves nothing."""
        portal = tables.portals.c
        with self._parts.engine.connect() as conn:
            is_admin = conn.execute(
                select(portal.reader_is_admin).where(portal.portal_id == self._portal_id)
            ).scalar_one_or_none()
            was_admin = cursor.load(conn, self._portal_id, "changes").get("was_admin")
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


def month_of(span: Span, zone: ZoneInfo) -> date | None:
    """The first day of the month that a span stands for; None: it is all of time."""
    since, until = span
    if since is not None:
        return datetime.fromtimestamp(since, zone).date().replace(day=1)
    if until is not None:
        return datetime.fromtimestamp(until - 1, zone).date().replace(day=1)
    return None


def _note(night: _Night, error: RestError | None) -> None:
    """Remembers the outcome, and what is still to be compared and when. Raises: PortalLeft."""
    now = clock.epoch()
    with store.writing(night.parts.engine, night.portal_id) as writer:
        before = cursor.load(writer.conn, night.portal_id, cursor.RECONCILE)
        is_tonights = before.get("night") == night.today
        at: dict[str, Any] = {
            "night": night.today,
            "at": now,
            "repaired": night.repaired(),
            "differences": before.get("differences", []) if is_tonights else [],
        }
        if error is None and not night.left:
            at["day"] = night.today
        else:
            at |= {name: before[name] for name in ("day", "is_asked") if name in before}
            at["compared"] = sorted(night.compared)
            at["retry_at"] = now + (TURNS_APART_S if error is None else RETRY_S)
        writer.set_source(
            cursor.RECONCILE,
            cursor=at,
            error=None if error is None else trouble.label(error),
            read_at=now,
        )
