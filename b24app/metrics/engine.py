"""From a question to sums, and from sums to the answer. Pure: the sums are read between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cache, partial

from b24app.metrics import periods
from b24app.metrics.context import Context
from b24app.metrics.coverage import FULL, Covered, Level, Reason
from b24app.metrics.kinds import Outcome, Ratio, Shape
from b24app.metrics.measures import ENTERED, PRESENT, Cut, Measure, Table
from b24app.metrics.metric import PEOPLE, TIMES, By, Metric
from b24app.metrics.periods import Grain, Period
from b24app.metrics.plans import Fact, Standing, scope_of, stand
from b24app.metrics.query import KpiQuery
from b24app.metrics.sums import Cell, SumsQuery, Totals
from b24app.scope import Scope, Whose

CUTS: Mapping[By, frozenset[Cut]] = {
    By.DAY: frozenset({Cut.DAY}),
    By.WEEK: frozenset({Cut.DAY}),
    By.MONTH: frozenset({Cut.MONTH}),
    By.USER: frozenset({Cut.OWNER}),
    By.DEPARTMENT: frozenset({Cut.OWNER, Cut.TAGGED_DEPARTMENT}),
    By.PIPELINE: frozenset({Cut.CATEGORY}),
    By.STAGE: frozenset({Cut.CATEGORY, Cut.STAGE}),
    By.CHANNEL: frozenset({Cut.CHANNEL, Cut.ENTERED_CHANNEL}),
    By.PROJECT: frozenset({Cut.PROJECT}),
    By.SUPPORT_SOURCE: frozenset({Cut.SUPPORT_SOURCE}),
}
"""What must be kept apart for the rows; what a table does not offer does not touch it."""


@dataclass(frozen=True, slots=True)
class Reads:
    """The sums to read: of the period, and of the days it is compared with.

    `kept`: the present state of past days, for the trend of a KPI that has no period.
    """

    now: tuple[SumsQuery, ...]
    before: tuple[SumsQuery, ...] = ()
    before_period: Period | None = None
    kept: tuple[SumsQuery, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Records that a rule keeps out of the number; `currency` of those without a rate."""

    reason: str
    count: int
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One part of a value. `before` and `change` mean something only where parts `is_compared`.

    `standing`: of parts that can have a target of their own.
    """

    key: str
    value: Fraction | None
    numerator: Fraction | None = None
    denominator: Fraction | None = None
    few_data: bool = False
    share: Fraction | None = None
    is_compared: bool = False
    before: Fraction | None = None
    change: Fraction | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class KpiValue:
    """One answered KPI. `value` None: `reason` says why. `since`: first day read, where not all is."""

    metric: Metric
    shape: Shape
    value: Fraction | None
    numerator: Fraction | None = None
    denominator: Fraction | None = None
    reason: Reason | None = None
    is_provisional: bool = False
    few_data: bool = False
    before: Fraction | None = None
    change: Fraction | None = None
    since: date | None = None
    left_out: tuple[LeftOut, ...] = ()
    rows: tuple[Row, ...] | None = None
    standing: Standing = field(default_factory=Standing)


def reads(query: KpiQuery, context: Context) -> Reads:
    """The sums that answer the question: one query per table and period, however many KPIs are asked."""
    now = _queries(query, context, query.metrics, query.period)
    kept = _kept_queries(now) if query.by in TIMES else ()
    if query.compare is None:
        return Reads(now, kept=kept)
    earlier = periods.before(query.period, context.today, query.compare)
    if earlier is None:
        return Reads(now, kept=kept)
    dated = [metric for metric in query.metrics if not metric.is_snapshot]
    comparing = replace(query, by=query.by if _compares_rows(query) else None)
    return Reads(now, _queries(comparing, context, dated, earlier), earlier, kept)


def answer(
    query: KpiQuery,
    context: Context,
    wanted: Reads,
    now: Sequence[Cell],
    before: Sequence[Cell],
    kept: Sequence[Cell] = (),
) -> list[KpiValue]:
    """Every asked KPI, in the asked order. `now`, `before`, `kept`: the cells of all queries in `wanted`."""
    present = _Folded(query, context, now)
    earlier = _Folded(query, context, before)
    days = _Kept(kept)
    return [_value(metric, query, context, wanted, present, earlier, days) for metric in query.metrics]


def owners_of(query: KpiQuery, context: Context) -> frozenset[int] | None:
    """Whose records count in the scope; None for the company: nobody's records count there too."""
    if query.scope.whose is Whose.COMPANY:
        return None
    assert query.scope.id is not None  # noqa: S101  only the company has no id
    if query.scope.whose is Whose.DEPARTMENT:
        return context.org.people(query.scope.id)
    return frozenset({query.scope.id})


def departments_of(query: KpiQuery, context: Context) -> frozenset[int] | None:
    """Whose entered records count in the scope: those of the department and of all below it, for an employee
    none. None for the company: what was entered without a department counts there too.
    """
    if query.scope.whose is Whose.COMPANY:
        return None
    return frozenset(_departments_in(query, context))


def _queries(
    query: KpiQuery, context: Context, metrics: Iterable[Metric], period: Period
) -> tuple[SumsQuery, ...]:
    measures: dict[Table, set[Measure]] = {}
    cuts: dict[Table, set[Cut]] = {}
    by_cuts = frozenset() if query.by is None else CUTS[query.by]
    for metric in metrics:
        if query.scope.whose not in metric.per:
            continue
        own_cuts = by_cuts | metric.step_cuts | (CUTS[By.CHANNEL] if metric.by_channel else frozenset())
        for measure in metric.measures_in(context.ways):
            measures.setdefault(measure.table, set()).add(measure)
            cuts.setdefault(measure.table, set()).update(own_cuts)
    owners = owners_of(query, context)
    departments = departments_of(query, context)
    return tuple(
        SumsQuery(
            table=table,
            measures=frozenset(measures[table]),
            period=period,
            owners=None if table in ENTERED else owners,
            categories=context.categories if Cut.CATEGORY in OFFERED[table] else None,
            departments=departments if table in ENTERED else None,
            projects=context.projects if Cut.PROJECT in OFFERED[table] else None,
            now=context.now,
            cuts=frozenset(cuts[table]) & OFFERED[table],
        )
        for table in Table
        if table in measures
    )


def _kept_queries(now: Iterable[SumsQuery]) -> tuple[SumsQuery, ...]:
    return tuple(replace(query, cuts=frozenset({Cut.DAY})) for query in now if query.table in PRESENT)


_TIME_CUTS = frozenset({Cut.DAY, Cut.MONTH})
_DEAL_CUTS = _TIME_CUTS | frozenset({Cut.OWNER, Cut.CATEGORY, Cut.STAGE, Cut.CHANNEL})
_ENTERED_CUTS = _TIME_CUTS | frozenset({Cut.ENTERED_CHANNEL, Cut.TAGGED_DEPARTMENT})
_WORK_CUTS = _TIME_CUTS | frozenset({Cut.OWNER})

OFFERED: Mapping[Table, frozenset[Cut]] = {
    Table.WON_LOST: _DEAL_CUTS,
    Table.COHORT: _DEAL_CUTS | {Cut.REACHED},
    Table.OPEN: _DEAL_CUTS - _TIME_CUTS,
    Table.STAYS: _DEAL_CUTS,
    Table.LEADS: _WORK_CUTS | {Cut.CHANNEL},
    Table.COSTS: _ENTERED_CUTS,
    Table.CAMPAIGNS: _ENTERED_CUTS,
    Table.TASKS_CLOSED: _WORK_CUTS | {Cut.PROJECT},
    Table.TASKS_DUE: _WORK_CUTS | {Cut.PROJECT},
    Table.TIME_RECORDS: _WORK_CUTS | {Cut.PROJECT},
    Table.CAPACITY: _WORK_CUTS,
    Table.BUDGETS: _WORK_CUTS | {Cut.CATEGORY},
    Table.CALLS: _WORK_CUTS,
    Table.MAILS: _WORK_CUTS,
    Table.ACTIVITIES_DONE: _WORK_CUTS,
    Table.CASES_OPENED: _WORK_CUTS | {Cut.SUPPORT_SOURCE},
    Table.CASES_CLOSED: _WORK_CUTS | {Cut.SUPPORT_SOURCE},
    Table.ACTIVITIES_OPEN: frozenset({Cut.OWNER}),
}
"""What the records of a table can be kept apart by; other cuts do not touch it."""


def _compares_rows(query: KpiQuery) -> bool:
    return query.by is not None and query.by not in TIMES


class _Folded:
    """Cells added up: all of them, and by the key of every row that they belong to."""

    def __init__(self, query: KpiQuery, context: Context, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.total = Totals()
        self.rows: dict[str, Totals] = {}
        self.days: dict[str, set[date]] = {}
        channels = _Channels(context)
        keys_of = _keys(query, context, channels)
        by_channel = any(metric.by_channel for metric in query.metrics)
        for cell in cells:
            channel = channels.of(cell) if by_channel else None
            self.total.add(cell, channel)
            for key in keys_of(cell):
                self.rows.setdefault(key, Totals()).add(cell, channel)

    def row(self, key: str) -> Totals:
        return self.rows.get(key) or Totals()

    def filled(self, own: Iterable[Measure]) -> set[str]:
        """The rows in which one of the measures has anything: those of one KPI, whatever else was asked."""
        taken = tuple(own)
        return {key for key, totals in self.rows.items() if any(totals.of(measure) for measure in taken)}


class _Kept:
    """What was kept of the present state of past days. A cell without an owner only says that a measure was
    taken down on its day: nothing of it is a value too."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._totals: dict[date, Totals] = {}
        self._taken: dict[Measure, set[date]] = {}
        for cell in cells:
            assert cell.day is not None  # noqa: S101  asked for by `_kept_queries`
            self._totals.setdefault(cell.day, Totals()).add(cell)
            for measure in cell.sums:
                self._taken.setdefault(measure, set()).add(cell.day)

    def last_in(self, piece: Period, measures: Iterable[Measure]) -> Totals | None:
        """The sums of the last day of the piece on which all the measures were taken down, if any."""
        days = set.intersection(*(self._taken.get(measure, set()) for measure in measures))
        last = max((day for day in days if day in piece), default=None)
        return None if last is None else self._totals[last]


class _Channels:
    """The channels of cells, each found by the rules once."""

    def __init__(self, context: Context) -> None:
        self._found = cache(context.channel)

    def of(self, cell: Cell) -> str:
        return cell.channel or self._found(cell.utm_source, cell.source_id)


def _keys(query: KpiQuery, context: Context, channels: _Channels) -> Callable[[Cell], Iterable[str]]:
    """To which rows a cell belongs."""
    by = query.by
    if by in TIMES:
        grain = Grain(by)
        today = context.today
        # A cell of the present state has no day: it is today's.
        return lambda cell: (periods.piece_key(cell.day or today, grain),)
    if by is By.USER:
        employees = context.org.employees() | _self(query)
        return lambda cell: (f"user:{cell.owner}",) if cell.owner in employees else ()
    if by is By.DEPARTMENT:
        homes, above = _departments_of(query, context), _departments_above(query, context)
        return lambda cell: (
            homes.get(cell.owner or 0, ()) if cell.department is None else above.get(cell.department, ())
        )
    if by is By.PIPELINE:
        return lambda cell: (f"pipeline:{cell.category}",)
    if by is By.STAGE:
        return lambda cell: (f"stage:{cell.category}:{cell.stage}",)
    if by is By.CHANNEL:
        return lambda cell: (f"channel:{channels.of(cell)}",)
    if by is By.PROJECT:
        return lambda cell: (f"project:{cell.project or 0}",)
    if by is By.SUPPORT_SOURCE:
        return lambda cell: (_support_key(cell),)
    return lambda cell: ()


def _support_key(cell: Cell) -> str:
    """Chats and calls are one source each, the help desks of an entity type another."""
    entity_type = f":{cell.entity_type}" if cell.entity_type else ""
    return f"support_source:{cell.support_source}{entity_type}"


def _self(query: KpiQuery) -> frozenset[int]:
    """Somebody who asks for their own numbers before the employees are read is a row too."""
    if query.scope.whose is Whose.USER and query.scope.id is not None:
        return frozenset({query.scope.id})
    return frozenset()


def _departments_in(query: KpiQuery, context: Context) -> tuple[int, ...]:
    """The departments of the scope, parents before children; an employee has none."""
    org = context.org
    if query.scope.whose is Whose.DEPARTMENT and query.scope.id is not None:
        return org.subtree(query.scope.id)
    if query.scope.whose is Whose.COMPANY:
        return tuple(dict.fromkeys(inner for root in org.roots() for inner in org.subtree(root)))
    return ()


def _departments_of(query: KpiQuery, context: Context) -> dict[int, tuple[str, ...]]:
    """For every employee the row keys of the departments that they count in, each once."""
    homes: dict[int, list[str]] = {}
    for department_id in _departments_in(query, context):
        for user_id in context.org.people(department_id):
            homes.setdefault(user_id, []).append(f"department:{department_id}")
    return {user_id: tuple(keys) for user_id, keys in homes.items()}


def _departments_above(query: KpiQuery, context: Context) -> dict[int, tuple[str, ...]]:
    """For every department the row keys of itself and of the departments above it, within the scope."""
    above: dict[int, list[str]] = {}
    for department_id in _departments_in(query, context):
        for inner in context.org.subtree(department_id):
            above.setdefault(inner, []).append(f"department:{department_id}")
    return {department_id: tuple(keys) for department_id, keys in above.items()}


def _value(
    metric: Metric,
    query: KpiQuery,
    context: Context,
    wanted: Reads,
    now: _Folded,
    before: _Folded,
    kept: _Kept,
) -> KpiValue:
    shape = metric.shape_in(context.ways)
    needs = metric.needs_in(context.ways)
    nothing = partial(KpiValue, metric, shape, None, rows=_no_rows(metric, query))
    if query.scope.whose not in metric.per:
        standing = _Judge(metric, query, context).of_scope(None)
        return nothing(reason=Reason.NOT_PER_EMPLOYEE, standing=standing)
    covered = context.coverage.of(needs, query.period)
    judge = _Judge(metric, query, context, covered.since)
    if covered.level is Level.NONE:
        return nothing(reason=covered.reason, standing=judge.of_scope(None))
    outcome, reason = _judged(shape.outcome(now.total, context.rates), covered)
    is_awaited = metric.awaits is not None and now.total.of(metric.awaits) > 0
    if is_awaited and outcome.value is None:
        reason = Reason.NOT_SYNCED
    is_compared = wanted.before_period is not None and not metric.is_snapshot
    earlier: Fraction | None = None
    rows_comparable = False
    if is_compared and wanted.before_period is not None:
        known = context.coverage.of(needs, wanted.before_period).level is Level.FULL
        if known and covered.level is Level.FULL:
            earlier = shape.outcome(before.total, context.rates).value
            rows_comparable = _compares_rows(query) and metric.steps is None
    few_data = _is_few(shape, outcome, context)
    comparable = before if rows_comparable else None
    return KpiValue(
        metric,
        shape,
        value=outcome.value,
        numerator=outcome.numerator,
        denominator=outcome.denominator,
        reason=reason,
        is_provisional=(covered.level is Level.PARTLY or is_awaited) and outcome.value is not None,
        few_data=few_data,
        before=earlier,
        change=_change(outcome.value, earlier),
        since=covered.since,
        left_out=_left_out(metric, shape, now.total, context),
        rows=_rows(metric, shape, query, context, covered, now, comparable, kept, judge),
        standing=judge.of_scope(outcome.value, few_data),
    )


def _judged(outcome: Outcome, covered: Covered) -> tuple[Outcome, Reason | None]:
    """The outcome as far as it may be said: what is not read is never 0, and nobody's data has a reason."""
    if covered.level is Level.NONE:
        return Outcome(None), covered.reason
    if covered.level is Level.EMPTY:
        return replace(outcome, value=None), covered.reason
    if covered.level is Level.PARTLY and not outcome.value and not outcome.denominator:
        return Outcome(None), Reason.NOT_SYNCED
    return outcome, Reason.NO_RECORDS if outcome.value is None else None


def _is_few(shape: Shape, outcome: Outcome, context: Context) -> bool:
    if not isinstance(shape, Ratio) or outcome.sample is None:
        return False
    return outcome.sample < (context.min_mean if shape.is_mean else context.min_ratio)


def _change(value: Fraction | None, before: Fraction | None) -> Fraction | None:
    if value is None or not before:
        return None
    return (value - before) / abs(before)


def _left_out(metric: Metric, shape: Shape, totals: Totals, context: Context) -> tuple[LeftOut, ...]:
    counts: Counter[tuple[str, str | None]] = Counter()
    for term in shape.terms:
        counts |= term.left_out(totals, context.rates)
    for reason, measure in metric.left_out_in(context.ways):
        counts[reason, None] += int(totals.of(measure))
    order = sorted(counts.items(), key=lambda item: (item[0][1] is None, item[0][1] or "", item[0][0]))
    return tuple(LeftOut(reason, count, code) for (reason, code), count in order if count)


def _no_rows(metric: Metric, query: KpiQuery) -> tuple[Row, ...] | None:
    return () if query.by is not None or metric.steps is not None else None


def _rows(
    metric: Metric,
    shape: Shape,
    query: KpiQuery,
    context: Context,
    covered: Covered,
    now: _Folded,
    before: _Folded | None,
    kept: _Kept,
    judge: _Judge,
) -> tuple[Row, ...] | None:
    if metric.steps is not None:
        return _step_rows(metric, context, now)
    if query.by is None:
        return None
    found: list[Row] = []
    for key, piece in _row_keys(metric, query, context, now):
        part, totals = covered, now.row(key)
        if piece is not None and metric.is_snapshot and context.today not in piece:
            part, totals = _kept_in(kept, piece, shape)
        elif piece is not None:
            part = context.coverage.of(metric.needs_in(context.ways), piece)
        outcome, _ = _judged(shape.outcome(totals, context.rates), part)
        earlier = None if before is None else shape.outcome(before.row(key), context.rates).value
        few_data = _is_few(shape, outcome, context)
        found.append(
            Row(
                key,
                outcome.value,
                outcome.numerator,
                outcome.denominator,
                few_data,
                is_compared=before is not None,
                before=earlier,
                change=_change(outcome.value, earlier),
                standing=judge.of_row(key, outcome.value, few_data),
            )
        )
    return tuple(found)


def _kept_in(kept: _Kept, piece: Period, shape: Shape) -> tuple[Covered, Totals]:
    """The state at the end of a past piece, as far as it was taken down then."""
    found = kept.last_in(piece, shape.measures)
    return (Covered(Level.NONE, Reason.NOT_SYNCED), Totals()) if found is None else (FULL, found)


def _step_rows(metric: Metric, context: Context, now: _Folded) -> tuple[Row, ...]:
    assert metric.steps is not None  # noqa: S101  asked by the only caller
    steps = metric.steps(now.cells, context.reference, context.categories, context.uses_leads)
    rows = []
    for step in steps:
        top = Fraction(step.numerator)
        bottom = None if step.denominator is None else Fraction(step.denominator)
        outcome = Outcome(top / bottom if bottom else None, top, bottom)
        few = bottom is not None and bottom < context.min_ratio
        rows.append(Row(step.key, outcome.value, top, bottom, few, share=step.of_cohort))
    return tuple(rows)


def _row_keys(
    metric: Metric, query: KpiQuery, context: Context, now: _Folded
) -> list[tuple[str, Period | None]]:
    """The rows in order: those that must stand there even when empty, then what the records add.

    Pieces of time carry their days; pieces that have not begun are left out unless records are in them.
    """
    by, filled = query.by, now.filled(metric.measures_in(context.ways))
    if by in TIMES:
        grain = Grain(by)
        cut = [(periods.piece_key(p.start, grain), p) for p in periods.pieces(query.period, grain)]
        return [(key, p) for key, p in cut if p.start <= context.today or key in filled]
    return [(key, None) for key in _named_keys(query, context, filled)]


def _named_keys(query: KpiQuery, context: Context, filled: set[str]) -> list[str]:
    if query.by is By.USER:
        owners = owners_of(query, context)
        people = context.org.employees() | _self(query) if owners is None else owners
        users = context.org.users
        return [
            key
            for user_id in sorted(people)
            if (key := f"user:{user_id}") in filled or user_id not in users or users[user_id].is_active
        ]
    if query.by is By.DEPARTMENT:
        return [f"department:{department_id}" for department_id in _departments_in(query, context)]
    if query.by is By.PIPELINE:
        known = [p.key for p in context.reference.pipelines if _counts(p.category_id, context)]
        return known + sorted(filled - set(known))
    if query.by is By.STAGE:
        stages = [s.key for s in context.reference.stages if _counts(s.category_id, context)]
        return [key for key in stages if key in filled] + sorted(filled - set(stages))
    if query.by is By.PROJECT:
        return sorted(filled, key=lambda key: int(key.partition(":")[2]))
    return sorted(filled)


def _counts(category_id: int, context: Context) -> bool:
    return context.categories is None or category_id in context.categories


class _Judge:
    """Lays one KPI's values beside targets; `since`: the first day read, where not all is."""

    def __init__(self, metric: Metric, query: KpiQuery, context: Context, since: date | None = None) -> None:
        self._query, self._context, self._since = query, context, since
        self._fact = partial(
            Fact,
            metric=metric.key,
            better=metric.better,
            adds_up=metric.adds_up,
            is_snapshot=metric.is_snapshot,
        )

    def of_scope(self, value: Fraction | None, few_data: bool = False) -> Standing:
        """Of the whole scope and period."""
        return self._stand(self._query.scope, self._query.period, value, few_data)

    def of_row(self, key: str, value: Fraction | None, few_data: bool) -> Standing | None:
        """Of a part that can have a target: a person, a department, a month; None for other parts."""
        whose = _planned_part(key, self._query)
        return None if whose is None else self._stand(*whose, value, few_data)

    def _stand(self, scope: Scope, period: Period, value: Fraction | None, few_data: bool) -> Standing:
        is_whole = self._since is None or self._since <= period.start
        fact = self._fact(value=value, few_data=few_data, is_whole=is_whole)
        context = self._context
        return stand(fact, scope, period, context.today, context.org, context.planning)


def _planned_part(key: str, query: KpiQuery) -> tuple[Scope, Period] | None:
    """Whose target, and of which days, a row has; None for parts that have none."""
    if query.by in PEOPLE:
        scope = scope_of(key)
        return None if scope is None else (scope, query.period)
    if query.by is By.MONTH:
        month = date.fromisoformat(f"{key}-01")
        end = min(periods.shift_months(month, 1), query.period.end)
        return query.scope, Period(max(month, query.period.start), end)
    return None
