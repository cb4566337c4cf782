"""What programs upload, read into rows: a JSON list of objects, or CSV with the same columns. Pure.

What is in the rows is checked by who asked for them; a row or a field that is refused is named.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

ROW_LIMIT = 100_000
SEPARATORS = ",;\t"
NAMED = 50
"""As many refusals are told; the rest is counted."""

Row = Mapping[str, Any]


class Unreadable(ValueError):
    """The upload as a whole is not what it should be; the text says why."""


class TooLong(ValueError):
    """More rows than one upload may have."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row (from 1, without the header) and the field of it that is wrong."""

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.field} {self.reason}"


class RowsRefused(ValueError):
    """Some rows cannot be taken, so none is: `refusals` in the order of the rows."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        told = "; ".join(str(refusal) for refusal in self.refusals[:3])
        more = len(self.refusals) - 3
        super().__init__(f"{told}; and {more} more" if more > 0 else told)


def read_rows(
    body: bytes, content_type: str, columns: Sequence[str], optional: Sequence[str] = ()
) -> list[Row]:
    """The rows of an upload. Numbers of JSON stay exact; every cell of CSV is text, an empty one is missing.

    content_type: `text/csv` for CSV, all else is read as JSON. Raises: Unreadable, TooLong, RowsRefused for
    fields that are missing or unknown.
    """
    is_csv = content_type.split(";")[0].strip().lower() in ("text/csv", "application/csv")
    rows = _from_csv(body, {*columns, *optional}) if is_csv else _from_json(body)
    if len(rows) > ROW_LIMIT:
        raise TooLong(f"at most {ROW_LIMIT} rows at once")
    refusals = [
        refusal for place, row in enumerate(rows, 1) for refusal in _shape(place, row, columns, optional)
    ]
    if refusals:
        raise RowsRefused(refusals)
    return rows


def _from_json(body: bytes) -> list[Row]:
    try:
        found = json.loads(_text(body), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"is no JSON: {error}") from error
    if not isinstance(found, list):
        raise Unreadable("must be a JSON list of objects")
    for place, row in enumerate(found, 1):
        if not isinstance(row, Mapping):
            raise RowsRefused([Refusal(place, "row", "is no object")])
    return found


def _from_csv(body: bytes, known: set[str]) -> list[Row]:
    text = _text(body)
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise Unreadable(f"is no CSV: {error}") from error
    if not lines:
        raise Unreadable("is empty: the first line names the columns")
    columns = [name.strip() for name in lines[0]]
    for name in columns:
        if name not in known:
            raise Unreadable(f"column {name!r} is unknown; known are {', '.join(sorted(known))}")
        if columns.count(name) > 1:
            raise Unreadable(f"column {name!r} is there twice")
    rows: list[Row] = []
    for line in lines[1:]:
        if not any(cell.strip() for cell in line):
            continue
        if len(line) > len(columns):
            raise RowsRefused([Refusal(len(rows) + 1, "row", f"has more than {len(columns)} cells")])
        cells = zip(columns, line, strict=False)
        rows.append({name: cell.strip() for name, cell in cells if cell.strip()})
    return rows


def _shape(place: int, row: Row, columns: Sequence[str], optional: Sequence[str]) -> list[Refusal]:
    found = [Refusal(place, name, "is missing") for name in columns if row.get(name) is None]
    return found + [
        Refusal(place, str(name), "is unknown")
        for name in row
        if name not in columns and name not in optional
    ]


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
