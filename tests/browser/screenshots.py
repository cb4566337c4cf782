"""Pictures of every screen for the documents: `python -m tests.browser.screenshots` fills docs/images/.

Russian ones show the invented company. English ones show the sales opportunities data set, moved in time so
that it ends today; what a portal that only sells does not have, in the invented company with English screens.
"""

from __future__ import annotations

import csv
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from b24app.config import ROOT
from emulator import opportunities
from emulator.world import Portal
from tests.browser.furnished import furnish, plan
from tests.browser.scenes import SCENES, Cast, cast_of, settled, team
from tests.browser.stage import Stage, Window, chromium, staged
from tests.databases import SqliteDatabases
from tests.http.demo_portals import DATA

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 220_000
COLOURS = 256
"""A palette: a third of the size, and nobody sees the difference on flat screens."""
DATES = ("engage_date", "close_date")
LOCALES = {"ru": "ru-RU", "en": "en-GB"}
ADMIN = 1
PHONE = 375
WITHOUT = ("task", "tasks", "telephony", "imopenlines")


def main(languages: list[str]) -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="b24app-pictures-") as folder,
        SqliteDatabases(Path(folder)).migrated(Path(folder)) as url,
        chromium() as browser,
        staged(browser, url, Path(folder)) as stage,
    ):
        for lang in languages:
            take_all(stage, lang, Path(folder))
    return 0


def take_all(stage: Stage, lang: str, folder: Path) -> None:
    """Every picture of a language; the names end in it."""
    company = stage.company(lang)
    furnish(stage, company)
    everything = cast_of(company)
    sales = everything if lang == "ru" else sellers(stage, folder)
    for scene in SCENES:
        cast = sales if scene.is_sales else everything
        name, viewer = f"{scene.name}-{lang}", scene.viewer(cast)
        with picture(stage, cast.portal, viewer, name, scene.height, scene.excuses) as window:
            scene.show(window, cast)
    with picture(stage, sales.portal, sales.head, f"phone-{lang}", 1100) as window:
        team(window, sales)
        alone(window)
    take_states(stage, lang)


def take_states(stage: Stage, lang: str) -> None:
    """What a portal shows that has given few rights and has no records."""
    portal = stage.portal(lang=lang, title="Nord" if lang == "en" else "Север")
    app = stage.live.emulator.app(portal)
    app.scopes.difference_update(WITHOUT)  # so that the page stays and says what is missing
    with picture(stage, portal, ADMIN, f"install-{lang}", 1060) as window:
        window.open(f"/marketplace/app/{stage.live.emulator.client_id}/")
        window.frame().wait_for_selector(".steps li[data-state=missing]")
    stage.settle(portal)
    with picture(stage, portal, ADMIN, f"empty-{lang}", 1500) as window:
        settled(window.open_app())


@contextmanager
def picture(
    stage: Stage, portal: Portal, user: int, name: str, height: int, excuses: tuple[str, ...] = ()
) -> Iterator[Window]:
    """A window whose last sight is kept as a picture."""
    how: dict[str, Any] = {"reduced_motion": "reduce", "locale": LOCALES[portal.lang]}
    with stage.window(portal, user, height=height, **how) as window:
        yield window
        window.page.wait_for_timeout(700)  # bars of charts grow, the portal's slider slides in
        path = IMAGES / f"{name}.png"
        small(window.page.screenshot()).save(path, optimize=True)
        window.complaints[:] = [said for said in window.complaints if not any(one in said for one in excuses)]
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}  {size // 1000} kB", flush=True)
        assert size < MOST_BYTES, f"{path} has {size} bytes"


def small(taken: bytes) -> Image.Image:
    """The same picture in fewer colours."""
    return (
        Image.open(BytesIO(taken))
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    )


def alone(window: Window) -> None:
    """Only the app's frame on the whole screen, as a phone shows it."""
    window.page.set_viewport_size({"width": PHONE, "height": 1100})
    window.page.add_style_tag(
        content=".top, .menu, .head { display: none !important } .page { padding: 0 !important }"
    )


def sellers(stage: Stage, folder: Path) -> Cast:
    """The sales opportunities data set on a portal, with plans."""
    portal = stage.portal(title=opportunities.TITLE, lang="en", is_empty=True)
    opportunities.load(portal, moved_to_today(folder))
    stage.settle(portal)
    plan(stage, portal)
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
    sys.exit(main(sys.argv[1:] or ["ru", "en"]))
