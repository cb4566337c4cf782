"""The screens in frames of the emulated portal, for an employee, a head of department and an admin."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from playwright.sync_api import Frame

from b24app.web.assets import CDN
from emulator import crm
from emulator.world import Portal
from tests.browser.barriers import violations
from tests.browser.shown import cards, cells, full, number, plain, says
from tests.browser.stage import Stage, Window

ADMIN, HEAD, SELLER, TEAM_SELLER = 1, 5, 6, 11
TEAM = 4
"""The head's department; the group of regions is under it."""
RATIOS = ("win_rate", "funnel_conversion", "lead_conversion")

Opening = Callable[[Window], Frame]
SCREENS: dict[str, tuple[int, Opening, str]] = {
    "employee, the app": (SELLER, Window.open_app, f"user:{SELLER}"),
    "employee, own menu": (SELLER, Window.open_own, f"user:{SELLER}"),
    "employee, left menu": (SELLER, Window.open_menu, f"user:{SELLER}"),
    "head, left menu": (HEAD, Window.open_menu, f"department:{TEAM}"),
    "head, card of an employee": (HEAD, lambda w: w.open_employee(TEAM_SELLER), f"user:{TEAM_SELLER}"),
    "admin, the app": (ADMIN, Window.open_app, "company"),
    "admin, card of an employee": (ADMIN, lambda w: w.open_employee(SELLER), f"user:{SELLER}"),
}


def deal_of(portal: Portal, user_id: int, semantic: str = "P") -> int:
    """The newest deal of the user in that state."""
    deals = portal.records["deal"].reversed()
    return next(
        int(deal["id"])
        for deal in deals
        if (deal["assignedById"], deal["stageSemanticId"]) == (user_id, semantic)
        and not deal.get("isRecurring")
    )


def metrics_of(frame: Frame) -> list[str]:
    return list(cards(frame))


def assert_cards_equal(frame: Frame, values: dict[str, Any]) -> None:
    """Every card shows the API's value: shortened in the figure, in full in its tooltip."""
    shown = cards(frame)
    assert shown
    for key, card in shown.items():
        value = values[key]
        if value["value"] is None:
            assert card["number"] in ("—", "…"), key
        elif value["few_data"] and value["unit"] == "ratio":
            assert card["number"] == f"{value['numerator']} из {value['denominator']}", key
            assert card["state"] == "few"
        else:
            assert says(card["number"], value["value"], value["unit"]), (key, card["number"], value["value"])
        if value["value"] is not None and value["unit"] in ("money", "count"):
            assert full(card["full"]) == cents(value["value"]), key


def cents(value: Any) -> Decimal:
    """As screens round: half up to two places."""
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def assert_no_scroll_bar(window: Window, frame: Frame) -> None:
    """Neither the frame nor the portal's page around it scrolls sideways, and the frame not at all."""
    frame.wait_for_function("() => document.documentElement.scrollHeight <= innerHeight")
    sideways = "document.documentElement.scrollWidth - innerWidth"
    assert frame.evaluate(sideways) <= 0
    assert window.page.evaluate(sideways) <= 0


def by_metric(body: dict[str, Any]) -> dict[str, Any]:
    return {value["metric"]: value for value in body["values"]}


def month_of(stage: Stage, firm: Portal, user: int, scope: str, keys: list[str], more: str = "") -> Any:
    path = f"/api/v1/kpi?metric={','.join(keys)}&scope={scope}&period=month{more}"
    return by_metric(stage.api(firm, user, path))


@pytest.mark.parametrize("name", SCREENS)
def test_numbers_on_the_page_are_those_of_the_api(stage: Stage, firm: Portal, name: str) -> None:
    user, opening, scope = SCREENS[name]
    with stage.window(firm, user) as window:
        frame = opening(window)
        frame.click("[data-key=more]")
        frame.wait_for_selector("#app[aria-busy=false] [data-key=more][aria-expanded=true]")
        frame.wait_for_function("() => !document.querySelector('.card.skeleton')")
        keys = metrics_of(frame)
        assert len(keys) >= 10
        assert_cards_equal(frame, month_of(stage, firm, user, scope, keys))
        assert_no_scroll_bar(window, frame)
        frame.wait_for_selector(".chart-box canvas")
        frame.wait_for_function("() => window.Chart?.getChart(document.querySelector('.chart-box canvas'))")


def test_the_tables_of_people_and_departments_are_those_of_the_api(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        key_of = {card["name"]: key for key, card in cards(frame).items()}
        for title, by, prefix in (("Сотрудники", "user", "user:"), ("Отделы", "department", "department:")):
            values = month_of(stage, firm, HEAD, f"department:{TEAM}", list(key_of.values()), f"&by={by}")
            rows = {key: {row["key"]: row for row in value["rows"]} for key, value in values.items()}
            shown = cells(frame, title)
            assert shown
            assert all(key.startswith(prefix) for key in shown)
            for who, row in shown.items():
                for heading, text in row.items():
                    if heading not in key_of:
                        continue
                    metric = key_of[heading]
                    value = rows[metric].get(who, {}).get("value")
                    assert says(text, value, values[metric]["unit"]), (who, heading, text, value)


def test_the_funnel_is_that_of_the_api(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, ADMIN) as window:
        frame = window.open_app()
        shown = frame.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll(".funnel li")].map((step) =>
                [step.dataset.stage, step.querySelector("b").innerText]))"""
        )
    rows = month_of(stage, firm, ADMIN, "company", ["funnel"], "&by=stage")["funnel"]["rows"]
    reached = {row["key"]: row["numerator"] for row in rows}
    stages = [key for key in shown if key != "cohort"]
    assert len(stages) >= 5
    assert {key: int(shown[key]) for key in stages} == {key: reached[key] for key in stages}


def test_another_period_is_asked_and_shown(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_menu()
        frame.click("[data-key=earlier]")
        frame.wait_for_selector("#app[aria-busy=false] .block-cards:not(.stale)")
        keys = metrics_of(frame)
        path = f"/api/v1/kpi?metric={','.join(keys)}&scope=department:{TEAM}&period=last_month"
        assert_cards_equal(frame, by_metric(stage.api(firm, HEAD, path)))
        frame.click("[data-key=period-year]")
        frame.wait_for_selector("#app[aria-busy=false] .block-cards:not(.stale)")
        path = f"/api/v1/kpi?metric={','.join(keys)}&scope=department:{TEAM}&period=year"
        assert_cards_equal(frame, by_metric(stage.api(firm, HEAD, path)))


@pytest.mark.parametrize(
    ("user", "owner", "semantic"),
    [
        (SELLER, SELLER, "P"),
        (SELLER, SELLER, "S"),
        (HEAD, TEAM_SELLER, "P"),
        (ADMIN, SELLER, "F"),
    ],
)
def test_the_deal_tab_shows_the_deal_and_its_owner(
    stage: Stage, firm: Portal, user: int, owner: int, semantic: str
) -> None:
    deal = deal_of(firm, owner, semantic)
    with stage.window(firm, user) as window:
        frame = window.open_deal(deal)
        frame.wait_for_selector(".facts dd.number")
        told = stage.api(firm, user, f"/api/v1/deals/{deal}")
        values = month_of(stage, firm, user, f"user:{owner}", metrics_of(frame))
        assert len(values) == 4
        assert_cards_equal(frame, values)
        text = frame.inner_text("#app")
        assert told["owner"]["name"] in text
        assert told["pipeline"]["name"] in text
        facts = frame.locator(".facts dd.number").all_inner_texts()
        shown = told["in_stage"] or told["age"]
        assert abs(seconds_of(facts[0]) - shown["seconds"]) < 3_700
        assert facts[-1] == str(told["returns"])
        assert ("Если выиграть" in text) == (semantic == "P")
        if semantic == "P":  # before winning it is as the cards below say
            before = frame.locator(".if-won .from").all_inner_texts()
            assert before == [cards(frame)[key]["number"] for key in ("revenue", "average_check")]
        assert_no_scroll_bar(window, frame)


def seconds_of(text: str) -> float:
    sizes = {"дн": 86_400, "ч": 3_600, "мин": 60, "с": 1}
    return sum(
        float(amount.replace(",", ".")) * sizes[name]
        for amount, name in re.findall(r"([\d,]+)\s*(дн|ч|мин|с)", text.replace("\u202f", " "))
    )


def test_records_behind_a_number_add_up_to_it_and_open_in_the_portal(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD) as window:
        frame = window.open_employee(TEAM_SELLER)
        frame.click("[data-key=earlier]")
        frame.wait_for_selector("#app[aria-busy=false] .block-cards:not(.stale)")
        shown = cards(frame)
        count, amount = int(full(shown["deals_won"]["full"])), full(shown["revenue"]["full"])
        frame.click("[data-key=open-revenue]")
        foot = frame.wait_for_selector(".records .table-foot")
        assert foot is not None
        said = plain(foot.inner_text())
        found = re.search(r"Показано (\d+) из (\d+) на ([\d,]+)", said)
        assert found, said
        hidden = re.search(r"(\d+) запис\w+ скрыт\w+ .* на ([\d,]+)", said)
        assert int(found[2]) == count
        assert int(found[1]) + (int(hidden[1]) if hidden else 0) == count
        assert number(found[3]) + (number(hidden[2]) if hidden else 0) == amount
        assert frame.locator(".records tbody tr").count() == int(found[1]) > 0
        title = frame.locator(".records tbody th").first.inner_text()
        frame.locator(".records tbody th button, .records tbody th a").first.click()
        slider = window.page.frame_locator(".slider-frame").last
        slider.locator("#pagetitle").get_by_text(title).wait_for()
        assert_no_scroll_bar(window, frame)


def test_a_deal_won_in_the_portal_appears_in_the_open_widget_within_ten_seconds(
    stage: Stage, firm: Portal
) -> None:
    deal = crm.add_item(
        firm,
        "deal",
        {"assignedById": SELLER, "opportunity": Decimal(123_456), "currencyId": "RUB"},
        at=datetime.now(UTC) - timedelta(days=3),
    )
    with stage.window(firm, SELLER) as widget, stage.window(firm, SELLER) as card:
        frame = widget.open_app()
        before = {key: full(cards(frame)[key]["full"]) for key in ("deals_won", "revenue")}
        card.open(f"/crm/deal/details/{deal}/")
        card.page.click(".stages [data-close]")
        with card.page.expect_navigation():
            card.page.click("#closing [data-stage$=WON]")
        started = time.monotonic()
        frame.wait_for_function(
            "(text) => document.querySelector('[data-metric=deals_won]').dataset.value === text",
            arg=str(before["deals_won"] + 1),
            timeout=15_000,
        )
        took = time.monotonic() - started
        assert full(cards(frame)["revenue"]["full"]) == before["revenue"] + 123_456
        assert took < 10


def test_answers_to_an_employee_contain_nothing_of_others(stage: Stage, firm: Portal) -> None:
    others = {int(user["ID"]): user for user in firm.records["user"] if int(user["ID"]) != SELLER}
    with stage.window(firm, SELLER) as window:
        told: list[Any] = []
        for opening in (Window.open_app, Window.open_own, Window.open_menu):
            frame = opening(window)
            told += window.told()
        frame.click("[data-key=more]")
        frame.wait_for_selector("#app[aria-busy=false] [data-key=more][aria-expanded=true]")
        frame.click("[data-key=open-win_rate]")
        frame.wait_for_selector(".records .table-foot")
        told += window.told()
        window.open_deal(deal_of(firm, SELLER))
        told += window.told()
        frame = window.open_employee(HEAD)  # a colleague's card: the widget opens and shows nothing
        assert frame.locator(".card[data-state=hidden]").count() == 7
        assert not frame.locator(
            ".card[data-state=ready], .card[data-state=few], .card[data-state=zero]"
        ).count()
        told += window.told()
    said = json.dumps([without_texts(body) for body in told], ensure_ascii=False)
    assert f"user:{SELLER}" in said
    for user_id, user in others.items():
        assert not re.search(rf"\\buser:{user_id}\\b", said), user_id
        assert f"{user['NAME']} {user['LAST_NAME']}" not in said
    foreign = {str(deal["id"]) for deal in firm.records["deal"] if deal["assignedById"] != SELLER}
    named = set(re.findall(r'"type": "deal", "id": (\d+)', said)) | set(
        re.findall(r'"id": (\d+), "type": "deal"', said)
    )
    assert not named & foreign


def without_texts(body: Any) -> Any:
    """What a page was given apart from its texts and the catalogue."""
    return (
        {k: v for k, v in body.items() if k not in ("strings", "catalog")} if isinstance(body, dict) else body
    )


def step_on(window: Window, frame: Frame) -> tuple[str, bool] | None:
    """The next stop of the Tab key: its key and whether the focus is seen; None past the last one."""
    window.page.keyboard.press("Tab")
    found = frame.evaluate(
        """() => {
            if (!document.hasFocus() || document.activeElement === document.body) return null;
            const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
            const isSeen = outlineStyle !== "none" && outlineWidth !== "0px";
            return [document.activeElement.dataset.key ?? "", isSeen];
        }"""
    )
    return (found[0], found[1]) if found else None


@pytest.mark.parametrize("user", [SELLER, HEAD])
def test_everything_can_be_reached_with_the_keyboard(stage: Stage, firm: Portal, user: int) -> None:
    with stage.window(firm, user) as window:
        frame = window.open_menu()
        frame.evaluate("document.body.tabIndex = -1; document.body.focus()")
        keyboard = window.page.keyboard
        wanted = set(
            frame.evaluate(
                """[...document.querySelectorAll("[data-key]")]
                    .filter((one) => one.offsetParent && !one.disabled).map((one) => one.dataset.key)"""
            )
        )
        reached: set[str] = set()
        while (focus := step_on(window, frame)) is not None:
            key, is_seen = focus
            assert is_seen, f"nobody sees that {key} has the focus"
            reached.add(key)
        assert wanted - reached == set()

        frame.focus("[data-key=explain-win_rate]")
        keyboard.press("Enter")
        assert frame.evaluate("document.activeElement.closest('[role=dialog]') !== null")
        for _ in range(12):
            keyboard.press("Tab")
            assert frame.evaluate("document.activeElement.closest('[role=dialog]') !== null")
        keyboard.press("Escape")
        assert frame.locator("[role=dialog]").count() == 0
        assert frame.evaluate("document.activeElement.dataset.key") == "explain-win_rate"
        frame.focus("[data-key=open-deals_won]")
        keyboard.press("Enter")
        frame.wait_for_selector(".records .table-foot")
        assert frame.evaluate("document.activeElement.dataset.key") == "records-panel"
        frame.focus("[data-key=records-close]")
        keyboard.press("Enter")
        assert frame.evaluate("document.activeElement.dataset.key") == "open-deals_won"


@pytest.mark.parametrize(("user", "theme"), [(SELLER, "light"), (HEAD, "light"), (HEAD, "dark")])
def test_axe_finds_no_barrier(stage: Stage, firm: Portal, user: int, theme: Any) -> None:
    with stage.window(firm, user, color_scheme=theme, reduced_motion="reduce") as window:
        frame = window.open_menu()
        frame.wait_for_selector(".chart-box canvas")
        frame.wait_for_function("() => window.Chart?.getChart(document.querySelector('.chart-box canvas'))")
        colours = frame.evaluate(
            """() => {
                const { options, data } = Chart.getChart(document.querySelector(".chart-box canvas"));
                const { grid, ticks } = options.scales.y;
                return [grid.color, ticks.color, data.datasets[0].borderColor];
            }"""
        )
        assert len(set(colours)) == 3  # each its own, although nothing moves
        assert violations(frame) == []
        frame.click("[data-key=open-revenue]")
        frame.wait_for_selector(".records .table-foot")
        assert violations(frame) == []
        frame.click("[data-key=explain-revenue]")
        frame.wait_for_selector("[role=dialog]")
        assert violations(frame) == []
        frame = window.open_deal(deal_of(firm, SELLER if user == SELLER else TEAM_SELLER))
        frame.wait_for_selector(".facts dd.number")
        assert violations(frame) == []


@pytest.mark.parametrize("user", [SELLER, HEAD])
def test_a_phone_scrolls_nothing_sideways(stage: Stage, firm: Portal, user: int) -> None:
    with stage.window(firm, user) as window:
        frame = window.open_menu()
        for width in (375, 360, 768):
            window.page.evaluate(
                "(width) => { document.querySelector('.app-frame').style.width = `${width}px`; }", width
            )
            frame.wait_for_function("(width) => innerWidth === width", arg=width)
            frame.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")


def test_where_the_cdn_is_away_the_local_copies_take_over(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, HEAD, has_cdn=False) as window:
        frame = window.open_menu()
        frame.wait_for_function("() => window.Chart && window.B24Js")
        sources = frame.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        assert sum("/vendor/" in name for name in sources) == 2
        assert_no_scroll_bar(window, frame)  # the SDK has made the frame as high as the page
        assert len(window.complaints) >= 2
        window.complaints[:] = [
            text for text in window.complaints if CDN not in text and "net::ERR_FAILED" not in text
        ]


def test_a_library_that_was_changed_on_the_cdn_is_not_run(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, SELLER) as window:
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
        forged = "window.forged = true;"
        window.page.route(f"{CDN}/**", lambda route: route.fulfill(body=forged, headers=headers))
        frame = window.open_app()
        frame.wait_for_function("() => window.Chart && window.B24Js")
        assert frame.evaluate("window.forged") is None
        assert window.complaints
        assert all("integrity" in text for text in window.complaints)
        window.complaints.clear()


def test_a_session_that_has_ended_is_renewed_by_the_page_itself(stage: Stage, firm: Portal) -> None:
    with stage.window(firm, SELLER) as window:
        frame = window.open_app()
        first = frame.get_attribute("meta[name=b24app-session]", "content")
        window.page.route(
            "**/api/v1/kpi?*", lambda route: route.fulfill(status=401, json={"status": 401}), times=1
        )
        frame.click("[data-key=earlier]")
        frame.wait_for_function(
            "(old) => document.querySelector('meta[name=b24app-session]')?.content !== old", arg=first
        )
        frame.wait_for_selector("#app[aria-busy=false] .card[data-metric]")
        window.complaints[:] = [text for text in window.complaints if "401" not in text]


@pytest.fixture(scope="module")
def english(stage: Stage) -> Portal:
    """A stock portal in English with one won deal."""
    portal = stage.portal(lang="en")
    deal = crm.add_item(
        portal, "deal", {"title": "A deal", "assignedById": ADMIN, "opportunity": Decimal(1_234_567)}
    )
    crm.move_deal(portal, deal, "WON")
    stage.settle(portal)
    return portal


def test_an_english_portal_has_no_russian_word(stage: Stage, english: Portal) -> None:
    with stage.window(english, ADMIN) as window:
        frame = window.open_app()
        frame.click("[data-key=more]")
        frame.wait_for_selector("#app[aria-busy=false] [data-key=more][aria-expanded=true]")
        assert frame.get_attribute("html", "lang") == "en"
        assert "1.23M" in cards(frame)["revenue"]["number"]
        text = frame.inner_text("body") + window.open_deal(deal_of(english, ADMIN, "S")).inner_text("body")
        assert not re.search("[а-яё]", text, re.IGNORECASE)
