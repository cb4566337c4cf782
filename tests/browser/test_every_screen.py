"""What holds on every screen: no barriers, nothing sideways, no text lost, also where text is large."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.scenes import SCENES, Cast, Scene, cast_of, settled, setup
from tests.browser.stage import Stage, Window

WIDTHS = (375, 768)
LARGE_TEXT = "document.documentElement.style.fontSize = '200%'"
SIDEWAYS = """() => document.documentElement.scrollWidth - innerWidth"""
CUT = """() => [...document.querySelectorAll("#app *")]
    .filter((one) => one.matches("h1, h2, h3, p, dt, dd, button, label, b, small, td, th")
        && one.offsetParent && one.scrollWidth > one.clientWidth + 1
        && getComputedStyle(one).overflowX !== "visible"
        && getComputedStyle(one).textOverflow !== "ellipsis" && !one.classList.contains("hidden-text"))
    .map((one) => `${one.tagName} ${one.className} ${one.innerText.slice(0, 40)}`)"""
"""Texts that are longer than their box, which hides the rest of them."""
UNREACHABLE = """() => [...document.querySelectorAll("#app [data-key], .drawer [data-key]")]
    .filter((one) => one.offsetParent && !one.disabled && one.tabIndex < 0
        && one.role !== "tab" && one.tagName !== "SECTION")
    .map((one) => one.dataset.key)"""
"""Controls that the Tab key passes by; of tabs one is a stop, arrows lead to the others."""
MOVING = """() => document.getAnimations().filter((one) => one.effect.getTiming().duration > 1).length"""
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@pytest.fixture(scope="module")
def cast(office: Portal) -> Cast:
    return cast_of(office)


def as_wide_as(window: Window, frame: Frame, width: int) -> None:
    """The frame as wide as a screen of that width shows it."""
    window.page.evaluate(
        """(width) => {
            for (const one of document.querySelectorAll(".app-frame")) one.style.width = `${width}px`;
        }""",
        width,
    )
    if frame.evaluate("innerWidth") != width:  # inside a slider of the portal
        inside = frame.frame_element().owner_frame()
        assert inside is not None
        inside.evaluate("(px) => { document.querySelector('.app-frame').style.width = `${px}px`; }", width)
    frame.wait_for_function("(width) => innerWidth === width", arg=width)
    frame.wait_for_selector("#app[aria-busy=false]")


def keep_the_rules(window: Window, frame: Frame) -> None:
    assert violations(frame) == []
    assert frame.evaluate(CUT) == []
    assert frame.evaluate(UNREACHABLE) == []
    assert frame.evaluate(MOVING) == 0
    for width in WIDTHS:
        as_wide_as(window, frame, width)
        assert frame.evaluate(SIDEWAYS) <= 0, f"scrolls sideways at {width} px"
    frame.evaluate(LARGE_TEXT)
    assert frame.evaluate(SIDEWAYS) <= 0, "scrolls sideways at 200 % text"
    assert frame.evaluate(CUT) == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_screen_keeps_the_rules(stage: Stage, cast: Cast, scene: Scene) -> None:
    with stage.window(cast.portal, scene.viewer(cast), reduced_motion="reduce") as window:
        keep_the_rules(window, scene.show(window, cast))
        excused = [said for said in window.complaints if any(one in said for one in scene.excuses)]
        window.complaints[:] = [said for said in window.complaints if said not in excused]


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_a_portal_without_records_keeps_the_rules_and_speaks_one_language(stage: Stage, lang: str) -> None:
    portal = stage.portal(lang=lang, title="24")
    portal.change("user", 1, NAME="1", LAST_NAME="1")
    stage.settle(portal)
    with stage.window(portal, 1, reduced_motion="reduce") as window:
        frame = settled(window.open_app())
        said = frame.inner_text("#app")
        assert bool(CYRILLIC.search(said)) == (lang == "ru")
        for tab in ("health", "sets", "channels", "costs", "campaigns", "clients", "audit"):
            frame = setup(tab)(window, Cast(portal, 1, 1, 0))
            assert bool(CYRILLIC.search(frame.inner_text("#app"))) == (lang == "ru"), tab
        keep_the_rules(window, settled(window.open_app()))
