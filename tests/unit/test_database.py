"""Exact amounts and upserts behave the same on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, text

from b24app import db
from b24app.db import MANY, open_engine, reading, upsert
from b24app.tables import currencies, deals, memberships


def deal(deal_id: int, amount: Decimal, **over: object) -> dict[str, object]:
    row: dict[str, object] = {
        "portal_id": 1,
        "deal_id": deal_id,
        "owner_id": 1,
        "category_id": 0,
        "stage_id": "WON",
        "semantics": "S",
        "amount": amount,
        "currency": "RUB",
        "created_at": 0,
        "created_day": date(2026, 1, 1),
        "moved_at": 0,
        "first_contact_at": 0,
        "moved_day": date(2026, 1, 1),
        "updated_at": 0,
        "is_recurring": False,
    }
    return {**row, **over}


@settings(max_examples=20)
@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**12, places=2), max_size=30))
def test_sql_sums_amounts_to_the_last_kopeck(engine: Engine, amounts: list[Decimal]) -> None:
    with engine.begin() as conn:
        conn.execute(delete(deals))
        upsert(conn, deals, [deal(i, amount) for i, amount in enumerate(amounts, 1)])
        total = conn.execute(select(func.sum(deals.c.amount))).scalar()
    assert (total or 0) == sum(amounts)


def test_upsert_replaces_the_row_with_the_same_key_and_keeps_the_named_columns(engine: Engine) -> None:
    with engine.begin() as conn:
        upsert(conn, deals, [deal(1, Decimal("1.10"), reached_stage_id="NEW")])
        upsert(conn, deals, [deal(1, Decimal("2.20"), reached_stage_id=None)], keep=["reached_stage_id"])
        row = conn.execute(select(deals.c.amount, deals.c.reached_stage_id)).one()
    assert row == (Decimal("2.20"), "NEW")


def test_upsert_of_rows_that_are_all_key_changes_nothing(engine: Engine) -> None:
    row = {"portal_id": 1, "user_id": 5, "department_id": 7}
    with engine.begin() as conn:
        upsert(conn, memberships, [row])
        upsert(conn, memberships, [row])
        assert conn.execute(select(func.count()).select_from(memberships)).scalar() == 1


def test_upsert_sends_more_rows_than_one_statement_takes(engine: Engine) -> None:
    rows = [
        {"portal_id": 1, "code": f"C{i}", "amount": "1", "amount_cnt": 1, "is_base": False}
        for i in range(7000)
    ]
    with engine.begin() as conn:
        assert upsert(conn, currencies, rows) == 7000
        assert conn.execute(select(func.count()).select_from(currencies)).scalar() == 7000


def test_many_rows_are_stored_as_few_are(engine: Engine) -> None:
    rows = [
        deal(
            number,
            Decimal(number) / 3,
            is_first=number % 2 == 0,
            is_recurring=number % 5 == 0,
            reached_stage_id=None if number % 3 else "50 % and 'more'",
            client=f"company:{number}",
            moved_day=date(2026, 1, 1 + number % 28),
        )
        for number in range(1, 2 * MANY)
    ]
    with engine.begin() as conn:
        assert upsert(conn, deals, rows) == len(rows)
        many = conn.execute(select(deals).order_by(deals.c.deal_id)).all()
        conn.execute(delete(deals))
        for row in rows:
            upsert(conn, deals, [row])
        assert conn.execute(select(deals).order_by(deals.c.deal_id)).all() == many
        upsert(
            conn,
            deals,
            [{**row, "amount": Decimal(7), "stage_id": "LOSE"} for row in rows],
            keep=["stage_id"],
        )
        found = conn.execute(select(deals.c.amount, deals.c.stage_id).distinct()).all()
    assert found == [(Decimal(7), "WON")]


def test_a_connection_that_died_while_nobody_used_it_is_replaced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_S", 0.0)
    own = open_engine(engine.url.render_as_string(hide_password=False))
    try:
        for _ in range(2):
            with reading(own) as conn:
                assert conn.scalar(select(1)) == 1
                if own.dialect.name == "postgresql":
                    process = conn.scalar(text("SELECT pg_backend_pid()"))
            if own.dialect.name == "postgresql":
                with engine.begin() as other:
                    assert other.scalar(
                        text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process}
                    )
        with own.begin() as conn:
            assert conn.scalar(select(1)) == 1
    finally:
        own.dispose()
