"""The authorization server: codes, tokens, refreshing, and `app.info` for anybody who holds a token."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from emulator.answers import Broken, PortalError
from emulator.bodies import read_fields
from emulator.clock import Clock
from emulator.counters import Counters
from emulator.damage import damaged
from emulator.faults import Faults
from emulator.site import App, Site
from emulator.times import time_block
from emulator.wire import Request, Response, html_response, json_response

ACCESS_S = 3600
REFRESH_S = 180 * 24 * 3600
CODE_S = 30


@dataclass
class Token:
    access: str
    refresh: str
    client_id: str
    member_id: str
    user_id: int
    scope: str
    expires_at: float
    refresh_until: float
    is_revoked: bool = False  # the access token
    is_spent: bool = False  # the refresh token


@dataclass(frozen=True)
class Code:
    client_id: str
    member_id: str
    user_id: int
    until: float


class AuthServer:
    """Tokens of all portals. `old_refresh_lives` keeps a refresh token usable after its rotation."""

    def __init__(self, clock: Clock, secrets_by_client: Mapping[str, str]) -> None:
        self.clock = clock
        self.clients = dict(secrets_by_client)
        self.faults = Faults()
        self.counters = Counters()
        self.sites: dict[str, Site] = {}
        self.url = ""
        self.redirect_urls: dict[str, str] = {}
        self.old_refresh_lives = False
        self.code_grant_is_full = False  # real servers have been seen to send user_id and expires here too
        self.access_s = ACCESS_S
        self.refreshes = 0
        self._by_access: dict[str, Token] = {}
        self._by_refresh: dict[str, Token] = {}
        self._codes: dict[str, Code] = {}
        self._lock = threading.RLock()

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def issue(self, site: Site, user_id: int, client_id: str, *, expires_in: float | None = None) -> Token:
        """A new pair of tokens for a user of a portal."""
        app = site.apps[client_id]
        now = self.clock.time()
        token = Token(
            access=secrets.token_hex(35),
            refresh=secrets.token_hex(35),
            client_id=client_id,
            member_id=site.portal.member_id,
            user_id=user_id,
            scope=",".join(sorted(app.scopes)),
            expires_at=now + (self.access_s if expires_in is None else expires_in),
            refresh_until=now + REFRESH_S,
        )
        with self._lock:
            self._by_access[token.access] = token
            self._by_refresh[token.refresh] = token
        return token

    def expire(self, site: Site, user_id: int | None = None) -> None:
        """Let every access token of a portal (or of one user) run out now."""
        for token in self._of(site, user_id):
            token.expires_at = self.clock.time() - 1

    def revoke(self, site: Site, user_id: int | None = None, client_id: str | None = None) -> None:
        """Kill access and refresh tokens, as uninstalling does."""
        for token in self._of(site, user_id):
            if client_id in (None, token.client_id):
                token.is_revoked = token.is_spent = True

    def token(self, access: str) -> Token | None:
        return self._by_access.get(access)

    def pair(self, site: Site, token: Token) -> dict[str, Any]:
        """The fields that tell an app about its token, shared by answers and events."""
        return {
            "access_token": token.access,
            "expires_in": max(0, round(token.expires_at - self.clock.time())),
            "scope": token.scope,
            "domain": self.host,
            "server_endpoint": site.server_endpoint,
            "status": site.apps[token.client_id].status,
            "client_endpoint": site.client_endpoint,
            "member_id": site.portal.member_id,
            "refresh_token": token.refresh,
        }

    def authorize(self, site: Site, request: Request, user_id: int) -> Response:
        """`/oauth/authorize/` on the portal for a visitor who is logged in. Refusals stay on the portal."""
        client_id = str(request.args.get("client_id", ""))
        app = site.apps.get(client_id)
        if app is None or not app.is_present or client_id not in self.clients:
            return html_response("<h1>Application not found</h1>", 404)
        if app.is_unpaid:
            return html_response("<h1>Payment required</h1>", 402)
        if site.user(user_id) is None or not may_use(app, site, user_id):
            return html_response("<h1>Access denied</h1>", 403)
        code = secrets.token_hex(16)
        with self._lock:
            until = self.clock.time() + CODE_S
            self._codes[code] = Code(client_id, site.portal.member_id, user_id, until)
        target = self.redirect_urls.get(client_id, "")
        if not target:
            return html_response(f"<p>Authorization code: <code>{code}</code></p>")
        fields = {
            "code": code,
            "state": str(request.args.get("state", "")),
            "domain": site.portal.domain,
            "member_id": site.portal.member_id,
            "scope": ",".join(sorted(app.scopes)),
            "server_domain": self.host,
        }
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
        return Response(302, headers={"Location": f"{target}{'&' if '?' in target else '?'}{query}"})

    def answer(self, request: Request) -> Response:
        """A reply of the server's own paths: `/oauth/token/` and `/rest/app.info`."""
        path = request.path.rstrip("/")
        try:
            with self.counters.request():
                if path == "/oauth/token":
                    fields = read_fields(request)
                    name = str(fields.get("grant_type", ""))
                    return self._guarded(name, lambda: self._grant(fields))
                if path.startswith("/rest/"):
                    method = path.removeprefix("/rest/").removesuffix(".json").lower()
                    return self._guarded(method, lambda: self._rest(method, request))
        except Broken as broken:
            return damaged(broken.wire, None)
        return html_response("<h1>404 Not Found</h1>", 404)

    def _guarded(self, name: str, work: Any) -> Response:
        started = self.clock.time()
        try:
            self.faults.check(name)
        except PortalError as error:
            return json_response(error.body(), error.status)
        except Broken as broken:
            if broken.wire.kind in {"lost_answer", "slow"}:
                return damaged(broken.wire, self._safe(work))
            raise
        finally:
            self.counters.count_command(name, 0.0, self.clock.time() - started)
        return self._safe(work)

    def _safe(self, work: Any) -> Response:
        try:
            response: Response = work()
        except PortalError as error:
            return json_response(error.body(), error.status)
        return response

    def _grant(self, fields: Mapping[str, Any]) -> Response:
        with self._lock:
            kind = fields.get("grant_type")
            if kind not in ("authorization_code", "refresh_token"):
                raise PortalError("invalid_request", "Invalid grant_type parameter or parameter missing")
            client_id, secret = str(fields.get("client_id", "")), str(fields.get("client_secret", ""))
            if not client_id or not secret:
                raise PortalError(
                    "invalid_client", "Client credentials were not found in the headers or body"
                )
            if not secrets.compare_digest(self.clients.get(client_id, ""), secret):
                raise PortalError("invalid_client", "The client credentials are invalid")
            if kind == "authorization_code":
                return json_response(self._exchange(client_id, str(fields.get("code", ""))))
            return json_response(self._refresh(client_id, str(fields.get("refresh_token", ""))))

    def _exchange(self, client_id: str, text: str) -> dict[str, Any]:
        if not text:
            raise PortalError("invalid_request", 'Missing parameter: "code" is required')
        code = self._codes.pop(text, None)
        if code is None or code.client_id != client_id or code.until < self.clock.time():
            raise PortalError(
                "invalid_grant", "Authorization code doesn't exist or is invalid for the client"
            )
        site = self._open_site(code.member_id, client_id, code.user_id)
        token = self.issue(site, code.user_id, client_id)
        answer = self.pair(site, token)
        if self.code_grant_is_full:
            answer |= {"user_id": token.user_id, "expires": int(token.expires_at)}
        return answer

    def _refresh(self, client_id: str, text: str) -> dict[str, Any]:
        if not text:
            raise PortalError("invalid_request", 'Missing parameter: "refresh_token" is required')
        old = self._by_refresh.get(text)
        if old is None or old.client_id != client_id or old.is_spent or old.refresh_until < self.clock.time():
            raise PortalError("invalid_grant", "Invalid refresh token")
        site = self._open_site(old.member_id, client_id, old.user_id)
        self.refreshes += 1
        if not self.old_refresh_lives:
            old.is_spent = True
        token = self.issue(site, old.user_id, client_id)
        return {**self.pair(site, token), "expires": int(token.expires_at), "user_id": token.user_id}

    def _open_site(self, member_id: str, client_id: str, user_id: int) -> Site:
        site = self.sites[member_id]
        app = site.apps[client_id]
        if site.is_deleted:
            raise PortalError("PORTAL_DELETED", "Portal was deleted", site.quirks.deleted_status)
        if not app.is_present:
            raise PortalError("NOT_INSTALLED", "Application not installed", 401)
        if app.is_unpaid:
            raise PortalError("PAYMENT_REQUIRED", "Payment required", 401)
        user = site.user(user_id)
        if user is None or user.get("ACTIVE") is False or not may_use(app, site, user_id):
            raise PortalError("invalid_grant", "User has lost access to the application")
        return site

    def _rest(self, method: str, request: Request) -> Response:
        started = self.clock.time()
        fields = read_fields(request)
        access = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        token = self.token(access or str(fields.get("auth") or fields.get("access_token") or ""))
        if token is None:
            raise PortalError("NO_AUTH_FOUND", "Wrong authorization data", 401)
        if method != "app.info":
            raise PortalError("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        if token.is_revoked:
            raise PortalError("invalid_token", "Unable to get application by token", 401)
        if token.expires_at < started:
            raise PortalError("expired_token", "The access token provided has expired.", 401)
        site = self.sites[token.member_id]
        app = site.apps[token.client_id]
        install = {
            "installed": app.is_installed,
            "version": str(app.version),
            "status": app.status,
            "scope": ",".join(sorted(app.scopes)),
            "domain": site.portal.domain,
            "uri": app.app_url,
            "client_endpoint": site.client_endpoint,
            "member_id": site.portal.member_id,
            "member_type": "cp" if site.portal.is_box else "b24",
        }
        result = {
            "client_id": token.client_id,
            "scope": token.scope,
            "expires": datetime.fromtimestamp(token.expires_at, UTC).isoformat(timespec="seconds"),
            "install": install,
            "user_id": token.user_id,
        }
        return json_response({"result": result, "time": time_block(started, self.clock.time(), UTC)})

    def _of(self, site: Site, user_id: int | None) -> list[Token]:
        with self._lock:
            return [
                token
                for token in self._by_access.values()
                if token.member_id == site.portal.member_id and user_id in (None, token.user_id)
            ]


def may_use(app: App, site: Site, user_id: int) -> bool:
    """Whether the portal's admin lets the user open the app; admins always may."""
    user = site.user(user_id) or {}
    return app.allowed_users is None or bool(user.get("IS_ADMIN")) or user_id in app.allowed_users
