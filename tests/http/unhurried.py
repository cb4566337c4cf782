"""For tests of anything but waiting: reading that waits neither for a portal's bucket to drain, nor long for
another try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from b24app.rest import client
from b24app.rest.budget import Budget, Budgets, Rate
from b24app.rest.client import backoff_s


class Unhurried(Budgets):
    """As if every portal were on-premise: without a rate limit. Operating time is counted all the same."""

    def for_portal(self, portal: str | int, rate: Rate = None) -> Budget:
        return super().for_portal(portal, None)


FASTER = 25


@contextmanager
def soon_again() -> Iterator[None]:
    """Tries follow each other faster than they do outside."""

    def wait_s(attempt: int, retry_after_s: float, chance: float) -> float:
        return backoff_s(attempt, retry_after_s, chance) / FASTER

    with patch.object(client, "backoff_s", wait_s):
        yield
