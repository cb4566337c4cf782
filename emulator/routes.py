"""Pages that a portal shows to people: how a module registers them and who is looking.

`@page(r"/crm/deal/details/(\\d+)/")` registers a function from `PageCall` to `Response`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from emulator.site import Site
from emulator.wire import Request, Response

if TYPE_CHECKING:
    from emulator.server import Emulator

VISITOR = "emulator_user"
"""Name of the cookie, and of the query parameter that wins over it, with the id of who is looking."""

PAGE_MODULES: tuple[str, ...] = tuple(
    f"portal_pages.{name}" for name in ("visitor", "crm", "people", "work", "applications", "host")
)
"""Modules of the emulator that register pages."""


@dataclass(frozen=True)
class PageCall:
    emulator: Emulator
    site: Site
    request: Request
    groups: tuple[str, ...]  # of the pattern

    @property
    def visitor_id(self) -> int | None:
        """The user that the visitor has chosen to be."""
        return visitor(self.request)


Page = Callable[[PageCall], Response]
_PAGES: list[tuple[re.Pattern[str], Page]] = []


def page(pattern: str) -> Callable[[Page], Page]:
    """Register a page for paths that the whole pattern matches; earlier ones win."""

    def register(function: Page) -> Page:
        _PAGES.append((re.compile(pattern), function))
        return function

    return register


def find(path: str) -> tuple[Page, tuple[str, ...]] | None:
    """The page of a path and what its pattern caught."""
    for pattern, function in _PAGES:
        match = pattern.fullmatch(path)
        if match:
            return function, match.groups()
    return None


def visitor(request: Request) -> int | None:
    text = str(request.args.get(VISITOR) or request.cookies.get(VISITOR) or "")
    return int(text) if text.isdecimal() else None


def load() -> None:
    """Import every page module once."""
    for name in PAGE_MODULES:
        import_module(f"emulator.{name}")
