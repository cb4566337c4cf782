"""Builds the app's parts and hands them over: the one place where they meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from b24app.config import Settings
from b24app.crypto import Signer, Vault
from b24app.db import open_engine

if TYPE_CHECKING:
    from b24app.jobs.queue import Jobs
    from b24app.oauth.server import AuthServer
    from b24app.rest.budget import Budgets
    from b24app.rest.client import PortalClient
    from b24app.rest.transport import Transport


@dataclass(frozen=True)
class Parts:
    """Everything that handlers and jobs are given. `jobs` is None where nothing runs in the background."""

    settings: Settings
    engine: Engine
    vault: Vault
    auth: AuthServer
    budgets: Budgets
    transport: Transport
    jobs: Jobs | None = None

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret_keys)

    def client(self, portal_id: int, user_id: int | None = None, *, background: bool = True) -> PortalClient:
        """A client with the token of the user; None: of the portal's reader. `background` waits politely."""
        from b24app.oauth.tokens import StoredTokens
        from b24app.rest.client import PortalClient

        return PortalClient(
            tokens=StoredTokens(
                self.engine,
                self.vault,
                self.auth,
                portal_id,
                user_id,
                allow_private=self.settings.allow_private_portals,
            ),
            budget=self.budgets.for_portal(portal_id),
            transport=self.transport,
            background=background,
            label=f"{portal_id}",
        )


def build(settings: Settings) -> Parts:
    """The parts as the settings ask for. Opens the database; starts no thread."""
    from b24app.oauth.server import AuthServer
    from b24app.rest.budget import open_budgets
    from b24app.rest.transport import Transport

    transport = Transport(allow_private=settings.allow_private_portals)
    return Parts(
        settings=settings,
        engine=open_engine(settings.database_url),
        vault=Vault(settings.secret_keys),
        auth=AuthServer(settings),
        budgets=open_budgets(settings.redis_url),
        transport=transport,
    )
