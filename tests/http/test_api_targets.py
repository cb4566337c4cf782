from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from b24app.tables import audit, portals, target_changes, targets, users
from tests import crm_rows
from tests.cast import ANNA, BORIS, GRETA, INSIDE, IVAN, OLGA, SALES, SUPPORT, SVETA
from tests.http.api_server import NEIGHBOUR, PORTAL, Api, fill, serving
from tests.stored import save_deals

PATH = "/api/v1/targets"
OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)
IN_NOVEMBER = "from=2025-11-01&to=2025-12-01"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def row(scope: str, value: Any, month: str = "2025-11", metric: str = "revenue") -> dict[str, Any]:
    return {"metric": metric, "scope": scope, "month": month, "value": value}


def put(api: Api, rows: Any, **options: Any) -> Any:
    return api.call("PUT", PATH, OLGA, is_admin=True, json=rows, **options)


def won(engine: Engine, number: int, owner: int, day: date, amount: int = 100) -> None:
    """A deal won at noon of the day."""
    noon = f"{day} 12:00"
    save_deals(engine, PORTAL, [crm_rows.won(number, noon, created=noon, owner=owner, amount=amount)])


def value(api: Api, query: str, user_id: int | None = OLGA, *, is_admin: bool = True) -> Any:
    answer = api.get(f"/api/v1/kpi?{query}", user_id, is_admin=is_admin)
    assert answer.status_code == 200, answer.text
    return answer.json()["values"][0]


def standing(found: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(found[name] for name in ("target", "attainment", "pace", "forecast", "status"))


def test_an_upload_is_accepted_and_the_same_cell_again_replaces(api: Api, engine: Engine) -> None:
    rows = [
        row(f"user:{ANNA}", 1_000_000),
        row("company", "5000000.50"),
        row("company", 0.7, metric="win_rate"),
    ]
    answer = put(api, rows)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 3})
    assert put(api, [row(f"user:{ANNA}", "1200000")]).json() == {"accepted": 1}
    with engine.connect() as conn:
        stored = {
            (r.metric, r.scope): r.value
            for r in conn.execute(select(targets).where(targets.c.portal_id == PORTAL))
        }
        history = conn.execute(
            select(target_changes.c.before, target_changes.c.after, target_changes.c.changed_by)
            .where(target_changes.c.scope == f"user:{ANNA}")
            .order_by(target_changes.c.change_id)
        ).all()
    assert stored == {
        ("revenue", f"user:{ANNA}"): "1200000",
        ("revenue", "company"): "5000000.5",
        ("win_rate", "company"): "0.7",
    }
    assert [tuple(one) for one in history] == [(None, "1000000", OLGA), ("1000000", "1200000", OLGA)]


def test_the_same_upload_twice_changes_nothing(api: Api, engine: Engine) -> None:
    def versions() -> tuple[int, int]:
        with engine.connect() as conn:
            version = conn.execute(
                select(portals.c.data_version).where(portals.c.portal_id == PORTAL)
            ).scalar_one()
            return version, conn.execute(select(func.count()).select_from(target_changes)).scalar_one()

    put(api, [row("company", 5)])
    before = versions()
    assert put(api, [row("company", "5.0")]).json() == {"accepted": 1}
    assert versions() == before


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_the_same_columns(api: Api, separator: str) -> None:
    lines = [["metric", "scope", "month", "value"], ["deals_won", f"user:{BORIS}", "2025-11", "12"]]
    text = "\r\n".join(separator.join(line) for line in lines) + "\r\n"
    answer = api.call(
        "PUT", PATH, OLGA, is_admin=True, data="\ufeff" + text, headers={"Content-Type": "text/csv"}
    )
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    assert value(api, f"metric=deals_won&scope=user:{BORIS}&{IN_NOVEMBER}")["target"] == 12


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (row("company", 5, metric="happiness"), "metric"),
        (row("user:404", 5), "scope"),
        (row("department:404", 5), "scope"),
        (row("user:90", 5), "scope"),  # an extranet user
        (row("me", 5), "scope"),
        (row("company", 5, month="2025-13"), "month"),
        (row("company", 5, month="November"), "month"),
        (row("company", "a lot"), "value"),
        (row("company", True), "value"),
        (row("company", None), "value"),
        (row("company", -1), "value"),
        (row("company", "1e15"), "value"),
        (row("company", "NaN"), "value"),
        (row("company", "0.00000000001"), "value"),
        ({**row("company", 5), "colour": "red"}, "colour"),
        ({"metric": "revenue", "scope": "company", "value": 5}, "month"),
        (row(f"user:{ANNA}", 7), "row"),  # the first row again
    ],
)
def test_one_bad_row_and_nothing_is_stored(api: Api, engine: Engine, bad: dict[str, Any], field: str) -> None:
    answer = put(api, [row(f"user:{ANNA}", 1), row(f"user:{BORIS}", 2), bad])
    assert answer.status_code == 400
    problem = answer.json()
    assert {(error["row"], error["field"]) for error in problem["errors"]} == {(3, field)}
    assert "row 3" in problem["detail"]
    with engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(targets)).scalar_one() == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"metric": "revenue"}', b"[1]", b'"text"', b"\xff\xfe\xff"])
def test_what_is_no_list_is_refused(api: Api, body: bytes) -> None:
    answer = api.call(
        "PUT", PATH, OLGA, is_admin=True, data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.long
def test_a_hundred_thousand_rows_are_one_upload_and_one_more_is_too_much(api: Api, engine: Engine) -> None:
    months = [f"{year}-{number:02d}" for year in range(2000, 2100) for number in range(1, 13)]
    metrics = ("revenue", "deals_won", "average_check", "deals_lost", "win_rate", "leads_new")
    scopes = (
        "company",
        *(f"department:{number}" for number in (1, 10, 11, 20)),
        *(f"user:{n}" for n in range(1, 6)),
    )
    rows = [row(scope, 5, month, metric) for scope in scopes for metric in metrics for month in months]
    refused = put(api, [*rows, *rows[: 100_001 - len(rows)]])
    assert refused.status_code == 413
    rows += [row(scope, 6, month, "cases") for scope in scopes for month in months]
    rows += [row(scope, 7, month, "meetings") for scope in scopes for month in months]
    answer = put(api, rows[:100_000])
    assert (answer.status_code, answer.json()) == (200, {"accepted": 96_000})
    with engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(targets)).scalar_one() == 96_000


def test_only_admins_and_programs_upload(api: Api) -> None:
    for user_id in (ANNA, IVAN):
        assert api.call("PUT", PATH, user_id, json=[row(f"user:{ANNA}", 1)]).status_code == 403
    assert api.call("PUT", PATH, None, json=[row(f"user:{ANNA}", 1)]).status_code == 200


def test_people_who_left_keep_plans_of_the_past_but_get_none_for_the_future(api: Api) -> None:
    assert put(api, [row(f"user:{GRETA}", 10)]).status_code == 200
    refused = put(api, [row(f"user:{GRETA}", 10, month="2090-01")])
    assert (refused.status_code, refused.json()["parameter"]) == (400, "scope")
    assert value(api, f"metric=revenue&scope=department:{INSIDE}&{IN_NOVEMBER}")["target"] == "10.00"


def test_targets_stand_beside_values_and_attainment_is_exact(api: Api, engine: Engine) -> None:
    for number, amount in enumerate((500, 200), 1):
        won(engine, number, ANNA, date(2025, 11, 10), amount)
    put(api, [row(f"user:{ANNA}", 900), row(f"user:{BORIS}", 100), row(f"department:{SUPPORT}", 50)])
    own = value(api, f"metric=revenue&scope=user:{ANNA}&{IN_NOVEMBER}")
    # 700 / 900; the month is over: all of it was expected
    assert standing(own) == ("900.00", "0.7777777778", "900.00", None, "behind")
    rows = value(api, f"metric=revenue&scope=company&by=user&{IN_NOVEMBER}")["rows"]
    assert {r["key"]: r["target"] for r in rows} == {
        f"user:{OLGA}": None,
        f"user:{IVAN}": None,
        f"user:{ANNA}": "900.00",
        f"user:{BORIS}": "100.00",
        f"user:{SVETA}": None,
    }
    departments = value(api, f"metric=revenue&scope=company&by=department&{IN_NOVEMBER}")["rows"]
    found = {r["key"]: (r["target"], r["attainment"]) for r in departments}
    assert found[f"department:{SALES}"] == ("1000.00", "0.7")  # 900 + 100
    assert found[f"department:{SUPPORT}"] == ("50.00", "14")  # its own, not Anna's 900


def test_a_quarter_adds_up_and_its_months_have_their_own(api: Api, engine: Engine) -> None:
    won(engine, 1, ANNA, date(2025, 11, 10), 300)
    put(api, [row(f"user:{ANNA}", "1000", month="2025-Q4")])
    found = value(api, f"metric=revenue&scope=user:{ANNA}&from=2025-10-01&to=2026-01-01&by=month")
    assert (found["target"], found["attainment"]) == ("1000.00", "0.3")
    assert [r["target"] for r in found["rows"]] == ["333.33", "333.33", "333.34"]
    assert [r["attainment"] for r in found["rows"]] == ["0", "0.9000090001", "0"]


def test_half_a_month_has_no_target(api: Api) -> None:
    put(api, [row("company", 1000)])
    found = value(api, "metric=revenue&scope=company&from=2025-11-01&to=2025-11-16")
    assert standing(found) == (None, None, None, None, "no_target")


def test_a_running_month_has_a_pace(api: Api, engine: Engine) -> None:
    today = date.fromisoformat(api.get("/api/v1/kpi", OLGA).json()["today"])
    first = today.replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    working = [first + timedelta(days=i) for i in range((end - first).days)]
    working = [day for day in working if day.weekday() < 5]
    put(api, [row(f"user:{ANNA}", len(working) * 10, month=f"{first:%Y-%m}", metric="deals_won")])
    found = value(api, f"metric=deals_won&scope=user:{ANNA}&period=month")
    assert found["target"] == len(working) * 10
    assert found["pace"] == 10 * sum(day <= today for day in working)


def test_an_editor_saves_cells_and_takes_them_back(api: Api) -> None:
    put(api, [row(f"user:{ANNA}", 100)])
    changes = [
        {**row(f"user:{ANNA}", "150"), "before": "100"},
        {**row(f"user:{BORIS}", 50), "before": None},
    ]
    saved = api.call("POST", f"{PATH}/changes", OLGA, is_admin=True, json={"changes": changes})
    assert saved.status_code == 200, saved.text
    body = saved.json()
    assert (body["accepted"], body["changed"]) == (2, 2)
    undone = api.call("POST", f"{PATH}/changes", OLGA, is_admin=True, json={"changes": body["undo"]})
    assert undone.status_code == 200, undone.text
    grid = api.get(f"{PATH}?metric=revenue&scope=company&from=2025-11&to=2025-12", OLGA, is_admin=True).json()
    cells = {line["key"]: line["cells"][0]["value"] for line in grid["rows"]}
    assert (cells[f"user:{ANNA}"], cells[f"user:{BORIS}"]) == ("100", None)
    told = api.get(f"{PATH}/history?metric=revenue&scope=company", OLGA, is_admin=True).json()
    assert told["total"] == 5
    newest = [(c["scope"], c["before"], c["after"]) for c in told["changes"]]
    assert newest[-1] == (f"user:{ANNA}", None, "100")
    assert (f"user:{BORIS}", "50", None) in newest[:2]
    assert told["changes"][0]["by"] == {"id": OLGA, "name": "Olga Director"}


def test_two_editors_at_once_the_second_is_told_and_nothing_is_lost(api: Api) -> None:
    put(api, [row(f"user:{ANNA}", 100), row(f"user:{BORIS}", 10)])
    first = [{**row(f"user:{ANNA}", 120), "before": "100"}]
    second = [{**row(f"user:{ANNA}", 130), "before": "100"}, {**row(f"user:{BORIS}", 20), "before": "10"}]
    assert api.call("POST", f"{PATH}/changes", IVAN, json={"changes": first}).status_code == 200
    refused = api.call("POST", f"{PATH}/changes", OLGA, is_admin=True, json={"changes": second})
    assert refused.status_code == 409
    (conflict,) = refused.json()["conflicts"]
    assert conflict["scope"] == f"user:{ANNA}"
    assert (conflict["value"], conflict["before"], conflict["theirs"]) == ("130", "100", "120")
    assert conflict["set_by"]["id"] == IVAN
    found = value(api, f"metric=revenue&scope=user:{BORIS}&{IN_NOVEMBER}")
    assert found["target"] == "10.00"


def test_whoever_wants_what_is_there_already_is_in_nobodys_way(api: Api) -> None:
    put(api, [row(f"user:{ANNA}", 120)])
    same = [{**row(f"user:{ANNA}", "120.00"), "before": "100"}]
    answer = api.call("POST", f"{PATH}/changes", OLGA, is_admin=True, json={"changes": same})
    assert (answer.status_code, answer.json()["changed"]) == (200, 0)


def test_a_head_plans_for_people_below_and_for_nobody_else(api: Api) -> None:
    def save(user_id: int, scope: str) -> int:
        body = {"changes": [row(scope, 5)]}
        return api.call("POST", f"{PATH}/changes", user_id, json=body).status_code

    assert save(IVAN, f"user:{ANNA}") == 200
    assert save(IVAN, f"department:{INSIDE}") == 200
    for scope in (f"user:{IVAN}", f"department:{SALES}", f"user:{SVETA}", "company", "user:404", "nonsense"):
        assert save(IVAN, scope) == 403, scope
    for scope in (f"user:{ANNA}", f"user:{BORIS}"):
        assert save(ANNA, scope) == 403


def test_the_grid_shows_what_is_not_given_out(api: Api) -> None:
    put(
        api,
        [
            row(f"department:{SALES}", 5_000_000),
            row(f"user:{ANNA}", 3_000_000),
            row(f"user:{BORIS}", 1_800_000),
            row(f"user:{GRETA}", 1),
        ],
    )
    grid = api.get(f"{PATH}?metric=revenue&scope=department:{SALES}&from=2025-11&to=2026-01", IVAN).json()
    assert grid["months"] == ["2025-11", "2025-12"]
    assert [(line["key"], line["kind"], line["may_edit"]) for line in grid["rows"]] == [
        (f"department:{SALES}", "scope", False),
        (f"department:{INSIDE}", "department", True),
        (f"user:{ANNA}", "user", True),
        (f"user:{BORIS}", "user", True),
        (f"user:{GRETA}", "user", True),  # dismissed, but with a target in these months
        (f"user:{IVAN}", "user", False),
    ]
    assert grid["totals"] == [
        {"month": "2025-11", "target": "5000000.00", "people": "4800001.00", "undistributed": "199999.00"},
        {"month": "2025-12", "target": None, "people": None, "undistributed": None},
    ]
    inside = grid["rows"][1]["cells"][0]
    assert (inside["value"], inside["effective"]) == (None, "4800001.00")


def test_an_employee_sees_the_own_row_only(api: Api) -> None:
    put(api, [row(f"user:{ANNA}", 1), row(f"user:{BORIS}", 2)])
    grid = api.get(f"{PATH}?metric=revenue&from=2025-11&to=2025-12", ANNA)
    assert [line["key"] for line in grid.json()["rows"]] == [f"user:{ANNA}"]
    assert f"user:{BORIS}" not in grid.text
    assert api.get(f"{PATH}?metric=revenue&scope=department:{INSIDE}", ANNA).status_code == 403


def test_proposals_are_medians_of_the_last_six_whole_months(api: Api, engine: Engine) -> None:
    today = date.fromisoformat(api.get("/api/v1/kpi", OLGA).json()["today"])
    month = today.replace(day=1)
    amounts = (1234, 100, 9000, 1300, 1500, 1237)
    for number, amount in enumerate(amounts, 1):
        month = (month - timedelta(days=1)).replace(day=1)
        won(engine, number, ANNA, month.replace(day=15), amount)
    with engine.begin() as conn:  # two of the months only
        conn.execute(
            update(users).where(users.c.user_id == BORIS).values(hired_on=today - timedelta(days=75))
        )
    body = api.get(f"{PATH}/proposals?metric=revenue&scope=department:{SALES}", IVAN).json()
    found = {line["key"]: line for line in body["rows"]}
    # the middle of 100 1234 1237 1300 1500 9000: (1237 + 1300) / 2 = 1268.5, to two digits 1300
    assert found[f"user:{ANNA}"]["value"] == "1300"
    assert found[f"department:{SALES}"]["value"] == "1300"
    assert len(found[f"user:{ANNA}"]["months"]) == 6
    assert len(found[f"user:{BORIS}"]["months"]) in (1, 2)
    assert f"user:{GRETA}" not in found


def test_last_months_targets_are_copied_with_some_percent(api: Api) -> None:
    put(
        api,
        [row(f"user:{ANNA}", "1000.10", month="2025-10"), row(f"user:{BORIS}", 7, "2025-10", "deals_won")],
    )
    asked = f"{PATH}/proposals?how=copy&scope=company&month=2025-11"
    money = api.get(f"{asked}&metric=revenue&percent=-5", OLGA, is_admin=True).json()["rows"]
    found = {line["key"]: line["value"] for line in money}
    assert (found[f"user:{ANNA}"], found[f"user:{BORIS}"]) == ("950.1", None)  # 950.095
    counts = api.get(f"{asked}&metric=deals_won&percent=10", OLGA, is_admin=True).json()["rows"]
    assert {line["key"]: line["value"] for line in counts}[f"user:{BORIS}"] == "8"  # 7.7


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("", "metric"),
        ("?metric=revenue&scope=company&from=2025-11", "to"),
        ("?metric=revenue&scope=company&from=2025-11&to=2025-11", "to"),
        ("?metric=revenue&scope=company&from=2025-1&to=2025-11", "from"),
        ("?metric=revenue&scope=everyone", "scope"),
        ("?metric=revenue&colour=red", "colour"),
        ("/proposals?metric=revenue&scope=company&how=magic", "how"),
        ("/proposals?metric=revenue&scope=company&how=copy&percent=many", "percent"),
        ("/proposals?metric=revenue&scope=company&how=copy&percent=-101", "percent"),
        ("/proposals?metric=revenue&scope=company&percent=5", "percent"),
        ("/history?metric=revenue&scope=company&page=0", "page"),
    ],
)
def test_wrong_parameters_are_named(api: Api, path: str, parameter: str) -> None:
    answer = api.get(PATH + path, OLGA, is_admin=True)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_an_unknown_metric_is_not_found(api: Api) -> None:
    assert api.get(f"{PATH}?metric=happiness", OLGA, is_admin=True).status_code == 404


def test_every_save_is_in_the_log_and_the_portal_next_door_keeps_its_own(api: Api, engine: Engine) -> None:
    put(api, [row(f"user:{ANNA}", 1), row(f"user:{BORIS}", 2, "2025-12")])
    with engine.connect() as conn:
        (entry,) = conn.execute(select(audit)).all()
        assert (
            conn.execute(
                select(func.count()).select_from(targets).where(targets.c.portal_id == NEIGHBOUR)
            ).scalar_one()
            == 0
        )
    assert (entry.portal_id, entry.actor_id, entry.action) == (PORTAL, OLGA, "targets.changed")
    assert entry.detail["count"] == 2
    assert (entry.detail["from"], entry.detail["to"]) == ("2025-11", "2025-12")
