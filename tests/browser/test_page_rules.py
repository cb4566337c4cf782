"""The rules of the pages (numbers, changes, periods, states), run by the browser that will run them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from b24app import i18n
from b24app.trace import WELL_FORMED
from b24app.web.assets import STATIC

NARROW = "\u202f"
HARD = "\u00a0"
MINUS = "\u2212"


class Quiet(SimpleHTTPRequestHandler):
    """Serves the static files; an empty page stands at `/`."""

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(STATIC))) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        page.close()
        server.shutdown()


def call(page: Page, module: str, function: str, *arguments: Any, lang: str = "ru") -> Any:
    """What an exported function returns; the argument `"words"` becomes the texts of the language."""
    return page.evaluate(
        """async ([module, name, args, strings, lang]) => {
            const { makeWords } = await import("/js/words.js");
            const found = await import(`/js/${module}.js`);
            const words = { ...makeWords(strings, lang), currency: "RUB" };
            return found[name](...args.map((one) => (one === "words" ? words : one)));
        }""",
        [module, function, list(arguments), i18n.section(lang, "ui"), lang],
    )


@pytest.mark.parametrize(
    ("value", "unit", "lang", "shown"),
    [
        ("1240000.00", "money", "ru", f"1,24{HARD}млн{NARROW}₽"),
        ("10005534", "money", "ru", f"10{HARD}млн{NARROW}₽"),
        ("854321.50", "money", "ru", f"854{HARD}тыс.{NARROW}₽"),
        ("1240000.00", "money", "en", "₽1.24M"),
        (999, "count", "ru", "999"),
        ("0.0934", "ratio", "ru", f"9,3{NARROW}%"),
        ("0.0996", "ratio", "ru", f"10{NARROW}%"),
        ("0.6315005215", "ratio", "en", "63%"),
        (8100, "seconds", "ru", f"2{NARROW}ч 15{NARROW}мин"),
        (1_140_000, "seconds", "ru", f"13,2{NARROW}дн."),
        (59, "seconds", "en", f"59{NARROW}sec"),
        (None, "money", "ru", "—"),
    ],
)
def test_a_card_shows_at_most_three_digits(page: Page, value: Any, unit: str, lang: str, shown: str) -> None:
    text = call(page, "format", "short", value, unit, {"lang": lang, "currency": "RUB"}, lang=lang)
    assert text.replace(HARD, " ") == shown.replace(HARD, " ")


def test_the_tooltip_has_every_cent_of_a_long_sum(page: Page) -> None:
    text = call(page, "format", "exact", "9007199254740993.07", "money", {"lang": "en", "currency": "USD"})
    assert text == "$9,007,199,254,740,993.07"


UP = {"unit": "count", "better": "up"}
RATE = {"unit": "ratio", "better": "up"}


def change(page: Page, metric: dict[str, str], now: Any, before: Any, **more: Any) -> dict[str, str] | None:
    ratio = None if before in (None, 0) or now is None else str((float(now) - float(before)) / float(before))
    value = {"value": now, "before": before, "change": ratio, "few_data": False, **more}
    found: dict[str, str] | None = call(page, "delta", "delta", value, metric, "к 1–23 окт.", "words")
    return found


@pytest.mark.parametrize(
    ("metric", "now", "before", "amount", "tone"),
    [
        (UP, 112, 100, "12 %", "calm"),
        (UP, 140, 100, "40 %", "good"),
        (UP, 60, 100, "40 %", "bad"),
        ({**UP, "better": "down"}, 140, 100, "40 %", "bad"),
        (UP, 100, 100, "без изменений", "calm"),
        (UP, 3, 0, "было 0", "calm"),
        (UP, 3, None, "не с чем сравнить", "calm"),
        (RATE, "0.63", "0.60", "+3 п.п.", "calm"),
        (RATE, "0.30", "0.60", f"{MINUS}30 п.п.", "bad"),
    ],
)
def test_a_change_is_worded(
    page: Page, metric: dict[str, str], now: Any, before: Any, amount: str, tone: str
) -> None:
    found = change(page, metric, now, before)
    assert found is not None
    assert found["amount"].replace(".0", "").replace(",0", "") == amount
    assert found["tone"] == tone


def test_the_hidden_text_says_whether_it_is_better(page: Page) -> None:
    found = change(page, {**UP, "better": "down"}, 140, 100)
    assert found is not None
    assert found["hidden"] == "рост, это хуже"


def test_few_data_have_no_change(page: Page) -> None:
    assert change(page, RATE, "0.75", "0.5", few_data=True) is None


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ({"value": "0.5", "few_data": False}, "ready"),
        ({"value": "0.75", "few_data": True}, "few"),
        ({"value": None, "reason": "no_records"}, "none"),
        ({"value": None, "reason": "not_synced"}, "reading"),
        ({"value": None, "reason": "missing_scope"}, "unset"),
        ({"error": {"status": 403}}, "hidden"),
        ({"error": {"status": 503}}, "error"),
    ],
)
def test_every_value_is_in_one_data_state(page: Page, value: dict[str, Any], state: str) -> None:
    assert call(page, "value_state", "valueState", value, RATE)["state"] == state


def test_a_true_zero_is_calm_only_for_what_is_counted(page: Page) -> None:
    zero = {"value": 0, "few_data": False}
    assert call(page, "value_state", "valueState", zero, UP)["state"] == "zero"
    assert call(page, "value_state", "valueState", {**zero, "value": "0"}, RATE)["state"] == "ready"


@pytest.mark.parametrize(
    ("choice", "query", "start", "end"),
    [
        ({"kind": "week", "offset": 0}, "period=week", "2026-11-23", "2026-11-30"),
        ({"kind": "month", "offset": -1}, "period=last_month", "2026-10-01", "2026-11-01"),
        (
            {"kind": "quarter", "offset": -3},
            "from=2026-01-01&to=2026-04-01",
            "2026-01-01",
            "2026-04-01",
        ),
        ({"kind": "year", "offset": 0}, "period=year", "2026-01-01", "2027-01-01"),
    ],
)
def test_periods_are_those_of_the_api(page: Page, choice: Any, query: str, start: str, end: str) -> None:
    assert call(page, "periods", "query", choice, "2026-11-23") == query
    assert call(page, "periods", "range", choice, "2026-11-23") == {"from": start, "to": end}


def test_a_trend_ends_with_the_running_month(page: Page) -> None:
    trend = call(page, "periods", "trend", {"kind": "year", "offset": 0}, "2026-11-23")
    assert trend == {"by": "month", "from": "2025-12-01", "to": "2026-12-01"}
    assert len(call(page, "periods", "pieceKeys", trend)) == 12


def test_the_address_keeps_what_was_chosen(page: Page) -> None:
    state = {
        "scope": "department:3",
        "compare": "year",
        "choice": {"kind": "custom", "from": "2026-01-05", "to": "2026-02-01"},
        "trend": "win_rate",
    }
    address = call(page, "state", "writeState", state)
    defaults = {"scope": "me", "compare": "previous", "choice": {"kind": "month", "offset": 0}, "trend": None}
    assert call(page, "state", "readState", address, defaults) == state
    assert call(page, "state", "readState", "#scope=<b>&period=eon&from=x&to=y", defaults) == defaults


def test_the_verdict_names_what_moved_the_amount(page: Page) -> None:
    values = {
        "revenue": {"value": "1120000", "before": "1000000", "change": "0.12"},
        "deals_won": {"value": 10, "before": 10},
        "average_check": {"value": "112000", "before": "100000"},
    }
    about = {"run": {"day": 9, "days": 30}, "basis": "1–9 окт.", "unit": "money"}
    text = page.evaluate(
        """async ([values, about, strings]) => {
            const { makeWords } = await import("/js/words.js");
            const { verdict } = await import("/js/verdict.js");
            return verdict(values, { ...about, how: { ...makeWords(strings, "ru"), currency: "RUB" } });
        }""",
        [values, about, i18n.section("ru", "ui")],
    )
    assert text.replace(HARD, " ").replace(NARROW, " ") == (
        "Идёт 9-й день из 30. Выиграно сделок на 1,12 млн ₽: на 12 % больше, чем за 1–9 окт., "
        "в основном из-за среднего чека."
    )


def test_both_languages_have_every_text() -> None:
    def keys(table: dict[str, Any], head: str = "") -> set[str]:
        found: set[str] = set()
        for key, value in table.items():
            if isinstance(value, dict) and "other" in value:
                found.add(head + key)
            elif isinstance(value, dict):
                found |= keys(value, f"{head}{key}.")
            else:
                found.add(head + key)
        return found

    languages = i18n.languages()
    assert keys(languages["ru"]["ui"]) == keys(languages["en"]["ui"])


@pytest.mark.parametrize(
    ("text", "lang", "number"),
    [
        (f"1{HARD}500{HARD}000,50 ₽", "ru", "1500000.5"),
        ("1,500,000.50", "en", "1500000.5"),
        ("1,500", "en", "1500"),
        ("1,500", "ru", "1.5"),
        ("1.500", "ru", "1500"),
        ("70 %", "ru", "70"),
        ("−5", "ru", "-5"),
        ("007,10", "ru", "7.1"),
        ("9007199254740993.07", "en", "9007199254740993.07"),
        ("", "ru", ""),
        ("many", "en", None),
        ("1-2", "en", None),
    ],
)
def test_numbers_are_read_as_people_write_them(page: Page, text: str, lang: str, number: str | None) -> None:
    assert call(page, "decimals", "parseNumber", text, lang) == number


def test_decimals_are_shifted_and_added_exactly(page: Page) -> None:
    assert call(page, "decimals", "shift", "0.705", 2) == "70.5"
    assert call(page, "decimals", "shift", "70.5", -2) == "0.705"
    assert call(page, "decimals", "shift", "-5", -3) == "-0.005"
    assert call(page, "decimals", "add", "0.1", "0.2", "9007199254740993") == "9007199254740993.3"
    assert call(page, "decimals", "add", "5", "-5.00") == "0"


MONEY = {"key": "revenue", "name": "Won amount", "unit": "money", "better": "up", "adds_up": True}
TIME = {"key": "processing_time", "unit": "seconds", "better": "down", "adds_up": False}


def planned(value: str, target: str, pace: str | None, status: str | None = None) -> dict[str, Any]:
    share = str(float(value) / float(target))
    return {"value": value, "target": target, "pace": pace, "status": status, "attainment": share}


@pytest.mark.parametrize(
    ("value", "is_over", "word"),
    [
        (planned("110", "100", "50", "met"), False, "status.over"),
        (planned("109", "100", "50", "met"), False, "status.met"),
        (planned("40", "100", "50", "near"), False, "status.near"),
        (planned("40", "100", "100", "behind"), True, "status.was_behind"),
        ({"value": "1", "status": "no_target"}, True, "status.none"),
        ({"value": "1", "status": "few_data"}, False, "status.few"),
    ],
)
def test_a_value_stands_somewhere_beside_its_target(
    page: Page, value: dict[str, Any], is_over: bool, word: str
) -> None:
    assert call(page, "standing", "statusOf", value, is_over)["word"] == word


def test_the_bar_of_a_target_ends_at_120_percent_and_ticks_where_it_should_be_by_today(page: Page) -> None:
    shape = call(page, "standing", "bar", planned("60", "100", "45"), MONEY)
    assert {name: round(place, 6) for name, place in shape.items()} == {
        "fill": 50, "tick": 37.5, "whole": round(100 / 1.2, 6),
    }  # fmt: skip
    assert call(page, "standing", "bar", planned("500", "100", "45"), MONEY)["fill"] == 100
    assert call(page, "standing", "bar", planned("60", "100", "100"), TIME)["tick"] is None


def test_a_forecast_waits_for_a_fifth_of_the_working_days(page: Page) -> None:
    value = {**planned("20", "100", "20"), "forecast": "100"}
    assert call(page, "standing", "forecastTexts", value, MONEY, 0.19, "words") is None
    assert call(page, "standing", "forecastTexts", value, MONEY, 0.2, "words")["share"] == f"100{NARROW}%"


def test_who_is_furthest_behind_needs_attention_most(page: Page) -> None:
    assert call(page, "standing", "shortfall", planned("30", "100", "50"), MONEY) == 0.4
    assert call(page, "standing", "shortfall", planned("60", "100", "50"), MONEY) == -0.2
    assert call(page, "standing", "shortfall", planned("200", "100", "100"), TIME) == 0.5
    assert call(page, "standing", "shortfall", {**planned("1", "100", "50"), "few_data": True}, MONEY) is None


@pytest.mark.parametrize(
    ("value", "run", "driver", "text"),
    [
        (
            {**planned("615000", "1500000", "675000"), "change": "-0.2"},
            {"day": 12, "days": 30},
            "conversion",
            "9-й из 22 рабочих дней. Выручка: 41 % плана при ожидаемых 45 %, отстаём на 60 тыс. ₽, "
            "в основном из-за конверсии.",
        ),
        (
            {**planned("705000", "1500000", "675000"), "change": "-0.2"},
            {"day": 12, "days": 30},
            "conversion",
            "9-й из 22 рабочих дней. Выручка: 47 % плана при ожидаемых 45 %, опережаем на 30 тыс. ₽.",
        ),
        (planned("1440000", "1500000", None), None, None, "Выручка: 96 % плана, не хватило 60 тыс. ₽."),
    ],
)
def test_the_verdict_lays_the_plan_beside_the_pace(
    page: Page, value: dict[str, Any], run: Any, driver: str | None, text: str
) -> None:
    about = {"run": run, "basis": "", "unit": "money", "workdays": {"elapsed": 9, "all": 22}}
    said = page.evaluate(
        """async ([value, about, metric, driver, strings]) => {
            const { makeWords } = await import("/js/words.js");
            const { verdict } = await import("/js/verdict.js");
            const how = { ...makeWords(strings, "ru"), currency: "RUB" };
            return verdict({ revenue: value }, { ...about, metric, driver, how });
        }""",
        [value, about, MONEY, driver, i18n.section("ru", "ui")],
    )
    assert said.replace(HARD, " ").replace(NARROW, " ") == text


def test_everything_that_is_chosen_on_the_page_is_in_its_address(page: Page) -> None:
    state = {
        "scope": "department:3",
        "compare": "previous",
        "choice": {"kind": "quarter", "offset": -1},
        "trend": None,
        "view": "plan",
        "plan": "revenue",
        "year": 2026,
        "pipeline": "4",
        "more": True,
        "sort": {"by": "win_rate", "down": True},
        "open": {"metric": "revenue", "scope": "user:7"},
    }
    defaults = {"scope": "me", "compare": "previous", "choice": {"kind": "month", "offset": 0}, "trend": None}
    assert call(page, "state", "readState", call(page, "state", "writeState", state), defaults) == state
    foreign = "#view=admin&open=x@<b>&sort=--&year=1&pipeline=a"
    assert call(page, "state", "readState", foreign, defaults) == defaults


@pytest.mark.parametrize(
    ("answer", "status", "own"),
    [(None, 0, True), ('{"title": "x"}', 500, True), ('{"reference": "of-the-server"}', 503, False)],
)
def test_a_failure_is_told_with_the_number_under_which_the_logs_have_it(
    page: Page, answer: str | None, status: int, own: bool
) -> None:
    said, sent = page.evaluate(
        """async ([answer, status]) => {
            const { makeApi } = await import("/js/api.js");
            const usual = window.fetch;
            let sent;
            window.fetch = async (path, init) => {
                sent = new Headers(init.headers).get("X-Request-ID");
                if (answer === null) throw new TypeError("no network");
                return new Response(answer, { status });
            };
            const error = await makeApi({ token: "t" }).fresh("/api/v1/kpi").catch((one) => one);
            window.fetch = usual;
            return [error.numbered(`Failed ${error.status}`), sent];
        }""",
        [answer, status],
    )
    assert WELL_FORMED.fullmatch(sent)
    assert said == f"Failed {status} ({sent if own else 'of-the-server'})"
