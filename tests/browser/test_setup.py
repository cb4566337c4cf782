"""The setup and the tabs of other cards, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Route

from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.stage import Stage, Window

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


def test_the_state_of_the_data_tells_what_was_read_and_what_is_used(window: Window) -> None:
    frame = setup(window, "health")
    frame.wait_for_selector(".usage .meter", state="attached")
    lines = {
        row.locator(".source").inner_text(): row
        for row in frame.locator("#admin-panel .panel").first.locator("tbody tr").all()
    }
    for name in ("Чаты открытых линий", "История задач", "Сделки"):
        assert int("".join(filter(str.isdigit, lines[name].locator("td.number").inner_text()))) > 0, name
    said = lines["Сделки"].locator(".usage").inner_text()
    assert "crm.item.list" in said
    assert re.search(r"использовано [\d,]+ с из 480 с", said)
    assert re.search(r"[\d,]+ из 50", frame.inner_text("[data-block=limits]"))


def test_a_portal_that_fails_is_told_in_words(window: Window) -> None:
    def fail(route: Route) -> None:
        found = route.fetch().json()
        problems = ["portal_failing:internal_server_error", "failing:calls", "portal_failing:odd_code"]
        route.fulfill(json={**found, "problems": problems})

    window.page.route("**/api/v1/sync", fail)
    frame = setup(window, "health")
    frame.wait_for_selector("[data-problem]")
    whole, calls, odd = frame.locator("[data-problem]").all_inner_texts()
    assert whole.startswith("Портал не отвечает: ошибка на стороне портала. Обновим автоматически.")
    assert calls.startswith("Раздел «Звонки» сейчас не читается.")
    assert odd.startswith("Портал не отвечает: код ошибки odd_code.")


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
    frame.wait_for_selector(".admin-body .sketches li")
    frame.click("[data-key=run-done]")
    frame.wait_for_selector(".card[data-metric]")


def functions(window: Window) -> Frame:
    frame = window.open_app()
    frame.click("[data-key=setup]")
    frame.click("[data-key=first-run]")
    frame.click("[data-key=run-next]")
    frame.wait_for_selector(".function")
    return frame


@pytest.fixture
def unset(stage: Stage) -> Iterator[Window]:
    """In front of a company that nobody has set up."""
    with stage.window(stage.company(), ADMIN) as found:
        yield found


def test_what_to_measure_is_ticked_by_what_was_found_and_chosen_by_keyboard(
    unset: Window, stage: Stage
) -> None:
    window, portal = unset, unset.portal
    frame = functions(window)
    keys = ("sales", "marketing", "support", "projects")
    for key in keys:
        tile = frame.locator(f".function[data-function={key}]")
        assert tile.get_attribute("data-on") == "true"
        assert 1 <= tile.locator(".example input:checked").count() <= 5
        assert tile.locator(".example .spark").count() == tile.locator(".example").count()
    assert "пример, не ваши данные" in frame.inner_text(".admin-body .panel-head")
    assert "3 воронки" in frame.inner_text(".function[data-function=sales] .chips")
    assert frame.locator(".preview .warn-line").count() == 0
    assert violations(frame) == []

    frame.focus("[data-key=function-support]")
    window.page.keyboard.press("Space")
    assert frame.get_attribute(".function[data-function=support]", "data-on") == "false"
    assert frame.is_disabled("[data-key=kpi-csat]")
    frame.focus("[data-key=kpi-repeat_sales_rate]")
    window.page.keyboard.press("Space")
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Space")  # the seventh KPI of sales
    assert frame.locator(".preview .warn-line").count() == 0
    home = frame.locator(".function[data-function=sales] select").input_value()
    frame.select_option(".function[data-function=marketing] select", home)
    assert "9 показателей" in frame.inner_text(".preview .over")
    assert "7" in frame.inner_text(".preview .over .warn-line")  # a warning that blocks nothing
    assert violations(frame) == []

    frame.click(".save-line .primary")
    frame.wait_for_selector(".toast")
    found = {one["name"]: one for one in stage.api(portal, ADMIN, "/api/v1/sets")["sets"]}
    assert sorted(found) == ["Продажи, маркетинг", "Проекты"]
    assert found["Продажи, маркетинг"]["assigned"]["departments"] == [int(home)]
    assert len(found["Продажи, маркетинг"]["metrics"]) == 9

    frame = functions(window)  # the choice is still there; saving again makes no second set
    assert frame.get_attribute(".function[data-function=support]", "data-on") == "false"
    frame.click("[data-key=kpi-repeat_sales_rate]")
    frame.click(".save-line .primary")
    frame.wait_for_selector(".toast")
    again = {one["name"]: one for one in stage.api(portal, ADMIN, "/api/v1/sets")["sets"]}
    assert sorted(again) == sorted(found)
    assert (again["Продажи, маркетинг"]["version"], len(again["Продажи, маркетинг"]["metrics"])) == (2, 8)


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_until_the_first_number_the_page_shows_an_example_and_says_so(stage: Stage, lang: str) -> None:
    portal = stage.portal(lang=lang)
    faults = stage.live.emulator.faults(portal)
    faults.add("500", method="crm.item.list", times=None)  # deals cannot be read yet
    assert stage.live.install(portal, ADMIN).status_code == 200
    stage.live.emulator.install(portal, ADMIN)
    with stage.window(portal, ADMIN, is_new=True) as window:
        frame = window.open_app()
        frame.wait_for_selector(".example-note")
        title = {"ru": "Пример, не ваши данные", "en": "An example, not your data"}[lang]
        assert title in frame.inner_text(".example-note")
        names = frame.locator(".people [data-row^='example:']")
        assert names.count() == 4
        real = {f"{row['NAME']} {row['LAST_NAME']}" for row in portal.records["user"]}
        assert not real & set(names.locator("b").all_inner_texts())
        assert frame.locator(".card[data-state=ready]").count() >= 5
        assert frame.locator(".card .card-open").count() == 0  # there are no records behind them
        assert violations(frame) == []
        assert frame.locator(".tour, [data-key=tour]").count() == 0  # nobody is shown around an example
        faults.clear()
        frame.wait_for_selector(".example-note", state="detached", timeout=90_000)
        frame.wait_for_selector(".card .card-open")
        assert frame.locator("[data-row^='example:']").count() == 0
        frame.wait_for_selector(".tour")
