"""One check of one portal as it goes on: what is known before it, and what it has found so far."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Row, select

from b24app import store, tables
from b24app.db import reading
from b24app.facts.values import Border
from b24app.portals import settings
from b24app.rest import paging
from b24app.rest.client import PortalClient
from b24app.rest.errors import RestError
from b24app.store import Writer, load_border
from b24app.sync import cursor, offline, sources, trouble
from b24app.sync.first_read import is_begun
from b24app.sync.parts import Parts
from b24app.sync.sources.deals import DEALS
from b24app.sync.sources.kinds import LongList, Touch
from b24app.sync.state import CHANGES

logger = logging.getLogger(__name__)


@dataclass
class Check:
    """What the steps of a check share. `at`, the cursor of this check, becomes the next one's."""

    parts: Parts
    portal_id: int
    client: PortalClient
    lists: tuple[LongList, ...]
    at: dict[str, Any]
    standings: Mapping[str, cursor.Standing]  # of the sources, as the check began
    states: dict[str, str]
    started: float
    read: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    rewritten: set[int] = field(default_factory=set)  # deals whose history has to be read anew
    failed: set[str] = field(default_factory=set)  # details that could not be read
    behind: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of lists that could not be read: from when on, when to try again, and which records were named."""
    noted: offline.Noted = field(init=False)
    by_name: Mapping[str, LongList] = field(init=False)

    def __post_init__(self) -> None:
        self.noted = offline.Noted(self.lists)
        self.by_name = {source.name: source for source in self.lists}

    @cached_property
    def border(self) -> Border:
        """What rows are parsed with. Most checks bring none."""
        with self.parts.engine.connect() as conn:
            return load_border(conn, self.portal_id)

    def writing(self, border: Border | None = None) -> AbstractContextManager[Writer]:
        """One transaction of the portal's facts; see `store.writing`."""
        return store.writing(self.parts.engine, self.portal_id, border)

    def is_on(self, source: LongList) -> bool:
        """Whether the list can be read at all."""
        return self.states.get(source.name) != "off"

    def save(self, source: LongList, rows: Sequence[paging.Row]) -> None:
        """Stores rows of a list that were just read; notes what else they say has changed."""
        if not rows:
            return
        facts = source.parsed(rows, self.border)
        if not facts:
            return
        with self.writing(self.border) as writer:
            if source is DEALS:
                self.rewritten |= _with_rewritten_history(writer, facts)
            if source.touches is not None:
                self.noted.changed[source.touches.source] |= _touched(writer, source, source.touches, facts)
            source.save(writer, facts)
        self.read[source.name] |= {source.id_of(fact) for fact in facts}

    def fall_behind(self, source: LongList, error: RestError) -> None:
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
        with self.writing() as writer:
            writer.set_source(source.name, error=trouble.label(error))

    def sees_all_it_saw(self) -> bool:
        """False once the reader lost the right to see everything: absence then proves nothing."""
        portal = tables.portals.c
        with self.parts.engine.connect() as conn:
            is_admin = conn.execute(
                select(portal.reader_is_admin).where(portal.portal_id == self.portal_id)
            ).scalar_one_or_none()
        return not (self.at.get("was_admin") and is_admin is False)


def begin(parts: Parts, portal_id: int, known: Row[Any], background: bool) -> Check | None:
    """A check that begins now; None where the portal's first read has not begun.

    `known`: the portal's settings and time zone. Raises: TokenDead, PortalLeft.
    """
    started = time.time()
    with reading(parts.engine) as conn:
        standings = cursor.load_all(conn, portal_id)
        at = standings[CHANGES].cursor if CHANGES in standings else {}
        if not is_begun(at):
            return None
        lists = sources.long_lists(
            conn, portal_id, settings.from_stored(known.settings or {}, known.timezone)
        )
    return Check(
        parts=parts,
        lists=lists,
        portal_id=portal_id,
        client=parts.client(portal_id, background=background, ahead=True),  # somebody may be waiting
        at=at,
        standings=standings,
        states={name: one.state for name, one in standings.items()},
        started=started,
    )


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
