"""The tour over a page: once for every person, in nobody's way, and again when it is asked for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.stage import Stage, Window
from tests.http.live import eventually

HEAD, SELLER = 5, 11
NO_STORAGE = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('closed') } })"


def kept(window: Window) -> object:
    """What the portal keeps for the person in front of the window."""
    return window.live.emulator.app(window.portal).user_options.get(window.user_id, {}).get("tour")


def forget(stage: Stage, firm: Portal, user: int) -> None:
    stage.live.emulator.app(firm).user_options.pop(user, None)


def titles(frame: Frame) -> list[str]:
    """The headings of the points, walked to the end with the keyboard alone."""
    said = []
    while frame.locator(".tour").count():
        said.append(frame.inner_text(".tour h2"))
        assert frame.evaluate("document.activeElement.closest('.tour') !== null")
        frame.focus("[data-key=tour-next]")
        frame.page.keyboard.press("Enter")
    return said


def inside(frame: Frame) -> bool:
    """The box lies within the frame, and covers nothing of what it is about."""
    found: bool = frame.evaluate(
        """() => {
            const box = document.querySelector(".tour").getBoundingClientRect();
            const ring = document.querySelector(".tour-ring").getBoundingClientRect();
            return box.left >= 0 && box.right <= innerWidth && box.top + scrollY >= 0
                && (box.top >= ring.bottom || box.bottom <= ring.top)
                && document.documentElement.scrollWidth <= innerWidth;
        }"""
    )
    return found


@pytest.mark.parametrize(
    ("user", "points"),
    [
        (HEAD, ["Откуда взялось число", "За какие дни и с чем сравнить", "Кому вы нужны первым"]),
        (SELLER, ["Откуда взялось число", "За какие дни и с чем сравнить", "Как шли дела"]),
    ],
)
def test_it_comes_once_and_again_from_the_question_mark(
    stage: Stage, firm: Portal, user: int, points: list[str]
) -> None:
    forget(stage, firm, user)
    with stage.window(firm, user, is_new=True) as window:
        frame = window.open_app()
        frame.wait_for_selector(".tour")
        assert frame.evaluate("document.activeElement === document.body")  # it takes no focus
        assert "1 из 3" in frame.inner_text(".tour")
        assert violations(frame) == []
        frame.click("[data-key=tour-skip]")
        frame.wait_for_selector(".tour", state="detached")
        frame = window.open_app()
        frame.wait_for_selector("[data-key=tour]")
        frame.wait_for_selector(".card .card-open")
        assert frame.locator(".tour").count() == 0
        frame.focus("[data-key=tour]")
        window.page.keyboard.press("Enter")
        assert titles(frame) == points
        assert frame.evaluate("document.activeElement.dataset.key") == "tour"
    assert kept(window) == "seen"


def test_without_storage_the_portal_remembers(stage: Stage, firm: Portal) -> None:
    forget(stage, firm, SELLER)
    with stage.window(firm, SELLER, is_new=True) as window:
        window.page.add_init_script(NO_STORAGE)
        frame = window.open_app()
        frame.wait_for_selector(".tour")
        frame.locator(".card .card-open").first.focus()
        window.page.keyboard.press("Escape")
        frame.wait_for_selector(".tour", state="detached")
        assert eventually(lambda: kept(window) == "seen")
        with window.page.expect_response(lambda answer: "user.option.get" in answer.url):
            frame = window.open_app()
        frame.wait_for_selector(".card .card-open")
        window.page.wait_for_timeout(500)
        assert frame.locator(".tour").count() == 0


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_gives_way_to_a_drawer(stage: Stage, firm: Portal, width: int) -> None:
    with stage.window(firm, HEAD, width=width, reduced_motion="reduce") as window:
        window.page.goto(f"http://{firm.domain}/marketplace/app/{stage.live.emulator.client_id}/")
        frame = window.frame()
        frame.wait_for_selector(".people [data-row]")
        assert frame.locator(".tour").count() == 0
        frame.click("[data-key=tour]")
        for _ in range(3):
            assert inside(frame)
            frame.click("[data-key=tour-next]")
        frame.click("[data-key=tour]")
        frame.locator("[data-key^=explain-]").first.click()  # what the first point is about can be used
        frame.wait_for_selector(".drawer")
        window.page.keyboard.press("Escape")
        frame.wait_for_selector(".drawer", state="detached")
        assert frame.locator(".tour").count() == 1  # Escape was for the drawer
        window.page.keyboard.press("Escape")
        frame.wait_for_selector(".tour", state="detached")


def test_the_screen_on_the_wall_has_none(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_app()
        frame.click("[data-key=tour]")
        frame.wait_for_selector(".tour")
        frame.click("[data-key=tv]")
        frame.wait_for_selector("body.is-tv")
        assert frame.locator(".tour, .tour-ring").count() == 0
