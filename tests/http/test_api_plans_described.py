"""Answers about targets, sets, scores, places, notes and the log look as the description of the API says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.cast import ANNA, BORIS, IVAN, OLGA, SALES
from tests.http.api_server import Api, fill, serving
from tests.http.test_api_openapi import check, described

MONTHS = "from=2025-11&to=2026-01"
DAYS = "from=2025-11-01&to=2025-12-01"
DRAFT = {
    "name": "Sellers",
    "owner_id": IVAN,
    "metrics": [{"metric": "revenue", "weight": 1.5}, {"metric": "win_rate"}],
    "assigned": {"departments": [SALES]},
}


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        rows = [
            {"metric": metric, "scope": scope, "month": "2025-11", "value": value}
            for metric, scope, value in (
                ("revenue", f"user:{ANNA}", "1000.5"),
                ("deals_won", f"user:{ANNA}", 2.5),
                ("win_rate", f"department:{SALES}", "0.5"),
            )
        ]
        answer = running.call("PUT", "/api/v1/targets", OLGA, is_admin=True, json=rows)
        assert answer.status_code == 200, answer.text
        yield running


def ask(api: Api, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = api.call(method, f"/api/v1/{path}", OLGA, is_admin=True, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (f"targets?metric=revenue&scope=company&{MONTHS}", "TargetGrid"),
        (f"targets?metric=deals_won&scope=user:{ANNA}&{MONTHS}", "TargetGrid"),
        (f"targets?metric=win_rate&scope=department:{SALES}&{MONTHS}", "TargetGrid"),
        ("targets/history?metric=revenue&scope=company", "TargetHistory"),
        ("targets/proposals?metric=revenue&scope=company", "TargetProposals"),
        (
            "targets/proposals?metric=revenue&scope=company&how=copy&month=2025-12&percent=5",
            "TargetProposals",
        ),
        ("sets/applied", "AppliedSet"),
        (f"score?scope=user:{ANNA}&{DAYS}", "Score"),
        (f"rank?metric=revenue&scope=user:{ANNA}&{DAYS}", "Rank"),
        (f"kpi?metric=revenue,deals_won,win_rate&scope=user:{ANNA}&{DAYS}", "Kpi"),
        (f"kpi?metric=deals_won&scope=company&by=user&{DAYS}", "Kpi"),
        ("audit", "Audit"),
    ],
)
def test_an_answer_looks_as_described(api: Api, path: str, schema: str) -> None:
    check(ask(api, "GET", path), schema, described(api))


def test_saving_conflicts_and_undoing_look_as_described(api: Api) -> None:
    document = described(api)
    change = {"metric": "revenue", "scope": f"user:{BORIS}", "month": "2025-11", "value": 7, "before": None}
    check(ask(api, "POST", "targets/changes", {"changes": [change]}), "TargetsSaved", document)
    refused = ask(api, "POST", "targets/changes", {"changes": [{**change, "value": 8}]}, 409)
    check(refused, "TargetsConflict", document)


def test_sets_look_as_described(api: Api) -> None:
    document = described(api)
    made = ask(api, "POST", "sets", DRAFT, 201)
    check(made, "SetSaved", document)
    set_id = made["set"]["id"]
    check(ask(api, "PUT", f"sets/{set_id}", {**DRAFT, "version": 1}), "SetSaved", document)
    check(ask(api, "GET", "sets"), "Sets", document)
    for one in ask(api, "GET", f"sets/{set_id}/versions")["versions"]:
        check(one, "Set", document)
    for warning in ask(api, "POST", "sets/check", DRAFT)["warnings"]:
        check(warning, "SetWarning", document)
    check(ask(api, "GET", f"sets/applied?scope=user:{ANNA}"), "AppliedSet", document)


def test_notes_look_as_described(api: Api) -> None:
    document = described(api)
    note = {"scope": "me", "month": "2025-11", "text": "Hello"}
    check(ask(api, "POST", "notes", note, 201), "Note", document)
    ask(api, "POST", "notes", {**note, "kind": "acknowledged"}, 201)
    check(ask(api, "GET", f"notes?scope=me&{MONTHS}"), "Notes", document)
