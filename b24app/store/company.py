"""What of a portal changes seldom, read once a process: kept until the portal's `reference_version` moves.

It moves in the transaction that changes any of it (`writing.Writer`), to a number never used before, so
that what a transaction saw that came to nothing is never taken for what came after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from b24app.metrics.metric import Reference
from b24app.metrics.money import Rate
from b24app.metrics.work_calendar import WorkCalendar
from b24app.org import Org
from b24app.store.calendar import load_calendar
from b24app.store.org import load_org
from b24app.store.rates import load_rates
from b24app.store.reference import load_reference
from b24app.store.remembered import Remembered
from b24app.tables import portals

REMEMBERED = 300
"""Portals of one process; each takes about a kilobyte for every employee."""


@dataclass(frozen=True, slots=True)
class Company:
    """People and departments, what ids mean, rates of currencies, working days."""

    org: Org
    reference: Reference
    rates: tuple[Rate, ...]
    calendar: WorkCalendar


def load_company(conn: Connection, portal_id: int, version: int | None = None) -> Company:
    """The company of a portal as it is stored; empty before the first read.

    version: the portal's `reference_version`, where it has just been read.
    """
    if version is None:
        version = conn.execute(
            select(portals.c.reference_version).where(portals.c.portal_id == portal_id)
        ).scalar_one_or_none()
    if version is None:
        return _read(conn, portal_id)
    return _companies.of(conn, portal_id, version, lambda: _read(conn, portal_id))


_companies: Remembered[Company] = Remembered(REMEMBERED)


def _read(conn: Connection, portal_id: int) -> Company:
    return Company(
        org=load_org(conn, portal_id),
        reference=load_reference(conn, portal_id),
        rates=load_rates(conn, portal_id),
        calendar=load_calendar(conn, portal_id),
    )
