"""Every marketing KPI against the plain calculation, on random portals, scopes, periods and cuts."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from b24app.metrics.metric import By
from tests import marketing_oracle, random_portal, stored
from tests.entering import cost, enter, result

pytestmark = pytest.mark.long

QUESTIONS = 6
CUTS = (None, By.DAY, By.WEEK, By.MONTH, By.DEPARTMENT, By.CHANNEL)
CHANNELS = ("Site", "Search", "yandex", "Web site", "unknown", "Radio")


@given(seed=st.integers(0, 10**9))
@settings(max_examples=40)
def test_every_answer_equals_the_plain_calculation(engine: Engine, seed: int) -> None:
    portal = random_portal.make(seed)
    pick = random.Random(seed)
    departments = [int(row["ID"]) for row in portal["departments"]]
    portal["costs"] = [_cost(pick, departments) for _ in range(pick.randint(0, 8))]
    portal["campaigns"] = [_result(pick, departments) for _ in range(pick.randint(0, 6))]
    portal_id = stored.new_portal(engine, timezone=portal["timezone"], uses_leads=portal["uses_leads"])
    chosen = {"pipelines": portal["pipelines"], "currency": portal["report"], "channels": portal["rules"]}
    stored.choose(engine, portal_id, **{name: v for name, v in chosen.items() if v is not None})
    stored.save(engine, portal_id, portal)
    enter(engine, portal_id, costs=portal["costs"], campaigns=portal["campaigns"])
    now = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(portal["timezone"]))
    for _ in range(QUESTIONS):
        scope = pick.choice(["company", *(f"department:{number}" for number in departments)])
        start = random_portal.FIRST + timedelta(days=pick.randint(0, 60))
        end = start + timedelta(days=pick.randint(1, 40))
        by = pick.choice(CUTS)
        question = f"metric={','.join(marketing_oracle.KEYS)}&scope={scope}&from={start}&to={end}"
        answer = stored.ask(engine, portal_id, question + (f"&by={by}" if by else ""), now=now)
        for found in answer["values"]:
            where = f"{found['metric']} in {question} by {by}"
            _same(found, marketing_oracle.value(portal, found["metric"], scope, start, end), where)
            if by:
                plain = marketing_oracle.rows(portal, found["metric"], scope, start, end, by)
                mine = {row["key"]: row for row in found["rows"]}
                for key in mine.keys() | plain.keys():
                    if key in mine and key in plain:
                        _same(mine[key], plain[key], f"{where}: {key}")
                    else:  # empty parts may stand there or not
                        only = mine.get(key) or plain[key]
                        assert not only["value"], f"{where}: {key}"
                        assert not Fraction(only["denominator"] or 0), f"{where}: {key}"


def _same(mine: dict[str, Any], plain: dict[str, Any], where: str) -> None:
    """Equal once both are rounded as the API rounds."""
    for name in ("value", "numerator", "denominator"):
        got, expected = mine[name], plain[name]
        if expected is None:
            assert got is None, f"{where}: {name}"
        else:
            assert got is not None, f"{where}: {name}"
            assert Fraction(got) * 10**10 == round(expected * 10**10), f"{where}: {name} {got} {expected}"


def _cost(pick: random.Random, departments: list[int]) -> dict[str, Any]:
    start = random_portal.FIRST + timedelta(days=pick.randint(-40, 60))
    end = start + timedelta(days=pick.choice([0, 1, 2, 6, 29, 30, 100]))
    amount = pick.choice([0, 1, "99.99", "0.0001", pick.randint(1, 10**7)])
    currency = pick.choice(["RUB", "RUB", "USD", "KZT", "XXX"])
    return cost(pick.choice(CHANNELS), str(start), str(end), amount, currency, **_tag(pick, departments))


def _result(pick: random.Random, departments: list[int]) -> dict[str, Any]:
    day = random_portal.FIRST + timedelta(days=pick.randint(0, 60))
    delivered = pick.randint(0, 50)
    return result(
        pick.choice(CHANNELS),
        str(day),
        delivered=delivered,
        opened=pick.randint(0, delivered),
        clicked=pick.randint(0, delivered),
        visits=pick.randint(0, 900),
        **_tag(pick, departments),
    )


def _tag(pick: random.Random, departments: list[int]) -> dict[str, int]:
    return {} if pick.random() < 0.5 else {"department": pick.choice([*departments, 404])}
