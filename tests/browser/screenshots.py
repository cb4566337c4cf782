"""Pictures of every screen for the documents: `python -m tests.browser.screenshots` writes docs/images/.

Russian ones show the invented company. English ones show the sales opportunities data set, moved in time so
that it ends today.
"""

from __future__ import annotations

import csv
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from playwright.sync_api import Frame

from b24app.config import ROOT
from emulator import opportunities
from emulator.world import Portal
from tests.browser.stage import Stage, Window, chromium, staged
from tests.databases import SqliteDatabases
from tests.http.demo_portals import DATA

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 250_000
DATES = ("engage_date", "close_date")
ADMIN = 1
PHONE = 375


@dataclass(frozen=True)
class Cast:
    """Who is looking in a language, and at which deal."""

    portal: Portal
    seller: int
    head: int
    deal: int


def main() -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="b24app-pictures-") as folder,
        SqliteDatabases(Path(folder)).migrated(Path(folder)) as url,
        chromium() as browser,
        staged(browser, url, Path(folder)) as stage,
    ):
        for lang, cast in (("ru", russian(stage)), ("en", english(stage, Path(folder)))):
            take_all(stage, cast, lang)
    return 0


def take_all(stage: Stage, cast: Cast, lang: str) -> None:
    """Every picture of a language; the names end in it."""
    with picture(stage, cast.portal, cast.seller, f"deal-{lang}", height=760) as window:
        window.open_deal(cast.deal).wait_for_selector(".facts dd.number")
    with picture(stage, cast.portal, cast.seller, f"employee-{lang}", height=1100) as window:
        drawn(window.open_own())
    with picture(stage, cast.portal, cast.head, f"head-{lang}", height=1400) as window:
        drawn(window.open_menu())
    with picture(stage, cast.portal, cast.head, f"explain-{lang}", height=860) as window:
        frame = drawn(window.open_menu())
        frame.click("[data-key=explain-win_rate]")
        frame.wait_for_selector("[role=dialog]")
    with picture(stage, cast.portal, cast.head, f"records-{lang}", height=1300) as window:
        frame = drawn(window.open_menu())
        frame.click("[data-key=open-revenue]")
        frame.wait_for_selector(".records .table-foot")
    with picture(stage, cast.portal, cast.head, f"phone-{lang}", height=1100) as window:
        drawn(window.open_menu())
        alone(window)
    portal = stage.portal(lang=lang, title=cast.portal.title)
    app = stage.live.emulator.app(portal)
    app.scopes.discard("department")  # so that the page stays and says what is missing
    with picture(stage, portal, ADMIN, f"install-{lang}", height=1060) as window:
        window.open(f"/marketplace/app/{stage.live.emulator.client_id}/")
        window.frame().wait_for_selector(".steps li[data-state=missing]")


@contextmanager
def picture(stage: Stage, portal: Portal, user: int, name: str, *, height: int) -> Iterator[Window]:
    """A window whose last sight is kept as a picture."""
    with stage.window(portal, user, height=height, reduced_motion="reduce") as window:
        yield window
        window.page.wait_for_timeout(700)  # bars of charts grow, the portal's slider slides in
        path = IMAGES / f"{name}.png"
        window.page.screenshot(path=path)
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}  {size // 1000} kB")
        assert size < MOST_BYTES, f"{path} has {size} bytes"


def drawn(frame: Frame) -> Frame:
    """The frame once its chart is there."""
    frame.wait_for_selector(".chart-box canvas")
    return frame


def alone(window: Window) -> None:
    """Only the app's frame on the whole screen, as a phone shows it."""
    window.page.set_viewport_size({"width": PHONE, "height": 1100})
    window.page.add_style_tag(
        content=".top, .menu, .head { display: none !important } .page { padding: 0 !important }"
    )


def russian(stage: Stage) -> Cast:
    portal = stage.company()
    deal = next(
        int(deal["id"])
        for deal in portal.records["deal"].reversed()
        if (deal["assignedById"], deal["stageSemanticId"], deal["categoryId"]) == (10, "P", 0)
        and deal["stageId"] not in ("NEW",)
    )
    return Cast(portal, seller=10, head=3, deal=deal)


def english(stage: Stage, folder: Path) -> Cast:
    portal = stage.portal(title=opportunities.TITLE, lang="en", is_empty=True)
    opportunities.load(portal, moved_to_today(folder))
    stage.settle(portal)
    users = {f"{user['NAME']} {user['LAST_NAME']}": int(user["ID"]) for user in portal.records["user"]}
    seller = users["Vicki Laflamme"]
    deals = portal.records["deal"].reversed()
    deal = next(int(d["id"]) for d in deals if (d["assignedById"], d["stageId"]) == (seller, "PREPARATION"))
    return Cast(portal, seller, head=users["Celia Rouche"], deal=deal)


def moved_to_today(folder: Path) -> Path:
    """The data set with every date moved by the same number of days, so that its last deal closes today."""
    copy = folder / "opportunities"
    copy.mkdir()
    for path in DATA.glob("*.csv"):
        (copy / path.name).write_bytes(path.read_bytes())
    pipeline = copy / "sales_pipeline.csv"
    with pipeline.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    last = max(date.fromisoformat(row["close_date"]) for row in rows if row["close_date"])
    step = date.today() - last  # noqa: DTZ011  the day of whoever takes the pictures
    for row in rows:
        for name in DATES:
            if row[name]:
                row[name] = (date.fromisoformat(row[name]) + step).isoformat()
    with pipeline.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return copy


if __name__ == "__main__":
    sys.exit(main())
