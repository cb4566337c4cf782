from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from b24app.tables import deals, portals
from tests import crm_rows
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA, SUPPORT, SVETA
from tests.http.api_server import MEMBER, NEIGHBOUR, PORTAL, Api, fill, serving
from tests.stored import save_deals

PATH = "/api/v1/settings"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def test_an_admin_reads_the_defaults(api: Api) -> None:
    body = api.get(PATH, OLGA, is_admin=True).json()
    assert (body["timezone"], body["currency"], body["pipelines"]) == ("Europe/Moscow", "RUB", None)
    assert body["min_sample"] == {"ratio": 10, "mean": 5}


def test_a_change_is_stored_and_moves_the_data_version_of_that_portal_only(api: Api, engine: Engine) -> None:
    change = {"currency": "USD", "pipelines": [0], "min_sample": {"mean": 3}}
    answer = api.call("PATCH", PATH, OLGA, is_admin=True, json=change)
    assert answer.status_code == 200
    again = api.get(PATH, OLGA, is_admin=True).json()
    assert again == answer.json()
    assert (again["currency"], again["pipelines"], again["min_sample"]) == (
        "USD",
        [0],
        {"ratio": 10, "mean": 3},
    )
    with engine.connect() as conn:
        versions = {
            row[0]: row[1] for row in conn.execute(select(portals.c.portal_id, portals.c.data_version))
        }
    assert (versions[PORTAL] > 0, versions[NEIGHBOUR]) == (True, 0)


def test_another_time_zone_cuts_the_stored_days_anew(api: Api, engine: Engine) -> None:
    late = "2026-11-21 01:30"  # in Moscow; still the 20th in London
    save_deals(engine, PORTAL, [crm_rows.won(1, late, created=late, owner=ANNA, amount=5)])
    api.call("PATCH", PATH, OLGA, is_admin=True, json={"timezone": "Europe/London"}).raise_for_status()
    with engine.connect() as conn:
        row = conn.execute(select(deals.c.created_day, deals.c.moved_day)).one()
    assert tuple(row) == (date(2026, 11, 20), date(2026, 11, 20))


def test_a_refused_change_names_what_is_wrong_and_changes_nothing(api: Api) -> None:
    answer = api.call(
        "PATCH", PATH, OLGA, is_admin=True, json={"fcr_days": 14, "pipelines": [7], "colour": 1}
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()["parameters"]) == {"pipelines[0]", "colour"}
    assert "colour" in answer.json()["detail"]
    assert api.get(PATH, OLGA, is_admin=True).json()["fcr_days"] == 7


def test_the_reasons_are_in_the_language_of_the_viewer(api: Api) -> None:
    told = {}
    for lang in ("en", "ru", "de"):
        headers = {"Authorization": f"Bearer {api.token(OLGA, is_admin=True, lang=lang)}"}
        body = {"fcr_days": 400}
        answer = api.call("PATCH", PATH, OLGA, json=body, headers=headers)
        assert answer.status_code == 400
        told[lang] = answer.json()
        reasons = told[lang]["parameters"].items()
        assert told[lang]["detail"] == "; ".join(f"{name}: {reason}" for name, reason in reasons)
    assert told["en"]["parameters"] == {"fcr_days": "must be 1 to 365"}
    assert told["ru"]["parameters"] == {"fcr_days": "должно быть от 1 до 365"}
    assert told["de"]["parameters"] == told["en"]["parameters"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"fcr_days": 1' + b"0" * 400 + b"}"])
def test_a_body_that_is_no_settings_is_refused(api: Api, body: bytes) -> None:
    answer = api.call(
        "PATCH", PATH, OLGA, is_admin=True, data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("user_id", [ANNA, IVAN])
def test_settings_are_for_admins(api: Api, user_id: int) -> None:
    assert api.get(PATH, user_id).status_code == 403
    assert api.call("PATCH", PATH, user_id, json={"fcr_days": 9}).status_code == 403
    assert api.get(PATH, OLGA, is_admin=True).json()["fcr_days"] == 7


def test_a_grant_opens_a_department_and_taking_it_back_closes_it(api: Api) -> None:
    grants = [{"user": BORIS, "scope": f"department:{SUPPORT}"}]
    api.call("PATCH", PATH, OLGA, is_admin=True, json={"grants": grants}).raise_for_status()
    seen = api.get("/api/v1/org", BORIS).json()
    assert [d["id"] for d in seen["departments"]] == [SUPPORT]
    assert {e["id"] for e in seen["employees"]} == {BORIS, SVETA, ANNA}
    assert api.get(PATH, BORIS).status_code == 403  # a grant makes nobody an admin
    api.call("PATCH", PATH, OLGA, is_admin=True, json={"grants": []}).raise_for_status()
    assert api.get("/api/v1/org", BORIS).json()["departments"] == []


def test_a_grant_of_the_company_shows_every_department(api: Api) -> None:
    api.call(
        "PATCH", PATH, OLGA, is_admin=True, json={"grants": [{"user": BORIS, "scope": "company"}]}
    ).raise_for_status()
    seen = api.get("/api/v1/org", BORIS).json()
    assert seen["sees_company"] is True
    assert {INSIDE, SUPPORT} <= {d["id"] for d in seen["departments"]}
    assert seen["portal"] == MEMBER
