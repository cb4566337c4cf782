"""The real data set, from the portal's REST through the app's own server out of its API, to the last dollar.

Nothing is done by hand in between: the app runs as a process, is installed through its installation frame,
reads the portal in the background and is asked like by any other program.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import requests

from emulator import opportunities
from emulator.server import Emulator
from emulator.world import Portal
from tests.databases import Databases
from tests.http.demo_portals import DATA
from tests.http.live import eventually, token
from tests.http.processes import answers, environment, free_port, process

ADMIN = 1
YEARS = {"from": "2016-01-01", "to": "2018-01-01"}
MANAGERS = {
    "Melvin Marxen": 2_251_930,
    "Summer Sewald": 1_964_750,
    "Rocco Neubert": 1_960_545,
    "Celia Rouche": 1_603_897,
    "Cara Losch": 1_130_049,
    "Dustin Brinkmann": 1_094_363,
}
OFFICES = {"West": 3_568_647, "Central": 3_346_293, "East": 3_090_594}
QUARTERS = {
    ("2017-01-01", "2017-04-01"): 1_134_672,
    ("2017-04-01", "2017-07-01"): 3_086_111,
    ("2017-07-01", "2017-10-01"): 2_982_255,
    ("2017-10-01", "2018-01-01"): 2_802_496,
}


@dataclass(frozen=True)
class Shop:
    """The app with the data set in it, asked by people of the portal."""

    url: str
    emulator: Emulator
    portal: Portal
    sessions: dict[int, str]

    def ask(self, path: str, user_id: int = ADMIN, **params: Any) -> requests.Response:
        if user_id not in self.sessions:
            self.sessions[user_id] = token(self.post("/", user_id))
        headers = {"Authorization": f"Bearer {self.sessions[user_id]}"}
        return requests.get(self.url + path, params=params, headers=headers, timeout=30)

    def values(self, user_id: int = ADMIN, **params: Any) -> dict[str, dict[str, Any]]:
        """Values of `/api/v1/kpi` by metric; both years of the company unless said otherwise."""
        answer = self.ask("/api/v1/kpi", user_id, **{**YEARS, "scope": "company", **params})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["complete"] is True
        assert (body["portal"], body["currency"]) == (self.portal.member_id, "USD")
        return {value["metric"]: value for value in body["values"]}

    def revenue(self, by: str) -> dict[str, Decimal]:
        """Won amounts by `user`, `month` and so on, without empty rows."""
        rows = self.values(metric="revenue", by=by)["revenue"]["rows"]
        return {row["key"]: Decimal(row["value"]) for row in rows if row["value"] and Decimal(row["value"])}

    def post(self, door: str, user_id: int) -> requests.Response:
        """A frame of the portal opened by the user."""
        query, form = self.emulator.frame_post(self.portal, user_id)
        page = requests.post(self.url + door, params=query, data=form, timeout=30)
        assert page.status_code == 200, page.text[:500]
        return page

    def department(self, name: str) -> int:
        return next(int(row["ID"]) for row in self.portal.records["department"] if row["NAME"] == name)

    def user(self, full_name: str) -> int:
        name, _, last = full_name.partition(" ")
        users = self.portal.records["user"]
        return next(int(row["ID"]) for row in users if (row["NAME"], row["LAST_NAME"]) == (name, last))


@pytest.fixture(scope="session")
def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The server process after it has read the portal by itself."""
    folder = tmp_path_factory.mktemp("numbers")
    url = f"http://127.0.0.1:{free_port()}"
    with (
        databases.empty(folder) as database_url,
        Emulator(app_url=url) as emulator,
        (folder / "server.log").open("wb") as log,
    ):
        portal = emulator.add_portal(title=opportunities.TITLE, lang="en", is_empty=True)
        opportunities.load(portal, DATA)
        env = environment(folder, url, emulator.auth_url, database_url)
        with process("serve", env, stderr=log):
            assert eventually(lambda: answers(f"{url}/readyz"), 60)
            shop = Shop(url, emulator, portal, {})
            shop.post("/install", ADMIN)
            emulator.install(portal, ADMIN)
            assert eventually(lambda: bool(shop.ask("/api/v1/sync").json()["complete"]), 90)
            yield shop


def test_the_file_is_the_one_that_the_figures_are_of() -> None:
    deals = list(closed_deals())
    assert len(deals) == 4_238 + 2_473
    assert sum(amount for _, _, amount in deals) == 10_005_534


def test_opportunities_won_lost_and_their_rate(shop: Shop) -> None:
    values = shop.values(metric="deals_won,deals_lost,win_rate,funnel_conversion,revenue")
    assert values["deals_won"]["value"] == 4_238
    assert values["deals_lost"]["value"] == 2_473
    rate = values["win_rate"]
    assert (rate["value"], rate["numerator"], rate["denominator"]) == ("0.6315005215", 4_238, 6_711)
    assert values["funnel_conversion"]["denominator"] == 8_800  # every opportunity is in the cohort once
    assert Decimal(values["revenue"]["value"]) == 10_005_534


def test_the_average_check_is_the_sum_over_the_count(shop: Shop) -> None:
    value = shop.values(metric="average_check")["average_check"]
    assert (Decimal(value["numerator"]), value["denominator"]) == (10_005_534, 4_238)
    assert value["value"] == "2360.9093912223"  # 10,005,534 / 4,238


def test_every_manager(shop: Shop) -> None:
    rows = shop.revenue("department")
    assert {name: rows[f"department:{shop.department(f'Team {name}')}"] for name in MANAGERS} == MANAGERS


def test_every_office(shop: Shop) -> None:
    rows = shop.revenue("department")
    assert {name: rows[f"department:{shop.department(name)}"] for name in OFFICES} == OFFICES
    assert rows[f"department:{shop.department(opportunities.TITLE)}"] == sum(OFFICES.values())


@pytest.mark.parametrize(("quarter", "amount"), QUARTERS.items())
def test_every_quarter(shop: Shop, quarter: tuple[str, str], amount: int) -> None:
    start, end = quarter
    values = shop.values(ADMIN, metric="revenue", **{"from": start, "to": end})
    assert Decimal(values["revenue"]["value"]) == amount


def test_every_agent_and_every_month_is_as_in_the_file(shop: Shop) -> None:
    by_agent: dict[str, Decimal] = defaultdict(Decimal)
    by_month: dict[str, Decimal] = defaultdict(Decimal)
    for agent, month, amount in closed_deals():
        by_agent[agent] += amount
        by_month[month] += amount
    assert shop.revenue("user") == {f"user:{shop.user(name)}": sum_ for name, sum_ in by_agent.items()}
    assert shop.revenue("month") == dict(by_month)


@pytest.mark.parametrize(("name", "amount"), MANAGERS.items())
def test_a_manager_sees_the_team_and_no_other(shop: Shop, name: str, amount: int) -> None:
    head, team = shop.user(name), shop.department(f"Team {name}")
    values = shop.values(head, metric="revenue", scope=f"department:{team}")
    assert Decimal(values["revenue"]["value"]) == amount
    assert shop.ask("/api/v1/kpi", head, metric="revenue", scope="company").status_code == 403


def test_the_records_behind_a_number_add_up_to_it(shop: Shop) -> None:
    agent = shop.user("Darcel Schlecht")
    question = {"metric": "revenue", "scope": f"user:{agent}", "from": "2017-03-01", "to": "2017-04-01"}
    number = shop.values(ADMIN, **question)["revenue"]["value"]
    page, found = 1, Decimal(0)
    while True:
        body = shop.ask("/api/v1/kpi/records", ADMIN, **question, page=page).json()
        found += sum(Decimal(row["adds"]) for row in body["records"])
        page += 1
        if page > body["pages"]:
            break
    assert found == Decimal(number) > 0


def closed_deals() -> Iterator[tuple[str, str, Decimal]]:
    """(agent, month of closing, amount) of every won or lost opportunity, straight from the file."""
    with (DATA / "sales_pipeline.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["deal_stage"] in ("Won", "Lost"):
                yield row["sales_agent"], row["close_date"][:7], Decimal(row["close_value"])
