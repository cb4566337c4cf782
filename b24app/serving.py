"""The processes of the app: the web server with or without background work, and a worker by itself."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

from gunicorn.app.base import BaseApplication

from b24app import create_app, logs
from b24app.bootstrap import Parts, build
from b24app.config import Settings
from b24app.portals import registry

log = logging.getLogger("b24app")

THREADS = 16
STOP_S = 20
"""Requests under way at a stop get this long to end."""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings. The app is built in each worker process, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts: Parts | None = None
        super().__init__()

    def load_config(self) -> None:
        """One process with threads, unless Redis lets several share the budget of a portal."""
        processes = int(os.environ.get("WEB_CONCURRENCY", "1")) if self._settings.redis_url else 1
        options: dict[str, Any] = {
            "bind": self._settings.bind,
            "workers": max(1, processes),
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": STOP_S,
            "accesslog": None,  # addresses of the way back from an authorization hold a code
            "loglevel": "warning",
            "worker_exit": self._stop,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The web application of this worker process."""
        logs.configure(self._settings.var_dir)
        self._parts = build(self._settings)
        if self._settings.redis_url is None:
            begin(self._parts)
        log.info("serving on http://%s", self._settings.bind)
        return create_app(self._parts)

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._parts is not None:
            self._parts.jobs.stop()
            self._parts.close()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    Server(settings).run()


def work(parts: Parts) -> None:
    """Do background work until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    begin(parts)
    log.info("working")
    stopped.wait()
    parts.jobs.stop()
    parts.close()


def begin(parts: Parts) -> None:
    """Start the background work of this process; what an earlier one left undone comes first."""
    parts.soon.submit(registry.purge_marked, parts.engine)
    parts.jobs.start(parts)
