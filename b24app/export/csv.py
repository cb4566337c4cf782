"""Tables as CSV (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from b24app.export.table import COLUMNS, NUMBERS, Line

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A text that begins so may be run as a formula by the program that opens the file."""


def write(lines: Iterable[Line]) -> bytes:
    """The file, header first. Texts that look like formulas are led by an apostrophe; numbers are not."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow(_cell(name, value) for name, value in zip(COLUMNS, line, strict=True))
    return file.getvalue().encode()


def _cell(column: str, value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and column not in NUMBERS and value.startswith(RISKY):
        return "'" + value
    return value
