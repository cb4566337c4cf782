"""What a page asks for first, and that every page stays within its means."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from b24app.metrics.catalog import BY_KEY
from b24app.metrics.query import parse
from b24app.web.first_view import CARDS, DEAL_CARDS, TABLES, first_view

TODAY = date(2026, 11, 23)
KNOWN = tuple(BY_KEY)


def paths(view: str, scope: str | None, deal_id: int | None = None, today: date = TODAY) -> tuple[str, ...]:
    return first_view(view, today=today, scope=scope, known=KNOWN, deal_id=deal_id).requests


@pytest.mark.parametrize(
    ("view", "scope", "deal_id"),
    [
        ("deal", "user:7", 5),
        ("employee", "user:7", None),
        ("department", "department:3", None),
        ("department", "company", None),
    ],
)
def test_the_api_accepts_every_embedded_question(view: str, scope: str, deal_id: int | None) -> None:
    asked = [urlsplit(path) for path in paths(view, scope, deal_id)]
    questions = [parse(parse_qsl(one.query), 7, TODAY) for one in asked if one.path == "/api/v1/kpi"]
    assert questions
    assert {str(question.scope) for question in questions} == {scope}


def test_a_head_gets_totals_and_people_in_one_answer() -> None:
    assert paths("department", "department:3")[1] == (
        f"/api/v1/kpi?metric={','.join(CARDS)}&scope=department:3&period=month&compare=previous&by=user"
    )


def test_the_trend_is_twelve_months_with_the_running_one() -> None:
    trend = paths("deal", "user:7", 5, today=date(2026, 1, 31))[-1]
    assert trend.endswith("&scope=user:7&from=2025-02-01&to=2026-02-01&by=month")


def test_a_deal_whose_owner_is_not_open_to_the_viewer_comes_without_kpis() -> None:
    assert paths("deal", None, 5) == ("/api/v1/deals/5",)


def test_setting_up_asks_only_how_far_reading_is() -> None:
    assert paths("setup", None) == ("/api/v1/sync",)


def test_no_page_begins_with_more_than_seven_cards_and_nothing_is_lost() -> None:
    layout = first_view("employee", today=TODAY, scope="user:7", known=KNOWN).layout
    assert len(layout["cards"]) <= 7
    assert sorted([*layout["cards"], *layout["more"], *TABLES]) == sorted(KNOWN)


def test_cards_that_the_catalogue_lacks_are_not_asked_for() -> None:
    layout = first_view("deal", today=TODAY, scope="user:7", known=["revenue"], deal_id=5).layout
    assert layout["cards"] == ["revenue"]
    assert set(DEAL_CARDS) <= set(KNOWN)
