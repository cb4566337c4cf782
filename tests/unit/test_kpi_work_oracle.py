"""KPIs of projects and activity against the plain calculation, on random portals, scopes and periods."""

from __future__ import annotations

import random
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import By
from tests import oracle_work, random_work, stored
from tests.unit.test_kpi_oracle import PERIODS, _dates, _numbers, _same_rows, _scopes

pytestmark = pytest.mark.long

QUESTIONS = 6
KNOWN = [metric for metric in CATALOG if metric.key in oracle_work.KEYS]


def test_the_plain_calculation_knows_every_kpi_of_its_groups() -> None:
    groups = {metric.key for metric in CATALOG if metric.group in ("projects", "activity")}
    assert groups | {"email_open_rate"} == oracle_work.KEYS


@given(seed=st.integers(0, 10**9))
@settings(max_examples=60)
def test_every_answer_equals_the_plain_calculation(engine: Engine, seed: int) -> None:
    portal = random_work.make_work(seed)
    portal_id = stored.new_portal(engine, timezone=portal["timezone"], uses_leads=portal["uses_leads"])
    budget = portal["budget"]
    chosen = {
        "pipelines": portal["pipelines"],
        "projects": portal["projects_chosen"],
        "currency": portal["report"],
        "channels": portal["rules"],
        "hours_per_day": portal["hours_per_day"],
        "budget": budget
        and {
            "entity_type_id": budget["entity_type_id"],
            "planned_field": "ufPlan",
            "actual_field": "ufFact",
        },
    }
    stored.choose(engine, portal_id, **{name: v for name, v in chosen.items() if v is not None})
    stored.save(engine, portal_id, {name: rows for name, rows in portal.items() if rows is not None})
    now = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(portal["timezone"]))
    plain = oracle_work.Plain(portal, now)
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
            assert _numbers(value) == plain.value(metric.key, scope, start, end), where
            if by:
                parts = plain.rows(metric.key, scope, start, end, by)
                _same_rows({row["key"]: _numbers(row) for row in value["rows"]}, parts, where)


def test_the_oracle_and_the_app_do_not_agree_on_nothing(engine: Engine) -> None:
    """Random portals hold what the KPIs count: a calculation that finds nothing proves nothing."""
    month = (date(2026, 11, 1), date(2026, 12, 1))
    seen = set()
    for seed in range(12):
        portal = random_work.make_work(seed)
        now = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(portal["timezone"]))
        plain = oracle_work.Plain(portal, now)
        seen |= {key for key in oracle_work.KEYS if plain.value(key, "company", *month)["value"]}
    assert seen == oracle_work.KEYS
