"""`GET /api/v1/metrics` and `GET /api/v1/kpi` over sockets: the portal at one end, a browser at the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from sqlalchemy import Engine, update

from b24app.metrics.catalog import CATALOG
from b24app.tables import portals, sync_sources
from emulator import crm
from tests.cast import ANNA, BORIS, COMPANY, GUEST, INSIDE, IVAN, OLGA, SALES, SUPPORT, SVETA
from tests.http.api_portal import Company, company
from tests.http.api_server import MEMBER, PORTAL, Api, fill, serving

DECADE = "from=2020-01-01&to=2030-01-01"


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        yield running


@pytest.fixture
def quiet(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    """The small company without records and without a portal that answers."""
    fill(engine)
    with serving(database_url, tmp_path) as api:
        yield api


def kpi(api: Api, query: str, user_id: int | None, *, is_admin: bool = False) -> Any:
    answer = api.get(f"/api/v1/kpi?{query}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: requests.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return body


def test_numbers_of_an_employee_a_department_and_the_company(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal("1000.10"))
    shop.add_deal(ANNA, "LOSE", opportunity=Decimal(1))
    shop.add_deal(BORIS, "WON", opportunity=Decimal(10), currencyId="USD")
    shop.add_deal(SVETA, "WON", opportunity=Decimal(5))
    shop.add_deal(GUEST, "WON", opportunity=Decimal(7))
    shop.read()
    asked = f"metric=revenue,win_rate&{DECADE}"

    def answers(scope: str) -> list[tuple[Any, Any, Any]]:
        body = kpi(shop.api, f"{asked}&scope={scope}", OLGA, is_admin=True)
        return [(v["value"], v["numerator"], v["denominator"]) for v in body["values"]]

    assert answers(f"user:{ANNA}") == [("1000.10", None, None), ("0.5", 1, 2)]
    # 1000.10 + 10 × 80 = 1800.10; 2 / 3
    assert answers(f"department:{SALES}") == [("1800.10", None, None), ("0.6666666667", 2, 3)]
    # + Sveta 5 + the guest 7 = 1812.10; 4 / 5
    assert answers("company") == [("1812.10", None, None), ("0.8", 4, 5)]


def test_the_answer_has_the_fixed_shape(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal("12.30"))
    shop.read()
    body = kpi(shop.api, f"metric=revenue&scope=me&by=user&compare=previous&{DECADE}", ANNA)
    names = body.pop("names")
    as_of, compared = body.pop("as_of"), body.pop("compared")
    forecasts = [found.pop("forecast") for found in (body["values"][0], body["values"][0]["rows"][0])]
    assert Decimal("12.30") < Decimal(forecasts[0]) < 50  # the decade goes on
    assert forecasts[0] == forecasts[1]
    assert datetime.fromisoformat(as_of).tzinfo is not None
    assert as_of.endswith("Z")
    today = datetime.now(ZoneInfo("Europe/Moscow")).date()
    assert body == {
        "portal": MEMBER,
        "scope": f"user:{ANNA}",
        "from": "2020-01-01",
        "to": "2030-01-01",
        "timezone": "Europe/Moscow",
        "today": today.isoformat(),
        "currency": "RUB",
        "complete": True,
        "values": [
            {
                "metric": "revenue",
                "value": "12.30",
                "numerator": None,
                "denominator": None,
                "unit": "money",
                "reason": None,
                "provisional": False,
                "few_data": False,
                "target": None,
                "attainment": None,
                "pace": None,
                "status": "no_target",
                "before": "0.00",
                "change": None,
                "left_out": [],
                "rows": [
                    {
                        "key": f"user:{ANNA}",
                        "value": "12.30",
                        "numerator": None,
                        "denominator": None,
                        "few_data": False,
                        "target": None,
                        "attainment": None,
                        "pace": None,
                        "status": "no_target",
                        "before": "0.00",
                        "change": None,
                    }
                ],
            }
        ],
    }
    # ten whole years before, as far as this decade has come
    assert compared["from"] == "2010-01-01"
    assert date.fromisoformat(compared["to"]).year == today.year - 10
    assert names == {f"user:{ANNA}": "Anna Seller"}


def test_an_employee_is_told_nothing_of_others(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(11))
    shop.add_deal(BORIS, "WON", opportunity=Decimal(73_519))
    shop.read()
    asked = f"metric=revenue&{DECADE}"
    for by in ("user", "department", "pipeline", "month"):
        body = kpi(shop.api, f"{asked}&scope=me&by={by}", ANNA)
        assert "73519" not in str(body)
        assert f"user:{BORIS}" not in str(body)
    for scope in ("company", f"department:{INSIDE}", f"user:{BORIS}", "user:404", "department:404"):
        refused = problem(shop.api.get(f"/api/v1/kpi?{asked}&scope={scope}", ANNA), 403)
        assert refused["parameter"] == "scope"
        assert "73519" not in str(refused)


def test_a_head_sees_the_department_and_below_and_nothing_beside(shop: Company) -> None:
    shop.read()
    asked = f"metric=deals_won&{DECADE}"
    body = kpi(shop.api, f"{asked}&scope=department:{SALES}&by=department", IVAN)
    assert [row["key"] for row in body["values"][0]["rows"]] == [
        f"department:{SALES}",
        f"department:{INSIDE}",
    ]
    kpi(shop.api, f"{asked}&scope=user:{BORIS}", IVAN)
    for scope in ("company", f"department:{COMPANY}", f"department:{SUPPORT}", f"user:{SVETA}"):
        problem(shop.api.get(f"/api/v1/kpi?{asked}&scope={scope}", IVAN), 403)


def test_only_an_admin_is_told_that_a_scope_does_not_exist(shop: Company) -> None:
    shop.read()
    for scope in ("user:404", "department:404", f"user:{GUEST}"):
        answer = shop.api.get(f"/api/v1/kpi?metric=deals_won&scope={scope}", OLGA, is_admin=True)
        assert problem(answer, 404)["parameter"] == "scope"


def test_a_program_sees_the_company(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(11))
    shop.read()
    body = kpi(shop.api, f"metric=revenue&{DECADE}", None)
    assert (body["scope"], body["values"][0]["value"]) == ("company", "11.00")
    problem(shop.api.get("/api/v1/kpi?scope=me", None), 400)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("metric=profit", 404, "metric"),
        ("metric=revenue&metrics=x", 400, "metrics"),
        ("scope=team:3", 400, "scope"),
        ("from=2026-01-01", 400, "to"),
        ("from=2026-13-01&to=2027-01-01", 400, "from"),
        ("from=2026-02-01&to=2026-01-01", 400, "to"),
        ("period=fortnight", 400, "period"),
        ("compare=yesterday", 400, "compare"),
        ("by=team", 400, "by"),
        ("metric=leads_new&by=pipeline", 400, "by"),
        ("fresh=2", 400, "fresh"),
    ],
)
def test_what_is_wrong_is_named(quiet: Api, query: str, status: int, parameter: str) -> None:
    body = problem(quiet.get(f"/api/v1/kpi?{query}", ANNA), status)
    assert body["parameter"] == parameter
    assert body["detail"]


def test_without_a_token_there_are_no_numbers(quiet: Api) -> None:
    for path in ("/api/v1/kpi", "/api/v1/metrics"):
        answer = requests.get(quiet.url + path, timeout=20)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_unchanged_answer_is_304_and_says_when_the_portal_was_read(shop: Company) -> None:
    shop.add_deal(ANNA, "WON", opportunity=Decimal(11))
    shop.read()
    path = f"/api/v1/kpi?metric=revenue&scope=me&{DECADE}"
    first = shop.api.get(path, ANNA)
    tag = {"If-None-Match": first.headers["ETag"]}
    again = shop.api.get(path, ANNA, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert datetime.fromisoformat(again.headers["B24App-As-Of"]) >= datetime.fromisoformat(
        first.json()["as_of"]
    )
    # of another question, of another person, after a change: a new answer
    assert shop.api.get(path + "&by=user", ANNA, headers=tag).status_code == 200
    assert shop.api.get(path, BORIS, headers=tag).status_code == 200
    shop.add_deal(ANNA, "WON", opportunity=Decimal(5))
    changed = shop.api.get(path + "&fresh=1", ANNA, headers=tag)
    assert (changed.status_code, changed.json()["values"][0]["value"]) == (200, "16.00")
    assert shop.api.get(path, ANNA, headers=tag).status_code == 200


def test_fresh_waits_for_what_has_just_changed(shop: Company) -> None:
    deal_id = shop.add_deal(ANNA, "WON", opportunity=Decimal(11))
    shop.read()
    path = f"metric=revenue,deals_won&scope=me&{DECADE}&fresh=1"
    assert [v["value"] for v in kpi(shop.api, path, ANNA)["values"]] == ["11.00", 1]
    crm.move_deal(shop.portal, deal_id, "NEW")
    # back in progress: out of both numbers
    assert [v["value"] for v in kpi(shop.api, path, ANNA)["values"]] == ["0.00", 0]


def test_while_the_first_read_runs_it_says_so(quiet: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(
            update(sync_sources)
            .where(sync_sources.c.portal_id == PORTAL, sync_sources.c.source == "deals")
            .values(state="reading", progress=0.5, covered_from=None)
        )
    body = kpi(quiet, "metric=deals_won,leads_new&scope=me", ANNA)
    assert body["complete"] is False
    assert 0 < body["progress"] < 1
    assert [(v["value"], v["reason"]) for v in body["values"]] == [(None, "not_synced"), (0, None)]


def test_a_reader_who_sees_less_than_an_admin_makes_the_answer_incomplete(quiet: Api, engine: Engine) -> None:
    assert kpi(quiet, "metric=deals_won&scope=me", ANNA)["complete"] is True
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == PORTAL).values(reader_is_admin=False))
    assert kpi(quiet, "metric=deals_won&scope=me", ANNA)["complete"] is False


def test_while_nothing_is_stored_and_the_portal_fails_it_is_503(quiet: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(portals).values(checked_at=None))
        conn.execute(
            update(sync_sources).values(state="pending", progress=0.0, read_at=None, error="unreachable")
        )
    answer = quiet.get("/api/v1/kpi?metric=deals_won", ANNA)
    problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_the_catalogue_tells_everything_in_the_viewers_language(quiet: Api) -> None:
    body = quiet.get("/api/v1/metrics", ANNA).json()
    assert [metric["key"] for metric in body["metrics"]] == [metric.key for metric in CATALOG]
    win_rate = next(metric for metric in body["metrics"] if metric["key"] == "win_rate")
    assert win_rate["name"] == "Win rate"
    assert win_rate["unit"] == "ratio"
    assert win_rate["better"] == "up"
    assert win_rate["origin"] == "native"
    assert win_rate["scopes"] == ["user", "department", "company"]
    assert "pipeline" in win_rate["dimensions"]
    assert (win_rate["available"], win_rate["reason"]) == (True, None)
    for metric in body["metrics"]:
        assert all(metric[text] for text in ("name", "meaning", "formula", "source", "unit_name", "reading"))


def test_the_catalogue_says_what_is_not_available_and_why(quiet: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(
            update(sync_sources)
            .where(sync_sources.c.source == "currencies")
            .values(state="off", reason="missing_scope")
        )
    told = {
        m["key"]: (m["available"], m["reason"]) for m in quiet.get("/api/v1/metrics", ANNA).json()["metrics"]
    }
    assert told["revenue"] == (False, "missing_scope")
    assert told["deals_won"] == (True, None)
