"""The HTTP sockets of the emulator: one small threaded server for each address. Does I/O."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from emulator import params

HANG_S = 3600.0
POLL_S = 5.0
"""How often an idle server wakes up: there may be a thousand of them."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""
    client: str = "127.0.0.1"

    @property
    def args(self) -> dict[str, Any]:
        return params.parse(self.query)

    @property
    def form(self) -> dict[str, Any]:
        return params.parse(self.body.decode("utf-8", "replace"))

    @property
    def cookies(self) -> dict[str, str]:
        jar = SimpleCookie(self.headers.get("cookie", ""))
        return {name: morsel.value for name, morsel in jar.items()}


@dataclass
class Response:
    """`damage` breaks the reply on its way: `close` sends nothing, `half_body` stops in the middle,
    `hang` sends nothing for `hang_s` and closes, `half_hang` sends half and then nothing."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    damage: str | None = None
    hang_s: float = HANG_S


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def html_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


Answer = Callable[[Request], Response]


class HttpServer:
    """Answers HTTP/1.1 with keep-alive on one loopback address, from its making until `close`."""

    def __init__(self, answer: Answer, port: int = 0, host: str = "127.0.0.1") -> None:
        self._server = _Server((host, port), answer)
        self.port: int = self._server.server_address[1]
        self._host = host
        self.address = f"{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and drop every open connection, as a machine that goes away."""
        self._server.stopping.set()
        stopping = threading.Thread(target=self._server.shutdown, daemon=True)
        stopping.start()
        while stopping.is_alive():  # a visitor wakes the server up, so that it sees that it is to stop
            with suppress(OSError), socket.create_connection((self._host, self.port), 1):
                stopping.join(0.01)
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def drop_connections(self) -> None:
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self.connection)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            client=self.client_address[0],
        )
        try:
            response = self.server.answer(request)
        except Exception:
            # a portal answers its own faults; whoever works on the emulator needs to see them
            traceback.print_exc(file=sys.stderr)
            error = {"error": "INTERNAL_SERVER_ERROR", "error_description": "Internal server error"}
            response = json_response(error, 500)
        self._send(response)

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = _serve

    def _send(self, response: Response) -> None:
        if response.damage in {"close", "hang"}:
            if response.damage == "hang":
                self.server.stopping.wait(response.hang_s)
            self.close_connection = True
            _hang_up(self.connection)
            return
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string(int(time.time())))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if response.damage in {"half_body", "half_hang"}:
            self.wfile.write(response.body[: len(response.body) // 2])
            self.wfile.flush()
            if response.damage == "half_hang":
                self.server.stopping.wait(response.hang_s)
            self.close_connection = True
            _hang_up(self.connection)
            return
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the emulator keeps its own log of calls."""


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
