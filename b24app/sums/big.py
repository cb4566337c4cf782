"""Sums of money in SQL: in two parts, so that even absurd amounts never leave the 64 bits of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement

CARRY = 1_000_000_000


def parts_of(amount: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The two columns to add up instead of the amount."""
    return amount // CARRY, amount % CARRY


def joined(sums: Iterator[Any]) -> int:
    """The whole amount from the next two sums."""
    return int(next(sums)) * CARRY + int(next(sums))
