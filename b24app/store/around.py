"""Stored facts around one record of a card: a client's deals and cases, a lead's channel, tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, or_, select

from b24app.tables import cases, deals, leads, projects, tasks, tickets

LOOKED_AT = 1_000
"""A norm rests on the latest records: habits of years ago are no norm."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A deal of a client. `at`: when it was won or lost, or last moved."""

    semantics: str
    amount: Decimal
    currency: str
    at: int


@dataclass(frozen=True, slots=True)
class Request:
    """A support case of a client. Seconds; None: not yet."""

    opened_at: int
    closed_at: int | None
    reply_s: int | None
    resolution_s: int | None
    is_positive: bool | None


def purchases(conn: Connection, portal_id: int, client: str) -> list[Purchase]:
    """Every deal of the client, the earliest first; templates are no deals."""
    rows = conn.execute(
        select(deals.c.semantics, deals.c.amount, deals.c.currency, deals.c.moved_at)
        .where(deals.c.portal_id == portal_id, deals.c.client == client, deals.c.is_recurring.is_(False))
        .order_by(deals.c.moved_at, deals.c.deal_id)
    )
    return [Purchase(*row) for row in rows]


def deals_of_lead(conn: Connection, portal_id: int, lead_id: int) -> list[Purchase]:
    """The deals that came of a lead."""
    rows = conn.execute(
        select(deals.c.semantics, deals.c.amount, deals.c.currency, deals.c.moved_at)
        .where(deals.c.portal_id == portal_id, deals.c.lead_id == lead_id, deals.c.is_recurring.is_(False))
        .order_by(deals.c.moved_at, deals.c.deal_id)
    )
    return [Purchase(*row) for row in rows]


def requests(conn: Connection, portal_id: int, client: str) -> list[Request]:
    """Every support case of the client, the earliest first."""
    rows = conn.execute(
        select(
            cases.c.opened_at,
            cases.c.closed_at,
            cases.c.reply_s,
            cases.c.resolution_s,
            cases.c.is_positive,
        )
        .where(cases.c.portal_id == portal_id, cases.c.client == client)
        .order_by(cases.c.opened_at)
    )
    return [Request(*row) for row in rows]


def conversion_times(conn: Connection, portal_id: int) -> tuple[int, ...]:
    """How long the latest converted leads took from creation, in seconds."""
    rows = conn.execute(
        select(leads.c.moved_at - leads.c.created_at)
        .where(leads.c.portal_id == portal_id, leads.c.semantics == "S")
        .order_by(leads.c.created_day.desc(), leads.c.lead_id.desc())
        .limit(LOOKED_AT)
    )
    return tuple(rows.scalars())


def origins_since(conn: Connection, portal_id: int, since: date) -> list[tuple[Any, ...]]:
    """(utm_source, source_id, semantics) of the leads created since that day."""
    rows = conn.execute(
        select(leads.c.utm_source, leads.c.source_id, leads.c.semantics).where(
            leads.c.portal_id == portal_id, leads.c.created_day >= since
        )
    )
    return [tuple(row) for row in rows]


def ticket_case(conn: Connection, portal_id: int, entity_type_id: int, item_id: int) -> Request | None:
    """The case of a ticket; None where it serves no help desk."""
    row = conn.execute(
        select(
            cases.c.opened_at,
            cases.c.closed_at,
            cases.c.reply_s,
            cases.c.resolution_s,
            cases.c.is_positive,
        ).where(
            cases.c.portal_id == portal_id,
            cases.c.source == "ticket",
            cases.c.entity_type_id == entity_type_id,
            cases.c.case_id == item_id,
        )
    ).first()
    return None if row is None else Request(*row)


def was_reopened(conn: Connection, portal_id: int, entity_type_id: int, item_id: int) -> bool:
    """Whether a ticket was opened again after it was closed."""
    return bool(
        conn.scalar(
            select(tickets.c.was_reopened).where(
                tickets.c.portal_id == portal_id,
                tickets.c.entity_type_id == entity_type_id,
                tickets.c.item_id == item_id,
            )
        )
    )


def ticket_times(conn: Connection, portal_id: int, entity_type_id: int) -> tuple[list[int], list[int]]:
    """First replies and resolutions of the latest closed tickets of the same kind, in seconds."""
    rows = conn.execute(
        select(cases.c.reply_s, cases.c.resolution_s)
        .where(
            cases.c.portal_id == portal_id,
            cases.c.source == "ticket",
            cases.c.entity_type_id == entity_type_id,
            cases.c.closed_at.is_not(None),
        )
        .order_by(cases.c.closed_day.desc(), cases.c.case_id.desc())
        .limit(LOOKED_AT)
    ).all()
    replies = [row.reply_s for row in rows if row.reply_s is not None]
    return replies, [row.resolution_s for row in rows if row.resolution_s is not None]


def was_returned(conn: Connection, portal_id: int, task_id: int) -> bool | None:
    """Whether a task was sent back; None where that is not known."""
    return conn.scalar(
        select(tasks.c.was_returned).where(tasks.c.portal_id == portal_id, tasks.c.task_id == task_id)
    )


def project_name(conn: Connection, portal_id: int, project_id: int) -> str | None:
    """What a project is called; None where it was not read."""
    return conn.scalar(
        select(projects.c.name).where(projects.c.portal_id == portal_id, projects.c.project_id == project_id)
    )


def open_tasks(conn: Connection, portal_id: int, project_id: int) -> list[tuple[Any, ...]]:
    """(owner_id, deadline_at, estimate_s, spent_s) of the tasks of a project that are not closed."""
    rows = conn.execute(
        select(tasks.c.owner_id, tasks.c.deadline_at, tasks.c.estimate_s, tasks.c.spent_s).where(
            tasks.c.portal_id == portal_id,
            tasks.c.project_id == project_id,
            or_(tasks.c.status != 5, tasks.c.closed_at.is_(None)),
        )
    )
    return [tuple(row) for row in rows]
