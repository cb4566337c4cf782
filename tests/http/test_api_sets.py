from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from b24app.metrics.query import DEFAULT_SET
from b24app.tables import audit, kpi_sets, users
from tests.cast import ANNA, BORIS, GRETA, INSIDE, IVAN, OLGA, SALES, SUPPORT, SVETA
from tests.http.api_server import PORTAL, Api, fill, serving

PATH = "/api/v1/sets"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def draft(*metrics: str, **more: Any) -> dict[str, Any]:
    chosen = [{"metric": key, "weight": 2} for key in metrics or ("revenue", "win_rate")]
    return {"name": "Sellers", "metrics": chosen, "assigned": {"departments": [SALES]}, **more}


def send(api: Api, method: str, path: str, body: Any = None, user_id: int | None = OLGA) -> Any:
    return api.call(method, PATH + path, user_id, is_admin=user_id == OLGA, json=body)


def create(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    answer = send(api, "POST", "", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shown(api: Api, user_id: int | None, query: str = "") -> list[str]:
    """The KPIs of a question that names none."""
    answer = api.get(f"/api/v1/kpi?{query}", user_id)
    assert answer.status_code == 200, answer.text
    return [value["metric"] for value in answer.json()["values"]]


def test_without_a_set_everybody_sees_the_usual_kpis(api: Api) -> None:
    assert shown(api, ANNA) == list(DEFAULT_SET)
    applied = api.get(f"{PATH}/applied", ANNA).json()
    assert applied["is_usual"]
    assert [one["metric"] for one in applied["set"]["metrics"]] == list(DEFAULT_SET)


def test_a_question_without_kpis_is_answered_with_the_viewers_set(api: Api) -> None:
    create(api, draft("win_rate", "deals_won"))
    assert shown(api, ANNA) == ["win_rate", "deals_won"]
    assert shown(api, SVETA) == list(DEFAULT_SET)
    assert shown(api, None) == list(DEFAULT_SET)  # a program has no set
    create(api, draft("deals_lost", name="Anna's", assigned={"users": [ANNA]}))
    assert shown(api, ANNA) == ["deals_lost"]
    assert shown(api, IVAN) == ["win_rate", "deals_won"]


def test_old_periods_show_the_version_that_was_in_force(api: Api) -> None:
    today = date.fromisoformat(api.get("/api/v1/kpi", ANNA).json()["today"])
    made = create(api, draft("revenue", starts_on="2020-01-01"))["set"]
    body = draft("win_rate", version=1, starts_on=today.isoformat())
    changed = send(api, "PUT", f"/{made['id']}", body).json()["set"]
    assert (changed["version"], changed["id"]) == (2, made["id"])
    assert shown(api, ANNA, "period=month") == ["win_rate"]
    assert shown(api, ANNA, "from=2021-01-01&to=2021-02-01") == ["revenue"]
    assert shown(api, ANNA, "from=2019-01-01&to=2019-02-01") == list(DEFAULT_SET)
    versions = send(api, "GET", f"/{made['id']}/versions").json()["versions"]
    assert [one["version"] for one in versions] == [2, 1]
    old = api.get(f"{PATH}/applied?day=2021-01-15", ANNA).json()
    assert old["set"]["version"] == 1
    ended = send(api, "DELETE", f"/{made['id']}?version=2")
    assert ended.status_code == 204
    assert shown(api, ANNA, "period=month") == list(DEFAULT_SET)
    assert shown(api, ANNA, "from=2021-01-01&to=2021-02-01") == ["revenue"]


def test_a_metric_that_is_no_more_is_left_out(api: Api, engine: Engine) -> None:
    create(api, draft("revenue", "win_rate"))
    gone = [{"metric": "happiness", "weight": "1"}, {"metric": "win_rate", "weight": "1"}]
    with engine.begin() as conn:
        conn.execute(update(kpi_sets).values(metrics=gone))
    assert shown(api, ANNA) == ["win_rate"]
    listed = send(api, "GET", "").json()["sets"][0]["metrics"]
    assert [one["name"] for one in listed] == [None, "Win rate"]
    score = api.get("/api/v1/score?period=month", ANNA).json()
    assert [one["metric"] for one in score["metrics"]] == ["win_rate"]


def test_two_editors_the_second_is_told(api: Api) -> None:
    made = create(api, draft())["set"]
    assert send(api, "PUT", f"/{made['id']}", draft("revenue", version=1)).status_code == 200
    refused = send(api, "PUT", f"/{made['id']}", draft("win_rate", version=1))
    assert refused.status_code == 409
    assert refused.json()["current"]["version"] == 2
    assert send(api, "PUT", f"/{made['id']}", draft("win_rate")).status_code == 409
    assert send(api, "DELETE", f"/{made['id']}?version=1").status_code == 409
    assert send(api, "PUT", "/nothing", draft("win_rate", version=1)).status_code == 404


def test_the_eighth_kpi_warns_and_does_not_block(api: Api) -> None:
    seven = (*DEFAULT_SET,)
    assert "too_many" not in {w["code"] for w in create(api, draft(*seven))["warnings"]}
    told = create(api, draft(*seven, "deals_lost", assigned={"users": [SVETA]}))["warnings"]
    (warning,) = [w for w in told if w["code"] == "too_many"]
    assert "8" in warning["text"]


def test_what_cannot_be_measured_is_flagged_when_it_is_chosen(api: Api, engine: Engine) -> None:
    told = send(api, "POST", "/check", draft("revenue", "cac", "pipeline_open")).json()["warnings"]
    found = {(w["code"], w["metric"]) for w in told}
    assert ("no_data", "revenue") in found  # nothing was ever sold
    assert ("not_per_employee", "cac") in found
    assert not any(metric == "pipeline_open" for _, metric in found)
    assert send(api, "GET", "").json()["sets"] == []


def test_overlapping_sets_are_pointed_out(api: Api) -> None:
    create(api, draft())
    told = create(api, draft("deals_won", name="Other", assigned={"departments": [SALES]}))["warnings"]
    assert "also_assigned" in {w["code"] for w in told}


def test_the_list_for_admins_has_ready_made_sets_and_counts_people(api: Api) -> None:
    create(api, draft(owner_id=IVAN, purpose="Sell"))
    body = send(api, "GET", "").json()
    (one,) = body["sets"]
    assert (one["people"], one["owner"], one["purpose"]) == (3, {"id": IVAN, "name": "Ivan Head"}, "Sell")
    assert [ready["key"] for ready in body["ready"]] == ["sales", "marketing", "support", "projects", "head"]
    assert body["ready"][0]["metrics"][0] == {"metric": "revenue", "weight": 3, "name": "Won amount"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("PUT", "/x"),
        ("DELETE", "/x?version=1"),
        ("GET", "/x/versions"),
        ("POST", "/check"),
    ],
)
def test_sets_are_for_admins(api: Api, method: str, path: str) -> None:
    assert send(api, method, path, draft(), user_id=IVAN).status_code == 403


def test_a_wrong_draft_is_refused_by_name(api: Api) -> None:
    answer = send(api, "POST", "", draft("revenue", owner_id=404, starts_on="soon"))
    assert answer.status_code == 400
    assert answer.json()["parameters"] == {
        "owner_id": "is no employee of this portal",
        "starts_on": "is no date YYYY-MM-DD",
    }


def test_the_applied_set_follows_the_scope_and_its_rights(api: Api) -> None:
    create(api, draft("deals_won"))
    create(api, draft("revenue", name="Support", assigned={"departments": [SUPPORT]}))

    def applied(scope: str, user_id: int) -> Any:
        return api.get(f"{PATH}/applied?scope={scope}", user_id)

    assert applied(f"department:{INSIDE}", IVAN).json()["set"]["name"] == "Sellers"
    assert applied(f"user:{BORIS}", IVAN).json()["set"]["name"] == "Sellers"
    assert applied(f"user:{SVETA}", IVAN).status_code == 403
    assert applied("me", SVETA).json()["set"]["name"] == "Support"


def put_targets(api: Api, month: str, values: dict[str, tuple[str, Any]]) -> None:
    rows = [
        {"metric": metric, "scope": scope, "month": month, "value": value}
        for metric, (scope, value) in values.items()
    ]
    answer = api.call("PUT", "/api/v1/targets", OLGA, is_admin=True, json=rows)
    assert answer.status_code == 200, answer.text


def test_the_score_weighs_attainments_and_says_what_is_left_out(api: Api, engine: Engine) -> None:
    from tests.http.test_api_targets import won

    for number in range(1, 10):
        won(engine, number, ANNA, date(2025, 11, 10), 100)
    metrics = [
        {"metric": "revenue", "weight": 3},
        {"metric": "deals_won", "weight": 1},
        {"metric": "deals_lost", "weight": 1},
        {"metric": "average_check", "weight": 5},
        {"metric": "repeat_sales_rate", "weight": 5},
    ]
    create(api, draft(metrics=metrics, starts_on="2025-01-01"))
    me = f"user:{ANNA}"
    put_targets(
        api,
        "2025-11",
        {
            "revenue": (me, 1000),  # 900 / 1000 = 0.9
            "deals_won": (me, 0),  # nothing was planned: met
            "deals_lost": (me, 5),  # none lost: the cap, 9.99
            "repeat_sales_rate": (me, "0.5"),  # no client is known: no value
        },
    )
    body = api.get("/api/v1/score?from=2025-11-01&to=2025-12-01", ANNA).json()
    # (3 × 0.9 + 1 × 1 + 1 × 9.99) / 5 = 13.69 / 5
    assert body["score"] == "2.738"
    counted = {one["metric"]: (one["counted"], one["reason"]) for one in body["metrics"]}
    assert counted == {
        "revenue": (True, None),
        "deals_won": (True, None),
        "deals_lost": (True, None),
        "average_check": (False, "no_target"),
        "repeat_sales_rate": (False, "no_records"),
    }
    assert api.get(f"/api/v1/score?scope={me}", BORIS).status_code == 403
    assert api.get(f"/api/v1/score?scope=department:{SALES}", IVAN).status_code == 400


def test_a_place_is_told_without_anybody_elses_values(api: Api, engine: Engine) -> None:
    from tests.http.test_api_targets import won

    for number, (owner, amount) in enumerate(((ANNA, 100), (BORIS, 777), (GRETA, 9999), (IVAN, 50)), 1):
        won(engine, number, owner, date(2025, 11, 10), amount)
    period = "from=2025-11-01&to=2025-12-01"
    answer = api.get(f"/api/v1/rank?metric=revenue&{period}", ANNA)
    body = answer.json()
    # of Inside sales: Boris before Anna; Greta was dismissed
    assert (body["rank"], body["of"], body["among"]) == (2, 2, f"department:{INSIDE}")
    assert body["value"] == "100.00"
    assert "rows" not in body
    assert "777" not in answer.text
    assert f"user:{BORIS}" not in answer.text
    company = api.get(f"/api/v1/rank?metric=revenue&among=company&{period}", ANNA).json()
    assert (company["rank"], company["of"]) == (2, 5)
    head = api.get(f"/api/v1/rank?metric=revenue&scope=user:{ANNA}&{period}", IVAN).json()
    assert [(row["key"], row["rank"], row["value"]) for row in head["rows"]] == [
        (f"user:{BORIS}", 1, "777.00"),
        (f"user:{ANNA}", 2, "100.00"),
    ]
    opened = api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json={"open_leaderboard": True})
    assert opened.status_code == 200
    assert len(api.get(f"/api/v1/rank?metric=revenue&{period}", ANNA).json()["rows"]) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("metric=revenue,win_rate", 400),
        ("metric=happiness", 404),
        (f"metric=revenue&scope=department:{SALES}", 400),
        (f"metric=revenue&among=department:{SALES + 5}", 400),
        (f"metric=revenue&among=user:{ANNA}", 400),
        ("metric=cac", 400),
        ("metric=cases", 400),
        ("metric=revenue&colour=red", 400),
    ],
)
def test_places_that_make_no_sense(api: Api, query: str, status: int) -> None:
    assert (
        api.get(
            f"/api/v1/rank?{query}", OLGA if "department:10" in query else ANNA, is_admin=True
        ).status_code
        == status
    )


def test_few_records_give_no_place(api: Api, engine: Engine) -> None:
    from tests.http.test_api_targets import won

    won(engine, 1, ANNA, date(2025, 11, 10))
    body = api.get("/api/v1/rank?metric=win_rate&from=2025-11-01&to=2025-12-01", ANNA).json()
    assert (body["rank"], body["of"], body["reason"]) == (None, 0, "few_data")


def test_changes_of_sets_are_in_the_log(api: Api, engine: Engine) -> None:
    made = create(api, draft())["set"]
    send(api, "PUT", f"/{made['id']}", draft("revenue", version=1))
    send(api, "DELETE", f"/{made['id']}?version=2")
    with engine.connect() as conn:
        rows = conn.execute(select(audit).where(audit.c.portal_id == PORTAL).order_by(audit.c.entry_id)).all()
    assert [row.action for row in rows] == ["set.created", "set.changed", "set.retired"]


def test_a_dismissed_employee_has_no_place(api: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(users).where(users.c.user_id == BORIS).values(is_active=False))
    body = api.get(f"/api/v1/rank?metric=revenue&scope=user:{BORIS}&period=last_month", IVAN).json()
    assert (body["rank"], body["reason"]) == (None, "not_active")
