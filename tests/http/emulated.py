"""Asking an emulated portal over its socket, the way any client does."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from emulator import params
from emulator.server import Emulator
from emulator.world import Portal


@dataclass
class Asker:
    """One user of a portal with an access token; JSON POST unless said otherwise."""

    emulator: Emulator
    portal: Portal
    token: str

    def post(self, method: str, **fields: Any) -> requests.Response:
        return requests.post(self.url(method), json={"auth": self.token, **fields}, timeout=60)

    def url(self, method: str) -> str:
        return f"http://{self.portal.domain}/rest/{method}"

    def answer(self, method: str, **fields: Any) -> dict[str, Any]:
        """The whole body of a success."""
        response = self.post(method, **fields)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        assert "error" not in body, body
        return body

    def result(self, method: str, **fields: Any) -> Any:
        return self.answer(method, **fields)["result"]

    def refusal(self, method: str, **fields: Any) -> tuple[int, str]:
        """Status and code of an error."""
        response = self.post(method, **fields)
        body = response.json()
        assert "time" not in body
        return response.status_code, body["error"]

    def batch(self, commands: Any, halt: Any = 0) -> dict[str, Any]:
        """`result` of a batch; commands are (method, params) or ready texts."""
        cmd = commands
        if isinstance(commands, dict):
            cmd = {
                name: one if isinstance(one, str) else f"{one[0]}?{params.encode(one[1])}"
                for name, one in commands.items()
            }
        body: dict[str, Any] = self.result("batch", cmd=cmd, halt=halt)
        return body


def asker(emulator: Emulator, portal: Portal, user_id: int = 1) -> Asker:
    return Asker(emulator, portal, emulator.issue_token(portal, user_id)["access_token"])


@dataclass
class Inbox:
    """What an app's handler received: the forms of the POSTs, parsed."""

    url: str
    forms: list[dict[str, Any]]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A small app that collects what is posted to it."""
    forms: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            forms.append(params.parse(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Inbox(f"http://127.0.0.1:{server.server_address[1]}/events", forms)
    finally:
        server.shutdown()
        server.server_close()
