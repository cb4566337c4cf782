"""The frames of applications in a portal's pages: the form that opens one and what its host tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from emulator.oauth import may_use
from emulator.routes import PageCall
from emulator.site import App, PlacementHandler, Site
from emulator.world import Row

INTERFACES: dict[str, Row] = {
    "DETAIL_TAB": {"command": ["reloadData"], "event": ["Kernel::onEntityUpdate"]},
    "LIST_MENU": {"command": ["reloadData"], "event": []},
}
"""Special commands and events by the end of a placement's code; the others have none."""


@dataclass(frozen=True)
class Frame:
    """An iframe of an app: where its form goes, with which fields, and what `getInitData` answers."""

    name: str  # HOST|PROTOCOL|APP_SID
    action: str
    fields: Row  # empty: opened by GET
    config: str  # JSON for host.js
    placement: str
    is_lazy: bool  # opened on the first click on its tab


def make(
    call: PageCall,
    user_id: int,
    app: App,
    *,
    placement: str = "DEFAULT",
    url: str = "",
    options: Row | None = None,
    is_installer: bool = False,
    is_lazy: bool = False,
) -> Frame:
    """The frame of an app page, an installer or a placement, with a fresh token of the viewing user."""
    portal = call.site.portal
    url = url or (app.install_url if is_installer else app.app_url)
    if placement == "BI_ANALYTICS_MENU":  # opened by plain GET, without anything
        return Frame("", url, {}, "{}", placement, is_lazy)
    if placement != "DEFAULT":
        options = {**(options or {}), "URI": _uri(call)}
    query, fields = call.emulator.frame_post(
        portal, user_id, placement, options, client_id=app.client_id, lang=portal.lang
    )
    user = call.site.user(user_id) or {}
    init = {
        "LANG": query["LANG"],
        "DOMAIN": portal.domain,
        "PROTOCOL": int(query["PROTOCOL"]),
        "PATH": "/rest",
        "AUTH_ID": fields["AUTH_ID"],
        "REFRESH_ID": fields["REFRESH_ID"],
        "AUTH_EXPIRES": int(fields["AUTH_EXPIRES"]),
        "MEMBER_ID": portal.member_id,
        "IS_ADMIN": bool(user.get("IS_ADMIN")),
        "FIRST_RUN": is_first_run(app),
        "INSTALL": is_installer,
        "APP_OPTIONS": app.options or "",
        "USER_OPTIONS": app.user_options.get(user_id) or "",
        "PLACEMENT": placement,
        "PLACEMENT_OPTIONS": options or "",
    }
    parts = urlsplit(url)
    config = {
        "sid": query["APP_SID"],
        "origin": f"{parts.scheme}://{parts.netloc}",
        "app": app.client_id,
        "init": init,
        "interface": _interface(placement),
    }
    return Frame(
        name=f"{query['DOMAIN']}|{query['PROTOCOL']}|{query['APP_SID']}",
        action=f"{url}{'&' if '?' in url else '?'}{urlencode(query)}",
        fields=fields,
        config=json.dumps(config, ensure_ascii=False),
        placement=placement,
        is_lazy=is_lazy,
    )


def is_first_run(app: App) -> bool:
    """Whether no page of the app has said `setInstall` yet."""
    return not app.was_opened


def open_apps(site: Site, user_id: int) -> list[App]:
    """Applications that are on the portal and that the user may use, installed or not."""
    return [app for app in site.apps.values() if app.is_present and may_use(app, site, user_id)]


def handlers(site: Site, user_id: int, code: str) -> list[tuple[App, PlacementHandler]]:
    """Handlers of a placement that the user sees: of installed, paid apps, in the order of registration."""
    found = [
        (app, handler)
        for app in open_apps(site, user_id)
        if app.is_installed and not app.is_unpaid
        for handler in app.placements
        if handler.code == code and handler.user_id in (0, user_id)
    ]
    return sorted(found, key=lambda pair: pair[1].id)


def find_handler(
    site: Site, user_id: int, handler_id: int, client_id: str
) -> tuple[App, PlacementHandler] | None:
    """The handler of an app by its id, if the user may see it."""
    app = site.apps.get(client_id)
    codes = {handler.code for handler in app.placements if handler.id == handler_id} if app else set()
    for code in codes:
        for found, handler in handlers(site, user_id, code):
            if found is app and handler.id == handler_id:
                return found, handler
    return None


def title_of(app: App, handler: PlacementHandler | None, lang: str) -> str:
    """The name of an app or of its placement in the portal's language."""
    if handler is not None:
        texts: Any = handler.lang_all.get(lang) or handler.lang_all.get("en") or {}
        named = (texts.get("TITLE") if isinstance(texts, dict) else "") or handler.title
        if named:
            return str(named)
    return app.title or app.client_id


def _interface(placement: str) -> Row | list[Any]:
    for end, commands in INTERFACES.items():
        if placement.endswith(end):
            return commands
    return []


def _uri(call: PageCall) -> str:
    query = call.request.query
    return f"{call.request.path}?{query}" if query else call.request.path
