"""A portal that the app has installed and read, however large: the ground for other measurements."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks.app import environment
from benchmarks.portal import ADMIN, CLIENT_ID, EmulatorProcess, Portal
from benchmarks.report import say
from demo.children import Children, free_port
from demo.frames import Visitor, install
from emulator.large import Large

READ_CAP_S = 3600.0


@dataclass(frozen=True)
class ReadPortal:
    """The running app beside the portal it has read. `pid`: of `b24app serve`."""

    children: Children
    app_url: str
    pid: int
    portal: Portal
    large: Large


@contextmanager
def read_portal(folder: Path, deals: int) -> Iterator[ReadPortal]:
    """The app over SQLite with a portal of so many deals read to the end, until the block ends.

    While it is read the portal has no limits: that is measured elsewhere.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    with Children(folder) as children:
        app_url = f"http://127.0.0.1:{free_port(0)}"
        emulator = EmulatorProcess(children, app_url)
        emulator.first.fill(deals, now)
        pid = children.start("b24app", "serve", environ=environment(folder, app_url, emulator.auth_url))
        children.wait_for(f"{app_url}/healthz")
        wait_until_read(children, emulator.first, app_url)
        yield ReadPortal(children, app_url, pid, emulator.first, Large(deals, now))


def wait_until_read(children: Children, portal: Portal, app_url: str) -> None:
    """Install the app through its frame and wait until all is read. Raises: RuntimeError after an hour."""
    admin = Visitor(portal.url, app_url, CLIENT_ID, ADMIN)
    frame = install(admin, lambda _: None)
    started = said = time.monotonic()
    while True:
        children.check()
        try:
            state = admin.ask(frame, "/api/v1/sync")
        except requests.Timeout:
            continue  # a busy machine
        if state["complete"]:
            say(f"the portal is read after {time.monotonic() - started:.0f} s")
            return
        if time.monotonic() - started > READ_CAP_S:
            raise RuntimeError(f"the portal was not read within {READ_CAP_S:.0f} s: {state}")
        if time.monotonic() - said > 60:
            said = time.monotonic()
            say(f"reading the portal: {state['progress']:.0%}")
        time.sleep(0.5)
