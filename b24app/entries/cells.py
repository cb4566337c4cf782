"""Raw cells read into values, or refused with a reason. Pure.

JSON says what a value is, so it is taken strictly. A cell of a spreadsheet is what somebody typed: numbers
with spaces and a decimal comma, days as 01.11.2026, a department by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
AMOUNT_LIMIT = Decimal(10) ** 13
"""A larger amount is a mistake of somebody's hand, and too long to be stored."""
AMOUNT_STEP = Decimal("0.0001")
COUNT_LIMIT = 10**12
ID_LIMIT = 2**31 - 1

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_LOCAL_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class Refused(ValueError):
    """The cell is not a value of its column."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Known:
    """What cells may name. `departments` None: they have not been read, so any number may be one."""

    departments: Mapping[int, str] | None = None
    _by_name: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for department_id, name in (self.departments or {}).items():
            self._by_name.setdefault(" ".join(name.casefold().split()), []).append(department_id)

    def called(self, name: str) -> list[int]:
        """The departments of that name."""
        return self._by_name.get(" ".join(name.casefold().split()), [])


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are to be taken: `is_typed` strictly, as JSON says it."""

    is_typed: bool
    known: Known = Known()


Read = Callable[[Any, Reading], Any]


def is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text(limit: int) -> Read:
    """Reads a text of at most `limit` characters."""

    def read(cell: Any, how: Reading) -> str:
        found = (cell if isinstance(cell, str) else _told(cell)).strip()
        if _UNPRINTABLE.search(found):
            raise Refused("bad_character")
        if len(found) > limit:
            raise Refused("too_long")
        return found

    return read


def _told(cell: Any) -> str:
    if isinstance(cell, bool | list | dict):
        raise Refused("no_text")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # spreadsheets keep all numbers as floats
    return str(cell)


def day(cell: Any, how: Reading) -> date:
    """Reads a day."""
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        found = _written_day(cell, how)
    if not EARLIEST <= found <= LATEST:
        raise Refused("out_of_calendar")
    return found


def _written_day(cell: Any, how: Reading) -> date:
    written = cell.strip() if isinstance(cell, str) else ""
    local = None if how.is_typed else _LOCAL_DAY.fullmatch(written)
    try:
        if local is not None:
            return date(int(local[3]), int(local[2]), int(local[1]))
        found = date.fromisoformat(written)
    except ValueError as error:
        raise Refused("no_day") from error
    if found.isoformat() != written:  # 20261101 and 2026-W45-1 are taken too
        raise Refused("no_day")
    return found


def amount(cell: Any, how: Reading) -> Decimal:
    """Reads an amount of money with at most four decimals."""
    found = _number(cell, how)
    if found < 0:
        raise Refused("negative")
    if found >= AMOUNT_LIMIT:
        raise Refused("too_large")
    if found % AMOUNT_STEP:
        raise Refused("too_precise")
    return found


def count(cell: Any, how: Reading) -> int:
    """Reads how many of something there were."""
    found = _number(cell, how)
    if found < 0:
        raise Refused("negative")
    if found > COUNT_LIMIT:
        raise Refused("too_large")
    if found != found.to_integral_value():
        raise Refused("not_whole")
    return int(found)


def _number(cell: Any, how: Reading) -> Decimal:
    if isinstance(cell, bool):
        raise Refused("no_number")
    if isinstance(cell, int | Decimal):
        found = Decimal(cell)
    elif isinstance(cell, float):
        found = Decimal(f"{cell:.15g}")  # as many digits as a spreadsheet keeps
    elif isinstance(cell, str):
        found = _written_number(cell.strip() if how.is_typed else _plain_number(cell))
    else:
        raise Refused("no_number")
    if not found.is_finite():
        raise Refused("no_number")
    return found


def _plain_number(written: str) -> str:
    """The number as programs write it; 1,234 may be either, so it is neither."""
    found = written.translate(_SPACES)
    if _GROUPED.fullmatch(found):
        raise Refused("ambiguous_number")
    if "," in found and "." in found:
        thousands, point = (",", ".") if found.rfind(".") > found.rfind(",") else (".", ",")
        found = found.replace(thousands, "").replace(point, ".")
    return found.replace(",", ".")


def _written_number(written: str) -> Decimal:
    if not _NUMBER.fullmatch(written) or not written.isascii():
        raise Refused("no_number")
    try:
        return Decimal(written)
    except InvalidOperation as error:
        raise Refused("no_number") from error


def currency(cell: Any, how: Reading) -> str:
    """Reads a code of three letters. Whether the portal has a rate for it is another question."""
    found = cell.strip().upper() if isinstance(cell, str) else ""
    if len(found) != 3 or not (found.isascii() and found.isalpha()):
        raise Refused("no_currency")
    return found


def department(cell: Any, how: Reading) -> int:
    """Reads a department: its number, `department:12`, or in a spreadsheet its name."""
    number = _id(cell)
    known = how.known.departments
    if number is None:
        same = how.known.called(cell) if isinstance(cell, str) and not how.is_typed else []
        if len(same) > 1:
            raise Refused("several_departments")
        if not same:
            raise Refused("no_department")
        return same[0]
    if not 0 < number <= ID_LIMIT or (known is not None and number not in known):
        raise Refused("no_department")
    return number


def _id(cell: Any) -> int | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str):
        digits = cell.strip().removeprefix("department:")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None
    return None
