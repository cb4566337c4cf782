"""Programs that may ask for an access token: made by an admin, each for one portal, revocable."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from b24app.crypto import same
from b24app.tables import api_clients, portals

NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewClient:
    """Credentials as they are shown once; only a hash of the secret is kept."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A program that was let in, without its secret."""

    portal_id: int
    member_id: str
    client_id: str
    name: str
    secret_hash: str
    created_at: int
    lang: str = "en"

    def knows(self, secret: str) -> bool:
        """Whether this is the client's secret."""
        return same(self.secret_hash, _hash(secret))


def create(conn: Connection, member_id: str, name: str, now: int) -> NewClient:
    """Make credentials for a program of the portal.

    Raises: LookupError if the portal is not connected, ValueError for a name that is empty or too long.
    """
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise ValueError(f"name must have 1 to {NAME_LENGTH} characters")
    portal_id = conn.scalar(
        select(portals.c.portal_id).where(
            portals.c.member_id == member_id, portals.c.state.notin_(("uninstalled", "gone"))
        )
    )
    if portal_id is None:
        raise LookupError(f"no connected portal {member_id!r}")
    client = NewClient(client_id=f"kpi.{secrets.token_hex(12)}", client_secret=secrets.token_urlsafe(32))
    conn.execute(
        insert(api_clients).values(
            portal_id=portal_id,
            client_id=client.client_id,
            name=name,
            secret_hash=_hash(client.client_secret),
            created_at=now,
        )
    )
    return client


def find(conn: Connection, client_id: str) -> ApiClient | None:
    """The live client of a connected portal, or None."""
    rows = conn.execute(
        _live().where(api_clients.c.client_id == client_id, portals.c.state.notin_(("uninstalled", "gone")))
    )
    row = rows.first()
    return None if row is None else ApiClient(**row._mapping)


def listed(conn: Connection, portal_id: int) -> list[ApiClient]:
    """The portal's live clients, oldest first."""
    rows = conn.execute(
        _live()
        .where(api_clients.c.portal_id == portal_id)
        .order_by(api_clients.c.created_at, api_clients.c.client_id)
    )
    return [ApiClient(**row._mapping) for row in rows]


def revoke(conn: Connection, portal_id: int, client_id: str, now: int) -> bool:
    """End a client's access, tokens that it holds included; False if there is no such live client."""
    done = conn.execute(
        update(api_clients)
        .where(
            api_clients.c.portal_id == portal_id,
            api_clients.c.client_id == client_id,
            api_clients.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def _live() -> Select[Any]:
    return (
        select(
            api_clients.c.portal_id,
            portals.c.member_id,
            api_clients.c.client_id,
            api_clients.c.name,
            api_clients.c.secret_hash,
            api_clients.c.created_at,
            portals.c.lang,
        )
        .join_from(api_clients, portals, api_clients.c.portal_id == portals.c.portal_id)
        .where(api_clients.c.revoked_at.is_(None))
    )


def _hash(secret: str) -> str:
    # The secret has 256 random bits: there is nothing to guess, so a slow hash would only cost time.
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()
