"""The processes of the app: the web server with or without background work, and a worker by itself."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from b24app import create_app, logs, meters
from b24app.bootstrap import Parts, build
from b24app.config import Settings
from b24app.portals import registry

log = logging.getLogger("b24app")

THREADS = 8
KEPT_OPEN_S = 75
CONNECTIONS = 4_000
"""Open connections of one process; idle ones cost no thread."""

STOP_S = 20
"""Requests under way at a stop get this long to end."""

GIVE_WAY = 10
"""Niceness of a worker: on a machine that has more to do than it can, people who look go before reading. The
worker still gets a tenth of a core, and all that the web leaves."""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings. The app is built in each worker process, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts: Parts | None = None
        super().__init__()

    def load_config(self) -> None:
        """One process with threads, unless Redis lets several share the budget of a portal."""
        processes = max(1, int(os.environ.get("WEB_CONCURRENCY", "1")) if self._settings.redis_url else 1)
        if processes > 1:
            _share_meters(self._settings)
        options: dict[str, Any] = {
            "bind": self._settings.bind,
            "workers": processes,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": STOP_S,
            # An open page asks every few seconds, a proxy keeps its connections for a minute: neither shall
            # meet one that is just being closed.
            "keepalive": KEPT_OPEN_S,
            "worker_connections": CONNECTIONS,
            "accesslog": None,  # addresses of the way back from an authorization hold a code
            "loglevel": "warning",
            "worker_exit": self._stop,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The web application of this worker process."""
        logs.configure(self._settings.var_dir, self._settings.log_format)
        self._parts = build(self._settings)
        if self._settings.redis_url is None:
            begin(self._parts)
        log.info("serving on http://%s", self._settings.bind)
        app = create_app(self._parts)
        settle()
        return app

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._parts is not None:
            self._parts.jobs.stop()
            self._parts.close()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    Server(settings).run()


def work(settings: Settings) -> None:
    """Do background work until SIGTERM or SIGINT."""
    give_way()
    parts = build(settings)
    if settings.metrics_bind is not None:
        _expose_meters(settings.metrics_bind)
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    begin(parts)
    settle()
    log.info("working")
    stopped.wait()
    parts.jobs.stop()
    parts.close()


def give_way() -> None:
    """Let other processes of the machine go first.

    Where Linux schedules by session (autogroup, see sched(7)), niceness counts only within one, and each
    session has its own: that is set where the process leads it. Containers and services have weights
    instead: docs/scaling.md.
    """
    os.nice(max(0, GIVE_WAY - os.nice(0)))
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(GIVE_WAY), "ascii")


def settle() -> None:
    """Leaves what a process was built of out of garbage collections.

    Code, tables and texts stay for ever; going through them stops all requests for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _share_meters(settings: Settings) -> None:
    """Let the web processes count into files side by side, so that `/metrics` of any of them tells for all.

    The files of an earlier run go: what it counted is no longer told.
    """
    folder = settings.var_dir / f"metrics-{settings.bind.rpartition(':')[2]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[meters.FOLDER] = str(folder)


def _expose_meters(bind: str) -> None:
    """Answer Prometheus in a thread of this process, which has no web server of its own."""
    from prometheus_client import start_http_server

    host, _, port = bind.rpartition(":")
    start_http_server(int(port), host.strip("[]"), meters.exposed())
    log.info("metrics on http://%s/metrics", bind)


def begin(parts: Parts) -> None:
    """Start the background work of this process; what an earlier one left undone comes first."""
    parts.soon.submit(registry.purge_marked, parts.engine)
    parts.jobs.start(parts)
