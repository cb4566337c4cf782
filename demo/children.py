"""The two servers as child processes: started, awaited, and never left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import requests

ROOT = Path(__file__).resolve().parent.parent
START_S = 90
STOP_S = 10


class Children:
    """Child processes that end with the block, whatever happens inside."""

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for _, process in reversed(self._running):
            process.terminate()
        for _, process in reversed(self._running):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(
        self, module: str, *arguments: str, environ: Mapping[str, str] | None = None, name: str = ""
    ) -> int:
        """Run `python -m module` with its output in a log file (`name`, else the module's), in a process
        group of its own: Ctrl-C reaches this process alone, which then stops the children in order.
        Returns the process id."""
        with (self.log_dir / f"{name or module}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  fixed module names
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**os.environ, **(environ or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._running.append((name or module, process))
        return process.pid

    def wait_for(self, url: str) -> None:
        """Until the address answers. Raises: RuntimeError with the log's end if a child died or is silent."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            self.check()
            try:
                requests.get(url, timeout=5, allow_redirects=False)
            except (requests.ConnectionError, requests.Timeout):  # not yet, or a busy machine
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"{url} does not answer; the logs are in {self.log_dir}")

    def check(self) -> None:
        """Raises: RuntimeError if a child has ended."""
        for module, process in self._running:
            if process.poll() is not None:
                end = (self.log_dir / f"{module}.log").read_text("utf-8", "replace").splitlines()[-12:]
                raise RuntimeError("\n".join([f"{module} ended with status {process.returncode}:", *end]))


def free_port(wanted: int) -> int:
    """The wanted port of loopback if nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no free port on loopback")
