"""Pages of applications: their own page, the installer, placements that open as a page or a slider."""

from __future__ import annotations

import json
from typing import Any

from emulator.oauth import may_use
from emulator.portal_pages import frames
from emulator.portal_pages.layout import Visit, visited
from emulator.routes import page
from emulator.wire import Response
from emulator.world import Row

OWN_KEYS = ("emulator_user", "payload", "IFRAME_TYPE")


@page(r"/marketplace/app/([\w.-]+)/")
@visited
def app_page(visit: Visit) -> Response:
    """The app; for an admin its installer until the installation is finished."""
    site = visit.call.site
    app = site.apps.get(visit.call.groups[0])
    text = visit.text("app")
    if app is None or not app.is_present:
        return visit.refuse(text["absent"])
    if not may_use(app, site, visit.user_id):
        return visit.refuse(text["denied"], 403)
    if app.is_unpaid:
        return visit.refuse(text["unpaid"], 200)
    is_installer = not app.is_installed and bool(app.install_url)
    if is_installer and not visit.user.get("IS_ADMIN"):
        return visit.refuse(text["not_installed"], 200)
    if not app.is_installed and not app.install_url:
        visit.call.emulator.install(site.portal, visit.user_id, client_id=app.client_id)
    frame = frames.make(visit.call, visit.user_id, app, options=_options(visit), is_installer=is_installer)
    title = frames.title_of(app, None, visit.lang)
    return visit.render("app.html", active=f"app-{app.client_id}", title=title, frame=frame)


@page(r"/marketplace/placement/([\w.-]+)/(\d+)/")
@visited
def placement_page(visit: Visit) -> Response:
    """A placement as a page of its own: left menu, own profile menu, an employee card's menu."""
    client_id, handler_id = visit.call.groups
    found = frames.find_handler(visit.call.site, visit.user_id, int(handler_id), client_id)
    if found is None:
        return visit.refuse(visit.text("app")["absent"])
    app, handler = found
    options = {key: value for key, value in (_options(visit) or {}).items() if key != "IFRAME"}
    if handler.code == "USER_PROFILE_MENU":
        options["USER_ID"] = str(visit.user_id)
    frame = frames.make(
        visit.call, visit.user_id, app, placement=handler.code, url=handler.url, options=options
    )
    title = frames.title_of(app, handler, visit.lang)
    return visit.render("app.html", active=f"placement-{handler.id}", title=title, frame=frame)


@page(r"/marketplace/view/([\w.-]+)/")
@visited
def deep_link(visit: Visit) -> Response:
    """`?params[k]=v`: the app's REST_APP_URI handler with these options, else the app's page."""
    client_id = visit.call.groups[0]
    params = visit.call.request.args.get("params")
    options: Row = dict(params) if isinstance(params, dict) else {}
    for app, handler in frames.handlers(visit.call.site, visit.user_id, "REST_APP_URI"):
        if app.client_id == client_id:
            frame = frames.make(
                visit.call, visit.user_id, app, placement=handler.code, url=handler.url, options=options
            )
            title = frames.title_of(app, handler, visit.lang)
            return visit.render("app.html", active=f"app-{client_id}", title=title, frame=frame)
    return Response(302, b"", {"Location": f"/marketplace/app/{client_id}/"})


def _options(visit: Visit) -> Row | None:
    """PLACEMENT_OPTIONS of the page: its query, or what openApplication was given; None if there is none."""
    args: dict[str, Any] = {k: v for k, v in visit.call.request.args.items() if k not in OWN_KEYS}
    payload = visit.call.request.args.get("payload")
    if payload:
        given = json.loads(str(payload))
        args |= given if isinstance(given, dict) else {}
    return args or None
