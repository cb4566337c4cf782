"""The deals that moved a won amount most, and what is missing in the records behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import ColumnElement, Connection, func, select

from b24app.metrics.money import Rates
from b24app.metrics.periods import Period
from b24app.tables import AMOUNT_SCALE, deals, leads

WON, LOST = "S", "F"
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sphere:
    """Which deals are looked at: of these owners and pipelines (None: of all)."""

    portal_id: int
    owners: frozenset[int] | None
    categories: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Mover:
    """A won deal; `worth` in the report currency, `amount` in ten-thousandths of its own."""

    deal_id: int
    owner_id: int
    category_id: int
    moved_at: int
    amount: int
    currency: str
    worth: Fraction


@dataclass(frozen=True, slots=True)
class Blanks:
    """Won deals of a period, and how many of them say less than they could."""

    won: int
    without_amount: int
    without_client: int


def largest_won(
    conn: Connection, sphere: Sphere, period: Period, rates: Rates, limit: int, *, is_rise: bool
) -> list[Mover]:
    """The won deals with the largest worth (the most negative one with `is_rise` false), at most `limit`
    for each currency, in that order. Deals in a currency without a rate have no worth and are left out.
    """
    found = [
        mover
        for currency in sorted(rates.factors)
        for mover in _won_in(conn, sphere, period, currency, rates, limit, is_rise=is_rise)
    ]
    return sorted(found, key=lambda mover: (-mover.worth if is_rise else mover.worth, mover.deal_id))


def lost_at(conn: Connection, sphere: Sphere, period: Period) -> Counter[tuple[int, str | None]]:
    """How many deals were lost, by pipeline and the furthest stage they had reached (None: not known)."""
    return _lost_by(conn, sphere, period, deals.c.reached_stage_id)


def lost_into(conn: Connection, sphere: Sphere, period: Period) -> Counter[tuple[int, str | None]]:
    """How many deals were lost, by pipeline and the final stage they were put in."""
    return _lost_by(conn, sphere, period, deals.c.stage_id)


def blanks(conn: Connection, sphere: Sphere, period: Period) -> Blanks:
    """What is missing in the won deals of the period."""
    row = conn.execute(
        select(
            func.count(),
            func.count().filter(deals.c.amount == NOTHING),
            func.count().filter(deals.c.client.is_(None)),
        ).where(*_closed(sphere, period, WON))
    ).one()
    return Blanks(*row)


def leads_of_unknown_channel(conn: Connection, sphere: Sphere, period: Period) -> tuple[int, int]:
    """(leads created in the period that name neither a source nor a campaign, all leads created in it)."""
    where = [
        leads.c.portal_id == sphere.portal_id,
        leads.c.created_day >= period.start,
        leads.c.created_day < period.end,
    ]
    if sphere.owners is not None:
        where.append(leads.c.owner_id.in_(sorted(sphere.owners)))
    silent = func.coalesce(leads.c.utm_source, "") + func.coalesce(leads.c.source_id, "") == ""
    row = conn.execute(select(func.count().filter(silent), func.count()).where(*where)).one()
    return int(row[0]), int(row[1])


def _won_in(
    conn: Connection,
    sphere: Sphere,
    period: Period,
    currency: str,
    rates: Rates,
    limit: int,
    *,
    is_rise: bool,
) -> Iterator[Mover]:
    sign = deals.c.amount > NOTHING if is_rise else deals.c.amount < NOTHING
    order = deals.c.amount.desc() if is_rise else deals.c.amount
    rows = conn.execute(
        select(
            deals.c.deal_id,
            deals.c.owner_id,
            deals.c.category_id,
            deals.c.moved_at,
            deals.c.amount,
        )
        .where(*_closed(sphere, period, WON), deals.c.currency == currency, sign)
        .order_by(order, deals.c.deal_id)
        .limit(limit)
    )
    for row in rows:
        amount = int(row.amount * AMOUNT_SCALE)
        worth = rates.convert(amount, currency)
        if worth is not None:
            yield Mover(row.deal_id, row.owner_id, row.category_id, row.moved_at, amount, currency, worth)


def _lost_by(
    conn: Connection, sphere: Sphere, period: Period, stage: ColumnElement[str | None]
) -> Counter[tuple[int, str | None]]:
    rows = conn.execute(
        select(deals.c.category_id, stage, func.count())
        .where(*_closed(sphere, period, LOST))
        .group_by(deals.c.category_id, stage)
    )
    return Counter({(category, name): int(count) for category, name, count in rows})


def _closed(sphere: Sphere, period: Period, semantics: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        deals.c.portal_id == sphere.portal_id,
        deals.c.is_recurring.is_(False),
        deals.c.semantics == semantics,
        deals.c.moved_day >= period.start,
        deals.c.moved_day < period.end,
    ]
    if sphere.owners is not None:
        found.append(deals.c.owner_id.in_(sorted(sphere.owners)))
    if sphere.categories is not None:
        found.append(deals.c.category_id.in_(sorted(sphere.categories)))
    return found
