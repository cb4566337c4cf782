"""How fast a widget opens when everything is read: `python -m benchmarks.widgets`."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from b24app.web.assets import CDN
from benchmarks.app import cpu_s
from benchmarks.portal import Portal
from benchmarks.reading import ReadPortal, read_portal
from benchmarks.report import Section, keep, say, show
from benchmarks.tidy import end_tidily
from benchmarks.times import percentile

DEALS, QUICK_DEALS = 100_000, 2_000
PEOPLE = 30
OPENED, QUICK_OPENED = 300, 30
SHOWN = 15
"""How often each widget is opened in the browser."""

CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-gpu",
    f"--host-resolver-rules=MAP {urlsplit(CDN).hostname} ~NOTFOUND",
]
"""Without the CDN a library comes from the app's own copy; answers in its place would turn the cache off."""

GOALS = {"p50": 30.0, "p95": 80.0, "requests": 1.0, "weight": 150.0, "chart": 500.0}

TREND = "window.Chart?.getChart(document.querySelector('.chart-box canvas'))"
SPARKLINE = "document.querySelector('svg.spark')"
NOTE_PAINTING = """
(() => {
  const look = () => {
    if (document.readyState !== "loading" && IS_THERE) {
      requestAnimationFrame(() => requestAnimationFrame(() => { window.paintedAt = performance.now(); }));
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
})();
"""
"""Notes when IS_THERE is on the screen for the first time, in milliseconds since the navigation began."""


@dataclass(frozen=True)
class Widget:
    """A place where the app is opened; `about` gives the record of the n-th opening by a person.

    `chart`: JavaScript that is true once its first chart is there.
    """

    name: str
    placement: str
    chart: str
    about: Callable[[int, int], dict[str, str]]


@dataclass(frozen=True)
class Launch:
    """What the portal's page posts into a frame of the app, for one person."""

    user_id: int
    query: dict[str, str]
    form: dict[str, str]

    def form_about(self, record: dict[str, str]) -> dict[str, str]:
        return {**self.form, "PLACEMENT_OPTIONS": json.dumps(record)}


@dataclass(frozen=True)
class Opened:
    """Milliseconds of the openings; bytes of the page over the wire; for each opening the portal requests and
    the milliseconds of a processor (of the whole app, checks for changes included)."""

    times: list[float]
    page_bytes: int
    requests: float
    cpu_ms: float


@dataclass(frozen=True)
class Shown:
    """What the browser saw: milliseconds to the first chart, kB of everything of ours, cold and warm."""

    chart_ms: list[float]
    cold_kb: float
    warm_kb: float
    files: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.widgets", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DEALS} deals, not kept")
    options = parser.parse_args(arguments)
    end_tidily()
    deals, times = (QUICK_DEALS, QUICK_OPENED) if options.quick else (DEALS, OPENED)
    (show if options.quick else keep)(measure(deals, times))


def measure(deals: int, times: int) -> Section:
    say(f"widgets over {deals:,} deals")
    with tempfile.TemporaryDirectory(prefix="b24app-bench-") as name, read_portal(Path(name), deals) as read:
        read.portal.limit()
        widgets = [
            Widget(
                "deal tab",
                "CRM_DEAL_DETAIL_TAB",
                SPARKLINE,
                lambda person, n: {"ID": str(_deal_of(read, person, n))},
            ),
            Widget(
                "employee page", "USER_PROFILE_TOOLBAR", TREND, lambda person, n: {"USER_ID": str(person)}
            ),
        ]
        rows = []
        missed: list[str] = []
        people = range(2, 2 + min(PEOPLE, read.large.people))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
            for widget in widgets:
                launches = [launch(read.portal, person, widget.placement) for person in people]
                opened = _open(read, widget, launches, times)
                say(f"{widget.name}: opened {times} times")
                shown = _show(browser, read, widget, launches[0])
                rows.append(_row(widget, opened, shown))
                missed += _missed(widget, opened, shown)
            browser.close()
    return Section(
        name="third-widgets",
        title=f"Opening a widget, warm, {deals:,} deals",
        columns=(
            "widget", "server, ms (p50 / p95)", "processor, ms", "portal requests for an opening", "page, kB",
            "all files of ours, first time, kB", "second time, kB", "first chart, ms (p50 / p95)",
        ),
        rows=[
            ["goal", "30 / 80", "", "1, shared", "", "150", "", "500"],
            *rows,
        ],
        notes=[
            f"{times} openings, one after the other, by {len(people)} people who had opened it once before: "
            "the whole `POST /` on a kept connection, seen from the client, compressed.",
            "Portal requests are the checks for changes, which all who look share, and those of launches.",
            "The chart: Debian's Chromium, from the start of the navigation (with the POST) to the frame in "
            "which the first chart is on the screen (a line of the deal tab, the employee page's trend), "
            f"{SHOWN} times with cached files. Chart.js comes from the app's own copy, which is not "
            "weighed.",
            *([f"Missed: {'; '.join(missed)}."] if missed else []),
        ],
    )  # fmt: skip


def launch(portal: Portal, user_id: int, placement: str) -> Launch:
    """A launch as the portal's page makes it, with a token of the person."""
    query, form = portal.act("frame_post", {"user_id": user_id, "placement": placement, "options": {}})
    return Launch(user_id, query, form)


def _deal_of(read: ReadPortal, person: int, number: int) -> int:
    """A late deal of the person."""
    deal = read.large.deals - number * 37 % (read.large.deals // 2)
    while read.large.owner(deal) != person:
        deal -= 1
    return deal


def _open(read: ReadPortal, widget: Widget, launches: Sequence[Launch], times: int) -> Opened:
    with requests.Session() as http:
        http.trust_env = False
        http.headers["Accept-Encoding"] = "gzip, deflate, br"

        def once(number: int) -> tuple[float, int]:
            one = launches[number % len(launches)]
            form = one.form_about(widget.about(one.user_id, number))
            started = time.perf_counter()
            answer = http.post(f"{read.app_url}/", params=one.query, data=form, timeout=60, stream=True)
            body = answer.raw.read(decode_content=False)
            taken = (time.perf_counter() - started) * 1000
            if answer.status_code != 200:
                raise RuntimeError(f"{widget.name}: {answer.status_code} {answer.text[:300]}")
            return taken, len(body)

        for number in range(len(launches)):
            once(number)
        read.portal.reset_counters()
        cpu_before = cpu_s(read.pid)
        found = [once(number) for number in range(times)]
        asked = int(read.portal.counters()["http_requests"])
        used = (cpu_s(read.pid) - cpu_before) * 1000
    return Opened([taken for taken, _ in found], found[-1][1], asked / times, used / times)


def _show(browser: Browser, read: ReadPortal, widget: Widget, one: Launch) -> Shown:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.add_init_script(NOTE_PAINTING.replace("IS_THERE", widget.chart))
        page = context.new_page()
        wire = _Wire(page, read.app_url)
        weights: list[float] = []
        files = 0
        painted: list[float] = []
        for number in range(SHOWN + 1):
            wire.clear()
            _post(page, read.app_url, one, widget.about(one.user_id, number))
            page.wait_for_function("() => window.paintedAt", timeout=60_000)
            painted.append(float(page.evaluate("() => window.paintedAt")))
            page.wait_for_timeout(500)
            weights.append(sum(wire.sizes) / 1000)
            files = max(files, len(wire.sizes))
    return Shown(painted[1:], weights[0], percentile(weights[1:], 0.5), files)


class _Wire:
    """Bytes that the browser receives from our server, head and body, compressed as they come."""

    def __init__(self, page: Page, app_url: str) -> None:
        self.sizes: list[int] = []
        self._ours: set[str] = set()
        self._app_url = app_url
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._begin)
        session.on("Network.loadingFinished", self._end)

    def clear(self) -> None:
        self.sizes.clear()

    def _begin(self, event: dict[str, Any]) -> None:
        url = event["response"]["url"]
        if url.startswith(self._app_url) and "/vendor/" not in url:
            self._ours.add(event["requestId"])

    def _end(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._ours and event["encodedDataLength"]:
            self.sizes.append(int(event["encodedDataLength"]))


def _post(page: Page, app_url: str, one: Launch, record: dict[str, str]) -> None:
    """Post the launch as a page of the portal does; the answer becomes the page."""
    page.goto("about:blank")
    page.evaluate(
        """([action, fields]) => {
            const form = document.createElement("form");
            Object.assign(form, { method: "POST", action });
            for (const [name, value] of Object.entries(fields)) {
              form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
            }
            document.body.append(form);
            form.submit();
        }""",
        [requests.Request("POST", f"{app_url}/", params=one.query).prepare().url, one.form_about(record)],
    )


def _row(widget: Widget, opened: Opened, shown: Shown) -> list[str]:
    return [
        widget.name,
        f"{percentile(opened.times, 0.5):.1f} / {percentile(opened.times, 0.95):.1f}",
        f"{opened.cpu_ms:.1f}",
        f"{opened.requests:.2f}",
        f"{opened.page_bytes / 1000:.1f}",
        f"{shown.cold_kb:.0f} in {shown.files} files",
        f"{shown.warm_kb:.0f}",
        f"{percentile(shown.chart_ms, 0.5):.0f} / {percentile(shown.chart_ms, 0.95):.0f}",
    ]


def _missed(widget: Widget, opened: Opened, shown: Shown) -> list[str]:
    found = {
        "p50": percentile(opened.times, 0.5),
        "p95": percentile(opened.times, 0.95),
        "requests": opened.requests,
        "weight": shown.cold_kb,
        "chart": percentile(shown.chart_ms, 0.95),
    }
    return [
        f"{widget.name}: {name} {value:,.2f} instead of {GOALS[name]:.0f}"
        for name, value in found.items()
        if value > GOALS[name]
    ]


if __name__ == "__main__":
    main()
