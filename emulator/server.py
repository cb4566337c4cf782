"""The emulator as one object: an authorization server and any number of portals on loopback sockets."""

from __future__ import annotations

import json
import secrets
from types import TracebackType
from typing import Any

from emulator import rest, routes, seed
from emulator.clock import Clock
from emulator.control import Control
from emulator.counters import Counters
from emulator.engine import Rest
from emulator.events import Events
from emulator.faults import Faults
from emulator.limits import Limits
from emulator.oauth import AuthServer
from emulator.site import ALL_SCOPES, App, Quirks, Site, application_token
from emulator.wire import HttpServer, Request, Response, html_response
from emulator.world import Portal, Row


class Emulator:
    """One authorization server and its portals, from `start` to `stop`; also a context manager."""

    def __init__(
        self,
        client_id: str = "local.demo",
        client_secret: str = "secret",  # noqa: S107
        app_url: str = "http://127.0.0.1:8024",
        *,
        auth_port: int = 0,
        redirect_path: str = "/connect/callback",
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.app_url = app_url.rstrip("/")
        self.clock = Clock()
        self.auth = AuthServer(self.clock, {client_id: client_secret})
        self.auth.redirect_urls[client_id] = self.app_url + redirect_path
        self.sites: dict[str, Site] = {}  # by member id
        self._auth_port = auth_port
        self._servers: dict[str, HttpServer] = {}  # by address
        self._auth_server: HttpServer | None = None
        rest.load()
        routes.load()

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def auth_url(self) -> str:
        """The authorization server's address, without a slash at the end."""
        if self._auth_server is None:
            raise RuntimeError("the emulator is not started")
        return f"http://{self._auth_server.address}"

    def start(self) -> None:
        control = Control(self)

        def answer(request: Request) -> Response:
            if request.path.startswith("/_control/"):
                return control.answer(request)
            return self.auth.answer(request)

        self._auth_server = HttpServer(answer, self._auth_port)
        self.auth.url = self.auth_url

    def stop(self) -> None:
        for site in self.sites.values():
            site.events.stop()
        for server in self._servers.values():
            server.close()
        if self._auth_server is not None:
            self._auth_server.close()
        self._servers.clear()
        self._auth_server = None

    def add_portal(
        self,
        *,
        title: str = "Portal",
        lang: str = "ru",
        timezone: str = "Europe/Moscow",
        is_box: bool = False,
        uses_leads: bool = True,
        member_id: str | None = None,
        scopes: frozenset[str] | set[str] = ALL_SCOPES,
        port: int = 0,
        is_empty: bool = False,
    ) -> Portal:
        """A new portal that listens already, with the app added but not yet installed.

        It holds an admin (user 1), one department, the stock stages and one currency, unless `is_empty`.
        """
        portal = Portal(
            domain="", title=title, lang=lang, timezone=timezone, is_box=is_box, uses_leads=uses_leads
        )
        if member_id:
            portal.member_id = member_id
        quirks = Quirks(sends_application_token=not is_box)
        site = Site(portal, self.clock, self.auth_url, quirks=quirks)
        site.events = Events(site, self.auth)
        if is_box:
            site.license = "ru_selfhosted"
        server = self._listen(site, port)
        portal.domain = server.address
        if not is_empty:
            seed.stock(portal)
        self.sites[portal.member_id] = self.auth.sites[portal.member_id] = site
        self.add_app(portal, self.client_id, scopes)
        return portal

    def add_app(
        self,
        portal: Portal,
        client_id: str,
        scopes: frozenset[str] | set[str] = ALL_SCOPES,
        *,
        client_secret: str | None = None,
        app_url: str = "",
        install_url: str = "",
        callback_url: str = "",
    ) -> App:
        """Add (or add anew after uninstalling) an application to a portal, not yet installed."""
        if client_secret is not None or client_id not in self.auth.clients:
            self.auth.clients[client_id] = client_secret or secrets.token_hex(16)
        if client_id == self.client_id:
            app_url = app_url or f"{self.app_url}/"
            install_url = install_url or f"{self.app_url}/install"
        token = application_token(portal.member_id, client_id, self.auth.clients[client_id])
        app = App(
            client_id, set(scopes), token, app_url=app_url, install_url=install_url, callback_url=callback_url
        )
        self.site(portal).apps[client_id] = app
        return app

    def site(self, portal: Portal) -> Site:
        """Everything about a portal that is not its records."""
        return self.sites[portal.member_id]

    def app(self, portal: Portal, client_id: str | None = None) -> App:
        return self.site(portal).apps[client_id or self.client_id]

    def faults(self, portal: Portal) -> Faults:
        return self.site(portal).faults

    def counters(self, portal: Portal) -> Counters:
        return self.site(portal).counters

    def calls(self, portal: Portal) -> list[tuple[str, Any]]:
        """(method, parameters) of the last calls, batches and their commands, oldest first."""
        return list(self.site(portal).calls)

    def events(self, portal: Portal) -> Events:
        return self.site(portal).events

    def limits(self, portal: Portal, **switches: Any) -> Limits:
        """The portal's limits, with some switches of `limits.Limits` set."""
        limits = self.site(portal).limits
        for name, value in switches.items():
            if name.startswith("_") or not hasattr(limits, name):
                raise ValueError(f"no limit {name!r}")
            setattr(limits, name, value)
        return limits

    def issue_token(
        self, portal: Portal, user_id: int, *, client_id: str | None = None, expires_in: float | None = None
    ) -> dict[str, Any]:
        """A pair of tokens of a user, with the fields of the token endpoint."""
        site = self.site(portal)
        token = self.auth.issue(site, user_id, client_id or self.client_id, expires_in=expires_in)
        return {**self.auth.pair(site, token), "user_id": user_id, "expires": int(token.expires_at)}

    def expire_tokens(self, portal: Portal, user_id: int | None = None) -> None:
        self.auth.expire(self.site(portal), user_id)

    def revoke_tokens(self, portal: Portal, user_id: int | None = None) -> None:
        """Kill access and refresh tokens without telling anybody."""
        self.auth.revoke(self.site(portal), user_id)

    def add_webhook(
        self, portal: Portal, user_id: int, scopes: frozenset[str] | set[str] = ALL_SCOPES
    ) -> str:
        """The address of a new inbound webhook, ending in a slash."""
        secret = secrets.token_hex(8)
        self.site(portal).webhooks[user_id, secret] = set(scopes)
        return f"http://{portal.domain}/rest/{user_id}/{secret}/"

    def frame_post(
        self,
        portal: Portal,
        user_id: int,
        placement: str = "DEFAULT",
        options: Any = None,
        *,
        client_id: str | None = None,
        lang: str | None = None,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """(query, form) of what the portal page POSTs into a frame of the app.

        `options` is an object, a ready text, or None for no PLACEMENT_OPTIONS.
        """
        site = self.site(portal)
        app = self.app(portal, client_id)
        token = self.auth.issue(site, user_id, app.client_id)
        query = {
            "DOMAIN": portal.domain,
            "PROTOCOL": "0",
            "LANG": lang or portal.lang,
            "APP_SID": secrets.token_hex(16),
        }
        form = {
            "AUTH_ID": token.access,
            "AUTH_EXPIRES": str(round(token.expires_at - self.clock.time())),
            "REFRESH_ID": token.refresh,
            "member_id": portal.member_id,
            "status": app.status,
            "PLACEMENT": placement,
        }
        if site.quirks.sends_application_token:
            form |= {
                "SERVER_ENDPOINT": site.server_endpoint,
                "APPLICATION_TOKEN": app.application_token,
                "APPLICATION_SCOPE": ",".join(sorted(app.scopes)),
            }
        if options is not None:
            form["PLACEMENT_OPTIONS"] = options if isinstance(options, str) else json.dumps(options)
        return query, form

    def install(self, portal: Portal, user_id: int = 1, *, client_id: str | None = None) -> None:
        """What installFinish does, or adding an app that has no installer: mark it, fire ONAPPINSTALL."""
        site, app = self.site(portal), self.app(portal, client_id)
        app.is_installed = app.is_present = True
        app.installed_by = user_id
        data: Row = {"VERSION": str(app.version), "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": portal.lang}
        self._fire_app_event(site, app, "ONAPPINSTALL", data, user_id)

    def update_app(
        self,
        portal: Portal,
        *,
        version: int,
        user_id: int = 1,
        scopes: set[str] | None = None,
        new_application_token: bool = False,
    ) -> None:
        """A new version of the app: fires ONAPPUPDATE, then drops its event handlers."""
        site, app = self.site(portal), self.app(portal)
        data: Row = {
            "VERSION": str(version),
            "PREVIOUS_VERSION": str(app.version),
            "LANGUAGE_ID": portal.lang,
        }
        app.version = version
        if scopes is not None:
            app.scopes = set(scopes)
        if new_application_token:
            app.application_token = secrets.token_hex(16)
        self._fire_app_event(site, app, "ONAPPUPDATE", data, user_id)
        app.handlers = [handler for handler in app.handlers if handler.is_offline]

    def uninstall(self, portal: Portal, *, clean: int = 0, is_silent: bool = False) -> None:
        """Remove the app; REST closes first. `is_silent` loses the event, as portals sometimes do."""
        site, app = self.site(portal), self.app(portal)
        app.is_installed = app.is_present = False
        self.auth.revoke(site, client_id=app.client_id)
        if not is_silent:
            data: Row = {"LANGUAGE_ID": portal.lang, "CLEAN": str(int(clean))}
            app.is_present = True  # its handlers hear of it while they still exist
            self._fire_app_event(site, app, "ONAPPUNINSTALL", data, 0)
            app.is_present = False
        app.drop_registrations()
        site.events.offline.pop(app.client_id, None)
        if clean:
            app.options.clear()
            app.user_options.clear()

    def set_payment(
        self, portal: Portal, *, is_unpaid: bool, days: int | None = None, tell: bool = True
    ) -> None:
        """Let the app's trial or paid period end, or begin again; fires ONAPPPAYMENT."""
        site, app = self.site(portal), self.app(portal)
        app.is_unpaid, app.days = is_unpaid, days
        if tell:
            data: Row = {
                "CODE": app.client_id,
                "VERSION": str(app.version),
                "STATUS": app.status,
                "PAYMENT_EXPIRED": "Y" if is_unpaid else "N",
                "DAYS": "" if days is None else str(days),
            }
            self._fire_app_event(site, app, "ONAPPPAYMENT", data, 0)

    def rename(self, portal: Portal, *, port: int = 0) -> str:
        """Give the portal a new domain; the old ones answer 302 to it. Returns the new domain."""
        site = self.site(portal)
        portal.old_domains.add(portal.domain)
        portal.domain = self._listen(site, port).address
        return portal.domain

    def close_portal(self, portal: Portal) -> None:
        """Let the machine of a portal go away: connections are refused from now on."""
        for address in (portal.domain, *portal.old_domains):
            server = self._servers.pop(address, None)
            if server is not None:
                server.close()

    def open_portal(self, portal: Portal) -> None:
        """Bring a closed portal back at the same address."""
        self._listen(self.site(portal), int(portal.domain.rpartition(":")[2]))

    def _listen(self, site: Site, port: int) -> HttpServer:
        engine = Rest(site, self.auth)
        address = ""

        def answer(request: Request) -> Response:
            if address in site.portal.old_domains:
                query = f"?{request.query}" if request.query else ""
                location = f"{site.scheme}://{site.portal.domain}{request.path}{query}"
                return html_response("", 302, {"Location": location})
            return self._answer_portal(site, engine, request)

        server = HttpServer(answer, port)
        address = server.address
        self._servers[address] = server
        return server

    def _answer_portal(self, site: Site, engine: Rest, request: Request) -> Response:
        if request.path.startswith("/rest/"):
            return engine.answer(request)
        if request.path.rstrip("/") == "/oauth/authorize":
            user_id = routes.visitor(request)
            if user_id is None:
                return html_response("<h1>Log in first</h1>", 401)
            return self.auth.authorize(site, request, user_id)
        found = routes.find(request.path)
        if found is None:
            return html_response("<h1>404 Not Found</h1>", 404)
        function, groups = found
        return function(routes.PageCall(self, site, request, groups))

    def _fire_app_event(self, site: Site, app: App, name: str, data: Row, user_id: int) -> None:
        urls: dict[str, int] = {
            handler.url: handler.id
            for handler in app.handlers
            if handler.event == name and not handler.is_offline
        }
        if name == "ONAPPINSTALL" and app.callback_url:
            urls.setdefault(app.callback_url, 0)
        for url, handler_id in urls.items():
            site.events.send(app, url, name, data, handler_id, user_id=user_id)
