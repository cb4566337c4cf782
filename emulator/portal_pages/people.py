"""Pages about people: the list of employees, an employee's card, their tasks."""

from __future__ import annotations

from emulator.portal_pages import frames, views
from emulator.portal_pages.layout import Visit, visited
from emulator.routes import page
from emulator.wire import Response


@page(r"/company/")
@visited
def company(visit: Visit) -> Response:
    dismissed = [
        visit.book.face(row["ID"])
        for row in visit.book.portal.records["user"]
        if not row["ACTIVE"] and row["USER_TYPE"] == "employee"
    ]
    return visit.render(
        "people.html",
        active="company",
        title=visit.text("people")["title"],
        departments=views.org(visit.book),
        dismissed=dismissed,
    )


@page(r"/company/personal/user/(\d+)/")
@visited
def person(visit: Visit) -> Response:
    user = visit.call.site.user(int(visit.call.groups[0]))
    if user is None or user["USER_TYPE"] == "bot":
        return visit.refuse(visit.text("deal")["not_found"])
    tools = [
        (
            frames.title_of(app, handler, visit.lang),
            f"/marketplace/placement/{app.client_id}/{handler.id}/?USER_ID={user['ID']}",
        )
        for app, handler in frames.handlers(visit.call.site, visit.user_id, "USER_PROFILE_TOOLBAR")
    ]
    card = views.person_card(visit.book, user)
    return visit.render("person.html", active="company", title=card["face"].name, card=card, tools=tools)


@page(r"/tasks/")
@visited
def tasks(visit: Visit) -> Response:
    rows = views.tasks(visit.book, visit.user_id, bool(visit.user.get("IS_ADMIN")))
    return visit.render("tasks.html", active="tasks", title=visit.text("tasks")["title"], rows=rows)
