"""The number of a request: it goes from the widget through the server and its jobs to every portal call."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""Anything else that a caller sends is not written into a log."""

_current: ContextVar[str | None] = ContextVar("b24app_request", default=None)


def new() -> str:
    """A number that nobody has yet: 12 hexadecimal digits, short enough to be read out on the telephone."""
    return secrets.token_hex(6)


def accepted(given: str | None) -> str:
    """The caller's number if it is one, else a new one."""
    return given if given and WELL_FORMED.fullmatch(given) else new()


def current() -> str | None:
    """The number that this thread works under; None outside requests and jobs."""
    return _current.get()


@contextmanager
def under(number: str | None) -> Iterator[None]:
    """Everything in the block is done for that request."""
    before = _current.set(number)
    try:
        yield
    finally:
        _current.reset(before)


def begin(number: str | None) -> None:
    """What this thread does from now on is done for that request."""
    _current.set(number)


def carried(work: Callable[P, R]) -> Callable[P, R]:
    """The same work, done under this thread's number in whatever thread runs it.

    Not the whole context: the web request that is in it ends before the work does.
    """
    number = current()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with under(number):
            return work(*args, **kwargs)

    return run
