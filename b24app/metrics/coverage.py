"""How far the facts behind a KPI have been read. What was not read is never shown as 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum

from b24app.metrics.periods import Period


class Source(StrEnum):
    """What is read from the portal, by the names that the reader gives its sources."""

    DEALS = "deals"
    LEADS = "leads"
    STAGE_HISTORY = "stage_history"
    STAGES = "stages"
    CURRENCIES = "currencies"
    COSTS = "costs"  # entered in the app
    CAMPAIGNS = "campaigns"  # entered in the app
    ACTIVITIES = "activities"
    CALLS = "calls"
    TASKS = "tasks"
    TASK_HISTORY = "task_history"
    TIME_RECORDS = "time_records"
    BUDGETS = "budget_items"
    CASES = "cases"  # what an admin chose as support requests: chats, calls, tickets
    CASE_DETAILS = "case_details"  # … and what only their messages tell


class Reason(StrEnum):
    """Why a KPI has no value."""

    NO_RECORDS = "no_records"
    NOT_SYNCED = "not_synced"
    MISSING_SCOPE = "missing_scope"
    SOURCE_OFF = "source_off"
    NOT_PER_EMPLOYEE = "not_per_employee"


@dataclass(frozen=True, slots=True)
class Need:
    """A source that a KPI is computed from. `whole`: older records matter too, not only the period's."""

    source: Source
    whole: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """`covered_from`: everything from this local day on is read. `off`: why nothing is.

    `is_empty`: nothing was ever entered.
    """

    is_complete: bool = False
    is_empty: bool = False
    covered_from: date | None = None
    off: Reason | None = None


class Level(Enum):
    NONE = 0
    EMPTY = 1  # what is entered by hand never was: there is no value, and 0 would be a wrong one
    PARTLY = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a period is read, and if not all, why; `since` the first day that is, if it is partly."""

    level: Level
    reason: Reason | None = None
    since: date | None = None


FULL = Covered(Level.FULL)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The state of every source of a portal."""

    sources: Mapping[Source, SourceState] = field(default_factory=dict)

    def of(self, needs: Iterable[Need], period: Period) -> Covered:
        """What the least read of the needed sources allows to say about the period."""
        found = [self._of(need, period) for need in needs]
        worst = min(found, key=lambda covered: covered.level.value, default=FULL)
        if worst.level is not Level.PARTLY:
            return worst
        since = max(covered.since for covered in found if covered.since is not None)
        return Covered(Level.PARTLY, Reason.NOT_SYNCED, since)

    def _of(self, need: Need, period: Period) -> Covered:
        state = self.sources.get(need.source, SourceState())
        if state.off is not None:
            return Covered(Level.NONE, state.off)
        if state.is_empty:
            return Covered(Level.EMPTY, Reason.NO_RECORDS)
        if state.is_complete:
            return FULL
        if need.whole or state.covered_from is None or state.covered_from >= period.end:
            return Covered(Level.NONE, Reason.NOT_SYNCED)
        if state.covered_from <= period.start:
            return FULL
        return Covered(Level.PARTLY, Reason.NOT_SYNCED, state.covered_from)
