"""HTTP towards portals: pooled connections, a limit on everything, no redirects, no private addresses.

The only user of `requests` for portals. It performs one exchange and knows nothing of REST.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ReadTimeoutError

from b24app.rest.addresses import is_private_ip
from b24app.rest.errors import AddressRefused, GarbageAnswer, TimedOut, Unreachable

USER_AGENT = "b24app/0.1 (Bitrix24 KPI)"
CONNECT_TIMEOUT_S = 5.0
HOSTS = 256
"""Portals whose connections are kept open: a new one costs more than the rest of a request."""

CONNECTIONS = 32
"""Of these to each host."""

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
BODY_LIMIT = 64 * 1024 * 1024
"""A batch of 50 full pages stays far below; whatever is larger is not meant well."""

# urllib3 writes whole URLs at DEBUG, and those of the authorization server carry secrets.
logging.getLogger("urllib3").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float


class Transport:
    """Exchanges with any number of hosts; safe to share between threads."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
    ) -> None:
        self.allow_private = allow_private
        self._session = open_session(allow_private=allow_private)

    def post_json(self, url: str, body: Mapping[str, Any], *, timeout_s: float) -> Answer:
        """The answer to a JSON POST, whole, within `timeout_s` seconds.

        Raises:
            Unreachable: no answer, or not all of it. `was_run` is False if nothing was sent.
            GarbageAnswer: an answer too large to be meant.
            AddressRefused: the host's name leads to a private address.
        """
        data = json.dumps(body, default=_plain, ensure_ascii=False, allow_nan=False).encode()
        return exchange(
            self._session,
            "POST",
            url,
            data=data,
            headers={"Content-Type": "application/json; charset=utf-8"},
            timeout_s=timeout_s,
        )

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def open_session(*, allow_private: bool, hosts: int = HOSTS) -> requests.Session:
    """A pooled session that never reads .netrc or proxy variables and connects where it may only.

    Certificates are always verified; an authority of one's own is named by the usual variables.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = next((path for name in CA_VARIABLES if (path := os.environ.get(name))), True)
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept"] = "application/json"
    adapter_type = HTTPAdapter if allow_private else PublicAdapter
    adapter = adapter_type(pool_connections=hosts, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(session: requests.Session, verb: str, url: str, *, timeout_s: float, **arguments: Any) -> Answer:
    """One HTTP exchange. Its errors never quote the URL: it may hold a token.

    The session lends its headers and connections only: no answer leaves a cookie in it or is followed.

    Raises: as `Transport.post_json`.
    """
    started = time.monotonic()
    timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
    try:
        headers = {**session.headers, **arguments.pop("headers", {})}
        request = requests.Request(verb, url, headers=headers, **arguments).prepare()
        adapter = session.get_adapter(url)
        with adapter.send(request, stream=True, timeout=timeout, verify=session.verify or True) as response:
            body = _read(response, started + timeout_s)
            told = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, told, body, time.monotonic() - started)
    except (requests.RequestException, OSError, ValueError) as error:
        failure = unreachable(error, urlsplit(url).hostname or "")
    raise failure


def unreachable(error: BaseException, host: str) -> Unreachable | AddressRefused:
    """The typed error for what `requests` raised, without its text."""
    for cause in _causes(error):
        if isinstance(cause, _PrivateAddressError):
            return AddressRefused("address_refused", f"{host} leads to a private address")
    not_sent = isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL) or any(
        type(cause).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
        for cause in _causes(error)
    )
    late = (requests.Timeout, ReadTimeoutError, TimeoutError)
    is_late = any(isinstance(cause, late) for cause in _causes(error))
    kind = TimedOut if is_late else Unreachable
    return kind("unreachable", f"{host}: {type(error).__name__}", was_run=not not_sent, retry_after_s=1.0)


class _PrivateAddressError(OSError):
    """An OSError, because that is what urllib3 expects of a connection that fails."""


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _public_only(self, super()._new_conn)


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _public_only(self, super()._new_conn)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class PublicAdapter(HTTPAdapter):
    """Connects to public addresses only, whatever a host's name resolves to at that moment."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}


def _public_only(connection: HTTPConnection, connect: Any) -> socket.socket:
    # Before: not even a SYN goes to a private address. After: the name may have changed in between.
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except OSError:
        found = []  # the connection itself reports it
    if any(is_private_ip(str(address[4][0])) for address in found):
        raise _PrivateAddressError
    sock: socket.socket = connect()
    if is_private_ip(str(sock.getpeername()[0])):
        sock.close()
        raise _PrivateAddressError
    return sock


def _read(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > BODY_LIMIT:
            raise GarbageAnswer("too_large", "an answer beyond any page", status=response.status_code)
        if time.monotonic() > deadline:  # the socket's own timeout starts anew with every byte
            raise TimedOut("unreachable", "the answer comes too slowly")
    return bytes(body)


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        cause = todo.pop()
        if isinstance(cause, BaseException) and cause not in chain:
            chain.append(cause)
            todo += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return chain


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to a portal")
