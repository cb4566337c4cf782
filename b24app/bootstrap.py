"""Builds the app's parts and hands them over: the one place where they meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine

from b24app.config import Settings
from b24app.crypto import Signer, Vault
from b24app.db import open_engine, reading
from b24app.jobs.queue import Jobs
from b24app.oauth import tokens
from b24app.oauth.server import AuthServer
from b24app.portals.admission import Admission, Person
from b24app.rest.budget import Budgets, open_budgets
from b24app.rest.client import PortalClient
from b24app.rest.errors import TokenDead
from b24app.rest.limits import rate_of
from b24app.rest.token_source import FixedToken
from b24app.rest.transport import Transport
from b24app.soon import Soon


@dataclass(frozen=True)
class Parts:
    """Everything that handlers and jobs are given."""

    settings: Settings
    engine: Engine
    vault: Vault
    auth: AuthServer
    budgets: Budgets
    transport: Transport
    admission: Admission
    soon: Soon
    jobs: Jobs

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret_keys)

    def client(
        self,
        portal_id: int,
        user_id: int | None = None,
        *,
        background: bool = True,
        ahead: bool = False,
        deadline_s: float | None = None,
    ) -> PortalClient:
        """A client with the user's token; None: that of the portal's reader.

        `background` calls leave room for people who look, unless they go `ahead`. deadline_s: when to give
        up, by default generous.

        Raises: TokenDead where the portal is unknown or has no reader.
        """
        with reading(self.engine) as conn:
            row = tokens.load(conn, portal_id, user_id)
        if row is None or row.owner is None:
            raise TokenDead("no_token", "nobody's token is stored for this portal")
        return PortalClient(
            tokens=tokens.StoredTokens(
                self.engine,
                self.vault,
                self.auth,
                portal_id,
                row.owner,
                allow_private=self.settings.allow_private_portals,
                known=row,
            ),
            budget=self.budgets.for_portal(row.domain, rate_of(row.license)),
            transport=self.transport,
            background=background,
            ahead=ahead,
            label=str(portal_id),
            deadline_s=deadline_s,
        )

    def guest(
        self, portal_id: int, person: Person, access: str, license_: str | None, *, deadline_s: float
    ) -> PortalClient:
        """A client with the token of a launch that was just proven: nothing has to be read for it.

        license_: of the person's portal, if known. It does not wait for room within the portal's limits.
        """
        return PortalClient(
            tokens=FixedToken(person.endpoint, access),
            budget=self.budgets.for_portal(person.domain, rate_of(license_)),
            transport=self.transport,
            background=False,
            label=str(portal_id),
            deadline_s=deadline_s,
            budget_wait_s=0.0,
        )

    def close(self) -> None:
        """Finish what is quick and let go of connections."""
        self.soon.close()
        self.transport.close()
        self.engine.dispose()


def build(settings: Settings) -> Parts:
    """The parts as the settings ask for. Opens the database; starts no thread."""
    auth = AuthServer(settings)
    budgets = open_budgets(settings.redis_url)
    transport = Transport(allow_private=settings.allow_private_portals)
    return Parts(
        settings=settings,
        engine=open_engine(settings.database_url),
        vault=Vault(settings.secret_keys),
        auth=auth,
        budgets=budgets,
        transport=transport,
        admission=Admission(auth, budgets, transport, client_id=settings.client_id),
        soon=Soon(),
        jobs=Jobs(settings),
    )
