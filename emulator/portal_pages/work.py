"""Cards of work: a task, a project, an item of a smart process; the analytics of telephony."""

from __future__ import annotations

from emulator import crm_types
from emulator.portal_pages import frames
from emulator.portal_pages.layout import Visit, visited
from emulator.routes import page
from emulator.wire import Response
from emulator.world import DYNAMIC, Row


@page(r"/company/personal/user/\d+/tasks/task/view/(\d+)/")
@visited
def task(visit: Visit) -> Response:
    row = visit.book.portal.records["task"].get(int(visit.call.groups[0]))
    people = visit.owners
    if row is None or (people is not None and not people & {row["RESPONSIBLE_ID"], row["CREATED_BY"]}):
        return visit.refuse(visit.text("tasks")["not_found"])
    text = visit.text("tasks")
    group = visit.book.portal.records["group"].get(row["GROUP_ID"] or 0)
    facts = [
        (text["status"], text[f"status_{row['STATUS']}"], ""),
        (text["deadline"], visit.book.moment(row["DEADLINE"]) or text["no_deadline"], ""),
        *([(text["project"], group["NAME"], f"/workgroups/group/{group['ID']}/")] if group else []),
    ]
    return _card(
        visit, "tasks", row["TITLE"], row["RESPONSIBLE_ID"], facts, "TASK_VIEW_TAB", {"taskId": row["ID"]}
    )


@page(r"/workgroups/group/(\d+)/")
@visited
def project(visit: Visit) -> Response:
    row = visit.book.portal.records["group"].get(int(visit.call.groups[0]))
    if row is None or not (
        row.get("OPENED")
        or visit.user.get("IS_ADMIN")
        or visit.user_id in (row["OWNER_ID"], *(row.get("MEMBERS") or ()))
    ):
        return visit.refuse(visit.text("tasks")["not_found"])
    tasks = sum(one["GROUP_ID"] == row["ID"] for one in visit.book.portal.records["task"])
    facts = [(visit.text("tasks")["title"], str(tasks), "")]
    options = {"GROUP_ID": row["ID"]}
    return _card(visit, "tasks", row["NAME"], row["OWNER_ID"], facts, "SONET_GROUP_DETAIL_TAB", options)


@page(r"/crm/type/(\d+)/details/(\d+)/")
@visited
def smart_item(visit: Visit) -> Response:
    kind, item_id = (int(group) for group in visit.call.groups)
    portal = visit.book.portal
    known = crm_types.smart_process(portal, kind) is not None
    item = portal.records[f"{DYNAMIC}{kind}"].get(item_id) if known else None
    if item is None or not visit.may_read(item):
        return visit.refuse(visit.text("deal")["not_found"])
    stages = {row["STATUS_ID"]: row["NAME"] for row in portal.records["status"]}
    client = visit.book.client(item)
    text = visit.text("deal")
    facts = [
        (text["stage"], stages.get(item["stageId"], item["stageId"]), ""),
        (text["created"], visit.book.moment(item["createdTime"]), ""),
        *([(text["client"], client["title"], client["url"])] if client else []),
    ]
    code = f"CRM_DYNAMIC_{kind}_DETAIL_TAB"
    return _card(visit, "crm", item["title"], item["assignedById"], facts, code, {"ID": str(item["id"])})


@page(r"/telephony/")
@visited
def telephony(visit: Visit) -> Response:
    """The start page of telephony: what applications show about calls opens from it."""
    placed = frames.handlers(visit.call.site, visit.user_id, "TELEPHONY_ANALYTICS_MENU")
    items = [
        (frames.title_of(app, handler, visit.lang), f"/marketplace/placement/{app.client_id}/{handler.id}/")
        for app, handler in placed
    ]
    calls = len(visit.book.portal.records["call"])
    title = visit.text("telephony")["title"]
    return visit.render("telephony.html", active="telephony", title=title, items=items, calls=calls)


def _card(
    visit: Visit,
    active: str,
    title: str,
    owner: int,
    facts: list[tuple[str, str, str]],
    code: str,
    options: Row,
) -> Response:
    """A record with its facts `(name, value, address)` and the tabs of applications."""
    tabs = [
        (
            f"app_{handler.id}",
            frames.title_of(app, handler, visit.lang),
            frames.make(
                visit.call, visit.user_id, app, placement=code, url=handler.url, options=options, is_lazy=True
            ),
        )
        for app, handler in frames.handlers(visit.call.site, visit.user_id, code)
    ]
    face = visit.book.face(owner)
    return visit.render("record.html", active=active, title=title, owner=face, facts=facts, tabs=tabs)
