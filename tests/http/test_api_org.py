from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, update

from b24app import store
from b24app.facts.reference import SmartProcess
from b24app.tables import absences, departments, portals, sync_sources, users
from b24app.web.moments import rfc3339
from tests.cast import ANNA, BORIS, GRETA, INSIDE, IVAN, OLGA, SALES, SUPPORT, SVETA
from tests.http.api_server import MEMBER, NEIGHBOUR, PORTAL, Api, fill, serving


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def ids(rows: list[dict[str, Any]]) -> set[int]:
    return {row["id"] for row in rows}


def test_an_employee_finds_only_themselves(api: Api) -> None:
    body = api.get("/api/v1/org", ANNA).json()
    assert body["portal"] == MEMBER
    assert body["me"] == ANNA
    assert body["departments"] == []
    assert [(e["id"], e["departments"]) for e in body["employees"]] == [(ANNA, ["Inside sales", "Support"])]
    assert body["sees_company"] is False
    assert "Boris" not in api.get("/api/v1/org", ANNA).text


def test_a_head_finds_the_department_what_is_under_it_and_its_people(api: Api) -> None:
    body = api.get("/api/v1/org", IVAN).json()
    assert [(d["id"], d["parent_id"], d["depth"]) for d in body["departments"]] == [
        (SALES, None, 0),  # what it hangs under is not his to see
        (INSIDE, SALES, 1),
    ]
    assert ids(body["employees"]) == {IVAN, ANNA, BORIS, GRETA}
    assert {e["id"] for e in body["employees"] if not e["active"]} == {GRETA}
    assert body["heads"] == [SALES]


def test_an_admin_finds_everybody_but_extranet_users_and_nobody_of_the_portal_next_door(
    api: Api, engine: Engine
) -> None:
    with engine.begin() as conn:
        conn.execute(
            users.insert().values(portal_id=NEIGHBOUR, user_id=ANNA, name="Anna Next Door", is_employee=True)
        )
    body = api.get("/api/v1/org", SVETA, is_admin=True).json()
    assert [d["id"] for d in body["departments"]] == [1, SALES, INSIDE, SUPPORT]
    assert ids(body["employees"]) == {OLGA, IVAN, ANNA, BORIS, SVETA, GRETA}
    assert "Next Door" not in str(body)


def test_a_cycle_in_the_tree_is_drawn_once(api: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(
            update(departments)
            .where(departments.c.portal_id == PORTAL, departments.c.department_id == 1)
            .values(parent_id=INSIDE)
        )
    body = api.get("/api/v1/org", OLGA, is_admin=True).json()
    assert sorted(d["id"] for d in body["departments"]) == [1, SALES, INSIDE, SUPPORT]
    assert [d["id"] for d in body["departments"] if d["parent_id"] is None] == [1]


def test_sync_tells_where_each_source_stands(api: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(
            update(sync_sources)
            .where(sync_sources.c.portal_id == PORTAL, sync_sources.c.source == "deals")
            .values(state="reading", progress=0.5, row_count=120)
        )
        conn.execute(
            update(sync_sources)
            .where(sync_sources.c.portal_id == PORTAL, sync_sources.c.source == "leads")
            .values(state="off", reason="missing_scope")
        )
    body = api.get("/api/v1/sync", OLGA, is_admin=True).json()
    sources = {source["source"]: source for source in body["sources"]}
    assert body["complete"] is False
    assert 0 < body["progress"] < 1
    assert body["as_of"] == "2026-11-23T10:15:02Z"
    assert body["problems"] == ["missing_scope:leads"]
    assert (sources["deals"]["state"], sources["deals"]["progress"], sources["deals"]["rows"]) == (
        "reading",
        0.5,
        120,
    )
    assert sources["leads"]["reason"] == "missing_scope"
    assert sources["users"]["read_at"] == "2026-11-23T10:15:02Z"


def test_how_many_records_the_company_has_is_not_told_to_an_employee(api: Api) -> None:
    body = api.get("/api/v1/sync", ANNA).json()
    assert body["complete"] is True
    assert {source["rows"] for source in body["sources"]} == {None}


def test_an_admin_is_told_what_is_used_of_the_limits(api: Api, engine: Engine) -> None:
    budget = api.parts.budgets.for_portal(f"p{PORTAL}.example")
    for _ in range(3):
        assert budget.take({"crm.item.list": 2}, background=True) == 0
    budget.learn({"crm.item.list": (120.0, {"crm.item.list": 0.5})})
    until = int(time.time()) + 60
    budget.block("user.get", until)
    api.parts.budgets.for_portal(f"p{NEIGHBOUR}.example").learn({"crm.item.list": (400.0, {})})
    body = api.get("/api/v1/sync", OLGA, is_admin=True).json()
    limits, sources = body["limits"], {source["source"]: source for source in body["sources"]}
    assert limits["bucket"]["capacity"] == 50
    assert 0 < limits["bucket"]["used"] <= 3
    assert (limits["requests"], limits["operating_limit_s"], limits["window_s"]) == (3, 480, 600)
    assert limits["is_shared"] is False
    assert limits["methods"] == [
        {"method": "crm.item.list", "used_s": 120.0, "blocked_until": None},
        {"method": "user.get", "used_s": 0.0, "blocked_until": rfc3339(until)},
    ]
    assert sources["deals"]["methods"] == sources["leads"]["methods"] == ["crm.item.list"]
    assert sources["task_history"]["methods"] == ["tasks.task.history.list"]
    assert all(source["methods"] for source in sources.values())
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == PORTAL).values(license="ru_selfhosted"))
    assert api.get("/api/v1/sync", OLGA, is_admin=True).json()["limits"]["bucket"] is None


def test_sources_of_smart_processes_come_with_their_titles(api: Api, engine: Engine) -> None:
    for portal_id, title in ((PORTAL, "Complaints"), (NEIGHBOUR, "Secrets")):
        with store.writing(engine, portal_id) as writer:
            writer.save_smart_processes([SmartProcess(1036, title)])
    assert api.get("/api/v1/sync", OLGA, is_admin=True).json()["titles"] == {"1036": "Complaints"}
    choices = api.get("/api/v1/settings/choices", OLGA, is_admin=True).json()
    assert choices["titles"] == [{"id": 1036, "name": "Complaints"}]
    assert choices["objects_known"] is False, "the portal of these tests does not answer"


def test_what_is_used_of_the_limits_is_not_told_to_an_employee(api: Api) -> None:
    body = api.get("/api/v1/sync", ANNA).json()
    assert "limits" not in body
    assert not any("methods" in source for source in body["sources"])


@pytest.mark.parametrize("path", ["/api/v1/org", "/api/v1/sync", "/api/v1/settings", "/api/v1/deals/1"])
def test_nothing_is_answered_without_a_live_token(api: Api, engine: Engine, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {api.token(ANNA)}"}):
        answer = requests.get(api.url + path, headers=headers, timeout=20)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 401
    token = api.token(ANNA)
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == PORTAL).values(state="uninstalled"))
    answer = requests.get(api.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert answer.status_code == 401


def test_who_is_away_today_is_told_with_the_last_day_of_it(api: Api, engine: Engine) -> None:
    today = date.fromisoformat(api.get("/api/v1/kpi", OLGA).json()["today"])
    spans = {ANNA: (-2, 3), BORIS: (1, 5), IVAN: (-5, -1)}
    with engine.begin() as conn:
        for portal_id, user_id, (first, last) in (
            *((PORTAL, user_id, span) for user_id, span in spans.items()),
            (NEIGHBOUR, OLGA, (0, 0)),
        ):
            conn.execute(
                absences.insert().values(
                    portal_id=portal_id,
                    user_id=user_id,
                    from_day=today + timedelta(days=first),
                    to_day=today + timedelta(days=last),
                )
            )
    body = api.get("/api/v1/org", OLGA, is_admin=True).json()
    away = {one["id"]: one["away_until"] for one in body["employees"] if one["away_until"]}
    assert away == {ANNA: str(today + timedelta(days=3))}
