"""The emulated portal and the app on loopback, and windows of a real browser in front of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Frame,
    Page,
    Request,
    Response,
    Route,
    ViewportSize,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

from b24app import serving
from b24app.web.assets import CDN, LIBRARIES
from emulator import company
from emulator.routes import VISITOR
from emulator.world import Portal
from tests.http.live import Live, eventually, living, token
from tests.http.unhurried import Unhurried

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
READ_S = 120
SHOWN_MS = 60_000
"""Generous: what appears sooner is not waited for, and a busy machine says nothing about the page."""
SEEN = "try { localStorage.setItem('b24app-tour:%s', '1') } catch { /* a frame without storage */ }"
COPIES = {library.cdn: library.path for library in LIBRARIES.values()}
"""What the CDN would serve, byte for byte: the page still checks the integrity of every library."""


@dataclass
class Window:
    """One person's window on the portal. What the browser complains about is collected, not printed."""

    page: Page
    live: Live
    portal: Portal
    user_id: int
    complaints: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def open(self, path: str) -> None:
        """A page of the portal."""
        self.page.goto(f"http://{self.portal.domain}{path}")

    def open_app(self) -> Frame:
        self.open(f"/marketplace/app/{self.live.emulator.client_id}/")
        return self.frame()

    def open_deal(self, deal_id: int) -> Frame:
        """The app's tab in the card of a deal."""
        self.open(f"/crm/deal/details/{deal_id}/")
        self.page.click("[data-placement=CRM_DEAL_DETAIL_TAB]")
        return self.frame()

    def open_employee(self, user_id: int) -> Frame:
        """The app's item in the menu of an employee's card; it opens in the portal's slider."""
        self.open(f"/company/personal/user/{user_id}/")
        self.page.click("[data-placement=USER_PROFILE_TOOLBAR]")
        return self.frame()

    def open_own(self) -> Frame:
        """The app's item in the menu of one's own profile."""
        self.open("/stream/")
        self.page.click("details.me summary")
        self.page.click("[data-placement=USER_PROFILE_MENU]")
        return self.frame()

    def open_menu(self) -> Frame:
        """The app's item in the left menu."""
        self.open("/stream/")
        self.page.click("#menu [data-key^=placement-]")
        return self.frame()

    def frame(self, *, is_settled: bool = True) -> Frame:
        """The app's frame, however deep it is nested; settled: nothing is on its way any more."""
        for _ in range(SHOWN_MS // 25):
            for frame in self.page.frames:
                if frame.url.startswith(self.live.url):
                    frame.wait_for_selector("#app[aria-busy=false]" if is_settled else "#app")
                    return frame
            self.page.wait_for_timeout(25)
        raise AssertionError(f"no frame of the app in {[frame.url for frame in self.page.frames]}")

    def told(self) -> list[Any]:
        """What the app has told this window since the last question: bodies of the API and the data of pages.

        To be asked before the window goes elsewhere: the browser forgets the bodies with the page.
        """
        bodies: list[Any] = []
        while self.answers:
            answer = self.answers.pop(0)
            if answer.status != 200 or not _is_kept(answer):
                continue
            if "/api/" in answer.url:
                bodies.append(answer.json())
            elif "/assets/" not in answer.url:
                found = re.search(r'id="b24app-boot">(.*?)</script>', answer.text(), re.S)
                bodies.append(json.loads(found[1]) if found else answer.text())
        return bodies


def _is_kept(answer: Response) -> bool:
    """False for an answer that came as the window was going elsewhere: nobody can look at it any more."""
    try:
        answer.body()
    except PlaywrightError as error:
        if "navigated away" not in str(error):
            raise
        return False
    return True


@dataclass(frozen=True)
class Stage:
    """The running app, its emulated portals and the browser."""

    live: Live
    browser: Browser

    def portal(self, **options: Any) -> Portal:
        """Another portal with the stock records, the app added but not installed."""
        portal = self.live.emulator.add_portal(**options)
        self.live.emulator.app(portal).title = "KPI"
        return portal

    def company(self, lang: str = "ru") -> Portal:
        """The invented company up to this moment, with the app installed and everything read."""
        now = datetime.now().astimezone()
        portal = self.portal(title=company.TITLE, lang=lang, is_empty=True)
        company.build(portal, now.date(), now=now)
        self.settle(portal)
        return portal

    def settle(self, portal: Portal, admin_id: int = 1) -> None:
        """Install the app without a browser, and wait until everything is read."""
        assert self.live.install(portal, admin_id).status_code == 200
        self.live.emulator.install(portal, admin_id)
        self.read(portal, admin_id)

    def read(self, portal: Portal, admin_id: int = 1) -> None:
        """Wait until everything is read that the settings ask for."""
        session = token(self.live.open(portal, admin_id))
        assert eventually(lambda: bool(self.ask(session, "/api/v1/sync")["complete"]), READ_S)

    def ask(self, session: str, path: str) -> dict[str, Any]:
        """An answer of the API."""
        headers = {"Authorization": f"Bearer {session}"}
        answer = requests.get(self.live.url + path, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def api(self, portal: Portal, user_id: int, path: str) -> dict[str, Any]:
        """The same, asked by a launch of the user's own beside the browser."""
        return self.ask(token(self.live.open(portal, user_id)), path)

    @contextmanager
    def window(
        self,
        portal: Portal,
        user_id: int,
        *,
        has_cdn: bool = True,
        is_new: bool = False,
        width: int = 1280,
        height: int = 800,
        **options: Any,
    ) -> Iterator[Window]:
        """A window that fails the test if the browser has complained of anything: an error in the console,
        a request that failed, an answer of 400 and more. `is_new`: the person has not seen the tour of the
        page. `options` are the browser's own."""
        size = ViewportSize(width=width, height=height)
        with self.browser.new_context(viewport=size, **options) as context:
            context.set_default_timeout(SHOWN_MS)
            context.route(f"{CDN}/**", _copy if has_cdn else lambda route: route.abort())
            if not is_new:
                context.add_init_script(SEEN % f"{portal.member_id}:{user_id}")
            address = f"http://{portal.domain}"
            context.add_cookies([{"name": VISITOR, "value": str(user_id), "url": address}])
            window = Window(context.new_page(), self.live, portal, user_id)
            _listen(window)
            yield window
            assert not window.complaints, "\n".join(window.complaints)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed: `make setup-dev` does it"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@contextmanager
def staged(browser: Browser, database_url: str, folder: Path) -> Iterator[Stage]:
    """Everything started, background work included, until the block ends."""
    with living(database_url, folder, budgets=Unhurried()) as live:
        serving.begin(live.parts)
        try:
            yield Stage(live, browser)
        finally:
            live.parts.jobs.stop()


def _copy(route: Route) -> None:
    path = COPIES.get(route.request.url)
    if path is None:
        route.fulfill(status=404)
    else:
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
        route.fulfill(body=path.read_bytes(), headers=headers)


def _listen(window: Window) -> None:
    page, complaints = window.page, window.complaints

    def on_console(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints.append(said.text)

    def on_failure(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # that is: its page was left before the answer came
            complaints.append(f"{request.failure} {request.url}")

    def on_response(answer: Response) -> None:
        if answer.status >= 400:
            complaints.append(f"{answer.status} {answer.url}")
        if answer.url.startswith(window.live.url):
            window.answers.append(answer)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", on_console)
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
