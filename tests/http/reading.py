"""A portal of the emulator, stored as an installed one, and clients that read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, insert, select

from b24app.crypto import Vault
from b24app.oauth.server import AuthServer
from b24app.oauth.tokens import StoredTokens, save
from b24app.rest.budget import Budget, Budgets, MemoryLoads
from b24app.rest.client import PortalClient
from b24app.rest.transport import Transport
from b24app.tables import portals, tokens
from emulator.server import Emulator
from emulator.world import Portal

ADMIN = 1
VAULT = Vault(["a key of the tests"])


@dataclass(frozen=True)
class Credentials:
    """What the authorization client needs of the settings."""

    client_id: str
    client_secret: str
    oauth_urls: tuple[str, ...]


class Clock:
    """Time for both sides: sleeping moves the portal's clock instead of waiting."""

    def __init__(self, emulator: Emulator) -> None:
        self._portal = emulator.clock
        self.slept: list[float] = []

    def now(self) -> float:
        return self._portal.time()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._portal.advance(seconds)


@dataclass
class Reading:
    """One emulated portal and everything that reads it, with one clock for all."""

    emulator: Emulator
    portal: Portal
    engine: Engine
    portal_id: int = 1
    transport: Transport = field(default_factory=lambda: Transport(allow_private=True))

    def __post_init__(self) -> None:
        self.clock = Clock(self.emulator)
        urls = (self.emulator.auth_url, "https://oauth.example")
        self.auth = AuthServer(
            Credentials(self.emulator.client_id, self.emulator.client_secret, urls), clock=self.clock.now
        )
        self.budgets = Budgets(MemoryLoads(self.clock.now))
        self.emulator.install(self.portal)
        with self.engine.begin() as conn:
            conn.execute(
                insert(portals).values(
                    portal_id=self.portal_id,
                    member_id=self.portal.member_id,
                    domain=self.portal.domain,
                    endpoint=f"http://{self.portal.domain}/rest/",
                    auth_server=self.emulator.auth_url,
                    state="active",
                    installed_at=0,
                )
            )
        self.store(ADMIN)

    def store(self, user_id: int, *, lives_s: int = 3600) -> dict[str, Any]:
        """Store a new pair of tokens of the user; `lives_s` is what we believe of its life."""
        pair = self.emulator.issue_token(self.portal, user_id)
        with self.engine.begin() as conn:
            save(
                conn,
                VAULT,
                self.portal_id,
                user_id,
                access=pair["access_token"],
                refresh=pair["refresh_token"],
                expires_at=int(self.clock.now()) + lives_s,
            )
        return pair

    def tokens(self, user_id: int = ADMIN, **arguments: Any) -> StoredTokens:
        return StoredTokens(
            self.engine,
            VAULT,
            self.auth,
            self.portal_id,
            user_id,
            allow_private=True,
            clock=self.clock.now,
            **arguments,
        )

    def client(self, user_id: int = ADMIN, *, budget: Budget | None = None, **arguments: Any) -> PortalClient:
        return PortalClient(
            tokens=self.tokens(user_id),
            budget=budget or self.budgets.for_portal(self.portal_id),
            transport=self.transport,
            label="portal-1",
            clock=self.clock.now,
            sleep=self.clock.sleep,
            chance=lambda: 0.0,
            **arguments,
        )

    def token_row(self, user_id: int = ADMIN) -> Any:
        with self.engine.connect() as conn:
            return conn.execute(select(tokens).where(tokens.c.user_id == user_id)).one()

    def portal_row(self) -> Any:
        with self.engine.connect() as conn:
            return conn.execute(select(portals).where(portals.c.portal_id == self.portal_id)).one()

    def requests_of(self, method: str) -> int:
        return sum(1 for name, _params in self.emulator.calls(self.portal) if name == method)


def eventually(is_so: Callable[[], bool], *, within_s: float = 5.0) -> bool:
    """Whether it becomes so in time."""
    deadline = time.monotonic() + within_s
    while not (reached := is_so()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return reached
