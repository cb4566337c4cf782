"""Choosing whom to be, and the files that pages load."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from emulator.portal_pages.layout import Visit, bare, visited
from emulator.portal_pages.views import Book, heads_of, org
from emulator.routes import VISITOR, PageCall, page
from emulator.wire import Response

STATIC = Path(__file__).parent / "static"


@page(r"/login/")
def choose(call: PageCall) -> Response:
    """Everybody whom a visitor can be: admins, heads by department, the others by department."""
    book = Book(call.site.portal, call.site.portal.lang)
    heads = heads_of(book.portal)
    users = [
        row
        for row in book.portal.records["user"]
        if row["ACTIVE"] and row["USER_TYPE"] in ("employee", "extranet")
    ]
    placed = {user_id for row in users for user_id in [row["ID"]] if row.get("UF_DEPARTMENT")}
    return bare(
        call,
        "choose.html",
        admins=[book.face(row["ID"]) for row in users if row.get("IS_ADMIN")],
        heads=[(book.face(row["ID"]), ", ".join(heads[row["ID"]])) for row in users if row["ID"] in heads],
        departments=[row for row in org(book) if row["people"]],
        nobody=[book.face(row["ID"]) for row in users if row["ID"] not in placed],
        link=lambda face: _enter(call, face.id),
    )


def _enter(call: PageCall, user_id: int) -> str:
    """Where a choice leads: to the page that was asked for, on this portal only."""
    back = urlsplit(str(call.request.args.get("backurl") or "/"))
    path = back.path if back.path.startswith("/") and not back.path.startswith("//") else "/"
    kept = f"{back.query}&" if back.query else ""
    return f"{path}?{kept}{urlencode({VISITOR: user_id})}"


@page(r"/")
@visited
def start(visit: Visit) -> Response:
    return visit.render("stream.html", active="stream", title=visit.text("stream")["title"])


@page(r"/stream/")
@visited
def stream(visit: Visit) -> Response:
    return visit.render("stream.html", active="stream", title=visit.text("stream")["title"])


@page(r"/_static/([\w.-]+)")
def static(call: PageCall) -> Response:
    path = STATIC / call.groups[0]
    if not path.is_file():
        return Response(404, b"")
    kind = guess_type(path.name)[0] or "application/octet-stream"
    return Response(200, path.read_bytes(), {"Content-Type": f"{kind}; charset=utf-8"})


@page(r"/favicon\.ico")
def icon(_call: PageCall) -> Response:
    return Response(204)
