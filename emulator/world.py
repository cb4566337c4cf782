"""What a portal holds: records by kind, people, rights, the app's registrations. No HTTP here.

Records are plain dicts with Python values (aware UTC datetimes, `date`, Decimal, int, bool, str, None,
lists of ints); REST methods render them, and a field that a record lacks is rendered as empty. CRM items
(lead, deal, contact, company, invoice), categories, smart processes and settings of custom fields carry
camelCase names, all other kinds the UPPER_SNAKE names of their own list method. Items of a smart process
are a kind of their own, `dynamic_<entityTypeId>`, which is there once the smart process is. Categories and
stage history of all but deals and leads have ids of their own, as in the portal's database: `item_category`,
`item_stage_history`. Fields that REST never shows: `IS_ADMIN` of a user, `ENTITY_TYPE_ID` of a history row.
"""

from __future__ import annotations

import secrets
import threading
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

Row = dict[str, Any]
Change = tuple[str, str, Row | None, Row | None]
"""(kind, "add" | "update" | "delete", row before, row after)"""

KINDS = (
    "user", "department", "currency", "category", "status",
    "lead", "deal", "contact", "company", "stage_history",
    "type", "user_field", "invoice", "item_category", "item_stage_history",
    "activity", "call", "session_message",
    "task", "task_history", "time_record", "group", "calendar_event",
)  # fmt: skip

DYNAMIC = "dynamic_"
"""What the kind of a smart process's items begins with; its entityTypeId follows."""

_CAMEL_KINDS = {
    "lead", "deal", "contact", "company", "invoice", "category", "item_category", "type", "user_field",
}  # fmt: skip
UPPER_KINDS = frozenset(KINDS) - _CAMEL_KINDS


NARROWED_KEPT = 16


class Moments:
    """The ids of records in order of a moment of theirs; of equal moments, in order of id."""

    def __init__(self, pairs: Iterable[tuple[float, int]]) -> None:
        """`pairs`: (epoch seconds, id), in order of id."""
        epochs, ids = array("d"), array("q")
        for epoch, row_id in pairs:
            epochs.append(epoch)
            ids.append(row_id)
        order = sorted(range(len(ids)), key=epochs.__getitem__)
        self._epochs = array("d", map(epochs.__getitem__, order))
        self._ids = array("q", map(ids.__getitem__, order))

    def __len__(self) -> int:
        return len(self._ids)

    def place(self, epoch: float) -> int:
        """How many records are earlier than this."""
        return bisect_left(self._epochs, epoch)

    def ids_from(self, place: int) -> list[int]:
        """Ids, ascending, of all but the `place` earliest records."""
        return sorted(self._ids[place:])

    def add(self, epoch: float, row_id: int) -> None:
        place = self._place_of(epoch, row_id)
        self._epochs.insert(place, epoch)
        self._ids.insert(place, row_id)

    def drop(self, epoch: float, row_id: int) -> None:
        place = self._place_of(epoch, row_id)
        if place < len(self._ids) and (self._epochs[place], self._ids[place]) == (epoch, row_id):
            del self._epochs[place], self._ids[place]

    def _place_of(self, epoch: float, row_id: int) -> int:
        first, end = bisect_left(self._epochs, epoch), bisect_right(self._epochs, epoch)
        return bisect_left(self._ids, row_id, first, end)


class Rows:
    """The records of one kind, by id and in order of id, with indexes that are built when first asked.

    `rows` may be a mapping that makes its records when asked for them; `ids` are its keys, ascending.
    """

    def __init__(
        self, rows: MutableMapping[int, Row] | None = None, ids: MutableSequence[int] | None = None
    ) -> None:
        self._rows: MutableMapping[int, Row] = {} if rows is None else rows
        self._ids: MutableSequence[int] = [] if ids is None else ids
        self._moments: dict[str, Moments] = {}
        self._groups: dict[str, dict[Any, list[int]]] = {}  # field -> value -> ids, ascending
        self._narrowed: dict[Any, list[int] | None] = {}  # answers since the last change: pages ask the same

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Row]:
        return self._ascending(0)

    def get(self, row_id: int) -> Row | None:
        return self._rows.get(row_id)

    def after(self, row_id: int) -> Iterator[Row]:
        """Rows with a larger id, ascending."""
        return self._ascending(bisect_right(self._ids, row_id))

    def before(self, row_id: int) -> Iterator[Row]:
        """Rows with a smaller id, descending."""
        return self._descending(bisect_left(self._ids, row_id) - 1)

    def reversed(self) -> Iterator[Row]:
        """All rows by id, descending."""
        return self._descending(len(self._ids) - 1)

    def count_between(self, after: int | None, before: int | None) -> int:
        """How many ids lie between the two, both exclusive; None is open."""
        start = 0 if after is None else bisect_right(self._ids, after)
        end = len(self._ids) if before is None else bisect_left(self._ids, before)
        return max(0, end - start)

    def page_between(
        self, after: int | None, before: int | None, offset: int, size: int, *, descending: bool
    ) -> list[Row]:
        """Rows between the two ids, both exclusive, from the `offset`-th on: only these are touched."""
        start = 0 if after is None else bisect_right(self._ids, after)
        end = len(self._ids) if before is None else bisect_left(self._ids, before)
        places = range(end - 1, start - 1, -1) if descending else range(start, end)
        return [self._rows[self._ids[place]] for place in places[offset : offset + size]]

    def all_have(self, name: str, value: Any) -> bool:
        """Whether every row is known to have this value, without looking at any."""
        return False

    def narrowed(self, since: Mapping[str, datetime], among: Mapping[str, Iterable[Any]]) -> list[int] | None:
        """Ids, ascending, that an index leaves over; None when no index leaves clearly fewer than all.

        `since`: moments that the field must not be before; `among`: values that the field must have.
        """
        key = (tuple(since.items()), tuple((name, frozenset(values)) for name, values in among.items()))
        if key not in self._narrowed:
            while len(self._narrowed) >= NARROWED_KEPT:
                del self._narrowed[next(iter(self._narrowed))]
            self._narrowed[key] = self._narrow(since, among)
        return self._narrowed[key]

    def ids_where(self, name: str, values: Iterable[Any]) -> list[int]:
        """Ids, ascending, of rows whose field `name` is one of `values`."""
        groups = self._group_index(name)
        return _merged([groups[value] for value in set(values) if value in groups])

    def next_id(self) -> int:
        return self._ids[-1] + 1 if self._ids else 1

    def store(self, row_id: int, row: Row) -> None:
        before = self._rows.get(row_id)
        if before is None:
            if not self._ids or row_id > self._ids[-1]:
                self._ids.append(row_id)
            else:
                insort(self._ids, row_id)
        self._reindex(row_id, before, row)
        self._rows[row_id] = row

    def drop(self, row_id: int) -> Row | None:
        row = self._rows.pop(row_id, None)
        if row is not None:
            del self._ids[bisect_left(self._ids, row_id)]
            self._reindex(row_id, row, None)
        return row

    def _ascending(self, start: int) -> Iterator[Row]:
        ids, rows = self._ids, self._rows
        for place in range(start, len(ids)):
            yield rows[ids[place]]

    def _descending(self, start: int) -> Iterator[Row]:
        ids, rows = self._ids, self._rows
        for place in range(start, -1, -1):
            yield rows[ids[place]]

    def _narrow(self, since: Mapping[str, datetime], among: Mapping[str, Iterable[Any]]) -> list[int] | None:
        best = len(self._ids) // 4
        chosen: Callable[[], list[int]] | None = None
        for name, moment in since.items():
            index = self.moments(name)
            start = index.place(moment.timestamp())
            if len(index) - start <= best:
                best = len(index) - start
                chosen = partial(index.ids_from, start)
        for name, values in among.items():
            groups = self._group_index(name)
            lists = [groups[value] for value in set(values) if value in groups]
            size = sum(map(len, lists))
            if size <= best:
                best = size
                chosen = partial(_merged, lists)
        return chosen() if chosen else None

    def moments(self, name: str) -> Moments:
        """The index of a moment; made when first asked for."""
        index = self._moments.get(name)
        if index is None:
            index = self._moments[name] = Moments(self._epochs(name))
        return index

    def _epochs(self, name: str) -> Iterator[tuple[float, int]]:
        """(epoch seconds, id) of the rows that have this moment, in order of id."""
        for row_id in self._ids:
            moment = self._rows[row_id].get(name)
            if moment:
                yield moment.timestamp(), row_id

    def _group_index(self, name: str) -> dict[Any, list[int]]:
        groups = self._groups.get(name)
        if groups is None:
            groups = self._groups[name] = {}
            for row_id in self._ids:
                groups.setdefault(self._rows[row_id].get(name), []).append(row_id)
        return groups

    def _reindex(self, row_id: int, before: Row | None, after: Row | None) -> None:
        self._narrowed.clear()
        for name, index in self._moments.items():
            old = before.get(name) if before else None
            new = after.get(name) if after else None
            if old == new:
                continue
            if old:
                index.drop(old.timestamp(), row_id)
            if new:
                index.add(new.timestamp(), row_id)
        for name, groups in self._groups.items():
            old = before.get(name) if before else None
            new = after.get(name) if after else None
            if before and (after is None or old != new):
                groups[old].remove(row_id)
            if after and (before is None or old != new):
                insort(groups.setdefault(new, []), row_id)


def _merged(lists: list[list[int]]) -> list[int]:
    return sorted(chain.from_iterable(lists))


@dataclass
class Portal:
    """One emulated portal. `put`, `change` and `remove` tell the listeners (event queues) what happened."""

    domain: str  # host:port that browsers and apps use now
    title: str = "Portal"
    member_id: str = field(default_factory=lambda: secrets.token_hex(16))
    lang: str = "ru"
    timezone: str = "Europe/Moscow"
    uses_leads: bool = True
    is_box: bool = False  # on-premise: no rate limits, older frame POST
    rewrites_history: bool = False  # older builds drop stage history on reopening and pipeline change
    old_domains: set[str] = field(default_factory=set)  # answer 302 to the present one
    records: dict[str, Rows] = field(default_factory=lambda: {kind: Rows() for kind in KINDS})
    calendar: Row = field(default_factory=dict)  # calendar.settings.get
    schemas: dict[str, tuple[Any, Any]] = field(default_factory=dict, repr=False)  # see `crm_types`
    listeners: list[Callable[[Portal, Change], None]] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)  # ids are never used again after a deletion
    versions: Counter[str] = field(default_factory=Counter)  # changes so far, by kind
    lock: threading.RLock = field(
        default_factory=threading.RLock, repr=False
    )  # held while reading or writing

    def put(self, kind: str, row: Row, *, quiet: bool = False) -> int:
        """Add or replace a record; the key is `id` or `ID`, given or the next free one. Returns the id."""
        with self.lock:
            rows = self.records[kind]
            key = "ID" if kind in UPPER_KINDS else "id"
            given = row.get(key)  # 0 is an id: the default pipeline has it
            row_id = max(rows.next_id(), self.last_ids.get(kind, 0) + 1) if given is None else int(given)
            before = rows.get(row_id)
            row[key] = row_id
            rows.store(row_id, row)
            if kind == "type":
                self.records.setdefault(f"{DYNAMIC}{row['entityTypeId']}", Rows())
            self.last_ids[kind] = max(self.last_ids.get(kind, 0), row_id)
            self.versions[kind] += 1
            if not quiet:
                self._tell((kind, "update" if before else "add", before, row))
            return row_id

    def change(self, kind: str, row_id: int, **fields: Any) -> Row:
        """Change some fields of a record; KeyError if there is none."""
        with self.lock:
            before = self.records[kind].get(row_id)
            if before is None:
                raise KeyError(f"no {kind} {row_id}")
            after = {**before, **fields}
            self.records[kind].store(row_id, after)
            self.versions[kind] += 1
            self._tell((kind, "update", before, after))
            return after

    def remove(self, kind: str, row_id: int, *, quiet: bool = False) -> None:
        with self.lock:
            row = self.records[kind].drop(row_id)
            if row is None:
                raise KeyError(f"no {kind} {row_id}")
            self.versions[kind] += 1
            if not quiet:
                self._tell((kind, "delete", row, None))

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(self, change)
