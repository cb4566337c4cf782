"""The portal's present currency rates, as KPIs convert with them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from b24app.metrics.money import Rate, Rates, rates_in
from b24app.tables import currencies


def load_rates(conn: Connection, portal_id: int, report_currency: str | None) -> Rates:
    """Rates into the report currency; None stands for the portal's base currency."""
    rows = conn.execute(
        select(currencies.c.code, currencies.c.amount, currencies.c.amount_cnt, currencies.c.is_base).where(
            currencies.c.portal_id == portal_id
        )
    )
    return rates_in((Rate(**row._mapping) for row in rows), report_currency)
