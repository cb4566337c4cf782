"""The real data set through the emulator's REST into the app and out of its API, to the last dollar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from b24app.sync import first_read
from emulator import opportunities
from tests.http.demo_portals import DATA, Reader
from tests.http.live import Live, living, token

MANAGERS = {
    "Melvin Marxen": "2251930",
    "Summer Sewald": "1964750",
    "Rocco Neubert": "1960545",
    "Celia Rouche": "1603897",
    "Cara Losch": "1130049",
    "Dustin Brinkmann": "1094363",
}
OFFICES = {"West": "3568647", "Central": "3346293", "East": "3090594"}
QUARTERS = {
    ("2017-01-01", "2017-04-01"): "1134672",
    ("2017-04-01", "2017-07-01"): "3086111",
    ("2017-07-01", "2017-10-01"): "2982255",
    ("2017-10-01", "2018-01-01"): "2802496",
}
EVERYTHING = {"from": "2016-01-01", "to": "2018-01-01"}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Reader, str]]:
    """The app after its first read of the portal, the portal, and the admin's session token."""
    folder: Path = tmp_path_factory.mktemp("opportunities")
    with living(f"sqlite:///{folder / 'app.db'}", folder) as live:
        portal = live.emulator.add_portal(title=opportunities.TITLE, lang="en", is_empty=True)
        opportunities.load(portal, DATA)
        page = live.install(portal)
        assert page.status_code == 200, page.text[:500]
        live.emulator.install(portal, 1)
        row = live.row(portal)
        assert row is not None
        first_read.run(live.parts, row.portal_id)
        yield live, Reader(live.emulator, portal), token(live.open(portal, 1))


def ask(read: tuple[Live, Reader, str], **params: Any) -> dict[str, Any]:
    live, _, bearer = read
    answer = requests.get(
        f"{live.url}/api/v1/kpi",
        params={**EVERYTHING, "scope": "company", **params},
        headers={"Authorization": f"Bearer {bearer}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["complete"] is True
    return {value["metric"]: value for value in body["values"]}


def test_the_portal_counts_as_the_file_does(read: tuple[Live, Reader, str]) -> None:
    _, portal, _ = read

    def count(**filters: Any) -> int:
        params = {"entityTypeId": 2, "select": ["id"], "filter": filters}
        return int(portal.call("crm.item.list", params)["total"])

    assert count() == 8_800
    assert count(stageSemanticId="S") == 4_238
    assert count(stageSemanticId="F") == 2_473


def test_totals(read: tuple[Live, Reader, str]) -> None:
    values = ask(read, metric="deals_won,deals_lost,revenue,win_rate,funnel_conversion")
    assert values["deals_won"]["value"] == 4_238
    assert values["deals_lost"]["value"] == 2_473
    assert float(values["revenue"]["value"]) == 10_005_534
    assert values["win_rate"]["value"] == "0.6315005215"  # 4,238 / (4,238 + 2,473)
    assert values["funnel_conversion"]["denominator"] == 8_800


def test_managers_and_offices(read: tuple[Live, Reader, str]) -> None:
    _, portal, _ = read
    ids = {row["NAME"]: row["ID"] for row in portal.portal.records["department"]}
    rows = {
        row["key"]: float(row["value"])
        for row in ask(read, metric="revenue", by="department")["revenue"]["rows"]
    }
    for manager, amount in MANAGERS.items():
        assert rows[f"department:{ids[f'Team {manager}']}"] == float(amount), manager
    for office, amount in OFFICES.items():
        assert rows[f"department:{ids[office]}"] == float(amount), office


@pytest.mark.parametrize(("period", "amount"), QUARTERS.items())
def test_quarters(read: tuple[Live, Reader, str], period: tuple[str, str], amount: str) -> None:
    start, end = period
    assert float(ask(read, metric="revenue", **{"from": start, "to": end})["revenue"]["value"]) == float(
        amount
    )
