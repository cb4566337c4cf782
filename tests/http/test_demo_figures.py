"""What the demo enters through the API, as an outside program would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from b24app import api_clients
from b24app.tables import campaigns, costs, kpi_sets, target_changes, targets
from demo import figures
from demo.program import Program
from tests import crm_rows
from tests.cast import ANNA, OLGA
from tests.http.api_server import MEMBER, NOW, PORTAL, Api, fill, serving
from tests.stored import save_deals

pytestmark = pytest.mark.long

COUNTED = (costs, campaigns, targets, target_changes, kpi_sets)


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def program(api: Api, engine: Engine) -> Program:
    with engine.begin() as conn:
        client = api_clients.create(conn, MEMBER, "The demo", NOW)
    return Program(api.url, client.client_id, client.client_secret)


def today(api: Api) -> date:
    return date.fromisoformat(api.get("/api/v1/kpi", OLGA).json()["today"])


def sell(engine: Engine, day: date) -> None:
    """A deal of 100 000 roubles won in each of the thirteen months up to the day, from Yandex adverts."""
    rows = []
    for number in range(1, 14):
        moment = f"{day} 00:30"
        more = {"amount": 100_000, "company": number, "utm": "yandex-direct"}
        rows.append(crm_rows.won(number, moment, created=moment, owner=ANNA, **more))
        day = day.replace(day=1) - timedelta(days=1)
    save_deals(engine, PORTAL, rows)


def held(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        return {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in COUNTED
        }


def test_costs_campaigns_and_targets_give_the_cards_their_numbers(
    api: Api, program: Program, engine: Engine
) -> None:
    sell(engine, today(api))
    figures.enter(program, today(api))
    path = "/api/v1/kpi?metric=cac,channel_roi,engagement_rate,site_visits,revenue&scope=company&period=year"
    found = {one["metric"]: one for one in api.get(path, OLGA, is_admin=True).json()["values"]}
    assert all(one["value"] is not None for one in found.values()), found
    assert 0.15 < float(found["engagement_rate"]["value"]) < 0.35
    of_anna = api.get(f"/api/v1/kpi?metric=revenue&scope=user:{ANNA}&period=month", OLGA, is_admin=True)
    (revenue,) = of_anna.json()["values"]
    assert Decimal(revenue["target"]) > 0
    assert revenue["pace"] is not None
    assert revenue["status"] not in (None, "no_target")


def test_entering_again_changes_nothing(api: Api, program: Program, engine: Engine) -> None:
    sell(engine, today(api))
    figures.enter(program, today(api))
    first = held(engine)
    assert all(first.values()), first
    figures.enter(program, today(api))
    assert held(engine) == first


def test_nothing_is_entered_for_days_to_come() -> None:
    early = date(2026, 11, 6)
    rows = figures.campaigns(date(2026, 11, 1), early, None)
    assert [row["date"] for row in rows] == ["2026-11-05", "2026-11-01", "2026-11-01"]
    assert {row["channel"] for row in figures.costs(date(2026, 3, 1))} - {
        row["channel"] for row in figures.costs(date(2026, 4, 1))
    } == {figures.FAIR}
