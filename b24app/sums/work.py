"""What the measures of tasks, hours, calls and CRM activities count, in SQL.

Indexes: `ix_tasks_closed`, `ix_tasks_deadline`, `ix_time_worked`, `ix_calls_started`,
`ix_activities_created`, `ix_activities_done`, `ix_activities_open`; what is bound to a deal is one probe of
the key of `activity_bindings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, exists, func, type_coerce

from b24app.facts.activities import EMAIL, MEETING, OUTGOING
from b24app.facts.deals import ENTITY_TYPE_ID as DEAL
from b24app.facts.tasks import DEFERRED
from b24app.metrics import measures
from b24app.metrics.measures import Cut, Measure, Table
from b24app.sums.kinds import NOW, Columns, Kind, PortalRecords, Records, Value
from b24app.tables import activities, activity_bindings, budget_items, calls, deals, tasks, time_records


def _cuts(owner: ColumnElement[Any], day: ColumnElement[Any], **more: ColumnElement[Any]) -> Columns:
    return {Cut.OWNER: (owner,), Cut.DAY: (day,), **{Cut(name): (column,) for name, column in more.items()}}


_time_of_task = time_records.outerjoin(
    tasks, and_(tasks.c.portal_id == time_records.c.portal_id, tasks.c.task_id == time_records.c.task_id)
)
_project_of_time = func.coalesce(tasks.c.project_id, 0)
_planned = type_coerce(budget_items.c.planned, BigInteger)
_actual = type_coerce(budget_items.c.actual, BigInteger)

RECORDS: Mapping[Table, Records] = {
    Table.TASKS_CLOSED: PortalRecords(
        kind=Kind.TASK,
        source=tasks,
        portal=tasks.c.portal_id,
        day=tasks.c.closed_day,
        at=tasks.c.closed_at,
        id=tasks.c.task_id,
        row_id=tasks.c.task_id,
        cuts=_cuts(tasks.c.owner_id, tasks.c.closed_day, project=tasks.c.project_id),
        project=tasks.c.project_id,
    ),
    Table.TASKS_DUE: PortalRecords(
        kind=Kind.TASK,
        source=tasks,
        portal=tasks.c.portal_id,
        day=tasks.c.deadline_day,
        at=tasks.c.deadline_at,
        id=tasks.c.task_id,
        row_id=tasks.c.task_id,
        cuts=_cuts(tasks.c.owner_id, tasks.c.deadline_day, project=tasks.c.project_id),
        project=tasks.c.project_id,
    ),
    Table.TIME_RECORDS: PortalRecords(
        kind=Kind.TIME_RECORD,
        source=_time_of_task,
        portal=time_records.c.portal_id,
        day=time_records.c.worked_day,
        at=time_records.c.worked_at,
        id=time_records.c.record_id,
        row_id=time_records.c.record_id,
        cuts=_cuts(time_records.c.owner_id, time_records.c.worked_day, project=_project_of_time),
        project=tasks.c.project_id,  # a record of a task that is not known is in no chosen project
        parent=time_records.c.task_id,
    ),
    Table.BUDGETS: PortalRecords(
        kind=Kind.ITEM,
        source=budget_items,
        portal=budget_items.c.portal_id,
        day=budget_items.c.closed_day,
        at=budget_items.c.closed_at,
        id=budget_items.c.item_id,
        row_id=budget_items.c.item_id,
        cuts=_cuts(budget_items.c.owner_id, budget_items.c.closed_day, category=budget_items.c.category_id),
        category=budget_items.c.category_id,
        whatever_pipeline=budget_items.c.entity_type_id != DEAL,
        currency=budget_items.c.currency,
        currency_of=budget_items.c.currency,
        amount=_planned,
        entity_type=budget_items.c.entity_type_id,
    ),
    Table.CALLS: PortalRecords(
        kind=Kind.CALL,
        source=calls,
        portal=calls.c.portal_id,
        day=calls.c.started_day,
        at=calls.c.started_at,
        id=calls.c.call_id,
        row_id=calls.c.call_id,
        cuts=_cuts(calls.c.owner_id, calls.c.started_day),
        client=calls.c.client,
    ),
    Table.MAILS: PortalRecords(
        kind=Kind.ACTIVITY,
        source=activities,
        portal=activities.c.portal_id,
        only=(activities.c.provider_id == EMAIL, activities.c.direction == OUTGOING),
        day=activities.c.created_day,
        at=activities.c.created_at,
        id=activities.c.activity_id,
        row_id=activities.c.activity_id,
        cuts=_cuts(activities.c.owner_id, activities.c.created_day),
        entity_type=activities.c.item_type_id,
        parent=activities.c.item_id,
    ),
    Table.ACTIVITIES_DONE: PortalRecords(
        kind=Kind.ACTIVITY,
        source=activities,
        portal=activities.c.portal_id,
        day=activities.c.done_day,
        at=activities.c.done_at,
        id=activities.c.activity_id,
        row_id=activities.c.activity_id,
        cuts=_cuts(activities.c.owner_id, activities.c.done_day),
        entity_type=activities.c.item_type_id,
        parent=activities.c.item_id,
    ),
    Table.ACTIVITIES_OPEN: PortalRecords(
        kind=Kind.ACTIVITY,
        source=activities,
        portal=activities.c.portal_id,
        only=(activities.c.is_completed.is_(False),),
        day=None,
        at=func.coalesce(activities.c.deadline_at, activities.c.created_at),
        id=activities.c.activity_id,
        row_id=activities.c.activity_id,
        cuts={Cut.OWNER: (activities.c.owner_id,)},
        entity_type=activities.c.item_type_id,
        parent=activities.c.item_id,
    ),
}

_every_task = tasks.c.task_id.is_not(None)
_has_estimate = tasks.c.estimate_s > 0
_is_over = tasks.c.deadline_at <= NOW
_is_deferred = tasks.c.status == DEFERRED
_is_due = and_(_is_over, ~_is_deferred)
_logged = time_records.c.seconds
_budget = budget_items.c.item_id.is_not(None)
_out = and_(calls.c.call_type.in_((1, 4)), calls.c.is_answered)
_incoming = calls.c.call_type.in_((2, 3))
_talk = and_(calls.c.call_type.in_((1, 2, 3, 4)), calls.c.is_answered)
_mail = activities.c.activity_id.is_not(None)

_next_step = (
    exists()
    .where(
        activity_bindings.c.portal_id == deals.c.portal_id,
        activity_bindings.c.item_type_id == DEAL,
        activity_bindings.c.item_id == deals.c.deal_id,
        activities.c.portal_id == activity_bindings.c.portal_id,
        activities.c.activity_id == activity_bindings.c.activity_id,
        activities.c.is_completed.is_(False),
    )
    .correlate(deals)
)
"""An open CRM activity that is bound to the deal."""

VALUES: Mapping[Measure, Value] = {
    measures.IDLE_DEALS: Value(and_(deals.c.semantics == "P", ~_next_step), semantics="P"),
    measures.TASKS_DONE: Value(_every_task),
    measures.ESTIMATED_TASKS: Value(_has_estimate),
    measures.NOT_ESTIMATED: Value(~_has_estimate),
    measures.ESTIMATED_SECONDS: Value(_has_estimate, tasks.c.estimate_s),
    measures.SPENT_SECONDS: Value(_has_estimate, tasks.c.spent_s),
    measures.CHECKED_TASKS: Value(tasks.c.was_returned.is_not(None)),
    measures.RETURNED_TASKS: Value(tasks.c.was_returned.is_(True)),
    measures.UNCHECKED_TASKS: Value(tasks.c.was_returned.is_(None)),
    measures.GOOD_MARKS: Value(tasks.c.mark == "P"),
    measures.BAD_MARKS: Value(tasks.c.mark == "N"),
    measures.NOT_MARKED: Value(tasks.c.mark.is_(None)),
    measures.TASKS_DUE: Value(_is_due),
    measures.TASKS_NOT_DUE: Value(~_is_over),
    measures.TASKS_DEFERRED: Value(and_(_is_over, _is_deferred)),
    measures.TASKS_ON_TIME: Value(and_(_is_due, tasks.c.closed_at <= tasks.c.deadline_at)),
    measures.PLANNED_TASKS: Value(_has_estimate),
    measures.NOT_PLANNED: Value(~_has_estimate),
    measures.PLANNED_SECONDS: Value(_has_estimate, tasks.c.estimate_s),
    measures.LOGGED_SECONDS: Value(_logged >= 0, _logged),
    measures.LOGGED_BACKWARDS: Value(_logged < 0),
    measures.BUDGETS: Value(_budget),
    measures.PLANNED_MONEY: Value(_budget, _planned),
    measures.ACTUAL_MONEY: Value(_budget, _actual),
    measures.CALLS_OUT: Value(_out),
    measures.CALLS_IN: Value(and_(_incoming, calls.c.is_answered)),
    measures.CALLS_MISSED: Value(and_(_incoming, ~calls.c.is_answered)),
    measures.TALK_SECONDS: Value(and_(_talk, calls.c.duration_s >= 0), calls.c.duration_s),
    measures.TALKS_BACKWARDS: Value(and_(_talk, calls.c.duration_s < 0)),
    measures.MAILS_SENT: Value(_mail),
    measures.MAILS_TRACKED: Value(activities.c.is_trackable),
    measures.MAILS_NOT_TRACKED: Value(~activities.c.is_trackable),
    measures.MAILS_OPENED: Value(activities.c.is_opened),
    measures.ACTIVITIES_DONE: Value(_mail),
    measures.MEETINGS_HELD: Value(and_(activities.c.type_id == MEETING, activities.c.end_at.is_not(None))),
    measures.ACTIVITIES_OVERDUE: Value(activities.c.deadline_at < NOW),
}
