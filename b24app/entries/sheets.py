"""An uploaded body as a table of raw cells: a JSON list, CSV as spreadsheets write it, or an Excel workbook.

What the cells mean is decided by the columns of each kind (`kinds`); nothing is stored here.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from openpyxl import load_workbook

ROW_LIMIT = 100_000
UNPACKED_LIMIT = 400 * 1024 * 1024
"""Bytes that a workbook may become: it is a zip file, and those can be bombs."""

SEPARATORS = ",;\t|"
JSON_TYPE, CSV_TYPE = "application/json", "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OLD_WINDOWS = "windows-1251"
"""What Russian spreadsheets write when they do not write UTF-8. Every byte but one is a letter in it, so it
can only be guessed, and a person has to look at the outcome."""

Row = Mapping[str, Any]


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class Unreadable(ValueError):
    """The body is no table: `reason` says why, `values` what about."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


class TooManyRows(Unreadable):
    """More rows than one upload may have."""

    def __init__(self) -> None:
        super().__init__("too_many_rows", limit=ROW_LIMIT)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows with their line in the file (of JSON: their place in the list, from 1), raw cells by column.

    `columns`: those that were found; of JSON none, because there every row names its own. `surplus`: lines
    with more cells than there are columns.
    """

    format: Format
    rows: tuple[tuple[int, Row], ...]
    columns: tuple[str, ...] = ()
    encoding: str | None = None
    separator: str | None = None
    surplus: frozenset[int] = frozenset()


def read(
    body: bytes,
    names: Mapping[str, str],
    media_type: str = "",
    charset: str | None = None,
    *,
    may_guess: bool = False,
) -> Sheet:
    """The table in the body. `names`: column by how a header may call it, in small letters.

    `may_guess`: take a text that is not UTF-8 for an old Windows one. Raises: Unreadable.
    """
    found = _format(body, media_type)
    if found is Format.JSON:
        return Sheet(found, tuple(enumerate(_json(body), 1)))
    if found is Format.XLSX:
        return _table(found, _workbook(body), names)
    text, encoding = _text(body, charset, may_guess)
    separator = _separator(text, names)
    return _table(found, _lines(text, separator), names, encoding, separator)


def _format(body: bytes, media_type: str) -> Format:
    if media_type == JSON_TYPE:
        return Format.JSON
    if media_type == XLSX_TYPE or body.startswith(b"PK\x03\x04"):
        return Format.XLSX
    if media_type != CSV_TYPE and body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return Format.JSON
    return Format.CSV


def _json(body: bytes) -> list[Row]:
    try:
        found = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no_json") from error
    if not isinstance(found, list):
        raise Unreadable("no_list")
    if len(found) > ROW_LIMIT:
        raise TooManyRows
    for place, row in enumerate(found, 1):
        if not isinstance(row, dict):
            raise Unreadable("no_object", line=place)
    return found


def _no_number(name: str) -> Decimal:
    raise ValueError(f"{name} is no number")


def _text(body: bytes, charset: str | None, may_guess: bool) -> tuple[str, str]:
    for encoding in _encodings(body, charset, may_guess):
        try:
            return body.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
        except LookupError as error:
            raise Unreadable("unknown_encoding", encoding=encoding) from error
    raise Unreadable("wrong_encoding", encoding=charset or "utf-8")


def _encodings(body: bytes, charset: str | None, may_guess: bool) -> tuple[str, ...]:
    if body.startswith(UTF_16):
        return ("utf-16",)
    if charset:
        return (charset,)
    return ("utf-8", OLD_WINDOWS) if may_guess else ("utf-8",)


def _separator(text: str, names: Mapping[str, str]) -> str:
    """The one that cuts the header into the most columns that are known."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    if header.lower().startswith("sep=") and header[4:5] in SEPARATORS:
        return header[4:5]

    def known(separator: str) -> int:
        return sum(_plain(cell) in names for cell in next(csv.reader([header], delimiter=separator), []))

    return max(SEPARATORS, key=known)


def _lines(text: str, separator: str) -> Iterator[tuple[int, Sequence[Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begun = 1
    try:
        for cells in reader:
            if not (begun == 1 and cells and cells[0].lower().startswith("sep=")):
                yield begun, cells
            begun = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable("broken_csv", line=begun) from error


def _workbook(body: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_LIMIT:
                raise TooManyRows
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the file says of its own size is often wrong
            rows = enumerate(sheet.iter_rows(values_only=True), 1)
            first = next((row for row in rows if not _is_blank(row[1])), None)
            if first is not None:
                yield from itertools.chain((first,), rows)
                return
    except Unreadable:
        raise
    except Exception as error:  # the library tells a broken file in every way that there is
        raise Unreadable("no_workbook") from error


def _table(
    found: Format,
    lines: Iterator[tuple[int, Sequence[Any]]],
    names: Mapping[str, str],
    encoding: str | None = None,
    separator: str | None = None,
) -> Sheet:
    header: tuple[str, ...] | None = None
    rows: list[tuple[int, Row]] = []
    surplus: set[int] = set()
    for line, cells in lines:
        if _is_blank(cells):
            continue
        if header is None:
            header = _header(cells, names)
            continue
        if len(rows) == ROW_LIMIT:
            raise TooManyRows
        if not _is_blank(cells[len(header) :]):
            surplus.add(line)
        rows.append((line, dict(zip(header, cells, strict=False))))
    if header is None:
        raise Unreadable("empty")
    columns = tuple(name for name in header if name)
    return Sheet(found, tuple(rows), columns, encoding, separator, frozenset(surplus))


def _header(cells: Sequence[Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """The columns; a heading that is not known stays as it is."""
    found = [names.get(_plain(cell), str(cell or "").strip()) for cell in cells]
    while found and not found[-1]:
        found.pop()
    twice = next((name for place, name in enumerate(found) if name and name in found[:place]), None)
    if twice is not None:
        raise Unreadable("column_twice", column=twice)
    return tuple(found)


def _plain(heading: Any) -> str:
    return " ".join(str(heading or "").lower().split())


def _is_blank(cells: Iterable[Any]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)
