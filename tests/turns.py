"""Which tests a worker of the run takes together, in which order, and where coverage is measured.

What shares something costly stays on one worker; what takes long begins first, so that no worker is left
alone with it. Measured code takes twice its time, so nothing is measured twice: not on the second database,
not through the browser, not in what walks the same lines thousands of times.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BROWSER = "tests/browser/"
KINDS = re.compile(r"\[(sqlite|postgresql)\b")


class Turns(LoadScopeScheduling):  # type: ignore[misc]  # xdist brings no types
    """Work is given out in the order of the collection, a unit as soon as a worker is free."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False  # by number of tests; that says nothing about their time
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def unit(nodeid: str) -> str:
    """What is given out as one: a file on one kind of database; all that shares the browser and portals."""
    if nodeid.startswith(BROWSER):
        return BROWSER
    kind = KINDS.search(nodeid)
    return nodeid.partition("::")[0] + (kind[0] if kind else "")


def in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    """The browser first, then files that take long, then other files, rules without any server last."""
    return sorted(items, key=_rank)


def is_second(item: pytest.Item) -> bool:
    """Whether the test has run on the first kind of database, too."""
    spec = getattr(item, "callspec", None)
    return spec is not None and spec.params.get("databases") == "postgresql"


def is_measured(item: pytest.Item) -> bool:
    return _rank(item) > 1 and not is_second(item)


def _rank(item: pytest.Item) -> int:
    if item.nodeid.startswith(BROWSER):
        return 0
    if item.get_closest_marker("long"):
        return 1
    return 3 if item.nodeid.startswith("tests/unit/") else 2
