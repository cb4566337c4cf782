"""Conversion by stage: how far the deals created in the period have come, pipeline by pipeline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import (
    COHORT_DEALS,
    COHORT_OPEN,
    COHORT_WON,
    LEADS_CONVERTED,
    LEADS_CREATED,
    Cut,
)
from b24app.metrics.metric import Better, By, Group, Metric, Reference, Stage, Step, Unit
from b24app.metrics.sums import Cell

LEADS_STEP = "lead:created"
CONVERTED_STEP = "lead:converted"


def steps(
    cells: Sequence[Cell], reference: Reference, chosen: frozenset[int] | None, uses_leads: bool
) -> list[Step]:
    """Lead steps, then for every pipeline its stages in progress in order and the won one."""
    rows = _lead_steps(cells) if uses_leads else []
    cohorts: defaultdict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.category is not None and COHORT_DEALS in cell.sums:
            cohorts[cell.category].append(cell)
    known = [pipeline.category_id for pipeline in reference.pipelines]
    for category in (*known, *sorted(cohorts.keys() - set(known))):
        if chosen is None or category in chosen:
            stages = [stage for stage in reference.stages if stage.category_id == category]
            rows += _pipeline_steps(category, stages, cohorts[category])
    return rows


def _lead_steps(cells: Iterable[Cell]) -> list[Step]:
    created = converted = 0
    for cell in cells:
        created += cell.count(LEADS_CREATED)
        converted += cell.count(LEADS_CONVERTED)
    return [Step(LEADS_STEP, created, None), Step(CONVERTED_STEP, converted, created)]


def _pipeline_steps(category: int, stages: Sequence[Stage], cohort: Iterable[Cell]) -> list[Step]:
    in_progress = [stage for stage in stages if stage.semantics == "P"]
    sorts = {stage.stage_id: stage.sort for stage in in_progress}
    deals = won = 0
    furthest: Counter[str] = Counter()  # the stage itself, for deals that are not won
    for cell in cohort:
        deals += cell.count(COHORT_DEALS)
        won += cell.count(COHORT_WON)
        still_open = cell.count(COHORT_OPEN)
        lost = cell.count(COHORT_DEALS) - cell.count(COHORT_WON) - still_open
        # Where a deal in progress stands counts like its history; where a lost one stands does not.
        for count, shown in ((still_open, (cell.reached, cell.stage)), (lost, (cell.reached,))):
            best = max((s for s in shown if s in sorts), key=lambda s: sorts[s], default=None)
            if best is not None:
                furthest[best] += count
    rows = []
    previous = deals
    for stage in in_progress:
        reached = won + sum(
            count
            for stage_id, count in furthest.items()
            if stage_id == stage.stage_id or sorts[stage_id] > stage.sort
        )
        rows.append(_step(stage.key, reached, previous, deals))
        previous = reached
    rows.append(_step(_won_key(category, stages), won, previous, deals))
    return rows


def _step(key: str, reached: int, previous: int, deals: int) -> Step:
    return Step(key, reached, previous, Fraction(reached, deals) if deals else None)


def _won_key(category: int, stages: Iterable[Stage]) -> str:
    """The won stage; the portal's usual name for it where the pipeline is not known any more."""
    usual = "WON" if category == 0 else f"C{category}:WON"
    found = next((stage.stage_id for stage in stages if stage.semantics == "S"), usual)
    return f"stage:{category}:{found}"


FUNNEL = Metric(
    key="funnel",
    group=Group.SALES,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((COHORT_WON,)), Count((COHORT_DEALS,))),
    needs=(
        Need(Source.DEALS),
        Need(Source.STAGE_HISTORY),
        Need(Source.STAGES, whole=True),
        Need(Source.LEADS),
    ),
    by=frozenset({By.STAGE}),
    steps=steps,
    step_measures=(COHORT_OPEN, LEADS_CREATED, LEADS_CONVERTED),
    step_cuts=frozenset({Cut.CATEGORY, Cut.STAGE, Cut.REACHED}),
)
