"""The setup and the tabs of other cards, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.stage import Stage, Window

pytestmark = pytest.mark.xdist_group("browser")

ADMIN = 1
COSTS = (
    "channel;from;to;amount;currency\n"
    "yandex;2026-11-01;2026-11-30;100000;RUB\n"
    "google;2026-11-31;2026-11-30;50000;RUB\n"
)


@pytest.fixture
def portal(office: Portal) -> Portal:
    return office


@pytest.fixture
def window(stage: Stage, portal: Portal) -> Iterator[Window]:
    with stage.window(portal, ADMIN) as found:
        yield found


def setup(window: Window, tab: str) -> Frame:
    frame = window.open_app()
    frame.click("[data-key=setup]")
    frame.click(f"[data-key=tab-{tab}]")
    frame.wait_for_selector(f"[data-key=tab-{tab}][aria-selected=true]")
    frame.wait_for_selector("#admin-panel .panel h2")
    return frame


def test_a_setting_that_was_saved_is_kept(window: Window, stage: Stage, portal: Portal) -> None:
    frame = setup(window, "settings")
    field = frame.locator("input[type=number][max='365']")
    field.fill("9")
    field.locator("xpath=ancestor::section").get_by_role("button").last.click()
    frame.wait_for_selector(".toast")
    assert stage.api(portal, ADMIN, "/api/v1/settings")["fcr_days"] == 9


def test_an_import_is_looked_at_before_it_counts(window: Window, stage: Stage, portal: Portal) -> None:
    before = stage.api(portal, ADMIN, "/api/v1/costs")["total"]
    frame = setup(window, "costs")
    frame.fill(".import-line textarea", COSTS)
    frame.click("[data-key=import-paste]")
    frame.wait_for_selector(".drawer .flaws li")
    assert "2026-11-31" in frame.locator(".drawer .flaws").inner_text()
    assert frame.locator("[data-key=import-all]").count() == 0
    assert stage.api(portal, ADMIN, "/api/v1/costs")["total"] == before
    frame.click("[data-key=import-good]")
    frame.wait_for_selector(".drawer", state="detached")
    assert stage.api(portal, ADMIN, "/api/v1/costs")["total"] == before + 1


def test_the_next_step_becomes_a_to_do_of_the_portal(window: Window, portal: Portal) -> None:
    quiet = min(
        (deal for deal in portal.records["deal"] if deal["stageSemanticId"] == "P"),
        key=lambda deal: deal["lastActivityTime"] or deal["createdTime"],
    )
    before = len(portal.records["activity"])
    frame = window.open_deal(quiet["id"])
    frame.click("[data-key=todo]")
    frame.wait_for_selector(".toast")
    assert len(portal.records["activity"]) == before + 1


def test_a_clients_tab_tells_what_they_have_bought(window: Window, portal: Portal) -> None:
    client = next(
        deal["companyId"]
        for deal in portal.records["deal"]
        if deal["companyId"] and deal["stageSemanticId"] == "S"
    )
    window.open(f"/crm/company/details/{client}/")
    window.page.click("[data-placement=CRM_COMPANY_DETAIL_TAB]")
    frame = window.frame()
    frame.wait_for_selector(".facts dd.number")
    assert frame.locator(".panel").count() == 2
    assert violations(frame) == []


def test_an_employee_has_no_setup(stage: Stage, portal: Portal) -> None:
    employee = next(row["ID"] for row in portal.records["user"] if int(row["ID"]) > 5 and row["ACTIVE"])
    with stage.window(portal, int(employee)) as window:
        frame = window.open_app()
        assert frame.locator("[data-key=setup]").count() == 0


def test_the_first_steps_go_from_rights_to_numbers(window: Window) -> None:
    frame = window.open_app()
    frame.click("[data-key=setup]")
    frame.click("[data-key=first-run]")
    for _ in range(6):
        frame.wait_for_selector(".admin-body .panel h2")
        assert violations(frame) == []
        frame.click("[data-key=run-next]")
    frame.wait_for_selector(".admin-body .steps li")
    frame.click("[data-key=run-done]")
    frame.wait_for_selector(".card[data-metric]")
