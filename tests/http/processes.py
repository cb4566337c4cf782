"""The app as an operator runs it: processes with their settings in the environment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import requests

from tests.databases import TABLE_PARTS

COMMAND = (sys.executable, "-m", "b24app")


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, url: str, auth_url: str, database_url: str, **more: str) -> dict[str, str]:
    """Everything that the app reads from its environment, and nothing else."""
    is_postgresql = database_url.startswith("postgresql")
    return {
        "PATH": os.environ["PATH"],
        "B24APP_VAR_DIR": str(folder),
        "B24APP_CLIENT_ID": "local.demo",
        "B24APP_CLIENT_SECRET": "secret",
        "B24APP_OAUTH_URL": auth_url,
        "B24APP_DATABASE_URL": database_url,
        "B24APP_DATABASE_PARTITIONS": str(TABLE_PARTS if is_postgresql else 0),
        "B24APP_BIND": url.removeprefix("http://"),
        "B24APP_PUBLIC_URL": url,
        "B24APP_ALLOW_PRIVATE_PORTALS": "1",
        **more,
    }


@contextmanager
def process(
    command: str, env: dict[str, str], *, stderr: int | IO[bytes] = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """A running command of the app, stopped by SIGTERM at the end of the block."""
    running = subprocess.Popen([*COMMAND, command], env=env, stderr=stderr)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def answers(url: str) -> bool:
    """Whether the address says 200."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except (requests.ConnectionError, requests.Timeout):  # a machine under load is slow, not wrong
        return False
