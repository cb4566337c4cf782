"""What a company may want to measure: four functions, and which KPIs of each its portal can have. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from b24app.org import Org

MOST = 5
"""No function suggests more KPIs than these."""

HOME_SHARE = 0.8
"""The department in whose hands this share of the records is does the function."""


class Sign(StrEnum):
    """What was found on a portal."""

    LEADS = "leads"
    DEALS = "deals"
    COSTS = "costs"
    CAMPAIGNS = "campaigns"
    CHATS = "chats"
    CALLS = "calls"
    HELP_DESK = "help_desk"
    TASKS = "tasks"
    PROJECTS = "projects"
    HOURS = "hours"


TASKS = frozenset({Sign.TASKS, Sign.PROJECTS})
CASES = frozenset({Sign.CHATS, Sign.HELP_DESK, Sign.CALLS})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A KPI of a function, and the signs of which one must be there for it to have numbers."""

    metric: str
    signs: frozenset[Sign]


@dataclass(frozen=True, slots=True)
class Function:
    """`signs`: what speaks for it, in the order in which people are told; one of them is enough."""

    key: str
    signs: tuple[Sign, ...]
    candidates: tuple[Candidate, ...]

    def is_found(self, found: Collection[Sign]) -> bool:
        """Whether the portal shows that the company does this."""
        return any(sign in found for sign in self.signs)

    def suggested(self, found: Collection[Sign]) -> tuple[str, ...]:
        """The KPIs to begin with: the first ones that this portal can have."""
        able = (one.metric for one in self.candidates if one.signs.intersection(found))
        return tuple(able)[:MOST]


def _of(metric: str, *signs: Sign) -> Candidate:
    return Candidate(metric, frozenset(signs))


FUNCTIONS = (
    Function(
        "sales",
        (Sign.DEALS,),
        (
            _of("revenue", Sign.DEALS),
            _of("deals_won", Sign.DEALS),
            _of("win_rate", Sign.DEALS),
            _of("average_check", Sign.DEALS),
            _of("processing_time", Sign.DEALS),
            _of("repeat_sales_rate", Sign.DEALS),
            _of("funnel_conversion", Sign.DEALS),
        ),
    ),
    Function(
        "marketing",
        (Sign.LEADS, Sign.COSTS, Sign.CAMPAIGNS),
        (
            _of("leads_new", Sign.LEADS, Sign.DEALS),
            _of("lead_conversion", Sign.LEADS),
            _of("cac", Sign.COSTS),
            _of("channel_roi", Sign.COSTS),
            _of("engagement_rate", Sign.CAMPAIGNS),
            _of("click_rate", Sign.CAMPAIGNS),
            _of("site_visits", Sign.CAMPAIGNS),
        ),
    ),
    Function(
        "support",
        (Sign.CHATS, Sign.HELP_DESK, Sign.CALLS),
        (
            _of("first_response_time", Sign.CHATS, Sign.HELP_DESK),
            _of("csat", Sign.CHATS, Sign.HELP_DESK),
            _of("fcr", *CASES),
            _of("resolution_time", Sign.CHATS, Sign.HELP_DESK),
            _of("calls_missed_rate", Sign.CALLS),
            _of("cases", *CASES),
        ),
    ),
    Function(
        "projects",
        (Sign.TASKS, Sign.PROJECTS, Sign.HOURS),
        (
            _of("on_time_rate", *TASKS),
            _of("tasks_done", *TASKS),
            _of("rework_rate", *TASKS),
            _of("task_rating", *TASKS),
            _of("budget_deviation", Sign.HOURS),
            _of("utilization", Sign.HOURS),
            _of("resource_plan", *TASKS),
        ),
    ),
)


def home_of(org: Org, owned: Mapping[int, int]) -> int | None:
    """The department that does most of the work: the smallest one in whose hands enough of it is.

    owned: how many records each employee is responsible for. None where no department has enough of them.
    """
    total = sum(owned.values())
    if not total:
        return None
    found = []
    for department_id in org.departments:
        people = org.people(department_id)
        share = sum(number for user_id, number in owned.items() if user_id in people) / total
        if share >= HOME_SHARE:
            found.append((len(people), department_id))
    return min(found)[1] if found else None
