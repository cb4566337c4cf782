"""Every table of the app. The primary key of each starts with the portal.

Moments are whole seconds since 1970 UTC (`*_at`); the local day of the portal stands beside the ones
that KPIs are cut by (`*_day`). Amounts are exact (`ExactAmount`).
Names of employees are stored; names, phones, e-mails, titles or texts of clients never are.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData()

AMOUNT_SCALE = 10_000
"""Amounts are stored as whole ten-thousandths, so that SQL sums them exactly on every database."""

AMOUNT_LIMIT = Decimal(10) ** 13
"""Larger amounts are hand-made mistakes: their sum would no longer fit 64 bits."""


class ExactAmount(TypeDecorator[Decimal]):
    """A Decimal kept as a whole number of ten-thousandths; sums of it stay exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return int((value * AMOUNT_SCALE).to_integral_value(ROUND_HALF_EVEN))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / AMOUNT_SCALE


def _portal_key() -> Column[int]:
    return Column("portal_id", Integer, primary_key=True, autoincrement=False)


portals = Table(
    "portals",
    metadata,
    Column("portal_id", Integer, primary_key=True),
    Column("member_id", String(32), nullable=False),
    Column("domain", String(255), nullable=False),  # host[:port] as browsers see it
    Column("endpoint", String(300), nullable=False),  # client_endpoint: https://host/rest/
    Column("auth_server", String(300), nullable=False),  # one of the trusted ones
    Column("application_token", Text),  # encrypted; None until the portal told it
    Column("state", String(16), nullable=False),  # active | unpaid | gone | uninstalled
    Column("status", String(4)),  # L F D T P S
    Column("license", String(64)),  # LICENSE of app.info, which says what the portal allows; None: not told
    Column("scopes", Text, nullable=False, default=""),  # comma separated, as granted
    Column("lang", String(8), nullable=False, default="en"),
    Column("timezone", String(64), nullable=False, default="UTC"),
    Column("uses_leads", Boolean),  # None: not read yet
    Column("reader_id", Integer),  # the user whose token reads in the background
    Column("reader_is_admin", Boolean),
    Column("installed_at", BigInteger, nullable=False),
    Column("install_report", JSON),  # what was registered, what is missing
    Column("settings", JSON, nullable=False, default=dict),
    Column("data_version", BigInteger, nullable=False, default=0),  # moves with every change of facts
    Column("reference_version", BigInteger),  # another number with every change of people, stages, rates …
    Column("targets_version", BigInteger),  # another number with every change of targets; None: no targets
    Column("sums_version", Integer),  # of the sums kept beside the facts; None or another: made anew
    Column("checked_at", Float),  # when the portal was last asked what has changed
    Column("checking_since", Float),  # claim of the process that is asking now
    Column("watched_at", Float),  # when somebody last looked
    UniqueConstraint("member_id"),
    sqlite_autoincrement=True,  # the number of a removed portal is never given to another one
)

tokens = Table(
    "tokens",
    metadata,
    _portal_key(),
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("access", Text, nullable=False),  # encrypted
    Column("refresh", Text, nullable=False),  # encrypted
    Column("expires_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, default=1),  # moves with every new pair
    Column("refreshing_since", Float),  # claim of the process that refreshes now
    Column("dead_reason", String(64)),  # the server's error code once a refresh was refused for good
)

api_clients = Table(
    "api_clients",
    metadata,
    _portal_key(),
    Column("client_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_hash", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

sync_sources = Table(
    "sync_sources",
    metadata,
    _portal_key(),
    Column("source", String(32), primary_key=True),
    Column("state", String(16), nullable=False),  # pending | reading | ready | off
    Column("reason", String(64)),  # why it is off or incomplete
    Column("cursor", JSON, nullable=False, default=dict),
    Column("row_count", BigInteger, nullable=False, default=0),
    Column("progress", Float, nullable=False, default=0.0),  # 0..1 of the first read
    Column("covered_from", Date),  # from this local day on everything is read; with state ready: all of it
    Column("read_at", BigInteger),  # last successful read
    Column("error", Text),  # last failure, None after a success
    Column("claimed_at", Float),
)

users = Table(
    "users",
    metadata,
    _portal_key(),
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False, default=""),
    Column("position", String(200), nullable=False, default=""),
    Column("photo", Text),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("is_employee", Boolean, nullable=False, default=True),  # not extranet, e-mail user or bot
    Column("hired_on", Date),
)

memberships = Table(
    "memberships",
    metadata,
    _portal_key(),
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("department_id", Integer, primary_key=True, autoincrement=False),
)

absences = Table(
    "absences",
    metadata,
    _portal_key(),
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("from_day", Date, primary_key=True),
    Column("to_day", Date, nullable=False),  # included
)

departments = Table(
    "departments",
    metadata,
    _portal_key(),
    Column("department_id", Integer, primary_key=True, autoincrement=False),
    Column("parent_id", Integer),
    Column("head_id", Integer),
    Column("name", String(255), nullable=False, default=""),
    Column("sort", Integer, nullable=False, default=500),
)

currencies = Table(
    "currencies",
    metadata,
    _portal_key(),
    Column("code", String(8), primary_key=True),
    Column("amount", String(40), nullable=False),  # exact decimal text: this much base currency …
    Column("amount_cnt", Integer, nullable=False),  # … for this many units
    Column("is_base", Boolean, nullable=False, default=False),
)

pipelines = Table(
    "pipelines",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False, default=""),
    Column("sort", Integer, nullable=False, default=0),
    Column("is_default", Boolean, nullable=False, default=False),
)

stages = Table(
    "stages",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),  # 1 lead, 2 deal
    Column("category_id", Integer, primary_key=True, autoincrement=False),  # 0 for leads
    Column("stage_id", String(64), primary_key=True),
    Column("name", String(255), nullable=False, default=""),
    Column("sort", Integer, nullable=False, default=0),
    Column("semantics", String(1), nullable=False, default="P"),  # P in progress, S success, F failure
    Column("color", String(16)),
)

lead_sources = Table(
    "lead_sources",
    metadata,
    _portal_key(),
    Column("source_id", String(64), primary_key=True),
    Column("name", String(255), nullable=False, default=""),
)

deals = Table(
    "deals",
    metadata,
    _portal_key(),
    Column("deal_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),  # assignedById
    Column("category_id", Integer, nullable=False),
    Column("stage_id", String(64), nullable=False),
    Column("semantics", String(1), nullable=False),  # P S F
    Column("amount", ExactAmount, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_day", Date, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("moved_day", Date, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("is_recurring", Boolean, nullable=False, default=False),
    Column("lead_id", BigInteger),
    Column("client", String(32)),  # company:12 or contact:7
    Column("source_id", String(64)),
    Column("utm_source", String(255)),
    Column("last_activity_at", BigInteger),
    # Derived: the furthest in-progress stage it is known to have reached, the earlier of its own creation and
    # its lead's, whether it is the first purchase of its client.
    Column("reached_stage_id", String(64)),
    Column("first_contact_at", BigInteger, nullable=False),
    Column("is_first", Boolean, nullable=False, default=False),
    Index("ix_deals_moved", "portal_id", "semantics", "moved_day"),
    Index("ix_deals_created", "portal_id", "created_day"),
    Index("ix_deals_owner", "portal_id", "owner_id", "moved_day"),
    Index("ix_deals_owner_created", "portal_id", "owner_id", "created_day"),
    Index("ix_deals_client", "portal_id", "client", "semantics", "moved_at", "deal_id"),
    Index("ix_deals_lead", "portal_id", "lead_id"),
)
Index(
    "ix_deals_first",
    deals.c.portal_id,
    deals.c.client,
    sqlite_where=deals.c.is_first,
    postgresql_where=deals.c.is_first,
)

leads = Table(
    "leads",
    metadata,
    _portal_key(),
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),
    Column("stage_id", String(64), nullable=False),
    Column("semantics", String(1), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_day", Date, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("moved_day", Date, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("client", String(32)),
    Column("source_id", String(64)),
    Column("utm_source", String(255)),
    Index("ix_leads_created", "portal_id", "created_day"),
    Index("ix_leads_owner", "portal_id", "owner_id", "created_day"),
)

stage_stays = Table(
    "stage_stays",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),
    Column("history_id", BigInteger, primary_key=True, autoincrement=False),  # row of crm.stagehistory.list
    Column("item_id", BigInteger, nullable=False),  # OWNER_ID: the deal or lead
    Column("type_id", Integer, nullable=False),  # 1 created, 2 moved, 3 finished, 5 pipeline changed
    Column("category_id", Integer, nullable=False),
    Column("stage_id", String(64), nullable=False),
    Column("semantics", String(1), nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),  # derived from the next row of the item; None: still there
    Column("left_day", Date),
    Column("owner_id", Integer),  # derived: the deal's; None where no deal of ours is stored
    Index("ix_stays_item", "portal_id", "entity_type_id", "item_id", "history_id"),
    Index("ix_stays_left", "portal_id", "entity_type_id", "left_day"),
    Index("ix_stays_owner", "portal_id", "entity_type_id", "owner_id", "left_day"),
)

activities = Table(
    "activities",
    metadata,
    _portal_key(),
    Column("activity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),  # RESPONSIBLE_ID
    Column("type_id", Integer, nullable=False),
    Column("provider_id", String(64), nullable=False),
    Column("direction", Integer, nullable=False),  # 1 in, 2 out, 0 unknown
    Column("is_completed", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_day", Date, nullable=False),
    Column("started_at", BigInteger),
    Column("end_at", BigInteger),
    Column("end_day", Date),
    Column("deadline_at", BigInteger),  # None: no deadline
    Column("updated_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),  # moment of completion by the catalogue's rule; None: not completed
    Column("done_day", Date),
    Column("is_trackable", Boolean, nullable=False, default=False),  # an e-mail whose opening can be seen
    Column("is_opened", Boolean, nullable=False, default=False),  # READ_CONFIRMED
    Column("item_type_id", Integer),  # OWNER_TYPE_ID: the CRM item it belongs to
    Column("item_id", BigInteger),
    Column("session_id", BigInteger),  # of an open channel session: its number
    Index("ix_activities_created", "portal_id", "created_day"),
    Index("ix_activities_done", "portal_id", "done_day"),
    Index("ix_activities_open", "portal_id", "is_completed", "deadline_at"),
    Index("ix_activities_item", "portal_id", "item_type_id", "item_id"),
)

activity_bindings = Table(
    "activity_bindings",
    metadata,
    _portal_key(),
    Column("item_type_id", Integer, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("activity_id", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_bindings_activity", "portal_id", "activity_id"),
)

calls = Table(
    "calls",
    metadata,
    _portal_key(),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),  # ID of the statistic row
    Column("owner_id", Integer, nullable=False),  # PORTAL_USER_ID
    Column("call_type", Integer, nullable=False),  # 1 out, 2 in, 3 in redirected, 4 callback, 5 info
    Column("is_answered", Boolean, nullable=False),  # CALL_FAILED_CODE 200
    Column("duration_s", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("started_day", Date, nullable=False),
    Column("vote", Integer),  # 1..5, None: no rating
    Column("client", String(32)),  # company:12, contact:7 or lead:5
    Index("ix_calls_started", "portal_id", "started_day"),
    Index("ix_calls_client", "portal_id", "client"),
)

cases = Table(
    "cases",
    metadata,
    _portal_key(),
    Column("source", String(16), primary_key=True),  # session | call | ticket
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),  # of tickets, else 0
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),  # activity, statistic row or item
    Column("owner_id", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_day", Date, nullable=False),
    Column("replied_at", BigInteger),  # first reply by a person
    Column("closed_at", BigInteger),
    Column("closed_day", Date),
    Column("client", String(32)),  # company:12, contact:7 or lead:5
    Column("is_positive", Boolean),  # the client's rating, None: none
    Column("was_reopened", Boolean, nullable=False, default=False),
    Column("is_read", Boolean, nullable=False),  # False: messages or stage history were not read yet
    Column("follow_up_until", BigInteger),  # until then another request of the client belongs to this one
    Column("reply_s", BigInteger),  # durations as the portal counts them: calendar or working time
    Column("resolution_s", BigInteger),
    Index("ix_cases_opened", "portal_id", "opened_day"),
    Index("ix_cases_closed", "portal_id", "closed_day"),
    Index("ix_cases_client", "portal_id", "client", "opened_at"),
)
"""Derived from chats, calls and tickets by the portal's settings: may be made anew at any time."""

sessions = Table(
    "sessions",
    metadata,
    _portal_key(),
    Column("activity_id", BigInteger, primary_key=True, autoincrement=False),  # its CRM activity
    Column("session_id", BigInteger),  # None: the portal does not tell which session it is
    Column("updated_at", BigInteger, nullable=False),  # LAST_UPDATED of the activity
    Column("seen_closed_at", BigInteger),  # the closing that was seen last; None: it is open
    Column("was_reopened", Boolean, nullable=False, default=False),
    Column("replied_at", BigInteger),  # of its messages only this …
    Column("is_positive", Boolean),  # … and this is kept
    Column("read_at", BigInteger),  # when they were read, by our clock
    Column("read_again_at", BigInteger),  # when to read them again; 0: they have changed, None: no need
    Index("ix_sessions_read", "portal_id", "read_again_at"),
    Index("ix_sessions_session", "portal_id", "session_id"),
)

tickets = Table(
    "tickets",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("category_id", Integer, nullable=False),
    Column("stage_id", String(64), nullable=False),
    Column("semantics", String(1), nullable=False),  # as the portal says; empty: as the stage itself says
    Column("owner_id", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("client", String(32)),
    Column("is_positive", Boolean),
    Column("is_taken", Boolean, nullable=False),  # it is in a pipeline that serves as help desk
    Column("seen_closed_at", BigInteger),  # see sessions
    Column("was_reopened", Boolean, nullable=False, default=False),
    Column("replied_at", BigInteger),  # its first move
    Column("is_read", Boolean, nullable=False, default=False),  # its stage history was
    Column("is_waiting", Boolean, nullable=False),  # it moved since then
    Index("ix_tickets_waiting", "portal_id", "entity_type_id", "is_waiting"),
)

tasks = Table(
    "tasks",
    metadata,
    _portal_key(),
    Column("task_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),  # RESPONSIBLE_ID
    Column("status", Integer, nullable=False),  # 2 waiting, 3 going on, 4 to be accepted, 5 done, 6 deferred
    Column("project_id", Integer, nullable=False, default=0),  # GROUP_ID, 0: none
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_day", Date),
    Column("deadline_at", BigInteger),
    Column("deadline_day", Date),
    Column("estimate_s", BigInteger, nullable=False, default=0),
    Column("spent_s", BigInteger, nullable=False, default=0),
    Column("mark", String(1)),  # P good, N bad
    Column("changed_at", BigInteger, nullable=False),
    Column("was_returned", Boolean),  # None: its history was not read
    Index("ix_tasks_closed", "portal_id", "closed_day"),
    Index("ix_tasks_deadline", "portal_id", "deadline_day"),
)

time_records = Table(
    "time_records",
    metadata,
    _portal_key(),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),
    Column("task_id", BigInteger, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("worked_at", BigInteger, nullable=False),
    Column("worked_day", Date, nullable=False),
    Index("ix_time_worked", "portal_id", "worked_day"),
)

projects = Table(
    "projects",
    metadata,
    _portal_key(),
    Column("project_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False, default=""),
    Column("is_closed", Boolean, nullable=False, default=False),
)

smart_processes = Table(  # of help desks only
    "smart_processes",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),
    Column("title", String(255), nullable=False),
)

budget_items = Table(
    "budget_items",
    metadata,
    _portal_key(),
    Column("entity_type_id", Integer, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_id", Integer, nullable=False),
    Column("category_id", Integer, nullable=False, default=0),
    Column("planned", ExactAmount, nullable=False),
    Column("actual", ExactAmount, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_day", Date),
    Index("ix_budget_closed", "portal_id", "closed_day"),
)


def _kept_sums(of: str, apart: tuple[Column[Any], ...], sums: tuple[str, ...]) -> Table:
    """Sums of records of one kind, see `b24app/sums/kept.py`. They follow from the facts alone."""
    return Table(
        f"sums_{of}",
        metadata,
        _portal_key(),
        Column("level", String(8), primary_key=True),  # day | month | owner
        Column("owner_id", Integer, primary_key=True, autoincrement=False),  # 0 where not by owner
        Column("start", Date, primary_key=True),  # the day, or the first of the month
        *apart,
        *(Column(name, BigInteger, nullable=False) for name in sums),
    )


def _apart(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


sums_won_lost = _kept_sums(
    "won_lost",
    (_apart("category_id", Integer), _apart("currency", String(8))),
    (
        "deals_won", "won_amount_high", "won_amount_low", "deals_lost", "processed", "processing_seconds",
        "processed_backwards", "client_won", "client_unknown", "repeat_won", "new_customers",
    ),
)  # fmt: skip

sums_cohort = _kept_sums(
    "cohort",
    (_apart("category_id", Integer), _apart("stage_id", String(64)), _apart("reached_stage_id", String(64))),
    ("cohort_deals", "cohort_won", "cohort_open"),
)

sums_open = _kept_sums(
    "open",
    (_apart("category_id", Integer), _apart("currency", String(8))),
    ("open_deals", "open_amount_high", "open_amount_low"),
)

sums_stays = _kept_sums(
    "stays",
    (_apart("category_id", Integer), _apart("stage_id", String(64))),
    ("stays", "stay_seconds", "stays_backwards"),
)

sums_leads = _kept_sums("leads", (), ("leads_created", "leads_converted"))

work_calendars = Table(
    "work_calendars",
    metadata,
    _portal_key(),
    Column("data", JSON, nullable=False),  # calendar.settings.get, as parsed
)

costs = Table(
    "costs",
    metadata,
    _portal_key(),
    Column("external_id", String(100), primary_key=True),
    Column("channel", String(255), nullable=False),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),  # the last day, inclusive
    Column("amount", ExactAmount, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("department_id", Integer),
)

campaigns = Table(
    "campaigns",
    metadata,
    _portal_key(),
    Column("external_id", String(100), primary_key=True),
    Column("channel", String(255), nullable=False),
    Column("day", Date, nullable=False),
    Column("name", String(255), nullable=False, default=""),
    Column("delivered", BigInteger, nullable=False, default=0),
    Column("opened", BigInteger, nullable=False, default=0),
    Column("clicked", BigInteger, nullable=False, default=0),
    Column("visits", BigInteger, nullable=False, default=0),
    Column("department_id", Integer),
    Index("ix_campaigns_day", "portal_id", "day"),
)

targets = Table(
    "targets",
    metadata,
    _portal_key(),
    Column("metric", String(64), primary_key=True),
    Column("scope", String(32), primary_key=True),  # user:7, department:12, company
    Column("month", Date, primary_key=True),  # its first day
    Column("value", String(40), nullable=False),  # exact decimal text
    Column("set_by", Integer),  # None: a program
    Column("set_at", BigInteger, nullable=False),
)

target_changes = Table(
    "target_changes",
    metadata,
    _portal_key(),
    Column("change_id", String(32), primary_key=True),
    Column("metric", String(64), nullable=False),
    Column("scope", String(32), nullable=False),
    Column("month", Date, nullable=False),
    Column("before", String(40)),
    Column("after", String(40)),
    Column("changed_by", Integer),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_target_changes", "portal_id", "metric", "scope", "month"),
)

kpi_sets = Table(
    "kpi_sets",
    metadata,
    _portal_key(),
    Column("set_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("purpose", Text, nullable=False, default=""),
    Column("owner_id", Integer),
    Column("starts_on", Date, nullable=False),
    Column("metrics", JSON, nullable=False),  # [{"metric", "weight"}], in order
    Column("assigned", JSON, nullable=False),  # {"departments": [], "positions": [], "users": []}
    Column("is_retired", Boolean, nullable=False, default=False),
    Column("made_by", Integer),
    Column("made_at", BigInteger, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _portal_key(),
    Column("day", Date, primary_key=True),
    Column("measure", String(64), primary_key=True),
    Column("owner_id", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("currency", String(8), primary_key=True),  # "" where it is no money
    Column("value", BigInteger, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    _portal_key(),
    Column("note_id", String(32), primary_key=True),
    Column("user_id", Integer, nullable=False),  # on whose page it stands
    Column("author_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # comment | acknowledged
    Column("month", Date, nullable=False),
    Column("text", Text, nullable=False, default=""),
    Column("made_at", BigInteger, nullable=False),
    Index("ix_notes_user", "portal_id", "user_id", "month"),
)

audit = Table(
    "audit",
    metadata,
    _portal_key(),
    Column("entry_id", String(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", Integer),  # None: a program or the app itself
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False, default=""),
    Column("detail", JSON, nullable=False, default=dict),
    Index("ix_audit_at", "portal_id", "at"),
)
