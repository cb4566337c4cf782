"""Notes on an employee's page and the portal's log, over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from b24app.tables import audit, notes
from tests.cast import ANNA, BORIS, INSIDE, IVAN, OLGA, SALES, SVETA
from tests.http.api_server import NEIGHBOUR, PORTAL, Api, fill, serving

NOTES, LOG = "/api/v1/notes", "/api/v1/audit"
NOVEMBER = "from=2025-11&to=2025-12"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def write(api: Api, user_id: int | None, **body: Any) -> Any:
    return api.call("POST", NOTES, user_id, json={"scope": "me", "month": "2025-11", "text": "Hello", **body})


def log(api: Api, query: str = "") -> list[tuple[Any, ...]]:
    answer = api.get(f"{LOG}?{query}", OLGA, is_admin=True)
    assert answer.status_code == 200, answer.text
    return [(e["actor"] and e["actor"]["id"], e["action"], e["subject"]) for e in answer.json()["entries"]]


def test_an_employee_and_their_head_talk_and_nobody_else_reads_it(api: Api) -> None:
    assert write(api, ANNA, text="It was a hard month").status_code == 201
    assert write(api, IVAN, scope=f"user:{ANNA}", text=" We see ").status_code == 201
    body = api.get(f"{NOTES}?scope=user:{ANNA}&{NOVEMBER}", IVAN).json()
    assert [(n["author"]["id"], n["text"], n["may_remove"]) for n in body["notes"]] == [
        (IVAN, "We see", True),
        (ANNA, "It was a hard month", False),
    ]
    assert api.get(f"{NOTES}?scope=user:{ANNA}", BORIS).status_code == 403
    assert write(api, SVETA, scope=f"user:{BORIS}").status_code == 403
    assert api.get(f"{NOTES}?scope=me&from=2025-10&to=2025-11", ANNA).json()["notes"] == []


def test_targets_are_acknowledged_by_whose_they_are_and_again_when_they_change(
    api: Api, engine: Engine
) -> None:
    def state() -> tuple[Any, ...]:
        body = api.get(f"{NOTES}?scope=me&{NOVEMBER}", ANNA).json()
        (month,) = body["months"]
        return month["targets_set_at"] is not None, month["acknowledged_at"] is not None, month["is_current"]

    row = {"metric": "revenue", "scope": f"user:{ANNA}", "month": "2025-11", "value": 5}
    assert state() == (False, False, False)
    api.call("PUT", "/api/v1/targets", OLGA, is_admin=True, json=[row])
    assert state() == (True, False, False)
    refused = api.call(
        "POST", NOTES, IVAN, json={"scope": f"user:{ANNA}", "month": "2025-11", "kind": "acknowledged"}
    )
    assert refused.status_code == 403
    assert write(api, ANNA, kind="acknowledged", text="").status_code == 201
    assert state() == (True, True, True)
    with engine.begin() as conn:  # acknowledged yesterday …
        conn.execute(update(notes).values(made_at=notes.c.made_at - 86_400))
    api.call("PUT", "/api/v1/targets", OLGA, is_admin=True, json=[{**row, "value": 6}])  # … and changed today
    assert state() == (True, True, False)


def test_a_comment_is_taken_back_by_its_author_or_an_admin(api: Api) -> None:
    mine = write(api, ANNA).json()["id"]
    theirs = write(api, IVAN, scope=f"user:{ANNA}").json()["id"]
    agreed = write(api, ANNA, kind="acknowledged").json()["id"]

    def remove(note: str, user_id: int) -> int:
        return api.call("DELETE", f"{NOTES}/{note}", user_id, is_admin=user_id == OLGA).status_code

    assert remove(theirs, ANNA) == 403
    assert remove(theirs, BORIS) == 404  # not even that it exists
    assert remove(mine, ANNA) == 204
    assert remove(mine, ANNA) == 404
    assert remove(theirs, OLGA) == 204
    assert remove(agreed, ANNA) == 403  # what was acknowledged stays so


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"scope": f"department:{INSIDE}"}, "scope"),
        ({"kind": "poem"}, "kind"),
        ({"month": "November"}, "month"),
        ({"month": 11}, "month"),
        ({"text": " "}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"text": 5}, "text"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_note_is_refused_by_name(api: Api, body: dict[str, Any], parameter: str) -> None:
    answer = api.call(
        "POST", NOTES, OLGA, is_admin=True, json={"scope": "me", "month": "2025-11", "text": "x", **body}
    )
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_programs_write_no_notes(api: Api) -> None:
    assert write(api, None, scope=f"user:{ANNA}").status_code == 403


def test_looking_at_somebody_is_logged_once_a_day(api: Api) -> None:
    for _ in range(3):
        assert api.get(f"/api/v1/kpi?metric=revenue&scope=user:{ANNA}", IVAN).status_code == 200
    api.get("/api/v1/kpi?metric=revenue&scope=me", IVAN)
    api.get(f"/api/v1/kpi?metric=revenue&scope=department:{SALES}", IVAN)
    api.get(f"/api/v1/kpi?metric=revenue&scope=user:{ANNA}", BORIS)  # refused
    api.get(f"/api/v1/kpi?metric=revenue&scope=user:{ANNA}", None)  # a program
    assert log(api) == [(IVAN, "person.viewed", f"user:{ANNA}")]


def test_settings_clients_and_notes_are_in_the_log_and_texts_are_not(api: Api) -> None:
    api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json={"fcr_days": 3})
    api.call("PATCH", "/api/v1/settings", OLGA, is_admin=True, json={"fcr_days": 3})  # changes nothing
    client = api.call("POST", "/api/v1/api-clients", OLGA, is_admin=True, json={"name": "BI"}).json()
    api.call("DELETE", f"/api/v1/api-clients/{client['client_id']}", OLGA, is_admin=True)
    write(api, ANNA, text="a secret of mine")
    assert log(api) == [
        (ANNA, "note.made", f"user:{ANNA}"),
        (OLGA, "api_client.revoked", client["client_id"]),
        (OLGA, "api_client.created", client["client_id"]),
        (OLGA, "settings.changed", "fcr_days"),
    ]
    whole = api.get(LOG, OLGA, is_admin=True)
    assert whole.json()["entries"][-1]["detail"] == {"before": {"fcr_days": 7}, "after": {"fcr_days": 3}}
    assert whole.json()["entries"][0]["subject_name"] == "Anna Seller"
    assert "a secret of mine" not in whole.text
    assert client["client_secret"] not in whole.text


def test_the_log_can_be_searched(api: Api, engine: Engine) -> None:
    write(api, ANNA)
    write(api, IVAN)
    api.call("PUT", "/api/v1/targets", None, json=[])
    row = {"metric": "revenue", "scope": "company", "month": "2025-11", "value": 5}
    api.call("PUT", "/api/v1/targets", None, json=[row])
    assert log(api, f"actor={ANNA}") == [(ANNA, "note.made", f"user:{ANNA}")]
    assert log(api, "actor=program") == [(None, "targets.changed", "revenue")]
    assert log(api, "action=note.made&subject=user:2") == [(IVAN, "note.made", f"user:{IVAN}")]
    assert log(api, "to=2020-01-01") == []
    assert len(log(api, "from=2020-01-01")) == 3
    with engine.connect() as conn:
        assert conn.execute(select(audit).where(audit.c.portal_id == NEIGHBOUR)).all() == []
        assert {row.portal_id for row in conn.execute(select(audit))} == {PORTAL}


def test_the_log_is_for_admins_and_wrong_questions_are_named(api: Api) -> None:
    assert api.get(LOG, IVAN).status_code == 403
    for query, parameter in (
        ("action=sleeping", "action"),
        ("actor=somebody", "actor"),
        ("from=yesterday", "from"),
        ("page=0", "page"),
        ("colour=red", "colour"),
    ):
        answer = api.get(f"{LOG}?{query}", OLGA, is_admin=True)
        assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)
