"""What holds for every test in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from b24app.rest import client
from b24app.rest.client import backoff_s

pytest.register_assert_rewrite("tests.http.syncing")  # so that a failed check says what differs

FASTER = 25


@pytest.fixture(autouse=True)
def _soon_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tries follow each other faster than outside; not where a clock of the test's own tells how long they
    wait."""

    def wait_s(attempt: int, retry_after_s: float, chance: float) -> float:
        return backoff_s(attempt, retry_after_s, chance) / FASTER

    # Not the test's own `monkeypatch`: what a test patches is to be undone before its other fixtures end.
    with pytest.MonkeyPatch.context() as patch:
        if "reading" not in request.fixturenames:
            patch.setattr(client, "backoff_s", wait_s)
        yield
