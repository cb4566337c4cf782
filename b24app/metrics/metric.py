"""What a KPI is made of. Its texts are in `translations` under its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Shape, Sum
from b24app.metrics.measures import PRESENT, Cut, Measure, Table
from b24app.metrics.sums import Cell
from b24app.scope import Whose


class Group(StrEnum):
    SALES = "sales"
    MARKETING = "marketing"
    SUPPORT = "support"
    PROJECTS = "projects"
    ACTIVITY = "activity"


class Unit(StrEnum):
    """What a value is counted in; texts say it in words ("deals", "%")."""

    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    SECONDS = "seconds"


class Better(StrEnum):
    UP = "up"
    DOWN = "down"
    NEAR_100 = "near_100"  # 100 % is best, more is as bad as less
    NEITHER = "none"


class Origin(StrEnum):
    """Where a number comes from: read from the portal, derived from something near it, or entered."""

    NATIVE = "native"
    PROXY = "proxy"
    MANUAL = "manual"


class By(StrEnum):
    """What a value can be split into rows by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    USER = "user"
    DEPARTMENT = "department"
    PIPELINE = "pipeline"
    STAGE = "stage"
    CHANNEL = "channel"
    PROJECT = "project"
    SUPPORT_SOURCE = "support_source"


TIMES = frozenset({By.DAY, By.WEEK, By.MONTH})
PEOPLE = frozenset({By.USER, By.DEPARTMENT})
ADDITIVE = TIMES | PEOPLE
"""What every KPI of dated records can be split by."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a deal pipeline; `semantics` P in progress, S success, F failure."""

    category_id: int
    stage_id: str
    name: str
    sort: int
    semantics: str

    @property
    def key(self) -> str:
        return f"stage:{self.category_id}:{self.stage_id}"


@dataclass(frozen=True, slots=True)
class Pipeline:
    category_id: int
    name: str
    sort: int

    @property
    def key(self) -> str:
        return f"pipeline:{self.category_id}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Names and order of what the portal's records refer to. Pipelines and stages in order."""

    pipelines: tuple[Pipeline, ...] = ()
    stages: tuple[Stage, ...] = ()
    source_names: Mapping[str, str] = field(default_factory=dict)
    project_names: Mapping[int, str] = field(default_factory=dict)
    process_titles: Mapping[int, str] = field(default_factory=dict)
    """Of the smart processes that serve as help desks, by entity type."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a portal works, as far as that changes what its KPIs are made of."""

    uses_leads: bool = True
    has_money_budget: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a KPI that is a table. `of_cohort`: share of all that set out, None for lead steps."""

    key: str
    numerator: int
    denominator: int | None
    of_cohort: Fraction | None = None


Steps = Callable[[Sequence[Cell], Reference, frozenset[int] | None, bool], list[Step]]
"""(cells, reference, chosen pipelines, whether the portal uses leads) → rows in order."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One KPI. `by`: what it can be split by. `per`: for whom it exists.

    `left_out`: reasons why records are left out, each with the measure that counts them; no record has two.
    `steps`: of a KPI whose rows are a table of their own; `step_cuts`: what it keeps apart for that,
    `step_measures`: what it reads besides. `without_leads`: the shape in portals without leads;
    `with_budget` and `needs_with_budget`: where an admin chose fields that hold a money budget.
    `awaits`: counts records whose part in it is not known yet: while there are any, it is provisional.
    `moves_with_time`: it can change without any change on the portal, as when a deadline passes.
    """

    key: str
    group: Group
    unit: Unit
    better: Better
    shape: Shape
    needs: tuple[Need, ...]
    by: frozenset[By]
    left_out: tuple[tuple[str, Measure], ...] = ()
    origin: Origin = Origin.NATIVE
    rest_scopes: tuple[str, ...] = ("crm",)
    per: tuple[Whose, ...] = (Whose.USER, Whose.DEPARTMENT, Whose.COMPANY)
    without_leads: Shape | None = None
    with_budget: Shape | None = None
    needs_with_budget: tuple[Need, ...] = ()
    awaits: Measure | None = None
    moves_with_time: bool = False
    steps: Steps | None = None
    step_measures: tuple[Measure, ...] = ()
    step_cuts: frozenset[Cut] = frozenset()

    @property
    def is_snapshot(self) -> bool:
        """True for a KPI of the present state, which has no period."""
        return all(measure.table in PRESENT for measure in self.shape.measures)

    @property
    def adds_up(self) -> bool:
        """True for counts and sums: their targets add up over months and people."""
        return isinstance(self.shape, Sum)

    @property
    def by_channel(self) -> bool:
        """True where the sums must be kept apart by channel, whatever the value is split by."""
        return any(term.by_channel for term in self.shape.terms)

    def words_in(self, ways: Ways) -> str:
        """Under which of its tables in the translations its texts for this portal are."""
        if self.with_budget is not None and ways.has_money_budget:
            return "with_budget"
        return "without_leads" if self.without_leads is not None and not ways.uses_leads else "text"

    def shape_in(self, ways: Ways) -> Shape:
        """The arithmetic on this portal: without leads a deal counts as one."""
        if self.with_budget is not None and ways.has_money_budget:
            return self.with_budget
        return self.shape if ways.uses_leads or self.without_leads is None else self.without_leads

    def left_out_in(self, ways: Ways) -> tuple[tuple[str, Measure], ...]:
        """Why this portal's records are left out; an item with a money budget lacks at most a rate."""
        return () if self.with_budget is not None and ways.has_money_budget else self.left_out

    def measures_in(self, ways: Ways) -> frozenset[Measure]:
        """Everything to sum for this KPI on this portal."""
        found = {*self.shape_in(ways).measures, *self.step_measures}
        found.update(measure for _, measure in self.left_out_in(ways))
        if self.awaits is not None:
            found.add(self.awaits)
        return frozenset(m for m in found if ways.uses_leads or m.table is not Table.LEADS)

    def needs_in(self, ways: Ways) -> tuple[Need, ...]:
        """The sources behind this KPI on this portal."""
        if self.with_budget is not None and ways.has_money_budget:
            return self.needs_with_budget
        if ways.uses_leads:
            return self.needs
        rest = tuple(need for need in self.needs if need.source is not Source.LEADS)
        return rest or (Need(Source.DEALS),)
