"""What a portal holds: records by kind, people, rights, the app's registrations. No HTTP here.

Records are plain dicts with Python values (aware UTC datetimes, Decimal, int, bool, str, None); REST
methods render them. CRM items (lead, deal, contact, company) carry the camelCase names of `crm.item.*`,
all other kinds the UPPER_SNAKE names of their own list method.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Change = tuple[str, str, Row | None, Row | None]
"""(kind, "add" | "update" | "delete", row before, row after)"""

KINDS = (
    "user", "department", "currency", "category", "status",
    "lead", "deal", "contact", "company", "stage_history",
    "activity", "call", "session_message",
    "task", "task_history", "time_record", "group",
)  # fmt: skip


class Rows:
    """The records of one kind, by id and in order of id."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._ids: list[int] = []

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Row]:
        return (self._rows[i] for i in self._ids)

    def get(self, row_id: int) -> Row | None:
        return self._rows.get(row_id)

    def after(self, row_id: int) -> Iterator[Row]:
        """Rows with a larger id, ascending."""
        return (self._rows[i] for i in self._ids[bisect_right(self._ids, row_id) :])

    def before(self, row_id: int) -> Iterator[Row]:
        """Rows with a smaller id, descending."""
        return (self._rows[i] for i in reversed(self._ids[: bisect_left(self._ids, row_id)]))

    def next_id(self) -> int:
        return self._ids[-1] + 1 if self._ids else 1

    def store(self, row_id: int, row: Row) -> None:
        if row_id not in self._rows:
            insort(self._ids, row_id)
        self._rows[row_id] = row

    def drop(self, row_id: int) -> Row | None:
        row = self._rows.pop(row_id, None)
        if row is not None:
            del self._ids[bisect_left(self._ids, row_id)]
        return row


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
    old_domains: set[str] = field(default_factory=set)  # answer 302 to the present one
    records: dict[str, Rows] = field(default_factory=lambda: {kind: Rows() for kind in KINDS})
    calendar: Row = field(default_factory=dict)  # calendar.settings.get
    listeners: list[Callable[[Portal, Change], None]] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)  # ids are never used again after a deletion

    def put(self, kind: str, row: Row, *, quiet: bool = False) -> int:
        """Add or replace a record; the key is `id` or `ID`, given or the next free one. Returns the id."""
        rows = self.records[kind]
        key = "ID" if kind in UPPER_KINDS else "id"
        given = row.get(key)  # 0 is an id: the default deal pipeline
        row_id = max(rows.next_id(), self.last_ids.get(kind, 0) + 1) if given is None else int(given)
        before = rows.get(row_id)
        row[key] = row_id
        rows.store(row_id, row)
        self.last_ids[kind] = max(self.last_ids.get(kind, 0), row_id)
        if not quiet:
            self._tell((kind, "update" if before else "add", before, row))
        return row_id

    def change(self, kind: str, row_id: int, **fields: Any) -> Row:
        """Change some fields of a record; KeyError if there is none."""
        before = self.records[kind].get(row_id)
        if before is None:
            raise KeyError(f"no {kind} {row_id}")
        after = {**before, **fields}
        self.records[kind].store(row_id, after)
        self._tell((kind, "update", before, after))
        return after

    def remove(self, kind: str, row_id: int) -> None:
        row = self.records[kind].drop(row_id)
        if row is None:
            raise KeyError(f"no {kind} {row_id}")
        self._tell((kind, "delete", row, None))

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(self, change)


UPPER_KINDS = frozenset(KINDS) - {"lead", "deal", "contact", "company", "category"}
