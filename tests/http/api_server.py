"""The app on a loopback socket over a given database, for tests that need no portal to answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, insert
from werkzeug.serving import make_server

from b24app import bootstrap, create_app
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.sync.state import SOURCES
from b24app.tables import (
    currencies,
    departments,
    memberships,
    pipelines,
    portals,
    stages,
    sync_sources,
    users,
)
from b24app.viewer import Viewer
from b24app.web import session
from tests.cast import ORG

PORTAL, MEMBER = 1, "a" * 32
NEIGHBOUR, NEIGHBOUR_MEMBER = 2, "b" * 32
PATIENCE_S = 120
"""For an answer; generous, because a busy machine says nothing about the code."""

NOW = 1_795_428_902  # 2026-11-23 10:15:02 UTC


@dataclass(frozen=True)
class Api:
    """The running app and whom to ask it as."""

    url: str
    parts: Parts
    flask: Any

    def token(
        self, user_id: int | None, *, is_admin: bool = False, portal: int = PORTAL, lang: str = "en"
    ) -> str:
        """A session token as the frame of this person carries it."""
        member = MEMBER if portal == PORTAL else NEIGHBOUR_MEMBER
        with self.flask.app_context():
            return session.issue(Viewer(portal, member, user_id, is_admin, lang=lang))

    def call(
        self, method: str, path: str, user_id: int | None = None, *, is_admin: bool = False, **options: Any
    ) -> requests.Response:
        """One request over the socket, as the person."""
        headers = {"Authorization": f"Bearer {self.token(user_id, is_admin=is_admin)}"}
        headers.update(options.pop("headers", {}))
        return requests.request(method, self.url + path, headers=headers, timeout=PATIENCE_S, **options)

    def get(
        self, path: str, user_id: int | None, *, is_admin: bool = False, **options: Any
    ) -> requests.Response:
        return self.call("GET", path, user_id, is_admin=is_admin, **options)


@contextmanager
def serving(database_url: str, var_dir: Path, **settings: Any) -> Iterator[Api]:
    """The app with its own settings, on a free port, until the block ends."""
    parts = bootstrap.build(
        Settings(
            client_id="local.test",
            client_secret="secret",
            oauth_urls=settings.pop("oauth_urls", ("http://127.0.0.1:9",)),
            database_url=database_url,
            secret_keys=("key of the tests",),
            var_dir=var_dir,
            allow_private_portals=True,
            **settings,
        )
    )
    app = create_app(parts)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Api(f"http://127.0.0.1:{server.server_port}", parts, app)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        parts.engine.dispose()


def fill(engine: Engine) -> None:
    """The small company of `tests.cast` with rubles and dollars, and an empty portal next door."""
    with engine.begin() as conn:
        for portal_id, member in ((PORTAL, MEMBER), (NEIGHBOUR, NEIGHBOUR_MEMBER)):
            conn.execute(
                insert(portals).values(
                    portal_id=portal_id,
                    member_id=member,
                    domain=f"p{portal_id}.example",
                    endpoint=f"https://p{portal_id}.example/rest/",
                    auth_server="http://127.0.0.1:9",
                    state="active",
                    scopes="crm,user",
                    lang="en",
                    timezone="Europe/Moscow",
                    uses_leads=True,
                    installed_at=NOW,
                    settings={},
                    checked_at=NOW,
                )
            )
            conn.execute(
                insert(sync_sources),
                [
                    {
                        "portal_id": portal_id,
                        "source": source,
                        "state": "ready",
                        "progress": 1.0,
                        "read_at": NOW,
                    }
                    for source in SOURCES
                ],
            )
        conn.execute(
            insert(users),
            [
                {
                    "portal_id": PORTAL,
                    "user_id": user.id,
                    "name": user.name,
                    "is_active": user.is_active,
                    "is_employee": user.is_employee,
                }
                for user in ORG.users.values()
            ],
        )
        conn.execute(
            insert(memberships),
            [
                {"portal_id": PORTAL, "user_id": user.id, "department_id": number}
                for user in ORG.users.values()
                for number in user.department_ids
            ],
        )
        conn.execute(
            insert(departments),
            [
                {
                    "portal_id": PORTAL,
                    "department_id": department.id,
                    "name": department.name,
                    "parent_id": department.parent_id,
                    "head_id": department.head_id,
                }
                for department in ORG.departments.values()
            ],
        )
        conn.execute(
            insert(currencies),
            [
                {"portal_id": PORTAL, "code": "RUB", "amount": "1", "amount_cnt": 1, "is_base": True},
                {"portal_id": PORTAL, "code": "USD", "amount": "80", "amount_cnt": 1, "is_base": False},
            ],
        )
        conn.execute(
            insert(pipelines),
            [
                {"portal_id": PORTAL, "entity_type_id": 2, "category_id": 0, "name": "Sales"},
                {"portal_id": PORTAL, "entity_type_id": 2, "category_id": 4, "name": "Service"},
            ],
        )
        conn.execute(
            insert(stages),
            [
                {
                    "portal_id": PORTAL,
                    "entity_type_id": 2,
                    "category_id": 0,
                    "stage_id": stage_id,
                    "name": stage_id.title(),
                    "sort": sort,
                    "semantics": semantics,
                }
                for stage_id, sort, semantics in (
                    ("NEW", 10, "P"),
                    ("OFFER", 20, "P"),
                    ("WON", 30, "S"),
                    ("LOSE", 40, "F"),
                )
            ],
        )
