"""Telling colleagues where the KPIs are, over the emulated portal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from b24app.web import api_notices
from tests.cast import ANNA, BORIS, GRETA, GUEST, IVAN, OLGA, SVETA
from tests.http.api_portal import Company, company

TEXT = "Показатели — в левом меню & в карточке сделки"


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        running.read()
        yield running


def tell(
    shop: Company, users: Any, text: Any = TEXT, *, user_id: int | None = OLGA, is_admin: bool = True
) -> requests.Response:
    body = {"users": users, "text": text}
    return shop.api.call("POST", "/api/v1/notices", user_id, is_admin=is_admin, json=body)


def told(shop: Company) -> list[tuple[int, str, int]]:
    """(who, what, by whom) on the portal."""
    found = shop.emulator.site(shop.portal).notifications
    return [(one["USER_ID"], one["MESSAGE"], one["AUTHOR_ID"]) for one in found]


def log(shop: Company) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.api.get(
        "/api/v1/audit?action=notice.sent", OLGA, is_admin=True
    ).json()["entries"]
    return found


def test_the_named_are_told_by_the_admin_in_person_and_the_log_says_so(shop: Company) -> None:
    answer = tell(shop, [SVETA, IVAN, IVAN])
    assert answer.status_code == 200, answer.text
    ivan, sveta = {"id": IVAN, "name": "Ivan Head"}, {"id": SVETA, "name": "Sveta Support"}
    assert answer.json() == {"sent": [ivan, sveta], "failed": [], "missing_scope": None}
    assert told(shop) == [(IVAN, TEXT, OLGA), (SVETA, TEXT, OLGA)]
    (entry,) = log(shop)
    assert (entry["actor"]["id"], entry["detail"]) == (OLGA, {"users": [IVAN, SVETA]})
    assert TEXT not in str(entry)


def test_told_again_they_have_one_notice(shop: Company) -> None:
    assert tell(shop, [IVAN], "the first").status_code == 200
    assert tell(shop, [IVAN], "the second").status_code == 200
    assert told(shop) == [(IVAN, "the second", OLGA)]


def test_without_the_right_the_answer_names_it(shop: Company) -> None:
    shop.emulator.app(shop.portal).scopes.discard("im")
    body = tell(shop, [IVAN]).json()
    failed = [{"id": IVAN, "name": "Ivan Head", "reason": "missing_scope"}]
    assert body == {"sent": [], "failed": failed, "missing_scope": "im"}
    assert told(shop) == []
    assert log(shop) == []


def test_who_has_left_meanwhile_is_named_and_the_others_are_told(shop: Company) -> None:
    shop.portal.change("user", BORIS, ACTIVE=False)
    body = tell(shop, [BORIS, ANNA]).json()
    assert [one["id"] for one in body["sent"]] == [ANNA]
    assert body["failed"] == [{"id": BORIS, "name": "Boris Seller", "reason": "refused"}]
    assert log(shop)[0]["detail"] == {"users": [ANNA]}


def test_while_the_portal_is_down_nobody_is_told_and_it_is_said(
    shop: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_notices, "PATIENCE_S", 0.5)
    shop.emulator.faults(shop.portal).add("500", times=None)
    answer = tell(shop, [IVAN])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert log(shop) == []


@pytest.mark.parametrize(
    ("user_id", "is_admin"), [(IVAN, False), (None, False)], ids=["a head", "a program of an admin"]
)
def test_only_an_admin_in_person_tells(shop: Company, user_id: int | None, is_admin: bool) -> None:
    assert tell(shop, [ANNA], user_id=user_id, is_admin=is_admin).status_code == 403
    assert told(shop) == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("users", "text", "parameter"),
    [
        ([], TEXT, "users"),
        ("2", TEXT, "users"),
        ([True], TEXT, "users"),
        ([GRETA], TEXT, "users"),  # dismissed
        ([GUEST], TEXT, "users"),  # of another company
        ([999], TEXT, "users"),
        (list(range(1, 52)), TEXT, "users"),
        ([IVAN], "  ", "text"),
        ([IVAN], "x" * 2001, "text"),
        ([IVAN], None, "text"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Company, users: Any, text: Any, parameter: str) -> None:
    answer = tell(shop, users, text)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)
    assert told(shop) == []


def test_a_portal_is_not_flooded(shop: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_notices, "HOURLY", 2)
    assert [tell(shop, [IVAN], f"{n}").status_code for n in range(3)] == [200, 200, 429]
    assert told(shop) == [(IVAN, "1", OLGA)]
