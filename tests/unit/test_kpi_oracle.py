"""Every KPI against the plain calculation, on random portals, scopes, periods and cuts."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import By
from tests import oracle, random_portal, stored

pytestmark = pytest.mark.long

KNOWN = [metric for metric in CATALOG if metric.key in oracle.KEYS]

QUESTIONS = 6
"""Asked of every portal."""

TODAY = date(2026, 11, 23)
PERIODS = (
    ("period=month", date(2026, 11, 1), date(2026, 12, 1)),
    ("period=last_month", date(2026, 10, 1), date(2026, 11, 1)),
    ("period=quarter", date(2026, 10, 1), date(2027, 1, 1)),
    ("period=year", date(2026, 1, 1), date(2027, 1, 1)),
    ("period=last_week", date(2026, 11, 16), date(2026, 11, 23)),
    ("period=day", date(2026, 11, 23), date(2026, 11, 24)),
)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=50)
def test_every_answer_equals_the_plain_calculation(engine: Engine, seed: int) -> None:
    portal = random_portal.make(seed)
    portal_id = stored.new_portal(engine, timezone=portal["timezone"], uses_leads=portal["uses_leads"])
    chosen = {
        "pipelines": portal["pipelines"],
        "currency": portal["report"],
        "channels": portal["rules"],
    }
    stored.choose(engine, portal_id, **{name: v for name, v in chosen.items() if v is not None})
    stored.save(engine, portal_id, portal)
    now = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(portal["timezone"]))
    pick = random.Random(seed)
    for _ in range(QUESTIONS):
        scope = pick.choice(_scopes(portal))
        text, start, end = pick.choice([*PERIODS, _dates(pick)])
        by = pick.choice([None, *By])
        metrics = [metric for metric in KNOWN if by is None or by in metric.by]
        question = f"metric={','.join(metric.key for metric in metrics)}&scope={scope}&{text}"
        answer = stored.ask(engine, portal_id, question + (f"&by={by}" if by else ""), now=now)
        for metric, value in zip(metrics, answer["values"], strict=True):
            where = f"{metric.key} in {question} by {by}"
            assert _numbers(value) == oracle.value(portal, metric.key, scope, start, end), where
            if by or metric.key == "funnel":
                parts = oracle.rows(portal, metric.key, scope, start, end, by or "stage", TODAY)
                _same_rows({row["key"]: _numbers(row) for row in value["rows"]}, parts, where)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=15)
def test_comparison_equals_the_answer_for_those_days(engine: Engine, seed: int) -> None:
    portal = random_portal.make(seed)
    portal_id = stored.new_portal(engine, timezone=portal["timezone"], uses_leads=portal["uses_leads"])
    stored.save(engine, portal_id, portal)
    now = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(portal["timezone"]))
    keys = ",".join(metric.key for metric in KNOWN if not metric.is_snapshot)
    running = stored.ask(
        engine, portal_id, f"metric={keys}&scope=company&period=month&compare=previous", now=now
    )
    elapsed = stored.ask(
        engine, portal_id, f"metric={keys}&scope=company&from=2026-10-01&to=2026-10-24", now=now
    )
    assert running["compared"] == {"from": "2026-10-01", "to": "2026-10-24"}
    for value, before in zip(running["values"], elapsed["values"], strict=True):
        assert value["before"] == before["value"]
        if value["change"] is None:
            assert value["value"] is None or before["value"] is None or Decimal(before["value"]) == 0
        else:
            earlier = Decimal(before["value"])
            change = (Decimal(value["value"]) - earlier) / abs(earlier)
            assert abs(Decimal(value["change"]) - change) < Decimal("1e-6") * (1 + abs(change))


def _scopes(portal: dict[str, Any]) -> list[str]:
    people = [f"user:{user['ID']}" for user in portal["users"] if user["USER_TYPE"] == "employee"]
    departments = [f"department:{row['ID']}" for row in portal["departments"]]
    return ["company", *people, *departments]


def _dates(pick: random.Random) -> tuple[str, date, date]:
    start = random_portal.FIRST + timedelta(days=pick.randint(0, 60))
    end = start + timedelta(days=pick.randint(1, 40))
    return f"from={start}&to={end}", start, end


def _numbers(entry: dict[str, Any]) -> dict[str, Any]:
    """value, numerator and denominator; texts of exact decimals as Decimal."""
    found = {name: entry[name] for name in ("value", "numerator", "denominator")}
    return {name: Decimal(v) if isinstance(v, str) else v for name, v in found.items()}


def _same_rows(answer: dict[str, Any], expected: dict[str, Any], question: str) -> None:
    """The same parts; empty ones may stand there or not."""
    for key in answer.keys() | expected.keys():
        mine, plain = answer.get(key), expected.get(key)
        if mine is None or plain is None:
            present = mine or plain
            assert present is not None
            assert not present["value"], f"{question}: {key} {mine} {plain}"
            assert not present["denominator"], f"{question}: {key} {mine} {plain}"
        else:
            assert mine == plain, f"{question}: {key}"
