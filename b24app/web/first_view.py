"""What a page shows first: which KPIs, of whom, and the requests whose answers come with the page.

Pure. The browser builds the same paths (`frontend/static/js/requests.js`) and finds the embedded answers
under them, so the first paint needs no request of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from b24app.metrics.query import DEFAULT_SET

CARDS = DEFAULT_SET
"""Seven at most: focus beats completeness. What else the catalogue has is under "More"."""

DEAL_CARDS = ("revenue", "deals_won", "win_rate", "average_check")
RECORD_CARDS = {
    "lead": ("leads_new", "lead_conversion", "deals_won", "revenue"),
    "process": ("cases", "first_response_time", "resolution_time", "csat"),
    "task": ("tasks_done", "on_time_rate", "rework_rate", "resource_plan"),
    "project": (
        "tasks_done",
        "on_time_rate",
        "rework_rate",
        "task_rating",
        "budget_deviation",
        "resource_plan",
    ),
    "contact": (),
    "company": (),
}
"""What stands beside one record: KPIs of its responsible employee, of a project those of its tasks."""
CALL_CARDS = (
    "calls_out",
    "calls_in",
    "calls_missed_rate",
    "talk_time",
    "meetings",
    "emails_sent",
    "activities_done",
)
"""The page inside telephony's analytics."""
TABLES = ("funnel", "stage_time")
"""Metrics that are tables, not one number: they have blocks of their own."""

TREND_MONTHS = 12


@dataclass(frozen=True, slots=True)
class FirstView:
    """`layout` is part of the boot JSON; `requests` are paths of the API, to be answered into it."""

    layout: dict[str, Any]
    requests: tuple[str, ...] = field(default=())


def first_view(
    view: str,
    *,
    today: date,
    scope: str | None,
    known: Collection[str],
    deal_id: int | None = None,
    cards: Sequence[str] | None = None,
) -> FirstView:
    """The plan of a page.

    view: `deal`, `employee`, `department`, `setup` or a key of RECORD_CARDS. today: the portal's local day.
    scope: whose numbers (`user:7`, `department:3`, `company`); for a deal its responsible
    employee, None if unknown yet.
    known: keys of the catalogue, in its order. cards: instead of the view's own.
    """
    is_record = view == "deal" or view in RECORD_CARDS
    usual = DEAL_CARDS if view == "deal" else RECORD_CARDS.get(view, CARDS)
    cards = tuple(key for key in (usual if cards is None else cards) if key in known)
    more = () if is_record else tuple(k for k in known if k not in cards and k not in TABLES)
    layout = {
        "scope": scope,
        "cards": list(cards),
        "more": list(more),
        "funnel": "funnel" in known and not is_record and cards[:1] != CALL_CARDS[:1],
        "today": today.isoformat(),
    }
    if view in RECORD_CARDS:
        return FirstView(layout)  # what it needs is known once the portal has shown the record to the viewer
    if view == "setup" or scope is None or not cards:
        own = (f"/api/v1/deals/{deal_id}",) if deal_id is not None else ()
        return FirstView(layout, own or ("/api/v1/sync",))
    requests: list[str] = []
    if view == "deal":
        requests.append(f"/api/v1/deals/{deal_id}")
    if view != "deal":
        requests.append("/api/v1/org")
    requests.append(now_path(cards, scope, by="user" if view == "department" else None))
    requests.append(series_path(cards, scope, today))
    if layout["funnel"]:
        requests.append(now_path(("funnel",), scope, by="stage", compare=None))
    if view == "department":
        requests.append(now_path(cards, scope, by="department", compare=None))
        requests.append(f"/api/v1/why?scope={scope}&period=month&compare=previous")
    return FirstView(layout, tuple(requests))


def now_path(
    metrics: Sequence[str], scope: str, *, by: str | None = None, compare: str | None = "previous"
) -> str:
    """The running month of the scope, compared with the month before."""
    parts = [f"metric={','.join(metrics)}", f"scope={scope}", "period=month"]
    if compare:
        parts.append(f"compare={compare}")
    if by:
        parts.append(f"by={by}")
    return "/api/v1/kpi?" + "&".join(parts)


def set_path(scope: str, today: date) -> str:
    """The KPI set by which the scope is looked at."""
    return f"/api/v1/sets/applied?scope={scope}&day={today}"


def series_path(metrics: Sequence[str], scope: str, today: date) -> str:
    """The last twelve months of the scope, the running one included, a row for each."""
    start = _month(today, 1 - TREND_MONTHS)
    end = _month(today, 1)
    return f"/api/v1/kpi?metric={','.join(metrics)}&scope={scope}&from={start}&to={end}&by=month"


def _month(day: date, steps: int) -> date:
    index = day.year * 12 + day.month - 1 + steps
    return date(index // 12, index % 12 + 1, 1)
