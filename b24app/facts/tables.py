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
    Column(
        "reached_stage_id", String(64)
    ),  # furthest in-progress stage it is known to have reached (derived)
    Index("ix_deals_moved", "portal_id", "semantics", "moved_day"),
    Index("ix_deals_created", "portal_id", "created_day"),
    Index("ix_deals_owner", "portal_id", "owner_id", "moved_day"),
    Index("ix_deals_client", "portal_id", "client", "semantics", "moved_at", "deal_id"),
    Index("ix_deals_lead", "portal_id", "lead_id"),
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
    Index("ix_stays_item", "portal_id", "entity_type_id", "item_id", "history_id"),
    Index("ix_stays_left", "portal_id", "entity_type_id", "left_day"),
)
