"""What holds on every screen: no barriers, nothing sideways, no text lost, also where text is large."""

from __future__ import annotations

import pytest
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.scenes import SCENES, Cast, Scene, cast_of
from tests.browser.stage import Stage, Window

pytestmark = pytest.mark.xdist_group("browser")

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


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_screen_keeps_the_rules(stage: Stage, cast: Cast, scene: Scene) -> None:
    with stage.window(cast.portal, scene.viewer(cast), reduced_motion="reduce") as window:
        frame = scene.show(window, cast)
        assert violations(frame) == []
        assert frame.evaluate(CUT) == []
        for width in WIDTHS:
            as_wide_as(window, frame, width)
            assert frame.evaluate(SIDEWAYS) <= 0, f"scrolls sideways at {width} px"
        frame.evaluate(LARGE_TEXT)
        assert frame.evaluate(SIDEWAYS) <= 0, "scrolls sideways at 200 % text"
        assert frame.evaluate(CUT) == []
        window.complaints[:] = [
            said for said in window.complaints if not any(one in said for one in scene.excuses)
        ]
