"""Calls of REST methods, and their packing into the commands of a batch.

A command is a query string in PHP's bracket notation. All its values arrive as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote

BATCH_SIZE = 50
"""Commands in one batch; the portal refuses the surplus."""

COUNTING = " counting"

Params = Mapping[str, Any] | Sequence[Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEY_PART = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")

# Only these words at the end of a method's name are known to change nothing on a portal.
_READING = frozenset(
    {"get", "list", "fields", "info", "getlist", "search", "current", "admin", "access", "time"}
)
_READING_METHODS = frozenset({"profile", "scope", "methods", "events"})


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call: named parameters, or positional ones for the oldest task methods."""

    method: str
    params: Params = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The method, and whether it is to count a list: that costs a hundred times as much as a page of a
        large one, and must not be taken for what a page costs."""
        start = self.params.get("start", -1) if isinstance(self.params, Mapping) else -1
        return self.method if start == -1 else f"{self.method}{COUNTING}"

    @property
    def is_read(self) -> bool:
        """Whether repeating it cannot change anything: a reading method that does not empty a queue."""
        name = self.method.lower()
        if name == "event.offline.get":
            return isinstance(self.params, Mapping) and str(self.params.get("clear", "1")) == "0"
        return name in _READING_METHODS or name.rsplit(".", 1)[-1] in _READING


def pack(calls: Mapping[str, Call]) -> dict[str, str]:
    """The `cmd` of a batch: command name to `method?query`, in the given order.

    Raises:
        ValueError: more than 50 commands, a name that PHP would turn into something else, or a
            parameter that cannot be said in a query (see `flatten`).
    """
    if len(calls) > BATCH_SIZE:
        raise ValueError(f"a batch takes {BATCH_SIZE} commands, not {len(calls)}")
    for name in calls:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a command")
    return {name: _command(call) for name, call in calls.items()}


def unpack(cmd: Mapping[str, str]) -> dict[str, Call]:
    """The calls in a `cmd`; every value is text, as the portal sees it."""
    return {name: _parse(text) for name, text in cmd.items()}


def chunks(calls: Mapping[str, Call], size: int = BATCH_SIZE) -> Iterator[dict[str, Call]]:
    """The calls in order, at most `size` at a time."""
    names = list(calls)
    for start in range(0, len(names), size):
        yield {name: calls[name] for name in names[start : start + size]}


def flatten(params: Params) -> list[tuple[str, str]]:
    """Query pairs in bracket notation: `filter[>id]`, `select[0]`; None and empty maps are left out.

    Raises:
        ValueError: an empty list. PHP drops it, and a filter without its list matches everything.
    """
    return list(_pairs(params, ""))


def named(params: Params) -> dict[str, Any]:
    """The parameters as one JSON object; positional ones get the keys "0", "1", …"""
    if isinstance(params, Mapping):
        return dict(params)
    return {str(index): value for index, value in enumerate(params)}


def _command(call: Call) -> str:
    # References such as $result[page][items][49][id] stay readable: any portal understands them so.
    query = "&".join(f"{_quote(key)}={_quote(value)}" for key, value in flatten(call.params))
    return f"{call.method}?{query}" if query else call.method


def _quote(text: str) -> str:
    return quote(text, safe="$[]")


def _pairs(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if not value and key:
            raise ValueError(f"{key}: an empty list cannot be sent, the portal would drop it")
        items = enumerate(value)
    else:
        yield key, _text(value)
        return
    for name, inner in items:
        yield from _pairs(inner, f"{key}[{name}]" if key else str(name))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"  # the text "false" would be true
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise ValueError(f"{type(value).__name__} cannot be sent in a query")


def _parse(command: str) -> Call:
    method, _, query = command.partition("?")
    params: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        path = [part.strip("[]") for part in _KEY_PART.findall(key)]
        level = params
        for part in path[:-1]:
            level = level.setdefault(part, {})
        level[path[-1] or str(len(level))] = value
    return Call(method, params)
