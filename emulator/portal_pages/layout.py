"""The frame around every page of the portal: who is looking, the left menu, templates, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from emulator.portal_pages import frames, words
from emulator.portal_pages.views import Book, Face
from emulator.rights import visible_owners
from emulator.routes import VISITOR, Page, PageCall
from emulator.wire import Response, html_response
from emulator.world import Row

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Visit:
    """A page call of a known person: what every page needs to know."""

    call: PageCall
    user: Row
    book: Book

    @property
    def user_id(self) -> int:
        return int(self.user["ID"])

    @property
    def lang(self) -> str:
        return self.book.lang

    @property
    def is_slider(self) -> bool:
        return self.call.request.args.get("IFRAME") == "Y"

    @property
    def owners(self) -> frozenset[int] | None:
        """Whose records the person may read; None: everybody's."""
        return visible_owners(self.call.site, self.user_id)

    def may_read(self, item: Row) -> bool:
        return self.owners is None or item["assignedById"] in self.owners

    def text(self, section: str) -> dict[str, str]:
        return words.texts(self.lang)[section]

    def render(self, template: str, *, active: str = "", status: int = 200, **values: Any) -> Response:
        """A page in the portal's layout."""
        html = (
            _environment()
            .get_template(template)
            .render(
                t=words.texts(self.lang),
                lang=self.lang if self.lang == "ru" else "en",
                portal=self.book.portal,
                me=self.book.face(self.user_id),
                is_admin=bool(self.user.get("IS_ADMIN")),
                is_slider=self.is_slider,
                active=active,
                menu=_menu(self),
                profile_items=_profile_items(self),
                **values,
            )
        )
        return html_response(html, status, {"Cache-Control": "no-store", **_cookie(self.call, self.user_id)})

    def refuse(self, text: str, status: int = 404, **values: Any) -> Response:
        return self.render("message.html", status=status, title="", text=text, **values)


def visited(function: Callable[[Visit], Response]) -> Page:
    """A page for people: without a known visitor it asks who is looking."""

    def page(call: PageCall) -> Response:
        user = call.site.user(call.visitor_id) if call.visitor_id else None
        if user is None or not user.get("ACTIVE"):
            path = f"{call.request.path}?{call.request.query}" if call.request.query else call.request.path
            return Response(302, b"", {"Location": f"/login/?backurl={quote(path, safe='')}"})
        with call.site.portal.lock:
            return function(Visit(call, user, Book(call.site.portal, call.site.portal.lang)))

    return page


def bare(call: PageCall, template: str, **values: Any) -> Response:
    """A page without the portal's layout."""
    lang = call.site.portal.lang
    html = (
        _environment()
        .get_template(template)
        .render(t=words.texts(lang), lang=lang if lang == "ru" else "en", portal=call.site.portal, **values)
    )
    return html_response(html, 200, {"Cache-Control": "no-store"})


@dataclass(frozen=True)
class MenuItem:
    key: str
    title: str
    url: str
    icon: str = ""
    level: int = 0


def _menu(visit: Visit) -> list[MenuItem]:
    text = visit.text("menu")
    items = [
        MenuItem("stream", text["stream"], "/stream/", "stream"),
        MenuItem("tasks", text["tasks"], "/tasks/", "tasks"),
        MenuItem("crm", text["crm"], "/crm/deal/kanban/category/0/", "crm"),
        MenuItem("deals", text["deals"], "/crm/deal/kanban/category/0/", level=1),
        *(
            [MenuItem("leads", text["leads"], "/crm/lead/list/", level=1)]
            if visit.book.portal.uses_leads
            else []
        ),
        MenuItem("analytics", text["analytics"], "/crm/analytics/", level=1),
        MenuItem("telephony", text["telephony"], "/telephony/", level=1),
        MenuItem("company", text["company"], "/company/", "people"),
    ]
    site = visit.call.site
    apps = [
        MenuItem(
            f"app-{app.client_id}",
            frames.title_of(app, None, visit.lang),
            f"/marketplace/app/{app.client_id}/",
            level=1,
        )
        for app in frames.open_apps(site, visit.user_id)
    ]
    placed = [
        MenuItem(
            f"placement-{handler.id}",
            frames.title_of(app, handler, visit.lang),
            f"/marketplace/placement/{app.client_id}/{handler.id}/",
            level=1,
        )
        for app, handler in frames.handlers(site, visit.user_id, "LEFT_MENU")
    ]
    if apps or placed:
        items += [
            MenuItem("applications", text["applications"], (placed or apps)[0].url, "apps"),
            *placed,
            *apps,
        ]
    return items


def _profile_items(visit: Visit) -> list[MenuItem]:
    """Items of applications in the menu behind the avatar; they concern the viewer."""
    return [
        MenuItem(
            f"profile-{handler.id}",
            frames.title_of(app, handler, visit.lang),
            f"/marketplace/placement/{app.client_id}/{handler.id}/?USER_ID={visit.user_id}",
        )
        for app, handler in frames.handlers(visit.call.site, visit.user_id, "USER_PROFILE_MENU")
    ]


def _cookie(call: PageCall, user_id: int) -> dict[str, str]:
    if VISITOR not in call.request.args:
        return {}
    return {"Set-Cookie": f"{VISITOR}={user_id}; Path=/; SameSite=Lax; HttpOnly"}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["avatar"] = _avatar
    return environment


def _avatar(face: Face) -> str:
    return f"background:{face.color}"
