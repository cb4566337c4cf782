"""Measures: the numbers that add up over employees and days. What each sums in SQL: `sums/`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Table(StrEnum):
    """A kind of record and the day that it is counted on; all measures of one are read in one go."""

    WON_LOST = "won_lost"  # deals by the day they were moved to their final stage
    COHORT = "cohort"  # deals by the day they were created
    OPEN = "open"  # deals in progress now; no day
    STAYS = "stays"  # stays of deals in a stage by the day they ended
    LEADS = "leads"  # leads by the day they were created
    COSTS = "costs"  # marketing costs, spread evenly over their days
    CAMPAIGNS = "campaigns"  # results of campaigns by their day
    TASKS_CLOSED = "tasks_closed"  # completed tasks by the day they were closed
    TASKS_DUE = "tasks_due"  # tasks by the day of their deadline
    TIME_RECORDS = "time_records"  # hours logged on tasks by the day worked
    CAPACITY = "capacity"  # working time of employees by day
    BUDGETS = "budgets"  # items with a money budget by the day they were closed
    CALLS = "calls"  # calls by the day they began
    MAILS = "mails"  # outgoing CRM e-mails by the day they were created
    ACTIVITIES_DONE = "activities_done"  # completed CRM activities by the day of completion
    CASES_OPENED = "cases_opened"  # support requests by the day they were opened
    CASES_CLOSED = "cases_closed"  # support requests by the day they were closed
    ACTIVITIES_OPEN = "activities_open"  # CRM activities that are not completed now; no day


class Cut(StrEnum):
    """What sums can be kept apart by."""

    OWNER = "owner"
    DAY = "day"
    MONTH = "month"  # where the records of a month are not kept apart by more
    CATEGORY = "category"
    STAGE = "stage"
    REACHED = "reached"
    CHANNEL = "channel"
    ENTERED_CHANNEL = "entered_channel"  # as it was entered, not found by the rules
    TAGGED_DEPARTMENT = "tagged_department"  # the one that was entered, not the owner's
    PROJECT = "project"
    SUPPORT_SOURCE = "support_source"  # where a support request came from


PRESENT = frozenset({Table.OPEN, Table.ACTIVITIES_OPEN})
"""The present state: these records have no day; a value of each day is kept for the trend."""

ENTERED = frozenset({Table.COSTS, Table.CAMPAIGNS})
"""Entered in the app: they belong to a department or to the company only, never to an employee."""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """There is one object of each, and it is told apart from the others by that alone.

    `is_money`: whole ten-thousandths of a currency; otherwise a count or seconds.
    """

    key: str
    table: Table
    is_money: bool = False


DEALS_WON = Measure("deals_won", Table.WON_LOST)
WON_AMOUNT = Measure("won_amount", Table.WON_LOST, is_money=True)
DEALS_LOST = Measure("deals_lost", Table.WON_LOST)
PROCESSED = Measure("processed", Table.WON_LOST)
"""Won deals whose time from the first contact is not negative."""
PROCESSING_SECONDS = Measure("processing_seconds", Table.WON_LOST)
PROCESSED_BACKWARDS = Measure("processed_backwards", Table.WON_LOST)
CLIENT_WON = Measure("client_won", Table.WON_LOST)
"""Won deals with a known client."""
CLIENT_UNKNOWN = Measure("client_unknown", Table.WON_LOST)
REPEAT_WON = Measure("repeat_won", Table.WON_LOST)
NEW_CUSTOMERS = Measure("new_customers", Table.WON_LOST)
"""Won deals that are the very first of their client."""

COHORT_DEALS = Measure("cohort_deals", Table.COHORT)
COHORT_WON = Measure("cohort_won", Table.COHORT)
COHORT_OPEN = Measure("cohort_open", Table.COHORT)

OPEN_DEALS = Measure("open_deals", Table.OPEN)
OPEN_AMOUNT = Measure("open_amount", Table.OPEN, is_money=True)

STAYS = Measure("stays", Table.STAYS)
STAY_SECONDS = Measure("stay_seconds", Table.STAYS)
STAYS_BACKWARDS = Measure("stays_backwards", Table.STAYS)

LEADS_CREATED = Measure("leads_created", Table.LEADS)
LEADS_CONVERTED = Measure("leads_converted", Table.LEADS)

COST = Measure("cost", Table.COSTS, is_money=True)
"""What was spent on the days; shares of a cost are exact fractions."""
COST_ENTRIES = Measure("cost_entries", Table.COSTS)

DELIVERED = Measure("delivered", Table.CAMPAIGNS)
OPENED = Measure("opened", Table.CAMPAIGNS)
CLICKED = Measure("clicked", Table.CAMPAIGNS)
VISITS = Measure("visits", Table.CAMPAIGNS)

IDLE_DEALS = Measure("idle_deals", Table.OPEN)
"""Deals in progress without an open CRM activity."""

TASKS_DONE = Measure("tasks_done", Table.TASKS_CLOSED)
ESTIMATED_TASKS = Measure("estimated_tasks", Table.TASKS_CLOSED)
NOT_ESTIMATED = Measure("not_estimated", Table.TASKS_CLOSED)
ESTIMATED_SECONDS = Measure("estimated_seconds", Table.TASKS_CLOSED)
SPENT_SECONDS = Measure("spent_seconds", Table.TASKS_CLOSED)
"""Logged on the tasks that have an estimate."""
CHECKED_TASKS = Measure("checked_tasks", Table.TASKS_CLOSED)
"""Those whose history was read."""
RETURNED_TASKS = Measure("returned_tasks", Table.TASKS_CLOSED)
UNCHECKED_TASKS = Measure("unchecked_tasks", Table.TASKS_CLOSED)
GOOD_MARKS = Measure("good_marks", Table.TASKS_CLOSED)
BAD_MARKS = Measure("bad_marks", Table.TASKS_CLOSED)
NOT_MARKED = Measure("not_marked", Table.TASKS_CLOSED)

TASKS_DUE = Measure("tasks_due", Table.TASKS_DUE)
"""Those whose deadline has come, deferred ones left out."""
TASKS_NOT_DUE = Measure("tasks_not_due", Table.TASKS_DUE)
"""Those whose deadline is still to come, deferred ones too."""
TASKS_DEFERRED = Measure("tasks_deferred", Table.TASKS_DUE)
"""Deferred ones whose deadline has come."""
TASKS_ON_TIME = Measure("tasks_on_time", Table.TASKS_DUE)
PLANNED_TASKS = Measure("planned_tasks", Table.TASKS_DUE)
NOT_PLANNED = Measure("not_planned", Table.TASKS_DUE)
"""Tasks without an estimate."""
PLANNED_SECONDS = Measure("planned_seconds", Table.TASKS_DUE)

LOGGED_SECONDS = Measure("logged_seconds", Table.TIME_RECORDS)
LOGGED_BACKWARDS = Measure("logged_backwards", Table.TIME_RECORDS)
CAPACITY_SECONDS = Measure("capacity_seconds", Table.CAPACITY)

BUDGETS = Measure("budgets", Table.BUDGETS)
PLANNED_MONEY = Measure("planned_money", Table.BUDGETS, is_money=True)
ACTUAL_MONEY = Measure("actual_money", Table.BUDGETS, is_money=True)

CALLS_OUT = Measure("calls_out", Table.CALLS)
CALLS_IN = Measure("calls_in", Table.CALLS)
CALLS_MISSED = Measure("calls_missed", Table.CALLS)
TALK_SECONDS = Measure("talk_seconds", Table.CALLS)
TALKS_BACKWARDS = Measure("talks_backwards", Table.CALLS)

MAILS_SENT = Measure("mails_sent", Table.MAILS)
MAILS_TRACKED = Measure("mails_tracked", Table.MAILS)
MAILS_NOT_TRACKED = Measure("mails_not_tracked", Table.MAILS)
MAILS_OPENED = Measure("mails_opened", Table.MAILS)

ACTIVITIES_DONE = Measure("activities_done", Table.ACTIVITIES_DONE)
MEETINGS_HELD = Measure("meetings_held", Table.ACTIVITIES_DONE)
ACTIVITIES_OVERDUE = Measure("activities_overdue", Table.ACTIVITIES_OPEN)

CASES = Measure("cases", Table.CASES_OPENED)
REPLIED = Measure("replied", Table.CASES_OPENED)
"""Requests with a first reply that is not earlier than the opening."""
REPLY_SECONDS = Measure("reply_seconds", Table.CASES_OPENED)
REPLIED_BACKWARDS = Measure("replied_backwards", Table.CASES_OPENED)
NOT_REPLIED = Measure("not_replied", Table.CASES_OPENED)
REPLY_UNTOLD = Measure("reply_untold", Table.CASES_OPENED)
"""Calls: how long the caller waited is not told."""
REPLY_UNREAD = Measure("reply_unread", Table.CASES_OPENED)

CASES_CLOSED = Measure("cases_closed", Table.CASES_CLOSED)
RATED = Measure("rated", Table.CASES_CLOSED)
RATED_WELL = Measure("rated_well", Table.CASES_CLOSED)
NOT_RATED = Measure("not_rated", Table.CASES_CLOSED)
RATING_UNREAD = Measure("rating_unread", Table.CASES_CLOSED)
RESOLVED_AT_ONCE = Measure("resolved_at_once", Table.CASES_CLOSED)
"""Closed once and for all: not reopened, and no other request of the client followed."""
RESOLVED_SO_FAR = Measure("resolved_so_far", Table.CASES_CLOSED)
"""Closed requests that another one may still follow."""
RESOLVED = Measure("resolved", Table.CASES_CLOSED)
RESOLUTION_SECONDS = Measure("resolution_seconds", Table.CASES_CLOSED)
RESOLVED_BACKWARDS = Measure("resolved_backwards", Table.CASES_CLOSED)

MEASURES = (
    DEALS_WON, WON_AMOUNT, DEALS_LOST, PROCESSED, PROCESSING_SECONDS, PROCESSED_BACKWARDS, CLIENT_WON,
    CLIENT_UNKNOWN, REPEAT_WON, NEW_CUSTOMERS, COHORT_DEALS, COHORT_WON, COHORT_OPEN, OPEN_DEALS,
    OPEN_AMOUNT, STAYS, STAY_SECONDS, STAYS_BACKWARDS, LEADS_CREATED, LEADS_CONVERTED, COST, COST_ENTRIES,
    DELIVERED, OPENED, CLICKED, VISITS, IDLE_DEALS, TASKS_DONE, ESTIMATED_TASKS, NOT_ESTIMATED,
    ESTIMATED_SECONDS, SPENT_SECONDS, CHECKED_TASKS, RETURNED_TASKS, UNCHECKED_TASKS, GOOD_MARKS,
    BAD_MARKS, NOT_MARKED, TASKS_DUE, TASKS_NOT_DUE, TASKS_DEFERRED, TASKS_ON_TIME, PLANNED_TASKS,
    NOT_PLANNED, PLANNED_SECONDS, LOGGED_SECONDS, LOGGED_BACKWARDS, CAPACITY_SECONDS, BUDGETS,
    PLANNED_MONEY, ACTUAL_MONEY, CALLS_OUT, CALLS_IN, CALLS_MISSED, TALK_SECONDS, TALKS_BACKWARDS,
    MAILS_SENT, MAILS_TRACKED, MAILS_NOT_TRACKED, MAILS_OPENED, ACTIVITIES_DONE, MEETINGS_HELD,
    ACTIVITIES_OVERDUE, CASES, REPLIED, REPLY_SECONDS, REPLIED_BACKWARDS, NOT_REPLIED, REPLY_UNTOLD,
    REPLY_UNREAD, CASES_CLOSED, RATED, RATED_WELL, NOT_RATED, RATING_UNREAD, RESOLVED_AT_ONCE,
    RESOLVED_SO_FAR, RESOLVED, RESOLUTION_SECONDS, RESOLVED_BACKWARDS,
)  # fmt: skip
