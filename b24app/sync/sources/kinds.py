"""What a source of facts is: a long list, a short list, or details asked for record by record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Table

from b24app.facts.people import User
from b24app.facts.values import BadRow, Border, iso
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.rest.paging import Listing, Row
from b24app.store import Writer

logger = logging.getLogger(__name__)

Outcome = Mapping[str, Reply | RestError]
"""What became of the commands of a batch."""

Fact = TypeVar("Fact")


class Waiting(NamedTuple):
    """A record whose details have not been read for its present `version`."""

    record_id: int
    version: int


@dataclass(frozen=True)
class Details:
    """Something that only one call per record tells: read once for each state of the record, then kept.

    They are read with the long list that names them: window by window at first, later with its changes.
    """

    name: str
    waiting: Callable[[Connection, int, int, frozenset[int]], list[Waiting]]
    """Records that wait for theirs, newest first: (…, portal, at most so many, without these)."""
    count: Callable[[Connection, int], int]
    """How many records wait."""
    call: Callable[[int], Call]
    store: Callable[[Writer, Mapping[Waiting, Reply]], None]
    known: Callable[[Connection, int], int]
    """How many records have theirs stored."""
    weight: float = 1.0


@dataclass(frozen=True)
class Touch:
    """Records of another long list that change, untold, with a row of this one."""

    source: str
    column: Column[Any]
    """Holds their id; a fact has it under the same name."""


@dataclass(frozen=True)
class LongList:
    """Records read page by page. `fill` stores rows of a long read, `save` rows that were just read.

    How changes are found: by `changed_key`, else new rows by their ids; by events whose names begin with
    `event`; in lists that are `rewritten` without notice by reading the latest rows again and again.
    """

    name: str
    base: Listing
    recency_key: str
    """The moment by which the running month is found."""
    made_key: str
    """The moment of creation, by which records are counted."""
    table: Table
    id_column: Column[Any]
    made_column: Column[Any]
    parse: Callable[[Row, Border], Any]
    save: Callable[[Writer, Iterable[Any]], None]
    fill: Callable[[Writer, Iterable[Any], set[int]], None]
    delete: Callable[[Writer, set[int]], None]
    changed_key: str | None = None
    event: str | None = None
    entity_type_id: int | None = None
    """Of events that are told for several types of records: the type that this list is of."""
    is_rewritten: bool = False
    may_lack_recency: bool = False
    """Rows may have no such moment: the last stretch of the first read is then everything."""
    touches: Touch | None = None
    follows: str | None = None
    """The list whose deletions take rows of this one along."""
    of: str | None = None
    """The list of the records that the rows are about, if it is another one."""
    only: tuple[ColumnElement[bool], ...] = ()
    """Conditions that the stored rows of this list meet, where its table holds others too."""
    details: tuple[Details, ...] = ()
    is_vital: bool = False
    """Without it a check of the portal counts as none; the other lists may fall behind alone."""
    comes_first: bool = False
    """In the first read the other lists wait for its running month."""
    weight: float = 1.0
    """How long the first read takes, compared with others."""

    def stored(self, portal_id: int) -> tuple[ColumnElement[bool], ...]:
        """The conditions that find the list's rows in its table."""
        return (self.table.c.portal_id == portal_id, *self.only)

    def since(self, key: str, since: int | None, until: int | None = None) -> Listing:
        """The rows with a moment in the range, `until` exclusive."""
        limits: dict[str, str] = {}
        if since is not None:
            limits[f">={key}"] = iso(since)
        if until is not None:
            limits[f"<{key}"] = iso(until)
        return self.base.where(limits)

    def top(self) -> Call:
        """The command for the highest id."""
        return self.base.ids_only().page(beyond=None, bound=None, descending=True)

    def parsed(self, rows: Iterable[Row], border: Border) -> list[Any]:
        """The facts in the rows; a row that is none is left out and logged."""
        return parsed(rows, lambda row: self.parse(row, border), self.name)

    def id_of(self, fact: Any) -> int:
        """The portal's id of a fact."""
        return int(getattr(fact, self.id_column.name))


@dataclass(frozen=True)
class ShortList:
    """A list that is read whole each time."""

    name: str
    calls: Mapping[str, Call]
    """Commands of a round, by names that no other list uses."""
    read: Callable[[PortalClient, Outcome], Any]
    """The facts in what became of the commands; more pages are asked for. Raises: RestError."""
    store: Callable[[Writer, Any, bool], None]
    """(…, facts, whether the reader sees everything)"""
    size: Callable[[Any], int] = len


@dataclass(frozen=True)
class OfPeople:
    """What is asked, each time, about the employees whom the same round has read."""

    name: str
    method: str
    read: Callable[[PortalClient, Sequence[User]], Any]
    """The facts of these users. Raises: RestError."""
    store: Callable[[Writer, Any, bool], None]
    """(…, facts, whether the reader sees everything)"""
    size: Callable[[Any], int] = len


def parsed(rows: Iterable[Row], parse: Callable[[Row], Fact], name: str) -> list[Fact]:
    """The facts in the rows; a row that is none is left out and logged."""
    facts: list[Fact] = []
    for row in rows:
        try:
            facts.append(parse(row))
        except BadRow as error:
            logger.warning("a row of %s is left out: %s", name, error)
    return facts
