"""The portal's present currency rates."""

from __future__ import annotations

from sqlalchemy import Connection, select

from b24app.metrics.money import Rate
from b24app.tables import currencies


def load_rates(conn: Connection, portal_id: int) -> tuple[Rate, ...]:
    """The worth of every currency in the portal's base currency."""
    rows = conn.execute(
        select(currencies.c.code, currencies.c.amount, currencies.c.amount_cnt, currencies.c.is_base).where(
            currencies.c.portal_id == portal_id
        )
    )
    return tuple(Rate(**row._mapping) for row in rows)
