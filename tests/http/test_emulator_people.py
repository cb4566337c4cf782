"""Users and departments of the emulated portal, with the traps of their older methods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from emulator import seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal(title="Company")


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def names(admin: Asker, method: str = "user.get", **fields: object) -> list[str]:
    return [row["NAME"] for row in admin.result(method, **fields)]


def test_a_user_row_has_mixed_types(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    seed.add_user(
        portal, "Ivan", "Petrov", departments=[1], is_active=False, EMAIL="i@example.com",
        LAST_LOGIN=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )  # fmt: skip
    body = admin.answer("user.get", FILTER={"ID": 2})
    row = body["result"][0]
    assert (row["ID"], row["ACTIVE"], row["UF_DEPARTMENT"]) == ("2", False, [1])
    assert row["LAST_LOGIN"] == "2026-03-02T15:00:00+03:00"
    assert (row["TIMESTAMP_X"], row["TIME_ZONE"], row["USER_TYPE"]) == ({}, "", "employee")
    assert row["EMAIL"] == "i@example.com"
    assert "IS_ADMIN" not in row
    assert body["total"] == 1
    emulator.app(portal).scopes -= {"user", "user_basic"}
    assert "EMAIL" not in admin.result("user.get", FILTER={"ID": 2})[0]
    assert admin.result("user.current")["ID"] == "1"


def test_filters_stand_at_the_root_or_in_filter(portal: Portal, admin: Asker) -> None:
    seed.add_user(portal, "Ivan", "Petrov", departments=[1, 5])
    seed.add_user(portal, "Oleg", "Ivanov", departments=[5], is_active=False)
    assert names(admin) == ["Anna", "Ivan", "Oleg"]
    assert names(admin, ACTIVE=True) == names(admin, FILTER={"ACTIVE": "true"}) == ["Anna", "Ivan"]
    assert names(admin, FILTER={"UF_DEPARTMENT": 5}) == ["Ivan", "Oleg"]
    assert names(admin, FILTER={"ID": ["1", "3"]}) == ["Anna", "Oleg"]
    assert names(admin, FILTER={}, NAME="Ivan") == ["Anna", "Ivan", "Oleg"]  # FILTER switches the root off
    assert names(admin, FILTER={"NONSENSE": 1}) == ["Anna", "Ivan", "Oleg"]
    assert names(admin, sort="NAME", order="DESC") == ["Oleg", "Ivan", "Anna"]
    assert names(admin, "user.search", FIND="ivan") == ["Ivan"]  # only active ones
    assert names(admin, "user.search", FILTER={"LAST_NAME": "Pet"}) == ["Ivan"]


def test_users_are_paged_by_id_and_an_empty_answer_has_no_total(portal: Portal, admin: Asker) -> None:
    for number in range(70):
        seed.add_user(portal, f"U{number}", "X", departments=[1])
    first = admin.answer("user.get", sort="ID", order="ASC")
    assert (len(first["result"]), first["total"], first["next"]) == (50, 71, 50)
    rest = admin.answer("user.get", FILTER={">ID": 50}, sort="ID", order="ASC", start=-1)
    assert [int(row["ID"]) for row in rest["result"]] == list(range(51, 72))
    assert rest["total"] == 0
    empty = admin.answer("user.get", FILTER={"ID": 999})
    assert empty["result"] == []
    assert "total" not in empty


def test_some_accounts_are_never_listed(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    for kind in ("bot", "imconnector", "email", "shop"):
        seed.add_user(portal, kind, "X", USER_TYPE=kind)
    seed.add_user(portal, "Guest", "X", USER_TYPE="extranet")
    ivan = seed.add_user(portal, "Ivan", "I", departments=[1])
    assert names(admin) == ["Anna", "Guest", "Ivan"]
    assert names(asker(emulator, portal, ivan)) == ["Anna", "Ivan"]  # without a department: hidden


def test_departments_come_in_tree_order_with_odd_keys(portal: Portal, admin: Asker) -> None:
    sales = seed.add_department(portal, "Sales", parent_id=1, sort=300)
    seed.add_department(portal, "Support", parent_id=1, sort=200)
    seed.add_department(portal, "West", parent_id=sales, head_id=1)
    body = admin.answer("department.get")
    assert [row["NAME"] for row in body["result"]] == ["Company", "Support", "Sales", "West"]
    assert body["result"][0] == {"ID": "1", "NAME": "Company", "SORT": 500}
    assert body["result"][3] == {"ID": "4", "NAME": "West", "SORT": 500, "PARENT": "2", "UF_HEAD": "1"}
    assert body["total"] == 4
    assert names(admin, "department.get", sort="ID", order="DESC") == ["West", "Support", "Sales", "Company"]


def test_departments_ignore_operators_and_know_exact_filters(portal: Portal, admin: Asker) -> None:
    for number in range(60):
        seed.add_department(portal, f"D{number}", parent_id=1)
    assert len(admin.result("department.get", **{">ID": 60})) == 50  # a keyset loop would never end
    assert len(admin.result("department.get", **{">ID": 60}, start=-1)) == 50
    assert names(admin, "department.get", ID=["5", "6"]) == ["D3", "D4"]
    assert names(admin, "department.get", NAME="d3") == []  # case counts
    assert names(admin, "department.get", NAME="D3") == ["D3"]
    body = admin.answer("department.get", START=75)
    assert (len(body["result"]), body["total"]) == (11, 61)
    portal.change("department", 5, ACTIVE=False)
    assert admin.answer("department.get")["total"] == 60


def test_who_am_i_and_what_may_i(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    ivan = asker(emulator, portal, seed.add_user(portal, "Ivan", "I", departments=[7]))
    assert admin.result("user.admin") is True
    assert ivan.result("user.admin") is False
    assert admin.result("user.access", ACCESS=["U99"]) is True
    assert ivan.result("user.access", ACCESS=["U99"]) is False
    assert ivan.result("user.access", ACCESS=["U99", "D7"]) is True
    assert ivan.result("profile")["ADMIN"] is False
    assert set(admin.result("department.fields")) == {"ID", "NAME", "SORT", "PARENT", "UF_HEAD"}
