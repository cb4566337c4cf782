"""The installation frame in the portal, in a real browser: it does its work, then leads into the app."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from b24app.manifest import load
from emulator import crm
from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.shown import cards
from tests.browser.stage import Stage, Window

ADMIN = 1
PLACES = sorted(place.code for place in load().places)
LEAVES_AFTER = 4
"""Seconds that the page shows what is missing before it leads on."""
HOLD = "window.setInterval = (work) => { (window.held ??= []).push(work); return -1; }"
PASS = "(seconds) => { while (seconds--) window.held.forEach((work) => work()); }"


@pytest.fixture
def portal(stage: Stage) -> Portal:
    """A stock portal in English with three won deals and the app waiting to be installed."""
    found = stage.portal(lang="en")
    for _ in range(3):
        deal = crm.add_item(
            found, "deal", {"assignedById": ADMIN, "opportunity": 1_000}, at=datetime.now(UTC)
        )
        crm.move_deal(found, deal, "WON")
    return found


def finished(window: Window) -> None:
    """Until the portal has been told that the installation is done, and shows the app."""
    window.page.wait_for_url(re.compile("install_finished=Y"))


def hold_the_countdown(window: Window) -> None:
    """Seconds pass when the test says so: a busy machine looks longer than a person would."""
    window.page.add_init_script(HOLD)


def show_app_page(window: Window) -> None:
    window.open(f"/marketplace/app/{window.live.emulator.client_id}/")


def assert_app_with_numbers(window: Window) -> None:
    frame = window.frame()
    frame.wait_for_selector(".card[data-metric=deals_won] .card-value strong[title='3']")
    assert cards(frame)["deals_won"]["number"] == "3"


def test_an_admin_installs_and_is_led_to_the_first_numbers(stage: Stage, portal: Portal) -> None:
    with stage.window(portal, ADMIN) as window:
        show_app_page(window)
        finished(window)
        assert stage.live.emulator.app(portal).is_installed
        assert stage.live.bound(portal)[0] == PLACES
        assert_app_with_numbers(window)
        assert window.page.locator("#menu").get_by_text("Team KPIs").count() == 1


def test_missing_rights_are_shown_and_do_not_hinder(stage: Stage, portal: Portal) -> None:
    app = stage.live.emulator.app(portal)
    app.scopes.discard("department")
    with stage.window(portal, ADMIN) as window:
        hold_the_countdown(window)
        show_app_page(window)
        frame = window.frame()
        missing = frame.locator(".steps li[data-state=missing]")
        missing.first.wait_for()
        assert missing.count() == 1
        assert "department" in missing.inner_text().lower()
        assert missing.locator("p").inner_text()  # what does not work without it
        assert frame.locator(".steps li[data-state=done]").count() >= 3 + len(PLACES)
        assert not app.is_installed
        assert violations(frame) == []
        frame.evaluate(PASS, LEAVES_AFTER - 1)
        assert not app.is_installed
        frame.evaluate(PASS, 1)
        finished(window)  # by itself: nobody has pressed anything
        assert_app_with_numbers(window)


@pytest.mark.parametrize("lost", ["crm", "placement"])
def test_without_a_right_that_everything_needs_it_still_leads_into_the_app(
    stage: Stage, portal: Portal, lost: str
) -> None:
    stage.live.emulator.app(portal).scopes.discard(lost)
    with stage.window(portal, ADMIN) as window:
        show_app_page(window)
        window.frame().locator(".steps li[data-state=missing]").first.wait_for()
        finished(window)
        assert window.frame(is_settled=False).locator("#app").count() == 1


def test_who_wants_to_read_what_is_missing_may_stay(stage: Stage, portal: Portal) -> None:
    app = stage.live.emulator.app(portal)
    app.scopes.discard("telephony")
    with stage.window(portal, ADMIN) as window:
        hold_the_countdown(window)
        show_app_page(window)
        frame = window.frame()
        frame.click("[data-key=stay]")
        frame.evaluate(PASS, 2 * LEAVES_AFTER)
        frame.wait_for_selector("[data-key=stay]", state="detached")
        assert not app.is_installed
        frame.click("[data-key=go]")
        finished(window)


def test_a_right_that_was_granted_meanwhile_is_found_by_repeating(stage: Stage, portal: Portal) -> None:
    app = stage.live.emulator.app(portal)
    app.scopes.discard("department")
    with stage.window(portal, ADMIN) as window:
        hold_the_countdown(window)
        show_app_page(window)
        frame = window.frame()
        frame.locator(".steps li[data-state=missing]").first.wait_for()
        app.scopes.add("department")
        frame.click("[data-key=repeat]")
        finished(window)
        assert app.is_installed


def test_an_installation_that_failed_says_so_and_can_be_repeated(stage: Stage, portal: Portal) -> None:
    stage.live.emulator.faults(portal).add("403", method="batch", times=None)
    with stage.window(portal, ADMIN) as window:
        show_app_page(window)
        frame = window.frame()
        frame.wait_for_selector(".steps li[data-state=failed]")
        assert frame.locator(".notice.warn").inner_text()
        assert violations(frame) == []
        stage.live.emulator.faults(portal).clear()
        frame.click("[data-key=repeat]")
        finished(window)
        assert_app_with_numbers(window)


@pytest.mark.parametrize("clean", [0, 1])
def test_after_removal_it_installs_like_the_first_time(stage: Stage, portal: Portal, clean: int) -> None:
    stage.settle(portal)
    stage.live.emulator.uninstall(portal, clean=clean)
    stage.live.settle(portal)
    stage.live.emulator.add_app(portal, stage.live.emulator.client_id)
    with stage.window(portal, ADMIN) as window:
        show_app_page(window)
        finished(window)
        assert stage.live.bound(portal)[0] == PLACES
        assert_app_with_numbers(window)
