"""The head's page and the employee's page: plans, reasons, the sheet, comments, the screen on the wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from playwright.sync_api import Frame

from emulator.world import Portal
from tests.browser.shown import plain
from tests.browser.stage import Stage
from tests.http.live import token

ADMIN, HEAD, SELLER = 1, 5, 11
TEAM = 4
YEAR = 2024
"""Of the edited plans: long over, so that no other test sees them."""
A4_PX = 297 / 25.4 * 96


def change_targets(stage: Stage, firm: Portal, changes: list[dict[str, Any]]) -> None:
    """As an admin's grid saves them."""
    headers = {"Authorization": f"Bearer {token(stage.live.open(firm, ADMIN))}"}
    url = f"{stage.live.url}/api/v1/targets/changes"
    answer = requests.post(url, json={"changes": changes}, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text


def month_now(stage: Stage, firm: Portal) -> str:
    return str(stage.api(firm, HEAD, f"/api/v1/kpi?scope=department:{TEAM}")["today"])[:7]


@pytest.fixture
def planned(stage: Stage, firm: Portal) -> Iterator[None]:
    """A plan of the running month for the team and one of its people, taken back afterwards."""
    cells = [("revenue", f"department:{TEAM}", "90000000"), ("deals_won", f"user:{SELLER}", "2000")]
    month = month_now(stage, firm)
    rows = [{"metric": metric, "scope": scope, "month": month} for metric, scope, _ in cells]
    values = [value for *_, value in cells]
    change_targets(stage, firm, [row | {"value": value} for row, value in zip(rows, values, strict=True)])
    yield
    change_targets(stage, firm, [row | {"value": None} for row in rows])


def stored(stage: Stage, firm: Portal, scope: str) -> dict[str, str | None]:
    """The team's targets of the year for won amount, by month, of one row."""
    path = f"/api/v1/targets?metric=revenue&scope=department:{TEAM}&from={YEAR}-01&to={YEAR + 1}-01"
    rows = {row["key"]: row for row in stage.api(firm, ADMIN, path)["rows"]}
    return {cell["month"]: cell["value"] for cell in rows[scope]["cells"]}


def open_plan(frame: Frame) -> None:
    frame.click("[data-key=plan]")
    frame.wait_for_selector(".grid td")
    for year in range(int(month_of_grid(frame)), YEAR, -1):
        frame.click("[data-key=plan-before]")
        frame.wait_for_function(
            "(year) => document.querySelector('.grid thead')?.innerText.includes(year)", arg=str(year - 1)
        )


def month_of_grid(frame: Frame) -> str:
    return frame.inner_text(".plan .step .number")


def cell(key: str, column: int) -> str:
    return f"tr[data-row='{key}'] td[data-c='{column}']"


def test_a_head_plans_like_in_a_spreadsheet(stage: Stage, firm: Portal) -> None:
    key = f"user:{SELLER}"
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        open_plan(frame)
        assert frame.get_attribute(cell(f"department:{TEAM}", 0), "aria-readonly") == "true"
        frame.click(cell(key, 1))
        keyboard = window.page.keyboard
        keyboard.type("1 500 000,50")
        keyboard.press("Tab")
        keyboard.type("nothing")  # no number begins with a letter
        keyboard.type("2")
        keyboard.press("Enter")
        frame.click(cell(key, 2))
        keyboard.press("Control+z")
        assert frame.inner_text(cell(key, 2)) == ""
        frame.evaluate(
            """([row]) => {
                const data = new DataTransfer();
                data.setData("text/plain", "100\\t200,5\\n");
                const target = document.querySelector(row);
                const how = { clipboardData: data, bubbles: true, cancelable: true };
                target.dispatchEvent(new ClipboardEvent("paste", how));
            }""",
            [cell(key, 2)],
        )
        frame.click(cell(key, 9))
        keyboard.type("7")
        keyboard.press("Enter")
        frame.click(cell(key, 9))
        frame.click("[data-key=plan-fill]")
        assert stored(stage, firm, key) == {f"{YEAR}-{month:02d}": None for month in range(1, 13)}
        frame.click("[data-key=plan-save]")
        frame.wait_for_selector("[data-key=plan-undo-saved]")
        wanted = {2: "1500000.5", 3: "100", 4: "200.5", 10: "7", 11: "7", 12: "7"}
        assert stored(stage, firm, key) == {f"{YEAR}-{m:02d}": wanted.get(m) for m in range(1, 13)}
        frame.click(cell(key, 1))
        assert "сумма планов сотрудников 1,5 млн" in plain(frame.inner_text(".plan-check"))
        frame.click("[data-key=plan-undo-saved]")
        frame.wait_for_function("() => !document.querySelector('[data-key=plan-undo-saved]')")
        assert not any(stored(stage, firm, key).values())
        frame.click("[data-key=plan-history]")
        frame.wait_for_selector(".drawer .plain li")
        assert frame.locator(".drawer .plain li").count() >= 12


def test_two_editors_at_once_lose_nothing(stage: Stage, firm: Portal) -> None:
    key, month = f"user:{SELLER}", f"{YEAR}-01"
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        open_plan(frame)
        change_targets(stage, firm, [{"metric": "revenue", "scope": key, "month": month, "value": "111"}])
        frame.click(cell(key, 0))
        window.page.keyboard.type("222")
        window.page.keyboard.press("Enter")
        frame.click("[data-key=plan-save]")
        frame.wait_for_selector("[role=dialog]")
        assert stored(stage, firm, key)[month] == "111"
        text = frame.inner_text("[role=dialog]")
        assert "111" in text
        assert "222" in text
        frame.click("[role=dialog] footer button:last-child")
        frame.wait_for_selector("[data-key=plan-undo-saved]")
        assert stored(stage, firm, key)[month] == "222"
        window.complaints[:] = [said for said in window.complaints if "409" not in said]
    change_targets(stage, firm, [{"metric": "revenue", "scope": key, "month": month, "value": None}])


@pytest.mark.usefixtures("planned")
def test_the_page_says_how_the_plan_stands_and_who_needs_attention(stage: Stage, firm: Portal) -> None:
    path = f"/api/v1/kpi?metric=revenue&scope=department:{TEAM}&period=month"
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        value = stage.api(firm, HEAD, path)["values"][0]
        assert "плана" in frame.inner_text(".verdict")
        card = frame.locator(".card[data-metric=revenue]")
        assert "План 90" in plain(card.inner_text())
        shown = {"met": "met", "near": "near", "behind": "behind", None: None}[value["status"]]
        assert card.get_attribute("data-status") == shown
        table = frame.locator(".people[aria-label=Сотрудники]")
        assert table.locator("tr[data-row]").first.get_attribute("data-row") == f"user:{SELLER}"
        assert "Без плана" in table.locator("tr.group-row").all_inner_texts()


def test_the_reasons_of_the_change_add_up_to_it(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        frame.click("[data-key=earlier]")
        frame.wait_for_selector("#app[aria-busy=false] .bridge li")
        why = stage.api(firm, HEAD, f"/api/v1/why?scope=department:{TEAM}&period=last_month")
        change = Decimal(why["change"])
        assert change == Decimal(why["value"]) - Decimal(why["before"]) != 0
        assert sum(Decimal(one["effect"]) for one in why["drivers"]) == change
        assert sum((Decimal(one["effect"]) for one in why["people"]), Decimal(why["others"])) == change
        assert frame.locator(".bridge li").count() == len(why["drivers"]) + 2
        titles = frame.locator(".effects.records button")
        assert titles.count() >= 2
        title = titles.first.inner_text()
        titles.first.click()
        window.page.frame_locator(".slider-frame").last.locator("#pagetitle").get_by_text(title).wait_for()


def test_a_lagging_person_gets_a_task(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        frame.click(f"[data-key='choose-user:{SELLER}']")
        frame.click("[data-key=act-task]")
        frame.fill("[role=dialog] [name=title]", "Talk about the month")
        frame.click("[data-key=task-send]")
        frame.wait_for_selector(".toast")
        task = next(iter(firm.records["task"].reversed()))
        assert (task["TITLE"], int(task["RESPONSIBLE_ID"])) == ("Talk about the month", SELLER)
        assert int(task["CREATED_BY"]) == HEAD
        assert "scope%3Dme" in task["DESCRIPTION"]


def test_comments_and_acknowledgement_are_seen_by_the_head(stage: Stage, firm: Portal, planned: None) -> None:
    with stage.window(firm, SELLER) as own, stage.window(firm, HEAD) as head:
        frame = own.open_app()
        frame.fill("#note-text", "The big client moves to December.")
        frame.click("[data-key=note-send]")
        frame.wait_for_selector(".note-list li")
        frame.click("[data-key=acknowledge]")
        frame.wait_for_selector(".notice.good")
        seen = head.open_employee(SELLER)
        seen.wait_for_selector(".note-list li")
        assert "The big client moves to December." in seen.inner_text(".note-list")
        assert seen.locator(".notice.good").count() == 1
        assert seen.locator("[data-key=acknowledge]").count() == 0
        frame.click(".note-list .icon-button")
        frame.wait_for_function("() => !document.querySelector('.note-list')")


def test_the_sheet_of_the_one_to_one_is_one_page(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_employee(SELLER)
        frame.click("[data-key=sheet]")
        frame.wait_for_selector(".sheet tbody tr")
        assert frame.locator(".sheet tbody tr").count() == 7
        window.page.emulate_media(media="print")
        assert frame.evaluate("document.querySelector('.sheet').scrollHeight") <= A4_PX
        assert not frame.is_visible(".sheet-bar")
        window.page.emulate_media(media="screen")
        frame.click("[data-key=sheet-close]")
        frame.wait_for_selector(".block-cards .card")


def test_a_screen_on_the_wall_shows_the_team(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        frame.click("[data-key=tv]")
        frame.wait_for_selector(".tv .tile")
        assert frame.locator(".tv .tile").count() == 6
        assert frame.evaluate("location.hash").endswith("&view=tv")
        window.page.keyboard.press("Escape")
        frame.wait_for_selector(".block-cards .card")
        assert "view" not in frame.evaluate("location.hash")


def test_records_stay_open_in_the_address(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        frame.click("[data-key=earlier]")
        frame.wait_for_selector("#app[aria-busy=false] .block-cards:not(.stale)")
        frame.click("[data-key=open-revenue]")
        frame.wait_for_selector(".records .table-foot")
        address = frame.evaluate("location.hash")
        assert address == f"#scope=department:{TEAM}&period=month&offset=-1&open=revenue@department:{TEAM}"
        frame.click("[data-key=records-close]")
        assert "open" not in frame.evaluate("location.hash")


def test_people_on_leave_stand_in_a_group_of_their_own(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        group = frame.locator(".people tbody", has=frame.locator(".group-row", has_text="Сейчас отсутствуют"))
        (name,) = group.locator("tr[data-row] .names button").all_inner_texts()
        assert name == "Олег Пахомов"
        assert re.fullmatch(r"Отсутствует до \d+ \w+\.?", group.locator(".tag").inner_text())
        assert frame.locator(".people .tag").count() == 1  # not those who are away for some hours
        frame.click("[data-key=earlier]")
        frame.wait_for_selector("#app[aria-busy=false]")
        frame.wait_for_function(
            "() => ![...document.querySelectorAll('.group-row')].some((row) => /отсут/.test(row.innerText))"
        )
        assert frame.locator(".people .tag").count() == 1  # the mark is of today, the group of the period
        frame.click("[data-row='user:18'] .names button")
        frame.wait_for_selector(".who .tag")
