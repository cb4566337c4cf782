"""Portals as rows: who they are, what they allow, whose token reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from b24app.crypto import Unreadable, Vault
from b24app.portals.launch import origin
from b24app.tables import metadata, portals, tokens

ACTIVE, UNPAID, GONE, UNINSTALLED, PURGING = "active", "unpaid", "gone", "uninstalled", "purging"
"""States of a portal: works; payment has run out; no longer answers to us; the app was removed; removed,
and its rows are about to be."""


@dataclass(frozen=True, slots=True)
class Portal:
    """One tenant. `application_token` is open text here: never log or show a whole Portal."""

    id: int
    member_id: str
    domain: str
    endpoint: str
    auth_server: str
    application_token: str | None
    state: str
    status: str | None
    license: str | None
    scopes: frozenset[str]
    lang: str
    reader_id: int | None
    reader_is_admin: bool | None
    install_report: Mapping[str, Any] | None

    def __repr__(self) -> str:
        return f"Portal(id={self.id}, state={self.state!r})"

    @property
    def origin(self) -> str:
        """`https://portal.example` as browsers name it."""
        return origin(self.endpoint)


def by_member(conn: Connection, vault: Vault, member_id: str) -> Portal | None:
    """The portal of a member_id, in whatever state."""
    row = conn.execute(select(portals).where(portals.c.member_id == member_id)).first()
    return _portal(row, vault) if row else None


def by_id(conn: Connection, vault: Vault, portal_id: int) -> Portal | None:
    row = conn.execute(select(portals).where(portals.c.portal_id == portal_id)).first()
    return _portal(row, vault) if row else None


def save(
    conn: Connection,
    vault: Vault,
    member_id: str,
    *,
    now: int,
    application_token: str | None = None,
    **columns: Any,
) -> int:
    """Add the portal or change the named columns of the known one; returns its id.

    For a new portal `domain`, `endpoint` and `auth_server` must be among the columns.
    """
    if application_token is not None:
        columns["application_token"] = vault.seal(application_token)
    found = conn.execute(select(portals.c.portal_id).where(portals.c.member_id == member_id)).scalar()
    if found is None:
        new = {"state": ACTIVE, "installed_at": now, **columns, "member_id": member_id}
        try:
            with conn.begin_nested():
                found = conn.execute(insert(portals).values(new).returning(portals.c.portal_id)).scalar_one()
            return int(found)
        except IntegrityError:  # another installation of the same portal was faster by a moment
            found = conn.execute(
                select(portals.c.portal_id).where(portals.c.member_id == member_id)
            ).scalar_one()
    if columns:
        conn.execute(update(portals).where(portals.c.portal_id == found).values(columns))
    return int(found)


def set_state(conn: Connection, portal_id: int, state: str) -> None:
    conn.execute(update(portals).where(portals.c.portal_id == portal_id).values(state=state))


def forget_tokens(conn: Connection, portal_id: int) -> None:
    """Remove all tokens of the portal's users and the portal's secret."""
    conn.execute(delete(tokens).where(tokens.c.portal_id == portal_id))
    conn.execute(
        update(portals)
        .where(portals.c.portal_id == portal_id)
        .values(application_token=None, reader_id=None, reader_is_admin=None, install_report=None)
    )


def purge(conn: Connection, portal_id: int) -> int:
    """Remove every row of the portal from every table; returns how many there were."""
    removed = 0
    for table in reversed(metadata.sorted_tables):
        if table is not portals and "portal_id" in table.c:
            removed += conn.execute(delete(table).where(table.c.portal_id == portal_id)).rowcount
    return removed + conn.execute(delete(portals).where(portals.c.portal_id == portal_id)).rowcount


def purge_marked(engine: Engine) -> int:
    """Remove the rows of every portal that waits for it; returns how many portals there were."""
    with engine.connect() as conn:
        marked = conn.scalars(select(portals.c.portal_id).where(portals.c.state == PURGING)).all()
    for portal_id in marked:
        with engine.begin() as conn:
            purge(conn, portal_id)
    return len(marked)


def split_scopes(text: str | None) -> frozenset[str]:
    """Scope names out of a list with commas, spaces or both."""
    return frozenset((text or "").replace(",", " ").lower().split())


def _portal(row: Row[Any], vault: Vault) -> Portal:
    token: str | None = None
    if row.application_token:
        try:
            token = vault.open(row.application_token)
        except Unreadable:
            token = None  # the key was lost: as good as not told yet, the next installation tells it again
    return Portal(
        id=row.portal_id,
        member_id=row.member_id,
        domain=row.domain,
        endpoint=row.endpoint,
        auth_server=row.auth_server,
        application_token=token,
        state=row.state,
        status=row.status,
        license=row.license,
        scopes=split_scopes(row.scopes),
        lang=row.lang,
        reader_id=row.reader_id,
        reader_is_admin=row.reader_is_admin,
        install_report=row.install_report,
    )
