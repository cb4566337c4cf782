"""Filters of list methods: `{">id": 5, "@stageId": [..]}` compiled into a test and index hints. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from emulator import params as php
from emulator.times import parse_date, parse_moment
from emulator.world import Row

Test = Callable[[Row], bool]

OPERATORS = ("!=%", "!%=", "!@", "!%", "=%", "%=", "!=", ">=", "<=", "!", ">", "<", "@", "%", "=")
"""Longest first, as they are read from the beginning of a key."""

INDEXED_MOMENTS = frozenset({"updatedTime", "movedTime", "createdTime", "CREATED_TIME", "LAST_UPDATED"})
INDEXED_VALUES = frozenset({"OWNER_ID", "assignedById", "RESPONSIBLE_ID"})


@dataclass(frozen=True)
class Column:
    """A filterable field: the record's key and the kind of its values
    (integer, string, double, boolean, date, datetime, list; flag: a boolean that knows no Y and N)."""

    key: str
    kind: str = "string"
    can_filter: bool = True


class FilterError(Exception):
    """A filter or order that the portal refuses; the text is the portal's."""


@dataclass
class Query:
    """`test` is None when the bounds of the id say everything."""

    tests: list[Test] = field(default_factory=list)
    after: int | None = None  # id > after
    before: int | None = None  # id < before
    ids: set[int] | None = None
    since: dict[str, datetime] = field(default_factory=dict)
    among: dict[str, frozenset[Any]] = field(default_factory=dict)

    def restrict(self, key: str, values: Iterable[Any]) -> None:
        """Let only records pass whose field is one of the values."""
        allowed = frozenset(values)
        self.tests.append(lambda row: row.get(key) in allowed)
        self.among[key] = allowed & self.among[key] if key in self.among else allowed


def split(name: str) -> tuple[str, str]:
    """Operator ("=" where there is none) and field name of a filter key."""
    for operator in OPERATORS:
        if name.startswith(operator):
            return operator, name[len(operator) :]
    return "=", name


def compile_filter(
    conditions: Any,
    columns: Mapping[str, Column],
    zone: tzinfo,
    *,
    id_key: str,
    drops_unknown: bool = False,
) -> Query:
    """The query of a filter object.

    Raises: FilterError for an unknown field (unless `drops_unknown`) or a value that cannot be read.
    """
    query = Query()
    for name, value in php.as_map(conditions).items():
        if name == "logic":
            continue
        if _is_group(name, value):
            query.tests.append(_group(value, columns, zone, drops_unknown=drops_unknown))
            continue
        operator, plain = split(name)
        column = columns.get(plain)
        if column is None or not column.can_filter:
            if drops_unknown:
                continue
            raise FilterError(f"Invalid filter: field '{plain}' is not allowed in filter")
        if column.key == id_key and _bound_id(query, operator, value):
            continue
        test = _condition(operator, column, value, zone, plain)
        if test is None:
            continue
        query.tests.append(test)
        _hint(query, operator, column, value, zone)
    if str(php.as_map(conditions).get("logic", "")).upper() == "OR" and len(php.as_map(conditions)) > 1:
        test = _group(conditions, columns, zone, drops_unknown=drops_unknown)
        return Query(tests=[test])
    return query


def parse_order(
    order: Any, columns: Mapping[str, Column], *, drops_unknown: bool = False
) -> list[tuple[str, bool]]:
    """(record key, is descending) of an order object. Raises: FilterError."""
    parsed: list[tuple[str, bool]] = []
    for name, direction in php.as_map(order).items():
        column = columns.get(name)
        if column is None:
            if drops_unknown:
                continue
            raise FilterError(f"Invalid order: field '{name}' is not allowed in order")
        word = str(direction).upper()
        if word not in ("ASC", "DESC"):
            if drops_unknown:
                word = "ASC"
            else:
                raise FilterError(
                    "Invalid order: allowed sort directions are `ASC, DESC`. "
                    f"But got '{direction}' for field '{name}'"
                )
        parsed.append((column.key, word == "DESC"))
    return parsed


def _is_group(name: str, value: Any) -> bool:
    return isinstance(value, (dict, list)) and name.isdecimal() and _has_keys(value)


def _has_keys(value: Any) -> bool:
    return isinstance(value, dict) or any(isinstance(inner, dict) for inner in value)


def _group(conditions: Any, columns: Mapping[str, Column], zone: tzinfo, *, drops_unknown: bool) -> Test:
    tests: list[Test] = []
    is_any = False
    for name, value in php.as_map(conditions).items():
        if name == "logic":
            is_any = str(value).upper() == "OR"
        elif _is_group(name, value):
            tests.append(_group(value, columns, zone, drops_unknown=drops_unknown))
        else:
            operator, plain = split(name)
            column = columns.get(plain)
            if column is None or not column.can_filter:
                if drops_unknown:
                    continue
                raise FilterError(f"Invalid filter: field '{plain}' is not allowed in filter")
            test = _condition(operator, column, value, zone, plain)
            if test is not None:
                tests.append(test)
    if is_any:
        return lambda row: any(test(row) for test in tests)
    return lambda row: all(test(row) for test in tests)


def _bound_id(query: Query, operator: str, value: Any) -> bool:
    """Turn a condition on the id into bounds where that is possible."""
    if isinstance(value, (list, dict)):
        if operator in ("=", "@") and value:
            found = {php.as_int(inner) for inner in php.as_list(value)}
            query.ids = found if query.ids is None else query.ids & found
            return True
        return False
    number = php.as_int(value)
    if operator == ">" or operator == ">=":
        bound = number if operator == ">" else number - 1
        query.after = bound if query.after is None else max(query.after, bound)
    elif operator == "<" or operator == "<=":
        bound = number if operator == "<" else number + 1
        query.before = bound if query.before is None else min(query.before, bound)
    elif operator in ("=", "@"):
        query.ids = {number} if query.ids is None else query.ids & {number}
    else:
        return False
    return True


def _hint(query: Query, operator: str, column: Column, value: Any, zone: tzinfo) -> None:
    if operator in (">", ">=") and column.key in INDEXED_MOMENTS:
        moment = parse_moment(value, zone)
        if moment is not None:
            known = query.since.get(column.key)
            query.since[column.key] = moment if known is None else max(known, moment)
    elif operator in ("=", "@") and column.key in INDEXED_VALUES:
        values = frozenset(php.as_int(inner) for inner in php.as_list(value))
        if values:
            known_values = query.among.get(column.key)
            query.among[column.key] = values if known_values is None else values & known_values


def _condition(operator: str, column: Column, value: Any, zone: tzinfo, name: str) -> Test | None:
    """The test of one condition, or None when the portal drops it."""
    key, kind = column.key, column.kind
    if isinstance(value, (list, dict)):
        values = php.as_list(value)
        if operator in ("=", "@", "!=", "!", "!@"):
            if not values:
                return (lambda row: False) if operator == "@" else None
            accepted = {_read(kind, inner, zone, name) for inner in values}
            inside = _inside(key, kind, accepted)
            return inside if operator in ("=", "@") else (lambda row: not inside(row))
        # a list where one value belongs: any of them may match, nothing stands for no condition
        tests = [_condition(operator, column, _scalar(inner), zone, name) for inner in values]
        some = [test for test in tests if test is not None]
        return (lambda row: any(test(row) for test in some)) if some else None
    if operator in ("%", "!%", "=%", "%=", "!=%", "!%="):
        return _like(operator, key, str(value))
    wanted = _read(kind, value, zone, name)
    if operator in ("=", "@"):
        return _inside(key, kind, {wanted})
    if operator in ("!=", "!", "!@"):
        inside = _inside(key, kind, {wanted})
        return lambda row: not inside(row)
    return _comparison(operator, key, wanted)


def _scalar(value: Any) -> Any:
    return 1 if isinstance(value, (list, dict)) else value  # PHP: (int) of an array


def _read(kind: str, value: Any, zone: tzinfo, name: str) -> Any:
    if kind == "boolean":
        return php.is_yes(value)
    if kind == "flag":
        return php.as_int(value) != 0
    if value is None or value == "":
        return None
    if kind in ("integer", "list"):
        return php.as_int(_scalar(value))
    if kind == "double":
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return Decimal(0)
    parsed: date | None
    if kind == "datetime":
        parsed = parse_moment(value, zone)
    elif kind == "date":
        parsed = parse_date(value, zone)
    else:
        return str(value)
    if parsed is None:
        raise FilterError(f"Invalid filter: field '{name}' has invalid value")
    return parsed


def _inside(key: str, kind: str, accepted: set[Any]) -> Test:
    if kind in ("boolean", "flag"):
        return lambda row: bool(row.get(key)) in accepted
    if kind == "list":
        return lambda row: any(inner in accepted for inner in row.get(key) or ())
    if None in accepted or (kind == "integer" and 0 in accepted):
        # an empty link is null in one place and 0 in another
        empty = accepted | {None, "", 0} if kind == "integer" else accepted | {None, ""}
        return lambda row: row.get(key) in empty
    return lambda row: row.get(key) in accepted


def _comparison(operator: str, key: str, wanted: Any) -> Test:
    if wanted is None:
        return lambda row: False
    if operator == ">":
        return lambda row: (value := row.get(key)) is not None and value > wanted
    if operator == ">=":
        return lambda row: (value := row.get(key)) is not None and value >= wanted
    if operator == "<":
        return lambda row: (value := row.get(key)) is not None and value < wanted
    return lambda row: (value := row.get(key)) is not None and value <= wanted


def _like(operator: str, key: str, pattern: str) -> Test:
    text = pattern.casefold()
    if operator in ("%", "!%"):
        start = end = False
    else:
        start, end = not text.startswith("%"), not text.endswith("%")
        text = text.strip("%")

    def matches(row: Row) -> bool:
        value = str(row.get(key) or "").casefold()
        if start and end:
            return value == text
        if start:
            return value.startswith(text)
        return value.endswith(text) if end else text in value

    return (lambda row: not matches(row)) if operator.startswith("!") else matches
