"""The server behind the host side of the frame protocol: what host.js cannot answer by itself."""

from __future__ import annotations

import json
from typing import Any

from emulator import crm
from emulator.events import acting
from emulator.portal_pages.views import Book, org
from emulator.routes import PageCall, page
from emulator.site import App
from emulator.wire import Response, json_response
from emulator.world import Row

FOUND = 50


@page(r"/_host/(\w+)")
def host(call: PageCall) -> Response:
    """One request of a page's script, as the person whose page it is."""
    user = call.site.user(call.visitor_id) if call.visitor_id else None
    answer = _ANSWERS.get(call.groups[0])
    if user is None or answer is None or call.request.method != "POST":
        return json_response({"error": "no such request"}, 404)
    params: Row = json.loads(call.request.body or b"{}")
    with call.site.portal.lock, acting(int(user["ID"]), "", ""):
        return json_response(answer(call, user, params))


def refresh(call: PageCall, user: Row, params: Row) -> Any:
    """refreshAuth: a new token of the viewer."""
    token = call.emulator.issue_token(
        call.site.portal, int(user["ID"]), client_id=_app(call, params).client_id
    )
    return {
        "AUTH_ID": token["access_token"],
        "AUTH_EXPIRES": token["expires_in"],
        "REFRESH_ID": token["refresh_token"],
    }


def installed(call: PageCall, user: Row, params: Row) -> Any:
    """setInstallFinish: only an admin, only once."""
    app = _app(call, params)
    if user.get("IS_ADMIN") and not app.is_installed:
        call.emulator.install(call.site.portal, int(user["ID"]), client_id=app.client_id)
    return {"installed": app.is_installed}


def opened(call: PageCall, _user: Row, params: Row) -> Any:
    """setInstall: the first run is over."""
    _app(call, params).was_opened = True
    return params


def app_option(call: PageCall, user: Row, params: Row) -> Any:
    """setAppOption: all options, for an admin only; null means no answer."""
    if not user.get("IS_ADMIN"):
        return None
    app = _app(call, params)
    app.options[str(params.get("name"))] = params.get("value")
    return app.options


def user_option(call: PageCall, user: Row, params: Row) -> Any:
    """setUserOption."""
    options = _app(call, params).user_options.setdefault(int(user["ID"]), {})
    options[str(params.get("name"))] = params.get("value")
    return {"name": params.get("name"), "value": params.get("value")}


def users(call: PageCall, user: Row, _params: Row) -> Any:
    """Employees for the selectUser dialog."""
    book = Book(call.site.portal, call.site.portal.lang)
    rows = [
        row for row in call.site.portal.records["user"] if row["ACTIVE"] and row["USER_TYPE"] == "employee"
    ]
    return [
        {
            "id": str(row["ID"]),
            "name": book.face(row["ID"]).name,
            "photo": row.get("PERSONAL_PHOTO") or "",
            "position": row.get("WORK_POSITION") or "",
            "url": book.face(row["ID"]).url,
            "sub": False,
            "sup": row["ID"] == user["ID"],
        }
        for row in rows
    ]


def access(call: PageCall, _user: Row, _params: Row) -> Any:
    """Departments and employees as access codes for the selectAccess dialog."""
    book = Book(call.site.portal, call.site.portal.lang)
    tree = org(book)
    return [{"id": f"DR{row['id']}", "name": "— " * row["level"] + row["name"]} for row in tree] + [
        {"id": f"U{face.id}", "name": face.name}
        for row in tree
        for face in ([row["head"]] if row["head"] else []) + row["people"]
    ]


def items(call: PageCall, _user: Row, params: Row) -> Any:
    """CRM items for the selectCRM dialog: newest of each asked type."""
    prefixes = {"lead": "L", "contact": "C", "company": "CO", "deal": "D"}
    return [
        {
            "id": f"{prefix}_{row['id']}",
            "type": kind,
            "place": kind,
            "title": row["title"],
            "desc": "",
            "url": f"/crm/{kind}/details/{row['id']}/",
        }
        for kind, prefix in prefixes.items()
        if kind in (params.get("entityType") or ())
        for row, _ in zip(call.site.portal.records[kind].reversed(), range(FOUND), strict=False)
    ]


def move(call: PageCall, user: Row, params: Row) -> Any:
    """The stage bar of a deal's card: move it to another stage."""
    deal_id, stage = int(params["deal"]), str(params["stage"])
    crm.move_deal(call.site.portal, deal_id, stage, by=int(user["ID"]))
    return {"moved": True}


def _app(call: PageCall, params: Row) -> App:
    return call.site.apps[str(params.get("app"))]


_ANSWERS = {
    "refresh": refresh,
    "installed": installed,
    "opened": opened,
    "app_option": app_option,
    "user_option": user_option,
    "users": users,
    "access": access,
    "items": items,
    "move": move,
}
