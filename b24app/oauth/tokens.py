"""Stored tokens of a portal's users: encrypted at rest, refreshed once however many ask.

One UPDATE claims the refresh, over threads and processes; the others wait for its outcome. A new pair
is stored before anybody uses it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from b24app.crypto import Unreadable, Vault
from b24app.db import reading, upsert
from b24app.oauth.server import AuthServer, TokenPair
from b24app.rest.addresses import check_endpoint, host_of
from b24app.rest.errors import (
    AddressRefused,
    RetryLater,
    TokenDead,
    TokenExpired,
)
from b24app.tables import portals, tokens

EARLY_S = 60
"""A token that ends within this time is renewed before use: a batch takes up to a minute."""

CLAIM_S = 45.0
"""After this a claim is that of a process that died; longer than a refresh can take."""

WAIT_S = 20.0
"""How long others wait for the one who refreshes."""

KNOWN_S = 5.0
"""So long what was read is believed: the calls of one check do not each read it again."""

_POLL_S = 0.05
_SAVE_TRIES = 60

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """What is stored of one user's tokens. `access` None: sealed with a key that is no longer configured."""

    access: str | None = field(repr=False)
    expires_at: int  # epoch seconds
    is_dead: bool  # its refresh was refused for good


def of_users(
    conn: Connection, vault: Vault, portal_id: int, user_ids: Collection[int]
) -> dict[int, StoredToken]:
    """The stored tokens of these users, by user."""
    rows = conn.execute(
        select(tokens.c.user_id, tokens.c.access, tokens.c.expires_at, tokens.c.dead_reason).where(
            tokens.c.portal_id == portal_id, tokens.c.user_id.in_(sorted(user_ids))
        )
    )
    return {
        row.user_id: StoredToken(_opened(vault, row.access), row.expires_at, row.dead_reason is not None)
        for row in rows
    }


def _opened(vault: Vault, sealed: str) -> str | None:
    try:
        return vault.open(sealed)
    except Unreadable:
        return None


def save(
    conn: Connection,
    vault: Vault,
    portal_id: int,
    user_id: int,
    *,
    access: str,
    refresh: str,
    expires_at: int,
) -> None:
    """Store a user's tokens, in place of any earlier ones, dead or alive."""
    version = conn.scalar(
        select(tokens.c.version).where(tokens.c.portal_id == portal_id, tokens.c.user_id == user_id)
    )
    row = {
        "portal_id": portal_id,
        "user_id": user_id,
        "access": vault.seal(access),
        "refresh": vault.seal(refresh),
        "expires_at": expires_at,
        "version": (version or 0) + 1,
        "dead_reason": None,
    }
    upsert(conn, tokens, [row])


def load(conn: Connection, portal_id: int, user_id: int | None = None) -> Row[Any] | None:
    """What is stored of a portal and of the tokens of its user `user_id`, by default of its reader.

    The columns of the tokens are None where there are none.
    """
    return conn.execute(_STORED, {"portal": portal_id, "user": user_id}).one_or_none()


_OWNER = func.coalesce(bindparam("user", type_=portals.c.reader_id.type), portals.c.reader_id)

_STORED: Select[Any] = (
    select(
        portals.c.member_id,
        portals.c.endpoint,
        portals.c.auth_server,
        portals.c.domain,
        portals.c.license,
        _OWNER.label("owner"),
        tokens.c.access,
        tokens.c.refresh,
        tokens.c.expires_at,
        tokens.c.version,
        tokens.c.refreshing_since,
        tokens.c.dead_reason,
    )
    .select_from(
        portals.outerjoin(tokens, and_(tokens.c.portal_id == portals.c.portal_id, tokens.c.user_id == _OWNER))
    )
    .where(portals.c.portal_id == bindparam("portal"))
)


class StoredTokens:
    """The `TokenSource` of one user of one portal. Safe to share between threads.

    `known`: what `load` has just read of them.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        auth: AuthServer,
        portal_id: int,
        user_id: int,
        *,
        allow_private: bool = False,
        known: Row[Any] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._auth = auth
        self._portal_id = portal_id
        self._user_id = user_id
        self._allow_private = allow_private
        self._clock = clock
        self._sleep = sleep
        self._known = None if known is None else (clock(), known)

    def endpoint(self) -> str:
        return str(self._recent().endpoint)

    def access(self) -> str:
        row = _alive(self._recent())
        access = self._open(row.access)
        if row.expires_at - EARLY_S > self._clock():
            return access
        try:
            return self.renew(access)
        except RetryLater:
            if row.expires_at > self._clock():
                return access  # the authorization server is away, but this token still works
            raise

    def renew(self, stale: str) -> str:
        deadline = self._clock() + WAIT_S
        awaited: int | None = None  # the version that somebody else is refreshing
        while True:
            row = self._token()
            access = self._open(row.access)
            if access != stale and row.expires_at > self._clock():
                return access  # somebody else was faster
            if row.version == awaited and row.refreshing_since is None:
                raise _pending("another process could not refresh this token just now")
            if self._claim(row.version):
                return self._refresh(row)
            awaited = row.version if row.refreshing_since is not None else None
            if self._clock() > deadline:
                raise _pending("another process is refreshing this token")
            self._sleep(_POLL_S)

    def moved(self, location: str) -> None:
        portal = self._load()
        confirmed = self._confirmed_endpoint(portal)
        if host_of(confirmed) != host_of(location):
            # app.info may lag behind; the answer to a refresh always has the present address.
            self.renew(self._open(self._token().access))
            confirmed = str(self._load().endpoint)
        if host_of(confirmed) != host_of(location):
            raise AddressRefused("move_unproven", "the authorization server does not confirm the new address")
        with self._engine.begin() as conn:
            self._store_endpoint(conn, confirmed)
        self._known = None

    def _confirmed_endpoint(self, portal: Any) -> str:
        try:
            info = self._auth.app_info(self.access(), portal.auth_server)
        except TokenExpired:
            return ""
        return info.endpoint if info.member_id == portal.member_id else ""

    def _refresh(self, row: Any) -> str:
        try:
            pair = self._auth.refresh(self._open(row.refresh), row.auth_server)
        except TokenDead as error:
            return self._refused(row, error)
        except BaseException:
            self._release()  # nothing is lost: the next one who needs it asks again
            raise
        if pair.member_id and pair.member_id != row.member_id:
            self._release()
            raise AddressRefused("foreign_token", "the authorization server answered for another portal")
        self._store(pair)
        return pair.access

    def _refused(self, row: Any, error: TokenDead) -> str:
        with self._engine.begin() as conn:
            conn.execute(
                update(tokens)
                .where(self._mine(), tokens.c.version == row.version)
                .values(dead_reason=error.code[:64])
            )
            conn.execute(update(tokens).where(self._mine()).values(refreshing_since=None))
        newer = self._token()  # raises where the refused pair is still the stored one
        return self._open(newer.access)

    def _store(self, pair: TokenPair) -> None:
        values = {
            "access": self._vault.seal(pair.access),
            "refresh": self._vault.seal(pair.refresh),
            "expires_at": pair.expires_at,
            "version": tokens.c.version + 1,
            "refreshing_since": None,
            "dead_reason": None,
        }
        for attempt in range(1, _SAVE_TRIES + 1):
            try:
                with self._engine.begin() as conn:
                    conn.execute(update(tokens).where(self._mine()).values(values))
                    self._store_endpoint(conn, pair.endpoint)
                self._known = None
                return
            except DBAPIError as error:
                # The old refresh token may be dead by now: this pair exists only here.
                if attempt == _SAVE_TRIES:
                    raise
                logger.warning("a new token pair cannot be stored yet: %s", type(error.orig).__name__)
                self._sleep(min(1.0, 0.1 * attempt))

    def _store_endpoint(self, conn: Connection, endpoint: str) -> None:
        try:
            endpoint = check_endpoint(endpoint, allow_private=self._allow_private)
        except AddressRefused:
            return  # the tokens are good all the same
        conn.execute(
            update(portals)
            .where(portals.c.portal_id == self._portal_id, portals.c.endpoint != endpoint)
            .values(endpoint=endpoint, domain=host_of(endpoint))
        )

    def _claim(self, version: int) -> bool:
        now = self._clock()
        with self._engine.begin() as conn:
            claimed = conn.execute(
                update(tokens)
                .where(
                    self._mine(),
                    tokens.c.version == version,
                    or_(tokens.c.refreshing_since.is_(None), tokens.c.refreshing_since < now - CLAIM_S),
                )
                .values(refreshing_since=now)
            )
        return claimed.rowcount == 1

    def _release(self) -> None:
        try:
            with self._engine.begin() as conn:
                conn.execute(update(tokens).where(self._mine()).values(refreshing_since=None))
        except DBAPIError as error:
            logger.warning("a refresh claim stays until it runs out: %s", type(error.orig).__name__)

    def _token(self) -> Any:
        return _alive(self._load())

    def _recent(self) -> Row[Any]:
        known = self._known
        if known is not None and 0 <= self._clock() - known[0] < KNOWN_S:
            return known[1]
        return self._load()

    def _load(self) -> Row[Any]:
        with reading(self._engine) as conn:
            row = load(conn, self._portal_id, self._user_id)
        if row is None:
            raise TokenDead("no_portal", "this portal is not stored (any more)")
        self._known = (self._clock(), row)
        return row

    def _open(self, sealed: str) -> str:
        try:
            return self._vault.open(sealed)
        except Unreadable:
            raise TokenDead("unreadable_token", "sealed with a key that is no longer configured") from None

    def _mine(self) -> Any:
        return (tokens.c.portal_id == self._portal_id) & (tokens.c.user_id == self._user_id)


def _alive(row: Row[Any]) -> Row[Any]:
    if row.version is None:
        raise TokenDead("no_token", "no token of this user is stored")
    if row.dead_reason is not None:
        raise TokenDead(row.dead_reason, "the refresh token was refused")
    return row


def _pending(what: str) -> RetryLater:
    return RetryLater("refresh_pending", what, retry_after_s=5.0, was_run=False)
