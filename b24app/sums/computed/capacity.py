"""Working time of employees: the company's working days times the hours of a day, for everybody active."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from sqlalchemy import Connection, select

from b24app.metrics.measures import CAPACITY_SECONDS, Cut
from b24app.metrics.periods import Period
from b24app.metrics.sums import Amount, Cell, SumsQuery
from b24app.metrics.work_calendar import capacity_s
from b24app.portals import settings
from b24app.store.company import load_company
from b24app.tables import users

DAY = timedelta(days=1)


def read(conn: Connection, portal_id: int, query: SumsQuery) -> list[Cell]:
    """Seconds that the scope's active employees can work in the period, apart by the cuts of the query."""
    people = _people(conn, portal_id, query.owners)
    calendar = load_company(conn, portal_id).calendar
    hours = Fraction(settings.load(conn, portal_id).hours_per_day)
    pieces = list(_days(query.period)) if Cut.DAY in query.cuts else [query.period]
    found: list[Cell] = []
    for piece in pieces:
        seconds = _whole(capacity_s(calendar, piece, hours))
        day = piece.start if Cut.DAY in query.cuts else None
        if seconds and Cut.OWNER in query.cuts:
            found += [Cell({CAPACITY_SECONDS: seconds}, owner=user_id, day=day) for user_id in people]
        elif seconds and people:
            found.append(Cell({CAPACITY_SECONDS: seconds * len(people)}, day=day))
    return found


def _people(conn: Connection, portal_id: int, owners: frozenset[int] | None) -> list[int]:
    active = conn.execute(
        select(users.c.user_id)
        .where(users.c.portal_id == portal_id, users.c.is_active, users.c.is_employee)
        .order_by(users.c.user_id)
    ).scalars()
    return [user_id for user_id in active if owners is None or user_id in owners]


def _days(period: Period) -> Iterator[Period]:
    for offset in range(period.days):
        start = period.start + offset * DAY
        yield Period(start, start + DAY)


def _whole(seconds: Fraction) -> Amount:
    return int(seconds) if seconds.denominator == 1 else seconds
