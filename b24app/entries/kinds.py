"""What can be uploaded: one kind each, its columns, and how a row becomes an entry. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from b24app.entries import cells
from b24app.entries.cells import Known, Read, Reading, Refused
from b24app.entries.sheets import Format, Sheet
from b24app.store.entered import Campaign, Cost, Entry

EXTERNAL_ID = "external_id"
REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Column:
    """`field`: of the entry. `blank`: what an empty cell of a spreadsheet means; REQUIRED: it must be filled.

    In JSON only columns that `is_optional` may be left out.
    """

    name: str
    field: str
    read: Read
    blank: Any = REQUIRED
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entries. `judge` finds what is wrong with a row of good cells: (column, reason)."""

    name: str
    entry: type[Entry]
    columns: tuple[Column, ...]
    judge: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda fields: None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one line. `column` None: with the line as a whole. `values` fill the text."""

    line: int
    column: str | None
    reason: str
    value: str = ""
    other_line: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows of an upload that are right, and all that is wrong with the others.

    `lines`: how many rows there were. `unknown`: columns that mean nothing here.
    """

    entries: tuple[Entry, ...]
    flaws: tuple[Flaw, ...]
    lines: int
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def bad_lines(self) -> int:
        return len({flaw.line for flaw in self.flaws})


def check(kind: Kind, sheet: Sheet, known: Known) -> Checked:
    """Every row of the sheet judged. A column that is missing as a whole is told once, not for every row."""
    if sheet.format is Format.JSON:
        missing: tuple[str, ...] = ()
        unknown: tuple[str, ...] = ()
    else:
        needed = [c.name for c in kind.columns if not c.is_optional and c.name != EXTERNAL_ID]
        names = {column.name for column in kind.columns}
        missing = tuple(name for name in needed if name not in sheet.columns)
        unknown = tuple(name for name in sheet.columns if name not in names)
    if missing:
        return Checked((), (), len(sheet.rows), missing, unknown)
    entries, flaws = _rows(kind, sheet, Reading(sheet.format is Format.JSON, known))
    return Checked(tuple(entries), tuple(flaws), len(sheet.rows), unknown=unknown)


def _rows(kind: Kind, sheet: Sheet, how: Reading) -> tuple[list[Entry], list[Flaw]]:
    entries: dict[str, Entry] = {}
    lines: dict[str, int] = {}
    flaws: list[Flaw] = []
    made: Counter[str] = Counter()
    for line, row in sheet.rows:
        fields: dict[str, Any] = {}
        found = list(_flaws(kind, line, row, how, fields))
        if line in sheet.surplus:
            found.append(Flaw(line, None, "surplus_cells"))
        if not found and (wrong := kind.judge(fields)) is not None:
            column, reason = wrong
            found.append(Flaw(line, column, reason, _shown(row.get(column))))
        if not found:
            name = fields[EXTERNAL_ID] = fields.get(EXTERNAL_ID) or _made_id(fields, made)
            if name in lines:
                found.append(Flaw(line, EXTERNAL_ID, "twice", name, lines[name]))
            else:
                lines[name] = line
                entries[name] = kind.entry(**fields)
        flaws += found
    return list(entries.values()), flaws


def _flaws(
    kind: Kind, line: int, row: Mapping[str, Any], how: Reading, fields: dict[str, Any]
) -> Iterator[Flaw]:
    """What is wrong with the cells; good ones go into `fields`."""
    for column in kind.columns:
        cell = row.get(column.name)
        if not cells.is_blank(cell):
            try:
                fields[column.field] = column.read(cell, how)
            except Refused as refused:
                yield Flaw(line, column.name, refused.reason, _shown(cell))
        elif _may_be_blank(column, row, how):
            fields[column.field] = column.blank
        else:
            yield Flaw(line, column.name, "missing")
    if how.is_typed:
        names = {column.name for column in kind.columns}
        for name in row:
            if name not in names:
                yield Flaw(line, _shown(name), "no_column")


def _may_be_blank(column: Column, row: Mapping[str, Any], how: Reading) -> bool:
    """Programs must say everything that is not optional; in a spreadsheet an empty cell may say 0."""
    if column.is_optional:
        return True
    if how.is_typed:
        return column.blank == "" and column.name in row
    return column.blank is not REQUIRED


def _made_id(fields: Mapping[str, Any], made: Counter[str]) -> str:
    """An id for a row of a spreadsheet without one: the same row of the same file gets the same again."""
    said = ("channel", "from_day", "to_day", "day", "name", "department_id")
    text = "|".join(str(fields.get(name, "")) for name in said)
    made[text] += 1
    return "row:" + hashlib.sha256(f"{text}|{made[text]}".encode()).hexdigest()[:24]


def _shown(cell: Any) -> str:
    """The cell as it can be told back: shortened, halves of characters replaced."""
    return "" if cell is None else str(cell)[:80].encode(errors="replace").decode()


def headings(kind: Kind, called: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Column by how a header may call it: by its own name, and by its names in all languages."""
    found = {column.name: column.name for column in kind.columns}
    for words in called:
        found.update({" ".join(word.lower().split()): name for name, word in words.items()})
    return found


def _ends_before_it_begins(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    return ("to", "ends_before_it_begins") if fields["to_day"] < fields["from_day"] else None


_ID = Column(EXTERNAL_ID, EXTERNAL_ID, cells.text(100), blank=None)
_CHANNEL = Column("channel", "channel", cells.text(255))
_DEPARTMENT = Column("department", "department_id", cells.department, blank=None, is_optional=True)

COSTS = Kind(
    "costs",
    Cost,
    (
        _ID,
        _CHANNEL,
        Column("from", "from_day", cells.day),
        Column("to", "to_day", cells.day),
        Column("amount", "amount", cells.amount),
        Column("currency", "currency", cells.currency),
        _DEPARTMENT,
    ),
    _ends_before_it_begins,
)

CAMPAIGNS = Kind(
    "campaigns",
    Campaign,
    (
        _ID,
        _CHANNEL,
        Column("date", "day", cells.day),
        Column("name", "name", cells.text(255), blank=""),
        *(Column(name, name, cells.count, blank=0) for name in ("delivered", "opened", "clicked", "visits")),
        _DEPARTMENT,
    ),
)

KINDS = {kind.name: kind for kind in (COSTS, CAMPAIGNS)}
