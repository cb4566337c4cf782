"""Query parameters of the API, read and refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date

from flask import request

from b24app.web.problems import Problem

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
LAST_PAGE = 100_000


def wrong(name: str, why: str) -> Problem:
    """The problem 400 that names a parameter."""
    return Problem(400, "Wrong parameter", f"{name}: {why}", parameter=name)


def single(known: Collection[str]) -> Mapping[str, str]:
    """The parameters of the request, each given once and not empty. Raises: Problem 400 for others."""
    found: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name not in known:
            raise wrong(name, f"is no parameter; known are {', '.join(known)}")
        if name in found:
            raise wrong(name, "is given more than once")
        if value.strip():
            found[name] = value.strip()
    return found


def month(name: str, text: str) -> date:
    """The first day of `2026-11`. Raises: Problem 400."""
    match = _MONTH.fullmatch(text)
    if match is None:
        raise wrong(name, f"{text!r} is no month like 2026-11")
    return date(int(match[1]), int(match[2]), 1)


def page(text: str | None) -> int:
    """A page number, from 1. Raises: Problem 400."""
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LAST_PAGE):
        raise wrong("page", "must be a number from 1")
    return int(text)
