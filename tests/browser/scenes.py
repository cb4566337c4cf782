"""Every screen of the app: who opens it, how, and what must be there. Pictures and page rules walk it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from playwright.sync_api import Frame

from emulator.company.cast import OPERATORS
from emulator.company.tickets import HELP_DESK
from emulator.world import DYNAMIC, Portal, Row
from tests.browser.stage import Window

ADMIN, HEAD, SELLER, SUPPORT_HEAD = 1, 3, 10, 24


@dataclass(frozen=True)
class Cast:
    """Who looks, and at which records: of the invented company all, of others `seller`, `head`, `deal`."""

    portal: Portal
    seller: int
    head: int
    deal: int
    support_head: int = 0
    lead: int = 0
    contact: int = 0
    company: int = 0
    ticket: int = 0
    task: Row | None = None
    project: int = 0


@dataclass(frozen=True)
class Scene:
    """A screen. `who` is a field of Cast or `admin`; `excuses` are pieces of complaints that belong to it.

    `is_sales`: a portal that only sells has it too.
    """

    name: str
    who: str
    show: Callable[[Window, Cast], Frame]
    height: int = 900
    excuses: tuple[str, ...] = ()
    is_sales: bool = False

    def viewer(self, cast: Cast) -> int:
        found: int = ADMIN if self.who == "admin" else getattr(cast, self.who)
        return found


def cast_of(portal: Portal) -> Cast:
    """Who and what is worth looking at in the invented company."""
    records = portal.records
    deals = list(records["deal"].reversed())
    deal = next(
        d
        for d in deals
        if (d["assignedById"], d["stageSemanticId"], d["categoryId"]) == (SELLER, "P", 0)
        and d["stageId"] != "NEW"
    )
    won = [d for d in deals if d["stageSemanticId"] == "S"]
    private = [d for d in won if not d["companyId"]]
    leads = (one for one in records["lead"].reversed() if one["assignedById"] == SELLER)
    lead = next(one for one in leads if one["stageSemanticId"] == "P")
    operators = {person.id for person in OPERATORS}
    tickets = (one for one in records[f"{DYNAMIC}{HELP_DESK}"].reversed() if one["assignedById"] in operators)
    ticket = next(one for one in tickets if one["stageSemanticId"] == "P")
    open_tasks = [
        one
        for one in records["task"].reversed()
        if one["STATUS"] != 5 and one["GROUP_ID"] and one["TIME_ESTIMATE"]
    ]
    return Cast(
        portal,
        seller=SELLER,
        head=HEAD,
        deal=deal["id"],
        support_head=SUPPORT_HEAD,
        lead=lead["id"],
        contact=_most(private, "contactId"),
        company=_most(won, "companyId"),
        ticket=ticket["id"],
        task=open_tasks[0],
        project=open_tasks[0]["GROUP_ID"],
    )


def _most(rows: list[Row], key: str) -> int:
    found: list[int] = [row[key] for row in rows if row[key]]
    return max(sorted(set(found)), key=found.count)


def tab(address: str, placement: str, ready: str = ".facts dd.number") -> Callable[[Window, Cast], Frame]:
    """A tab of a record's card."""

    def show(window: Window, cast: Cast) -> Frame:
        window.open(address.format(cast=cast, task=cast.task or {}))
        window.page.click(f"[data-placement={placement}]")
        frame = window.frame()
        frame.wait_for_selector(ready)
        return settled(frame)

    return show


def settled(frame: Frame) -> Frame:
    """Nothing is on its way, and the chart, where there is one, is drawn."""
    frame.wait_for_selector("#app[aria-busy=false]")
    frame.wait_for_function(
        """() => [...document.querySelectorAll(".chart-box canvas")]
            .every((one) => window.Chart?.getChart(one))"""
    )
    frame.wait_for_function("() => !document.querySelector('.card.skeleton')")
    return frame


def team(window: Window, cast: Cast) -> Frame:
    frame = window.open_menu()
    frame.wait_for_selector(".people tr[data-row], .people li[data-row]")
    return settled(frame)


def clicked(
    key: str, ready: str, opening: Callable[[Window, Cast], Frame] = team
) -> Callable[[Window, Cast], Frame]:
    """What a button of a page opens."""

    def show(window: Window, cast: Cast) -> Frame:
        frame = opening(window, cast)
        frame.click(f"[data-key={key}]")
        frame.wait_for_selector(ready)
        return settled(frame)

    return show


def setup(name: str, ready: str = "#admin-panel .panel h2") -> Callable[[Window, Cast], Frame]:
    """A tab of the setup."""

    def show(window: Window, cast: Cast) -> Frame:
        frame = window.open_app()
        frame.click("[data-key=setup]")
        frame.click(f"[data-key=tab-{name}]")
        frame.wait_for_selector(f"[data-key=tab-{name}][aria-selected=true]")
        frame.wait_for_selector(ready)
        return settled(frame)

    return show


def first_run(step: int) -> Callable[[Window, Cast], Frame]:
    def show(window: Window, cast: Cast) -> Frame:
        frame = window.open_app()
        frame.click("[data-key=setup]")
        frame.click("[data-key=first-run]")
        frame.click(f".run-steps li:nth-child({step + 1}) button")
        frame.wait_for_selector(f".run-steps li:nth-child({step + 1})[aria-current]")
        frame.wait_for_selector(".admin-body .panel h2")
        return settled(frame)

    return show


def own_page(window: Window, cast: Cast) -> Frame:
    return settled(window.open_own())


def employee(window: Window, cast: Cast) -> Frame:
    return settled(window.open_employee(cast.seller))


def stranger(window: Window, cast: Cast) -> Frame:
    """A colleague's card: nothing of it is open."""
    return settled(window.open_employee(cast.head))


def analytics(window: Window, cast: Cast) -> Frame:
    window.open("/crm/analytics/")
    window.page.click("[data-placement=CRM_ANALYTICS_MENU]")
    return settled(window.frame())


def calls(window: Window, cast: Cast) -> Frame:
    window.open("/telephony/")
    window.page.click("[data-placement=TELEPHONY_ANALYTICS_MENU]")
    return settled(window.frame())


def shared(window: Window, cast: Cast) -> Frame:
    view = f"%23scope%3Duser%3A{cast.seller}%26period%3Dquarter"
    window.open(f"/marketplace/view/{window.live.emulator.client_id}/?params[view]={view}")
    return settled(window.frame())


def import_preview(window: Window, cast: Cast) -> Frame:
    frame = setup("costs")(window, cast)
    month = f"{datetime.now().astimezone():%Y-%m}"
    rows = [
        "channel;from;to;amount;currency", f"yandex;{month}-01;{month}-28;64000;RUB",
        f"google;{month}-01;{month}-28;41500,50;RUB", f"vk;{month}-31;{month}-28;22000;RUB",
        f"leaflets;{month}-01;{month}-28;many;RUB",
    ]  # fmt: skip
    frame.fill(".import-line textarea", "\n".join(rows))
    frame.click("[data-key=import-paste]")
    frame.wait_for_selector(".drawer .flaws li")
    return frame


def set_editor(window: Window, cast: Cast) -> Frame:
    frame = setup("sets")(window, cast)
    frame.click(".sets li button")
    frame.wait_for_selector(".drawer .admin-form")
    return frame


def plan_editor(window: Window, cast: Cast) -> Frame:
    frame = clicked("plan", ".grid td")(window, cast)
    frame.wait_for_selector(".plan-check p")
    return frame


def why(window: Window, cast: Cast) -> Frame:
    frame = team(window, cast)
    frame.wait_for_selector(".bridge li")
    frame.locator(".block-why").scroll_into_view_if_needed()
    return frame


def away(window: Window, cast: Cast) -> Frame:
    """The app's server does not answer any more; the last numbers stay."""
    frame = team(window, cast)
    window.page.route("**/api/v1/kpi?*", lambda route: route.fulfill(status=503, json={"status": 503}))
    frame.wait_for_selector(".block-notices .notice.warn")
    return frame


SCENES = (
    Scene("deal", "seller", tab("/crm/deal/details/{cast.deal}/", "CRM_DEAL_DETAIL_TAB"), 980, is_sales=True),
    Scene("lead", "head", tab("/crm/lead/details/{cast.lead}/", "CRM_LEAD_DETAIL_TAB"), 760),
    Scene("contact", "head", tab("/crm/contact/details/{cast.contact}/", "CRM_CONTACT_DETAIL_TAB"), 620),
    Scene("company", "head", tab("/crm/company/details/{cast.company}/", "CRM_COMPANY_DETAIL_TAB"), 620),
    Scene(
        "ticket",
        "support_head",
        tab(f"/crm/type/{HELP_DESK}/details/{{cast.ticket}}/", f"CRM_DYNAMIC_{HELP_DESK}_DETAIL_TAB"),
        760,
    ),
    Scene(
        "task",
        "admin",
        tab("/company/personal/user/{task[RESPONSIBLE_ID]}/tasks/task/view/{task[ID]}/", "TASK_VIEW_TAB"),
        760,
    ),
    Scene("project", "admin", tab("/workgroups/group/{cast.project}/", "SONET_GROUP_DETAIL_TAB"), 900),
    Scene("employee", "seller", own_page, 1900, is_sales=True),
    Scene("employee-card", "head", employee, 1100, is_sales=True),
    Scene("no-access", "seller", stranger, 900, is_sales=True),
    Scene("head", "head", team, 2700, is_sales=True),
    Scene("support-team", "support_head", team, 1500),
    Scene("crm-analytics", "head", analytics, 1100, is_sales=True),
    Scene("calls", "head", calls, 1000),
    Scene("shared-view", "head", shared, 1000, is_sales=True),
    Scene("explain", "head", clicked("explain-win_rate", "[role=dialog]"), 900, is_sales=True),
    Scene("records", "head", clicked("open-revenue", ".records .table-foot"), 1500, is_sales=True),
    Scene("why", "head", why, 1300, is_sales=True),
    Scene("plan", "head", plan_editor, 900, is_sales=True),
    Scene("tv", "head", clicked("tv", ".tv .tile"), 900, is_sales=True),
    Scene("sheet", "head", clicked("sheet", ".sheet tbody tr", employee), 1300, is_sales=True),
    Scene("server-away", "head", away, 700, ("503",)),
    Scene("health", "admin", setup("health"), 1300),
    Scene("settings", "admin", setup("settings"), 2200),
    Scene("sets", "admin", setup("sets"), 900),
    Scene("set-editor", "admin", set_editor, 1000),
    Scene("channels", "admin", setup("channels"), 1100),
    Scene("costs", "admin", setup("costs"), 1200),
    Scene("import", "admin", import_preview, 900),
    Scene("campaigns", "admin", setup("campaigns"), 1200),
    Scene("clients", "admin", setup("clients"), 640),
    Scene("audit", "admin", setup("audit"), 900),
    Scene("first-run-rights", "admin", first_run(0), 900),
    Scene("first-run-functions", "admin", first_run(1), 900),
    Scene("first-run-targets", "admin", first_run(4), 560),
    Scene("first-run-places", "admin", first_run(6), 1120),
)
