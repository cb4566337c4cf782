"""Channel rules over sockets: what they match, before and after they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from b24app.tables import deals, lead_sources, leads
from tests.cast import ANNA, IVAN, OLGA
from tests.http.api_server import NOW, PORTAL, Api, fill, serving

PATH = "/api/v1/channels"
DAYS = "from=2026-11-01&to=2026-12-01"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with engine.begin() as conn:
        conn.execute(insert(lead_sources).values(portal_id=PORTAL, source_id="WEB", name="Web site"))
        shared = {
            "portal_id": PORTAL,
            "owner_id": ANNA,
            "stage_id": "NEW",
            "semantics": "P",
            "created_at": NOW,
            "moved_at": NOW,
            "moved_day": date(2026, 11, 3),
            "updated_at": NOW,
        }
        origins = [("ya", None), ("ya", "WEB"), (None, "WEB"), (" ", None), (None, None)]
        for number, (utm, source) in enumerate(origins, 1):
            came = {**shared, "utm_source": utm, "source_id": source, "created_day": date(2026, 11, 3)}
            conn.execute(insert(leads).values(lead_id=number, **came))
            if number < 3:
                deal = {
                    "deal_id": number,
                    "first_contact_at": NOW,
                    "category_id": 0,
                    "amount": Decimal(1),
                    "currency": "RUB",
                }
                conn.execute(insert(deals).values(**deal, **came, is_recurring=number == 2))
        old = {**shared, "created_day": date(2024, 11, 3), "utm_source": "old", "source_id": None}
        conn.execute(insert(leads).values(lead_id=99, **old))
    with serving(database_url, tmp_path) as running:
        yield running


def admin(api: Api, method: str, path: str, **how: Any) -> dict[str, Any]:
    answer = api.call(method, path, OLGA, is_admin=True, **how)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def told(body: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {row["channel"]: (row["leads"], row["deals"]) for row in body["channels"]}


def test_without_rules_channels_are_what_the_records_say(api: Api) -> None:
    body = admin(api, "GET", f"{PATH}?{DAYS}")
    # deal 2 is a template of recurring deals, lead 99 is older
    assert told(body) == {"Web site": (1, 0), "unknown": (2, 0), "ya": (2, 1)}
    assert (body["rules"], body["more_origins"]) == ([], 0)
    assert {(o["utm_source"], o["source_id"], o["channel"], o["rule"]) for o in body["origins"]} == {
        ("ya", None, "ya", None),
        ("ya", "WEB", "ya", None),
        (None, "WEB", "Web site", None),
        (None, None, "unknown", None),
    }
    assert next(o["source"] for o in body["origins"] if o["source_id"]) == "Web site"


def test_a_preview_tells_what_each_rule_would_decide_and_stores_nothing(api: Api) -> None:
    rules = [
        {"utm_source": "ya", "channel": "Search"},
        {"source_id": "WEB", "channel": "Site"},
        {"utm_source": "ya", "source_id": "WEB", "channel": "Search on site"},
        {"utm_source": "nobody", "channel": "Site"},
    ]
    body = admin(api, "POST", f"{PATH}/preview?{DAYS}", json={"channels": rules})
    assert [(r["channel"], r["leads"], r["deals"]) for r in body["rules"]] == [
        ("Search", 1, 1),
        ("Site", 1, 0),
        ("Search on site", 1, 0),
        ("Site", 0, 0),
    ]
    assert body["rules"][1] == {"source_id": "WEB", "channel": "Site", "leads": 1, "deals": 0}
    assert told(body) == {"Search": (1, 1), "Search on site": (1, 0), "Site": (1, 0), "unknown": (2, 0)}
    assert told(admin(api, "GET", f"{PATH}?{DAYS}")) == {"Web site": (1, 0), "unknown": (2, 0), "ya": (2, 1)}
    admin(api, "PATCH", "/api/v1/settings", json={"channels": rules})
    assert admin(api, "GET", f"{PATH}?{DAYS}") == body


def test_channels_of_costs_and_results_stand_there_too(api: Api) -> None:
    cost = {"external_id": "1", "channel": "ya", "from": "2026-11-01", "to": "2026-11-02"}
    admin(api, "PUT", "/api/v1/costs", json=[{**cost, "amount": 5, "currency": "RUB"}])
    mail = {"external_id": "1", "channel": "mail", "date": "2026-11-01", "name": ""}
    counts = {"delivered": 1, "opened": 1, "clicked": 1, "visits": 1}
    admin(api, "PUT", "/api/v1/campaigns", json=[{**mail, **counts}])
    found = {row["channel"]: row for row in admin(api, "GET", f"{PATH}?{DAYS}")["channels"]}
    assert (found["ya"]["has_cost"], found["ya"]["has_results"]) == (True, False)
    assert found["mail"] == {
        "channel": "mail",
        "leads": 0,
        "deals": 0,
        "has_cost": False,
        "has_results": True,
    }


def test_the_last_year_is_looked_at_when_nobody_says(api: Api) -> None:
    body = admin(api, "GET", PATH)
    assert (date.fromisoformat(body["to"]) - date.fromisoformat(body["from"])).days == 365


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"channels": [{"channel": "x"}]},
        {"channels": [{"utm_source": "x"}]},
        {"channels": "x"},
        {"channels": [], "fcr_days": 3},
    ],
)
def test_impossible_rules_are_refused(api: Api, body: Any) -> None:
    answer = api.call("POST", f"{PATH}/preview", OLGA, is_admin=True, json=body)
    assert answer.status_code == 400
    assert answer.json()["parameters"]


def test_wrong_days_are_refused_by_name(api: Api) -> None:
    for query, name in (
        ("from=x", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-11-02&to=2026-11-02", "to"),
        ("day=1", "day"),
    ):
        answer = api.get(f"{PATH}?{query}", OLGA, is_admin=True)
        assert (answer.status_code, answer.json()["parameter"]) == (400, name)


def test_channels_are_for_admins(api: Api) -> None:
    for user_id in (ANNA, IVAN):
        assert api.get(PATH, user_id).status_code == 403
        assert api.call("POST", f"{PATH}/preview", user_id, json={"channels": []}).status_code == 403
