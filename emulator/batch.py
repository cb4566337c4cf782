"""The `batch` method: up to 50 commands in one request, with references to earlier results."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result, object_or_list

MAX_COMMANDS = 50
_REFERENCE = re.compile(r"^\$result((?:\[[^\]]*\])+)$")
_KEY = re.compile(r"\[([^\]]*)\]")

RunCommand = Callable[[str, dict[str, Any]], tuple[Result, dict[str, Any]]]
"""(method, params) -> (result, time block). Raises: PortalError."""


def run(commands: Any, halt: Any, run_command: RunCommand) -> dict[str, Any]:
    """What `result` holds for these commands; empty maps are `[]`, lists stay so while keys are in order."""
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    totals: dict[str, Any] = {}
    nexts: dict[str, Any] = {}
    times: dict[str, Any] = {}
    for place, (key, command) in enumerate(php.as_map(commands).items()):
        if not isinstance(command, str):
            continue
        try:
            if place >= MAX_COMMANDS:
                raise PortalError("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
            method, _, query = command.partition("?")
            method = method.strip()
            result, time = run_command(method, resolve(php.parse(query), results))
        except PortalError as error:
            errors[key] = error.body()
            if halts(halt):
                break
            continue
        results[key] = result.value
        times[key] = time
        if result.total is not None:
            totals[key] = result.total
        if result.next is not None:
            nexts[key] = result.next
    return {
        "result": _shape(results),
        "result_error": _shape(errors),
        "result_total": _shape(totals),
        "result_next": _shape(nexts),
        "result_time": _shape(times),
    }


def methods(commands: Any) -> list[str]:
    """The methods that a batch is going to call, lower case."""
    return [
        command.partition("?")[0].strip().lower()
        for command in php.as_map(commands).values()
        if isinstance(command, str)
    ]


def halts(value: Any) -> bool:
    """PHP's truth: the text `false` is true."""
    return value not in (None, False, 0, "", "0", [], {})


def resolve(values: Any, results: dict[str, Any]) -> Any:
    """The values with every `$result[..]` that is a whole text replaced.

    A reference that leads nowhere gives the deepest level that exists; inside a longer text it stays text.
    """
    if isinstance(values, dict):
        return {key: resolve(value, results) for key, value in values.items()}
    if isinstance(values, list):
        return [resolve(value, results) for value in values]
    match = _REFERENCE.match(values) if isinstance(values, str) else None
    if match is None:
        return values
    level: Any = results
    for key in _KEY.findall(match.group(1)):
        if isinstance(level, dict) and key in level:
            level = level[key]
        elif isinstance(level, list) and key.isdecimal() and int(key) < len(level):
            level = level[int(key)]
        else:
            break
    return level if level not in ({}, None) else []


def _shape(values: dict[str, Any]) -> Any:
    if list(values) == [str(place) for place in range(len(values))]:
        return list(values.values())
    return object_or_list(values)
