"""Pages of the CRM: kanban and list of deals, cards of deals, leads and clients, analytics."""

from __future__ import annotations

from emulator.portal_pages import frames, views
from emulator.portal_pages.layout import Visit, visited
from emulator.routes import page
from emulator.wire import Response
from emulator.world import Row

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4


@page(r"/crm/deal/kanban/category/(\d+)/")
@visited
def kanban(visit: Visit) -> Response:
    category = int(visit.call.groups[0])
    return visit.render(
        "kanban.html",
        active="deals",
        title=visit.text("deals")["title"],
        pipelines=visit.book.pipelines(),
        category=category,
        columns=views.kanban(visit.book, category, visit.owners),
    )


@page(r"/crm/deal/list/(?:category/(\d+)/)?")
@visited
def deal_list(visit: Visit) -> Response:
    text = visit.call.groups[0]
    category = int(text) if text else None
    found = views.deals(visit.book.portal, visit.owners, category)
    rows, number, pages = views.page_of(found, _page_number(visit))
    return visit.render(
        "deals.html",
        active="deals",
        title=visit.text("deals")["title"],
        pipelines=visit.book.pipelines(),
        category=category,
        rows=[visit.book.deal_line(deal) for deal in rows],
        number=number,
        pages=pages,
    )


@page(r"/crm/deal/details/(\d+)/")
@visited
def deal(visit: Visit) -> Response:
    item = visit.book.portal.records["deal"].get(int(visit.call.groups[0]))
    if item is None or not visit.may_read(item):
        return visit.refuse(visit.text("deal")["not_found"])
    planned, done = views.timeline(visit.book, DEAL, item)
    return visit.render(
        "deal.html",
        active="deals",
        title=item["title"],
        deal=views.deal_card(visit.book, item),
        planned=planned,
        done=done,
        tabs=_tabs(visit, "CRM_DEAL_DETAIL_TAB", item),
    )


@page(r"/crm/lead/list/")
@visited
def lead_list(visit: Visit) -> Response:
    book = visit.book
    stages = {row["STATUS_ID"]: row for row in book.statuses("STATUS")}
    sources = {row["STATUS_ID"]: row["NAME"] for row in book.statuses("SOURCE")}
    found = (lead for lead in book.portal.records["lead"].reversed() if visit.may_read(lead))
    rows, number, pages = views.page_of(found, _page_number(visit))
    lines = [
        {
            "id": lead["id"],
            "title": lead["title"],
            "url": f"/crm/lead/details/{lead['id']}/",
            "stage": stages.get(lead["stageId"], {}).get("NAME", lead["stageId"]),
            "color": stages.get(lead["stageId"], {}).get("COLOR", "#ace9fb"),
            "source": sources.get(lead["sourceId"] or "", ""),
            "owner": book.face(lead["assignedById"]),
            "created": book.moment(lead["createdTime"]),
        }
        for lead in rows
    ]
    return visit.render(
        "leads.html",
        active="leads",
        title=visit.text("leads")["title"],
        rows=lines,
        number=number,
        pages=pages,
    )


@page(r"/crm/(lead|company|contact)/details/(\d+)/")
@visited
def item_card(visit: Visit) -> Response:
    kind, item_id = visit.call.groups
    item = visit.book.portal.records[kind].get(int(item_id))
    if item is None or (kind == "lead" and not visit.may_read(item)):
        return visit.refuse(visit.text("deal")["not_found"])
    owner_type = {"lead": LEAD, "company": COMPANY, "contact": CONTACT}[kind]
    planned, done = views.timeline(visit.book, owner_type, item)
    return visit.render(
        "item.html",
        active="leads" if kind == "lead" else "deals",
        title=item["title"],
        kind=kind,
        item={
            "created": visit.book.moment(item["createdTime"]),
            "owner": visit.book.face(item["assignedById"]),
            "client": visit.book.client(item),
            "deals": _deals_of(visit, kind, item),
        },
        planned=planned,
        done=done,
        tabs=_tabs(visit, f"CRM_{kind.upper()}_DETAIL_TAB", item),
    )


@page(r"/crm/analytics/(?:([\w.-]+)/(\d+)/)?")
@visited
def analytics(visit: Visit) -> Response:
    placed = frames.handlers(visit.call.site, visit.user_id, "CRM_ANALYTICS_MENU")
    client_id, handler_id = visit.call.groups
    frame = None
    title = visit.text("analytics")["title"]
    for app, handler in placed:
        if app.client_id == client_id and str(handler.id) == handler_id:
            title = frames.title_of(app, handler, visit.lang)
            frame = frames.make(visit.call, visit.user_id, app, placement=handler.code, url=handler.url)
    items = [
        (frames.title_of(app, handler, visit.lang), f"/crm/analytics/{app.client_id}/{handler.id}/")
        for app, handler in placed
    ]
    funnel = views.kanban(visit.book, 0, visit.owners)
    return visit.render(
        "analytics.html", active="analytics", title=title, items=items, frame=frame, funnel=funnel
    )


def _tabs(visit: Visit, code: str, item: Row) -> list[tuple[str, str, frames.Frame]]:
    """(id, title, frame) of the applications' tabs on a card; they load on the first click."""
    return [
        (
            f"app_{handler.id}",
            frames.title_of(app, handler, visit.lang),
            frames.make(
                visit.call,
                visit.user_id,
                app,
                placement=code,
                url=handler.url,
                options={"ID": str(item["id"])},
                is_lazy=True,
            ),
        )
        for app, handler in frames.handlers(visit.call.site, visit.user_id, code)
    ]


def _deals_of(visit: Visit, kind: str, item: Row) -> list[Row]:
    key = {"lead": "leadId", "company": "companyId", "contact": "contactId"}[kind]
    found = visit.book.portal.records["deal"]
    rows = (found.get(deal_id) for deal_id in found.ids_where(key, [item["id"]]))
    return [visit.book.deal_line(row) for row in rows if row and visit.may_read(row)][:20]


def _page_number(visit: Visit) -> int:
    text = str(visit.call.request.args.get("page") or "1")
    return int(text) if text.isdecimal() else 1
