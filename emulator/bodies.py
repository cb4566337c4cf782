"""The parameters of a request in every accepted form: query, form, multipart, JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from emulator import params as php
from emulator.wire import Request


def is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "").lower()


def read_body(request: Request) -> Any:
    """The parameters of a body: JSON, form or multipart. A JSON array becomes a dict of its places."""
    if not request.body:
        return {}
    kind = request.headers.get("content-type", "").lower()
    if "json" in kind:
        try:
            value = json.loads(request.body)
        except ValueError:
            return {}
        return php.as_map(value)
    if kind.startswith("multipart/"):
        return _multipart(request)
    return request.form


def read_fields(request: Request) -> dict[str, Any]:
    """Query and body merged; the body wins."""
    return {**request.args, **read_body(request)}


def _multipart(request: Request) -> dict[str, Any]:
    match = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
    if match is None:
        return {}
    pairs: list[tuple[str, Any]] = []
    for part in request.body.split(b"--" + match.group(1).encode()):
        head, separator, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if separator and name:
            pairs.append((name.group(1).decode(), value.removesuffix(b"\r\n").decode("utf-8", "replace")))
    return php.nest(pairs)
