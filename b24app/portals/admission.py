"""Proves a launch: asks the authorization server whose the token is, and the portal what that person may.

Answers are kept for a few minutes, so that opening a second widget asks nobody.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from b24app import clock
from b24app.oauth.server import AppInfo, AuthServer
from b24app.portals import registry
from b24app.portals.launch import Launch, Reason, Refused, check_secret, confirm
from b24app.portals.registry import Portal
from b24app.rest.addresses import check_endpoint, host_of
from b24app.rest.budget import Budgets
from b24app.rest.client import PortalClient
from b24app.rest.decipher import to_int, to_map
from b24app.rest.errors import (
    AddressRefused,
    PaymentRequired,
    PortalGone,
    RestError,
    TokenDead,
    TokenExpired,
)
from b24app.rest.token_source import FixedToken
from b24app.rest.transport import Transport

KEPT_S = 300
"""How long an answer about a token or a person is believed."""

KEPT_COUNT = 10_000
PROFILE_DEADLINE_S = 3.0
"""A slow portal must not keep the app's own page waiting longer."""

SPARED_S = 15
"""A portal that just failed is not asked again about somebody it has told of before."""

REFUSES_USER = frozenset({"user_access_error", "authorization_error", "allowed_only_intranet_user"})
"""The portal's ways to say that this person may not use the app (any more)."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody proven, at a proven portal. `is_admin` None: the portal did not say."""

    member_id: str
    domain: str
    endpoint: str
    auth_server: str
    user_id: int
    is_admin: bool | None
    scopes: tuple[str, ...] = ()
    status: str = ""
    is_installed: bool = True
    name: str = ""
    timezone: str | None = None
    expires_at: int = 0  # of the access token, unix time; 0 if unsaid

    def portal_columns(self) -> dict[str, Any]:
        """What is stored of the portal because this proof says so."""
        known = {"domain": self.domain, "endpoint": self.endpoint, "auth_server": self.auth_server}
        if self.scopes:
            known["scopes"] = ",".join(sorted(self.scopes))
        if self.status:
            known["status"] = self.status[:4]
        return known


@dataclass(frozen=True, slots=True)
class Profile:
    """The portal's answer about the owner of a token."""

    user_id: int | None
    is_admin: bool
    name: str
    timezone: str | None


class Admission:
    """Decides whom to let in. One per process; safe to share between threads."""

    def __init__(self, auth: AuthServer, budgets: Budgets, transport: Transport, *, client_id: str) -> None:
        self._auth = auth
        self._budgets = budgets
        self._transport = transport
        self._client_id = client_id
        self._infos: Kept[AppInfo] = Kept()
        self._profiles: Kept[Profile] = Kept()
        self._failing: Kept[bool] = Kept(SPARED_S)

    def admit(self, launch: Launch, known: Portal | None, *, secret_may_change: bool = False) -> Person:
        """The person behind a launch.

        known: the stored portal of the launch's member_id. secret_may_change: the portal's secret is about
        to be learnt (an installation by an admin), a new one is no contradiction.
        Raises: Refused.
        """
        secret = known.application_token if known else None
        is_genuine = not secret_may_change and check_secret(launch.application_token, secret)
        server = self._server(launch.server_endpoint, known)
        try:
            info = self._info(launch.access, server)
        except RestError as error:
            if known is None or not is_genuine or known.state != registry.ACTIVE:
                raise Refused(Reason.UNCONFIRMED, f"authorization server: {error.code}") from error
            return self._without_server(launch, known)
        confirm(launch, info, self._client_id)
        return self._person(launch.access, info, server)

    def prove(self, access: str, member_id: str, server_endpoint: str | None, known: Portal | None) -> Person:
        """The person behind a token that came outside a frame. Raises: Refused."""
        return self.admit(
            Launch(member_id=member_id, access=access, server_endpoint=server_endpoint),
            known,
            secret_may_change=True,
        )

    def client(self, token: FixedToken) -> PortalClient:
        """A client with a token that is not stored (yet), for questions that somebody waits for."""
        return PortalClient(
            tokens=token,
            budget=self._budgets.for_portal(host_of(token.endpoint())),
            transport=self._transport,
            background=False,
            deadline_s=PROFILE_DEADLINE_S,
        )

    def _server(self, named: str | None, known: Portal | None) -> str:
        try:
            return self._auth.choose(named or (known.auth_server if known else None))
        except AddressRefused as error:
            if not named:
                return self._auth.choose(None)  # the operator has changed the list since
            raise Refused(Reason.FOREIGN_SERVER, "SERVER_ENDPOINT is not a configured one") from error

    def _info(self, access: str, server: str) -> AppInfo:
        key = _digest(access)
        info = self._infos.get(key)
        if info is None:
            try:
                info = self._auth.app_info(access, server)
            except TokenExpired as error:
                raise Refused(Reason.EXPIRED, error.code) from error
            except PaymentRequired as error:
                raise Refused(Reason.UNPAID, error.code) from error
            except PortalGone as error:
                raise Refused(Reason.NOT_INSTALLED, error.code) from error
            self._infos.put(key, info)
        if info.expires_at and info.expires_at <= clock.epoch():
            raise Refused(Reason.EXPIRED, "the token's time is over")
        return info

    def _person(self, access: str, info: AppInfo, server: str) -> Person:
        try:
            endpoint = check_endpoint(info.endpoint, allow_private=self._transport.allow_private)
        except AddressRefused as error:
            raise Refused(Reason.PRIVATE_ADDRESS, "the portal's address is not allowed here") from error
        profile = self._profile(endpoint, access, info.user_id)
        return Person(
            member_id=info.member_id.lower(),
            domain=host_of(endpoint),
            endpoint=endpoint,
            auth_server=server,
            user_id=info.user_id,
            is_admin=profile.is_admin if profile else None,
            scopes=info.scopes,
            status=info.status,
            is_installed=info.installed,
            name=profile.name if profile else "",
            timezone=profile.timezone if profile else None,
            expires_at=info.expires_at,
        )

    def _without_server(self, launch: Launch, known: Portal) -> Person:
        """The authorization server is away: a portal that has shown its secret may vouch for its user."""
        profile = self._ask(known.endpoint, launch.access)
        if profile is None or profile.user_id is None:
            raise Refused(Reason.UNCONFIRMED, "neither the authorization server nor the portal answers")
        return Person(
            member_id=known.member_id,
            domain=known.domain,
            endpoint=known.endpoint,
            auth_server=known.auth_server,
            user_id=profile.user_id,
            is_admin=profile.is_admin,
            name=profile.name,
            timezone=profile.timezone,
        )

    def _profile(self, endpoint: str, access: str, user_id: int) -> Profile | None:
        key = f"{endpoint} {user_id}"
        profile = self._profiles.get(key)
        if profile is None:
            earlier = self._profiles.get(key, stale=True)
            if earlier is not None and self._failing.get(endpoint):
                return earlier
            profile = self._ask(endpoint, access)
            if profile is None:
                self._failing.put(endpoint, True)
                return earlier  # what the portal said when it last answered
            if profile.user_id is not None and profile.user_id != user_id:
                raise Refused(Reason.FOREIGN_PORTAL, "the portal names another owner of the token")
            self._profiles.put(key, profile)
        return profile

    def _ask(self, endpoint: str, access: str) -> Profile | None:
        """`profile` of the token's owner; None while the portal cannot be asked."""
        try:
            return parse_profile(self.client(FixedToken(endpoint, access)).call("profile").result)
        except (TokenExpired, TokenDead) as error:
            raise Refused(Reason.EXPIRED, error.code) from error
        except PaymentRequired as error:
            raise Refused(Reason.UNPAID, error.code) from error
        except PortalGone as error:
            raise Refused(Reason.NOT_INSTALLED, error.code) from error
        except RestError as error:
            if error.code in REFUSES_USER:
                raise Refused(Reason.NO_ACCESS, error.code) from error
            return None


def parse_profile(result: Any) -> Profile:
    """The owner of a token by the answer of `profile`.

    Raises: Refused(NO_ACCESS) for the empty answer that a dismissed user gets.
    """
    row: Mapping[str, Any] = to_map(result)
    if not row:
        raise Refused(Reason.NO_ACCESS, "the user is not active")
    names = (str(row.get(part) or "").strip() for part in ("NAME", "LAST_NAME"))
    admin = row.get("ADMIN")
    return Profile(
        user_id=to_int(row.get("ID")),
        is_admin=admin is True or str(admin).upper() in ("1", "Y", "TRUE"),
        name=" ".join(part for part in names if part)[:200],
        timezone=str(row.get("TIME_ZONE") or "") or None,
    )


class Kept(Generic[V]):
    """Values believed for a few minutes; the oldest go first when there are too many."""

    def __init__(self, seconds: int = KEPT_S, count: int = KEPT_COUNT) -> None:
        self._seconds = seconds
        self._count = count
        self._values: OrderedDict[str, tuple[int, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, *, stale: bool = False) -> V | None:
        """The value, or None if there is none or (unless `stale` will do) it is too old."""
        with self._lock:
            found = self._values.get(key)
        if found is None or (not stale and found[0] + self._seconds <= clock.epoch()):
            return None
        return found[1]

    def put(self, key: str, value: V) -> None:
        with self._lock:
            self._values[key] = (clock.epoch(), value)
            self._values.move_to_end(key)
            while len(self._values) > self._count:
                self._values.popitem(last=False)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
