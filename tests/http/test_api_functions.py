"""What the first steps suggest to measure, by what a portal shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from b24app.tables import calls, costs, pipelines, portals, projects, sync_sources
from tests import crm_rows
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA
from tests.http.api_server import NEIGHBOUR, NOW, PORTAL, Api, fill, serving
from tests.stored import save_deals

PATH = "/api/v1/settings/functions"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def asked(api: Api) -> dict[str, dict[str, Any]]:
    answer = api.get(PATH, OLGA, is_admin=True)
    assert answer.status_code == 200, answer.text
    return {one["key"]: one for one in answer.json()["functions"]}


def suggested(one: dict[str, Any]) -> list[str]:
    return [line["metric"] for line in one["metrics"] if line["is_suggested"]]


def signs(one: dict[str, Any]) -> dict[str, int | None]:
    return {line["sign"]: line["count"] for line in one["signs"] if line["is_found"]}


def sold(numbers: range, owner: int, day: date) -> list[crm_rows.Row]:
    """A deal won on the day for each of the numbers."""
    return [crm_rows.won(n, f"{day} 00:30", created=f"{day} 00:30", owner=owner) for n in numbers]


def today(api: Api) -> date:
    return date.fromisoformat(api.get("/api/v1/kpi", OLGA).json()["today"])


def test_pipelines_and_leads_speak_for_sales_and_marketing_and_nothing_for_the_rest(api: Api) -> None:
    found = asked(api)
    assert {key: one["is_found"] for key, one in found.items()} == {
        "sales": True,
        "marketing": True,
        "support": False,
        "projects": False,
    }
    assert signs(found["sales"]) == {"deals": 2}
    assert signs(found["marketing"]) == {"leads": None}
    assert len(suggested(found["sales"])) == 5
    assert suggested(found["marketing"]) == ["leads_new", "lead_conversion"]
    assert suggested(found["support"]) == suggested(found["projects"]) == []
    assert all(one["department"] is None for one in found.values())


def test_what_was_read_is_noticed_but_not_what_the_portal_next_door_has(api: Api, engine: Engine) -> None:
    day = today(api)
    call = {
        "owner_id": ANNA, "call_type": 2, "is_answered": True, "duration_s": 5, "started_at": NOW,
        "started_day": day, "client": None, "vote": None,
    }  # fmt: skip
    cost = {"channel": "a", "from_day": day, "to_day": day, "amount": Decimal(1), "currency": "RUB"}
    with engine.begin() as conn:
        conn.execute(insert(calls).values(portal_id=PORTAL, call_id=1, **call))
        conn.execute(insert(costs).values(portal_id=NEIGHBOUR, external_id="1", **cost))
        conn.execute(insert(projects).values(portal_id=PORTAL, project_id=1, name="Site", is_closed=False))
    found = asked(api)
    assert suggested(found["support"]) == ["fcr", "calls_missed_rate", "cases"]
    assert signs(found["projects"]) == {"projects": 1}
    assert "cac" not in suggested(found["marketing"])
    with engine.begin() as conn:
        conn.execute(insert(costs).values(portal_id=PORTAL, external_id="1", **cost))
    assert suggested(asked(api)["marketing"]) == ["leads_new", "lead_conversion", "cac", "channel_roi"]


def test_without_leads_and_pipelines_nothing_speaks_for_sales_and_marketing(api: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == PORTAL).values(uses_leads=False))
        conn.execute(pipelines.delete().where(pipelines.c.portal_id == PORTAL))
    assert not any(one["is_found"] for one in asked(api).values())


def test_a_function_is_at_home_where_its_records_are_worked_on(api: Api, engine: Engine) -> None:
    day = today(api)
    long_ago = date(2020, 1, 1)
    mine = [sold(range(1, 5), BORIS, day), sold(range(5, 6), IVAN, day), sold(range(11, 19), IVAN, long_ago)]
    save_deals(engine, PORTAL, chain.from_iterable(mine))
    save_deals(engine, NEIGHBOUR, sold(range(1, 9), IVAN, day))
    assert asked(api)["sales"]["department"] == {"id": INSIDE, "name": "Inside sales"}
    assert asked(api)["projects"]["department"] is None


def test_while_the_portal_is_being_read_more_may_be_found(api: Api, engine: Engine) -> None:
    assert api.get(PATH, OLGA, is_admin=True).json()["is_read"] is True
    with engine.begin() as conn:
        source = sync_sources.c.source
        conn.execute(update(sync_sources).where(source == "tasks").values(state="reading", progress=0.5))
    assert api.get(PATH, OLGA, is_admin=True).json()["is_read"] is False


def test_it_is_for_admins(api: Api) -> None:
    assert api.get(PATH, ANNA).status_code == 403
