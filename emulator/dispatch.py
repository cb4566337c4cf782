"""REST methods by name: how a family registers them, and how one call is checked and run.

A method is a function from `Call` to `Result`, registered with `@method("crm.item.list", scope="crm")`.
The families are listed in `emulator.rest.FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.filters import FilterError
from emulator.site import App, Site
from emulator.world import Portal, Row


@dataclass(frozen=True)
class Call:
    """One command: whose token, which parameters. Reserved parameters (auth ...) are already taken out.

    A positional call (a JSON array, or `0=..&1=..`) has its places as keys, in order.
    """

    site: Site
    method: str  # lower case
    params: dict[str, Any]
    user_id: int
    app: App | None  # None for a webhook
    scopes: frozenset[str]
    now: datetime
    token: str = ""
    connector: str = ""  # auth_connector
    from_json: bool = False  # values kept their types

    @property
    def portal(self) -> Portal:
        return self.site.portal

    @property
    def user(self) -> Row:
        return self.site.user(self.user_id) or {}

    @property
    def is_admin(self) -> bool:
        return bool(self.user.get("IS_ADMIN"))

    @property
    def zone(self) -> ZoneInfo:
        return zone(self.portal)

    @property
    def client_id(self) -> str:
        return self.app.client_id if self.app else ""

    def param(self, *names: str, default: Any = None) -> Any:
        """The first given of these parameters; names are case-sensitive, as the portal's."""
        for name in names:
            if name in self.params:
                return self.params[name]
        return default

    def integer(self, *names: str, default: int = 0) -> int:
        return php.as_int(self.param(*names), default)

    def mapping(self, *names: str) -> dict[str, Any]:
        return php.as_map(self.param(*names))

    def values(self, *names: str) -> list[Any]:
        return php.as_list(self.param(*names))

    def require_app(self) -> App:
        """The app of the token. Raises: PortalError WRONG_AUTH_TYPE for a webhook."""
        if self.app is None:
            raise PortalError("WRONG_AUTH_TYPE", "Current authorization type is denied for this method", 403)
        return self.app

    def require_admin(self) -> None:
        if not self.is_admin:
            self.deny()

    def deny(self, text: str = "Access denied!") -> NoReturn:
        raise PortalError("ACCESS_DENIED", text, self.site.quirks.access_errors_status)


def zone(portal: Portal) -> ZoneInfo:
    """The server's time zone, in which the portal shows moments."""
    return ZoneInfo(portal.timezone)


Handler = Callable[[Call], Result]


@dataclass(frozen=True)
class Method:
    name: str
    handler: Handler
    scopes: frozenset[str]  # one of them is enough; empty: none is needed
    in_batch: bool = True


METHODS: dict[str, Method] = {}


def method(
    name: str, *, scope: str | tuple[str, ...] = (), in_batch: bool = True
) -> Callable[[Handler], Handler]:
    """Register a REST method; with several scopes any one of them is enough."""

    def register(handler: Handler) -> Handler:
        scopes = frozenset([scope] if isinstance(scope, str) else scope)
        key = name.lower()
        if key in METHODS:
            raise ValueError(f"{name} is registered twice")
        METHODS[key] = Method(name, handler, scopes, in_batch)
        return handler

    return register


def find(site: Site, name: str) -> Method | None:
    """The method as this portal knows it: modules may be missing."""
    return None if name.lower() in site.missing_methods else METHODS.get(name.lower())


def may_call(found: Method, scopes: frozenset[str]) -> bool:
    return not found.scopes or not found.scopes.isdisjoint(scopes)


def run(call: Call, *, in_batch: bool = False) -> Result:
    """The answer of one command. Raises: PortalError."""
    found = find(call.site, call.method)
    if found is None:
        raise PortalError("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
    if in_batch and not found.in_batch:
        raise PortalError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
    if not may_call(found, call.scopes):
        raise PortalError(
            "insufficient_scope",
            # an inner command of a batch is refused without a text
            "" if in_batch else "The request requires higher privileges than provided by the access token",
            call.site.quirks.access_errors_status,
        )
    try:
        with call.portal.lock:
            return found.handler(call)
    except FilterError as error:
        raise PortalError("INVALID_ARG_VALUE", str(error)) from None
