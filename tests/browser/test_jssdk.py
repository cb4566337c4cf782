"""The official browser SDK in frames of the emulated portal, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, Response

from emulator import company
from emulator.server import Emulator
from emulator.site import App
from emulator.world import Portal
from tests.browser.sdk_app import SdkApp, sdk_app
from tests.browser.stage import SHOWN_MS
from tests.http.demo_portals import TODAY

ADMIN, SELLER = 1, 6
PLACEMENTS = (
    "CRM_DEAL_DETAIL_TAB", "USER_PROFILE_TOOLBAR", "USER_PROFILE_MENU", "LEFT_MENU", "CRM_ANALYTICS_MENU",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    emulator: Emulator
    portal: Portal
    app: SdkApp
    browser: Browser

    @property
    def registration(self) -> App:
        return self.emulator.app(self.portal)

    def url(self, path: str) -> str:
        return f"http://{self.portal.domain}{path}"

    def deal_of(self, user_id: int) -> int:
        """An open deal of the user."""
        deals = self.portal.records["deal"].reversed()
        found: int = next(
            d["id"] for d in deals if d["assignedById"] == user_id and d["stageSemanticId"] == "P"
        )
        return found


@pytest.fixture(scope="module")
def scene(browser: Browser) -> Iterator[Scene]:
    with sdk_app() as app, Emulator(app_url=app.url) as emulator:
        portal = emulator.add_portal(title=company.TITLE, is_empty=True)
        company.build(portal, TODAY)
        yield Scene(emulator, portal, app, browser)


@pytest.fixture
def page(scene: Scene) -> Iterator[Page]:
    """A window of the admin in which nothing may go wrong unseen."""
    with scene.browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        complaints: list[str] = []

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(message.text)

        def on_response(answer: Response) -> None:
            if answer.status >= 400:
                complaints.append(f"{answer.status} {answer.url}")

        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", on_console)
        page.on("response", on_response)
        page.goto(scene.url(f"/?emulator_user={ADMIN}"))
        yield page
        assert complaints == []


@pytest.fixture
def installed(scene: Scene) -> Scene:
    """The scene with the app installed and all its placements bound."""
    registration = scene.registration
    registration.is_installed = True
    if not registration.placements:
        for code in PLACEMENTS:
            _bind(scene, code)
    return scene


def _bind(scene: Scene, code: str) -> None:
    """As the app does it: over REST, with an admin's token."""
    token = scene.emulator.issue_token(scene.portal, ADMIN)["access_token"]
    answer = requests.post(
        f"http://{scene.portal.domain}/rest/placement.bind",
        json={
            "PLACEMENT": code,
            "HANDLER": f"{scene.app.url}/{code.lower()}",
            "LANG_ALL": {"ru": {"TITLE": f"Показатели {code}"}, "en": {"TITLE": f"Figures {code}"}},
            "auth": token,
        },
        timeout=10,
    ).json()
    assert answer["result"] is True


def app_frame(page: Page, path: str) -> Frame:
    """The application's frame once its SDK is ready, wherever it is nested."""
    for _ in range(SHOWN_MS // 25):
        for frame in page.frames:
            if re.search(rf":\d+{re.escape(path)}\?DOMAIN=", frame.url):
                frame.wait_for_function("window.b24")
                return frame
        page.wait_for_timeout(25)
    raise AssertionError(f"no frame of {path} in {[frame.url for frame in page.frames]}")


def test_installation_is_finished_by_the_sdk_and_leads_into_the_app(scene: Scene, page: Page) -> None:
    registration = scene.registration
    registration.is_installed = False
    page.goto(scene.url(f"/marketplace/app/{registration.client_id}/"))
    frame = app_frame(page, "/install")
    assert frame.evaluate("b24.isInstallMode") is True
    assert frame.evaluate("b24.auth.isAdmin") is True
    with page.expect_navigation(url=re.compile("install_finished=Y")):
        frame.evaluate("void b24.installFinish()")
    assert registration.is_installed
    assert app_frame(page, "/").evaluate("b24.isInstallMode") is False


def test_only_an_admin_sees_the_installer(scene: Scene, page: Page) -> None:
    scene.registration.is_installed = False
    page.goto(scene.url(f"/marketplace/app/{scene.registration.client_id}/?emulator_user={SELLER}"))
    assert page.locator("iframe").count() == 0
    assert "администратору" in page.inner_text(".message")


def test_the_frame_is_opened_by_a_posted_form(installed: Scene, page: Page) -> None:
    installed.app.posts.clear()
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    app_frame(page, "/")
    post = installed.app.posts[-1]
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(post.args) == {"DOMAIN", "PROTOCOL", "LANG", "APP_SID"}
    assert post.form["PLACEMENT"] == "DEFAULT"
    assert post.form["member_id"] == installed.portal.member_id
    assert page.frames[1].name == f"{installed.portal.domain}|0|{post.args['APP_SID']}"


def test_the_sdk_knows_where_it_is_and_reads_a_list(installed: Scene, page: Page) -> None:
    deal_id = installed.deal_of(SELLER)
    page.goto(installed.url(f"/crm/deal/details/{deal_id}/"))
    page.click("[data-placement=CRM_DEAL_DETAIL_TAB]")
    frame = app_frame(page, "/crm_deal_detail_tab")
    assert frame.evaluate("b24.placement.placement") == "CRM_DEAL_DETAIL_TAB"
    assert frame.evaluate("b24.placement.options.ID") == str(deal_id)
    assert frame.evaluate("b24.getLang()") == "ru"
    assert frame.evaluate("b24.getTargetOrigin()") == f"http://{installed.portal.domain}"
    items = frame.evaluate(
        """async () => {
            const params = {entityTypeId: 2, select: ["id"], order: {id: "ASC"}, start: -1};
            const answer = await b24.actions.v2.call.make({method: "crm.item.list", params, requestId: "t1"});
            return answer.getData().result.items.map((item) => item.id);
        }"""
    )
    assert items == [deal["id"] for _, deal in zip(range(50), installed.portal.records["deal"], strict=False)]


def test_the_sdk_batches_and_renews_its_token_through_the_host(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    installed.emulator.expire_tokens(installed.portal)
    before = frame.evaluate("b24.auth.getAuthData().access_token")
    result = frame.evaluate("async () => (await b24.auth.refreshAuth()).access_token")
    assert result != before
    names = frame.evaluate(
        """async () => {
            const answer = await b24.actions.v2.batch.make({
                calls: {me: {method: "profile", params: {}}, now: {method: "server.time", params: {}}},
                options: {isHaltOnError: true, returnAjaxResult: false, requestId: "t2"},
            });
            return Object.keys(answer.getData());
        }"""
    )
    assert sorted(names) == ["me", "now"]


def test_the_sdk_resizes_its_frame_and_titles_the_page(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    answer = frame.evaluate("b24.parent.resizeWindow(600, 1234)")
    assert answer == {"width": 600, "height": 1234}
    assert page.locator(".app-frame iframe").bounding_box() is not None
    assert page.evaluate("document.querySelector('.app-frame iframe').offsetHeight") == 1234
    frame.evaluate("b24.parent.setTitle('Показатели')")
    assert page.inner_text("#pagetitle") == "Показатели"


def test_commands_of_the_page_are_refused_silently_in_a_tab(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/crm/deal/details/{installed.deal_of(SELLER)}/"))
    title = page.inner_text("#pagetitle")
    page.click("[data-placement=CRM_DEAL_DETAIL_TAB]")
    frame = app_frame(page, "/crm_deal_detail_tab")
    assert frame.evaluate("b24.parent.setTitle('Чужой заголовок')") == {"isSafely": True}  # nobody answered
    assert page.inner_text("#pagetitle") == title


def test_the_sdk_opens_a_deal_in_a_slider_and_hears_of_its_closing(installed: Scene, page: Page) -> None:
    deal_id = installed.deal_of(SELLER)
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    frame.evaluate(
        "(path) => { window.closed_ = b24.slider.openPath(b24.slider.getUrl(path), 1200); }",
        f"/crm/deal/details/{deal_id}/",
    )
    slider = page.frame_locator(".slider-frame")
    deal = installed.portal.records["deal"].get(deal_id)
    assert deal is not None
    assert slider.locator("#pagetitle").inner_text() == deal["title"]
    page.click(".slider-close")
    assert frame.evaluate("window.closed_") == {"isOpenAtNewWindow": False, "isClose": True}


def test_the_host_answers_on_the_wire_with_strings_and_refuses_foreign_paths(
    installed: Scene, page: Page
) -> None:
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    answers = frame.evaluate(
        """async () => {
            const [host, , sid] = window.name.split("|");
            const heard = [];
            window.addEventListener("message", (event) => heard.push([event.origin, event.data]));
            const say = (text) => parent.postMessage(text, `http://${host}`);
            say(`openPath:{"path":"/settings/"}:cb1:${sid}`);
            say(`noSuchCommand:cb2:${sid}`);
            say(`getInterface:cb3:${sid}x`);
            say(`getInterface:cb4:${sid}`);
            await new Promise((resolve) => setTimeout(resolve, 150));
            return heard;
        }"""
    )
    origin = f"http://{installed.portal.domain}"
    assert sorted(answers) == [
        [origin, 'cb1:{"result":"error","errorCode":"PATH_NOT_AVAILABLE"}'],
        [origin, "cb4:[]"],
    ]


def test_the_sdk_opens_its_own_page_in_a_slider_with_parameters(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    frame.evaluate("() => { b24.slider.openSliderAppPage({view: 'norms', bx24_width: 900}); }")
    page.wait_for_selector(".slider-frame")
    for _ in range(SHOWN_MS // 25):
        inner = [one for one in page.frames if "DOMAIN=" in one.url and one != frame]
        if inner:
            break
        page.wait_for_timeout(25)
    inner[0].wait_for_function("window.b24")
    assert inner[0].evaluate("b24.placement.options") == {"view": "norms", "IFRAME": "Y"}
    assert inner[0].evaluate("b24.placement.isSliderMode") is True


def test_options_of_the_app_are_kept_by_an_admin_only(installed: Scene, page: Page) -> None:
    path = f"/marketplace/app/{installed.registration.client_id}/"
    page.goto(installed.url(path))
    app_frame(page, "/").evaluate("b24.options.appSet('norm', 'p75')")
    assert installed.registration.options["norm"] == "p75"
    page.goto(installed.url(f"{path}?emulator_user={SELLER}"))
    frame = app_frame(page, "/")
    assert frame.evaluate("b24.auth.isAdmin") is False
    assert frame.evaluate("b24.options.appGet('norm')") == "p75"
    frame.evaluate("b24.options.appSet('norm', 'mine')")
    assert installed.registration.options["norm"] == "p75"


def test_an_employee_is_picked_in_the_portals_dialog(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/marketplace/app/{installed.registration.client_id}/"))
    frame = app_frame(page, "/")
    frame.evaluate("() => { window.picked = b24.dialog.selectUser(); }")
    page.fill(".picker input[type=search]", "Полянская")
    page.check(".picker-list label:visible input")
    page.click(".picker .primary")
    picked = frame.evaluate("window.picked")
    assert (picked["id"], picked["name"]) == (str(SELLER), "Анна Полянская")


def test_every_placement_opens_where_the_portal_shows_it(installed: Scene, page: Page) -> None:
    page.goto(installed.url(f"/company/personal/user/{SELLER}/"))
    page.click("[data-placement=USER_PROFILE_TOOLBAR]")
    card = app_frame(page, "/user_profile_toolbar")
    assert card.evaluate("b24.placement.options.USER_ID") == str(SELLER)  # the card's owner

    page.goto(installed.url("/stream/"))
    page.click("details.me summary")
    page.click("[data-placement=USER_PROFILE_MENU]")
    menu = app_frame(page, "/user_profile_menu")
    assert menu.evaluate("b24.placement.options.USER_ID") == str(ADMIN)  # the viewer

    page.goto(installed.url("/stream/"))
    page.click("#menu >> text=Показатели LEFT_MENU")
    assert app_frame(page, "/left_menu").evaluate("b24.placement.placement") == "LEFT_MENU"

    page.goto(installed.url("/crm/analytics/"))
    page.click("[data-placement=CRM_ANALYTICS_MENU]")
    assert app_frame(page, "/crm_analytics_menu").evaluate("b24.placement.placement") == "CRM_ANALYTICS_MENU"


def test_a_deal_moved_on_its_card_has_moved_in_the_portal(installed: Scene, page: Page) -> None:
    deal_id = installed.deal_of(SELLER)
    page.goto(installed.url(f"/crm/deal/details/{deal_id}/"))
    page.click(".stages [data-close]")
    with page.expect_navigation():
        page.click("#closing [data-stage$=WON]")
    deal = installed.portal.records["deal"].get(deal_id)
    assert deal is not None
    assert (deal["stageSemanticId"], deal["movedBy"]) == ("S", ADMIN)
