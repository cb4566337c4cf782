"""An emulated authorization server with portals, and the app beside it, all on loopback sockets."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Row, select
from werkzeug.serving import make_server

from b24app import bootstrap, create_app
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.rest.budget import Budgets
from b24app.tables import metadata, portals
from emulator.server import Emulator
from emulator.world import Portal

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Live:
    """The app, the emulator, and the browser that stands between them."""

    url: str
    parts: Parts
    emulator: Emulator

    def open(
        self,
        portal: Portal,
        user_id: int,
        placement: str = "DEFAULT",
        options: Any = None,
        **changes: str | None,
    ) -> requests.Response:
        """What the portal's page posts into a frame; `changes` forge fields, None leaves one out."""
        return self._post("/", portal, user_id, placement, options, changes)

    def install(self, portal: Portal, user_id: int = 1, **changes: str | None) -> requests.Response:
        """The installation frame of an admin."""
        return self._post("/install", portal, user_id, "DEFAULT", None, changes)

    def event(self, portal: Portal, name: str, **fields: str) -> requests.Response:
        """An event as the queue delivers it: see `event_body`."""
        return requests.post(f"{self.url}/events", data=self.event_body(portal, name, **fields), timeout=120)

    def event_body(self, portal: Portal, name: str, **fields: str) -> dict[str, str]:
        """What an event says; the keys of `fields` are those inside `auth` or `data_…`."""
        app = self.emulator.app(portal)
        body = {
            "event": name,
            "event_handler_id": "1",
            "ts": "1714649632",
            "auth[domain]": portal.domain,
            "auth[member_id]": portal.member_id,
            "auth[application_token]": app.application_token,
            "auth[server_endpoint]": f"{self.emulator.auth_url}/rest/",
            "auth[client_endpoint]": f"http://{portal.domain}/rest/",
        }
        for key, value in fields.items():
            head, _, rest = key.partition("_")
            body[f"data[{rest}]" if head == "data" else f"auth[{key}]"] = value
        return {key: value for key, value in body.items() if value != ""}

    def row(self, portal: Portal) -> Row[Any] | None:
        """What is stored of the portal."""
        with self.parts.engine.connect() as conn:
            return conn.execute(select(portals).where(portals.c.member_id == portal.member_id)).first()

    def rows_of(self, portal_id: int) -> int:
        """How many rows all tables hold of the portal."""
        with self.parts.engine.connect() as conn:
            return sum(
                len(conn.execute(select(table).where(table.c.portal_id == portal_id)).all())
                for table in metadata.sorted_tables
            )

    def bound(self, portal: Portal) -> tuple[list[str], list[str]]:
        """Codes of the placements and names of the events that the app has bound on the portal."""
        app = self.emulator.app(portal)
        return (
            sorted(place.code for place in app.placements),
            sorted(handler.event for handler in app.handlers),
        )

    def settle(self, portal: Portal) -> None:
        """Let events arrive and their work be done."""
        self.emulator.events(portal).settle()
        assert self.parts.soon.settle(PATIENCE_S)

    def _post(
        self,
        path: str,
        portal: Portal,
        user_id: int,
        placement: str,
        options: Any,
        changes: dict[str, str | None],
    ) -> requests.Response:
        query, form = self.emulator.frame_post(portal, user_id, placement, options)
        for name, value in changes.items():
            place = query if name in query else form
            if value is None:
                place.pop(name, None)
            else:
                place[name] = value
        return requests.post(self.url + path, params=query, data=form, timeout=120, allow_redirects=False)


def boot(page: requests.Response) -> dict[str, Any]:
    """The JSON that a page carries for its scripts."""
    found = re.search(r'<script type="application/json" id="b24app-boot">(.*?)</script>', page.text, re.S)
    assert found, page.text[:500]
    value: dict[str, Any] = json.loads(found[1])
    return value


def token(page: requests.Response) -> str:
    """The session token that a page carries."""
    found = re.search(r'<meta name="b24app-session" content="([^"]+)">', page.text)
    assert found, page.text[:500]
    return found[1]


def eventually(what: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.02)
    return what()


@contextmanager
def living(
    database_url: str, var_dir: Path, *, budgets: Budgets | None = None, **settings: Any
) -> Iterator[Live]:
    """Everything started, until the block ends."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with Emulator(app_url=url) as emulator:
        chosen: dict[str, Any] = {
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "oauth_urls": (emulator.auth_url,),
            "database_url": database_url,
            "secret_keys": ("key of the tests",),
            "var_dir": var_dir,
            "public_url": url,
            "allow_private_portals": True,
        }
        parts = bootstrap.build(Settings(**{**chosen, **settings}))
        if budgets is not None:
            parts = replace(parts, budgets=budgets)
        server = make_server("127.0.0.1", port, create_app(parts), threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield Live(url, parts, emulator)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            parts.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
