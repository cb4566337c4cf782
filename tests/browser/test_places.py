"""The last of the first steps: where the app is, and a word to the heads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.stage import Stage, Window

ADMIN = 1
LINK = "/marketplace/view/"


@pytest.fixture
def quiet(stage: Stage, firm: Portal) -> Iterator[Portal]:
    """The company before anybody was told anything, with all rights."""
    site = stage.live.emulator.site(firm)
    site.notifications.clear()
    yield firm
    stage.live.emulator.app(firm).scopes.add("im")


def last_step(window: Window) -> Frame:
    frame = window.open_app()
    frame.click("[data-key=setup]")
    frame.click("[data-key=first-run]")
    frame.click(".run-steps li:last-child button")
    frame.wait_for_selector("[data-key=invite]")
    return frame


def test_it_shows_the_places_and_tells_only_the_chosen_heads(stage: Stage, quiet: Portal) -> None:
    with stage.window(quiet, ADMIN, reduced_motion="reduce") as window:
        frame = last_step(window)
        assert frame.locator(".sketches li b").all_inner_texts() == [
            "Левое меню",
            "Карточка сделки",
            "Карточка сотрудника",
        ]
        assert "«KPI отдела»" in frame.locator(".sketches li").first.inner_text()
        assert violations(frame) == []
        ticks = frame.locator(".ticks input")
        heads = {row["UF_HEAD"] for row in quiet.records["department"] if row["UF_HEAD"]} - {ADMIN}
        assert ticks.count() == len(heads) > 2
        for place in range(ticks.count()):
            ticks.nth(place).set_checked(place < 2)
        frame.fill(".admin-form textarea", "Смотрите KPI & планы")
        frame.click("[data-key=invite]")
        frame.wait_for_selector(".outcome .notice-line")
        assert frame.inner_text(".outcome") == "Отправлено 2 коллегам"
    told = stage.live.emulator.site(quiet).notifications
    assert [(one["MESSAGE"], one["AUTHOR_ID"]) for one in told] == [("Смотрите KPI & планы", ADMIN)] * 2
    assert {one["USER_ID"] for one in told} < heads


def test_without_the_right_it_says_which_one(stage: Stage, quiet: Portal) -> None:
    stage.live.emulator.app(quiet).scopes.discard("im")
    with stage.window(quiet, ADMIN) as window:
        frame = last_step(window)
        assert LINK in frame.input_value(".admin-form textarea")
        frame.click("[data-key=invite]")
        frame.wait_for_selector(".outcome .notice-line")
        said = frame.inner_text(".outcome")
        assert said.startswith("У приложения нет права «im» (Уведомления сотрудникам).")
    assert stage.live.emulator.site(quiet).notifications == []


def test_nobody_chosen_or_nothing_to_say_cannot_be_sent(stage: Stage, quiet: Portal) -> None:
    with stage.window(quiet, ADMIN) as window:
        frame = last_step(window)
        frame.fill(".admin-form textarea", " ")
        assert frame.is_disabled("[data-key=invite]")
        frame.fill(".admin-form textarea", "KPI")
        assert frame.is_enabled("[data-key=invite]")
        for one in frame.locator(".ticks input").all():
            one.uncheck()
        assert frame.is_disabled("[data-key=invite]")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits(stage: Stage, quiet: Portal, width: int) -> None:
    with stage.window(quiet, ADMIN, width=width) as window:
        frame = last_step(window)
        assert frame.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
