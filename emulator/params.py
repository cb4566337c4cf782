"""Nested parameters in the bracket form that PHP reads and writes: `filter[>ID]=5&select[]=ID`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

_NAME = re.compile(r"^([^\[]+)((?:\[[^\]]*\])*)")
_PART = re.compile(r"\[([^\]]*)\]")


def parse(text: str) -> dict[str, Any]:
    """The nested dict of a query or form text; keys 0..n-1 in order become a list, all values are strings."""
    return nest(parse_qsl(text, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The nested dict of (`a[b][]`, value) pairs."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        _put(root, name, value)
    return {key: _lists(value) for key, value in root.items()}


def flatten(values: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(`a[b]`, text) pairs of nested dicts and lists; True is `1`, False and None are empty, as PHP says."""
    pairs = enumerate(values) if isinstance(values, (list, tuple)) else values.items()
    for key, value in pairs:
        name = f"{prefix}[{key}]" if prefix else str(key)
        if isinstance(value, (dict, list, tuple)):
            yield from flatten(value, name)
        elif isinstance(value, bool):
            yield name, "1" if value else ""
        else:
            yield name, "" if value is None else str(value)


def encode(values: Any) -> str:
    """Nested values as a form body or query string."""
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in flatten(values))


def as_list(value: Any) -> list[Any]:
    """The values of a list, or of a PHP array that has lost its order keys; a scalar is a list of one."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_map(value: Any) -> dict[str, Any]:
    """The pairs of an object; a list has its positions as keys, anything else is empty."""
    if isinstance(value, dict):
        return {str(key): inner for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return {str(place): inner for place, inner in enumerate(value)}
    return {}


def as_int(value: Any, default: int = 0) -> int:
    """The number that PHP's `(int)` makes of a value: leading digits of a text, 0 of the rest."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    match = re.match(r"\s*[-+]?\d+", value) if isinstance(value, str) else None
    return int(match.group()) if match else default


def is_yes(value: Any) -> bool:
    """Whether a flag given as Y, 1, true in any form encoding is set."""
    return value is True or str(value).lower() in {"y", "1", "true"}


def _put(root: dict[str, Any], name: str, value: Any) -> None:
    match = _NAME.match(name)
    if match is None:  # PHP drops names without a head
        return
    path = [match.group(1), *_PART.findall(match.group(2))]
    level = root
    for part in path[:-1]:
        key = part or _next(level)
        inner = level.get(key)
        if not isinstance(inner, dict):
            inner = level[key] = {}
        level = inner
    level[path[-1] or _next(level)] = value


def _next(level: dict[str, Any]) -> str:
    numbers = [int(key) for key in level if key.isdecimal()]
    return str(max(numbers) + 1 if numbers else 0)


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(child) for key, child in value.items()}
    if inner and list(inner) == [str(place) for place in range(len(inner))]:
        return list(inner.values())
    return inner
