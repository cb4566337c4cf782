"""Worker processes that die without a chance to tidy up: when the test says so, or at a point of their work.

They are forked from a server that has imported everything already: a new one takes moments.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, update

from b24app import bootstrap, create_app, tables
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.rest.transport import Transport
from b24app.sync import claims, first_read, reconcile, refresh, snapshot

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])

WORKS: dict[str, Callable[[Parts, Any], object]] = {
    "first_read": lambda parts, _: first_read.run(parts, 1),
    "refresh": lambda parts, _: refresh.run(parts, 1),
    "reconcile": lambda parts, _: reconcile.run(parts, 1),
    "snapshot": lambda parts, _: snapshot.run(parts, 1, time.time()),
    "refreshing": lambda parts, _: _keep_checking(parts),
    "jobs": lambda parts, _: _work(parts),
    "event": lambda parts, body: _receive(parts, body),
}
"""What a process does with the parts of the app and with what it was given."""


class Victim:
    """A process that does one of `WORKS`. `point`: it kills itself at so many-th commit or request, before it
    or after it; `lease_s`: when its claims run out; `given`: what it works on."""

    def __init__(
        self,
        settings: Settings,
        work: str,
        *,
        point: int | None = None,
        lease_s: float | None = None,
        given: Any = None,
    ) -> None:
        begun = _FORKS.Event()
        arguments = (settings, work, point, lease_s, given, begun)
        self._process = _FORKS.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        assert begun.wait(30)

    def kill(self) -> None:
        """It is gone at once."""
        self._process.kill()
        self._process.join()

    def is_finished(self) -> bool:
        """Waits for its end; whether it came to the end of its work alive."""
        self._process.join(60)
        assert self._process.exitcode in (0, -signal.SIGKILL), self._process.exitcode
        return self._process.exitcode == 0


def let_claims_run_out(engine: Engine) -> None:
    """As if the lease of whoever was killed were over."""
    with engine.begin() as conn:
        conn.execute(update(tables.sync_sources).values(claimed_at=None))
        conn.execute(update(tables.portals).values(checking_since=None))


def shorten_leases(lease_s: float) -> None:
    """Let claims of dead processes run out soon, in this process."""
    claims.LEASE_S, claims.BEAT_S = lease_s, lease_s / 5


def _run(
    settings: Settings, work: str, point: int | None, lease_s: float | None, given: Any, begun: Any
) -> None:
    parts = bootstrap.build(settings)
    if lease_s is not None:
        shorten_leases(lease_s)
    if point is not None:
        _die_at(point, parts)
    begun.set()
    WORKS[work](parts, given)


def _die_at(point: int, parts: Parts) -> None:
    lock, left = threading.Lock(), itertools.count(point - 1, -1)

    def pass_by() -> None:
        with lock:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

    def around(work: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **kwargs: Any) -> Any:
            pass_by()
            outcome = work(*args, **kwargs)
            pass_by()
            return outcome

        return do

    dialect: Any = parts.engine.dialect
    dialect.do_commit = around(dialect.do_commit)
    Transport.post_json = around(Transport.post_json)  # type: ignore[method-assign]


def _keep_checking(parts: Parts) -> None:
    while True:
        refresh.run(parts, 1)
        time.sleep(0.02)


def _receive(parts: Parts, body: dict[str, str]) -> None:
    """An event comes in and is worked on to the end."""
    assert create_app(parts).test_client().post("/events", data=body).status_code == 200
    assert parts.soon.settle(30)


def _work(parts: Parts) -> None:
    parts.jobs.start(parts)
    threading.Event().wait()
