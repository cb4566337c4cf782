"""Support KPIs against the plain calculation, on random portals, scopes, periods and cuts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from b24app import store
from b24app.facts import activities, calls, sessions, tickets
from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import By, Group
from b24app.portals import settings as portal_settings
from b24app.store import support_cases
from b24app.sync.sources import tickets as ticket_lists
from tests import oracle_support, random_support, stored
from tests.random_support import DESK_TYPE
from tests.unit.test_kpi_oracle import PERIODS, _dates, _numbers, _same_rows, _scopes

pytestmark = pytest.mark.long

QUESTIONS = 6
KNOWN = [metric for metric in CATALOG if metric.key in oracle_support.KEYS]


def test_the_plain_calculation_knows_every_kpi_of_its_group() -> None:
    assert {metric.key for metric in CATALOG if metric.group is Group.SUPPORT} == oracle_support.KEYS


@given(seed=st.integers(0, 10**9))
@settings(max_examples=60)
def test_every_answer_equals_the_plain_calculation(engine: Engine, seed: int) -> None:
    portal = random_support.make_support(seed)
    portal_id = _read(engine, portal, seed)
    now = datetime(2026, 11, 23, 12, tzinfo=random_support.zone(portal))
    plain = oracle_support.Plain(portal, now)
    has_source = any(portal["support"].values())
    pick = random.Random(seed)
    for _ in range(QUESTIONS):
        scope = pick.choice(_scopes(portal))
        text, start, end = pick.choice([*PERIODS, _dates(pick)])
        by = pick.choice([None, By.DAY, By.WEEK, By.MONTH, By.USER, By.DEPARTMENT])
        question = f"metric={','.join(metric.key for metric in KNOWN)}&scope={scope}&{text}"
        answer = stored.ask(engine, portal_id, question + (f"&by={by}" if by else ""), now=now)
        for metric, value in zip(KNOWN, answer["values"], strict=True):
            where = f"{metric.key} in {question} by {by}"
            if not has_source:
                assert (value["value"], value["reason"]) == (None, "source_off"), where
                continue
            assert _numbers(value) == plain.value(metric.key, scope, start, end), where
            assert value["provisional"] == plain.is_provisional(metric.key, scope, start, end), where
            if by:
                parts = plain.rows(metric.key, scope, start, end, by)
                _same_rows({row["key"]: _numbers(row) for row in value["rows"]}, parts, where)


def test_the_oracle_and_the_app_do_not_agree_on_nothing() -> None:
    """Random portals hold what the KPIs count: a calculation that finds nothing proves nothing."""
    month = (date(2026, 11, 1), date(2026, 12, 1))
    seen: set[str] = set()
    partly: set[str] = set()
    for seed in range(20):
        portal = random_support.make_support(seed)
        plain = oracle_support.Plain(portal, datetime(2026, 11, 23, 12, tzinfo=random_support.zone(portal)))
        for key in oracle_support.KEYS:
            found = plain.value(key, "company", *month)
            seen |= {key} if found["value"] else set()
            partly |= (
                {key} if found["denominator"] and 0 < found["numerator"] < found["denominator"] else set()
            )
    assert seen == oracle_support.KEYS
    assert partly >= {"csat", "fcr"}


def _read(engine: Engine, portal: dict[str, Any], seed: int) -> int:
    """Stores the portal as the reader would: lists in any order, then what is asked for one by one."""
    pick = random.Random(seed)
    portal_id = stored.new_portal(engine, timezone=portal["timezone"], uses_leads=portal["uses_leads"])
    chosen = {name: portal[name] for name in ("support", "fcr_days")}
    # Either the settings are there before the records, or an admin chooses them afterwards.
    is_late = pick.random() < 0.5
    if not is_late:
        stored.choose(engine, portal_id, **chosen, working_hours_for_support=portal["working"])
    with engine.begin() as conn:
        for name in (ticket_lists.name_of(DESK_TYPE), ticket_lists.history_name_of(DESK_TYPE)):
            stored.set_source(conn, portal_id, name, state="ready")
    steps: list[Callable[[], None]] = [
        lambda: stored.save(engine, portal_id, {name: portal[name] for name in _CRM}),
        lambda: _save_chats(engine, portal_id, portal),
        lambda: _save_calls(engine, portal_id, portal),
    ]
    pick.shuffle(steps)
    for step in steps:
        step()
    if is_late:
        stored.choose(engine, portal_id, **chosen, working_hours_for_support=portal["working"])
        with engine.begin() as conn:
            support_cases.rederive(conn, portal_id)
    _save_tickets(engine, portal_id, portal)
    return portal_id


_CRM = (
    "users", "departments", "currencies", "categories", "stages", "sources", "leads", "deals", "history",
)  # fmt: skip


def _save_chats(engine: Engine, portal_id: int, portal: dict[str, Any]) -> None:
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    found = [(activities.parse(row, border), row["history"]) for row in portal["chats"]]
    with store.writing(engine, portal_id) as writer:
        writer.save_activities(activity for activity, _ in found)
    with store.writing(engine, portal_id) as writer:
        writer.save_talks(
            {
                (activity.session_id or 0, activity.updated_at): sessions.parse(
                    history, activity.session_id, border.zone
                )
                for activity, history in found
                if history is not None
            },
            0,
        )


def _save_calls(engine: Engine, portal_id: int, portal: dict[str, Any]) -> None:
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id) as writer:
        writer.save_calls(calls.parse(row, border) for row in portal["calls"])


def _save_tickets(engine: Engine, portal_id: int, portal: dict[str, Any]) -> None:
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
        desks = support_cases.desks_of(portal_settings.load(conn, portal_id))
    found = [(tickets.parse(row, border, DESK_TYPE, desks), row["course"]) for row in portal["tickets"]]
    with store.writing(engine, portal_id) as writer:
        writer.save_tickets(ticket for ticket, _ in found)
    with store.writing(engine, portal_id) as writer:
        writer.save_courses(
            DESK_TYPE,
            {
                (ticket.item_id, ticket.moved_at): tickets.course(course, border, DESK_TYPE)
                for ticket, course in found
            },
        )
