"""Where leads and deals say that they came from: the fields that channel rules look at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from b24app.metrics.periods import Period
from b24app.tables import deals, leads


@dataclass(frozen=True, slots=True)
class Origin:
    """Leads and deals that were created with the same two fields."""

    utm_source: str | None
    source_id: str | None
    leads: int
    deals: int


def load(conn: Connection, portal_id: int, period: Period) -> list[Origin]:
    """The origins of leads and deals that were created in the period, the most frequent first."""
    counts: defaultdict[tuple[str | None, str | None], list[int]] = defaultdict(lambda: [0, 0])
    tables: tuple[Any, ...] = (leads, deals)
    for place, table in enumerate(tables):
        statement = (
            select(table.c.utm_source, table.c.source_id, func.count())
            .where(
                table.c.portal_id == portal_id,
                table.c.created_day >= period.start,
                table.c.created_day < period.end,
            )
            .group_by(table.c.utm_source, table.c.source_id)
        )
        if table is deals:
            statement = statement.where(deals.c.is_recurring.is_(False))
        for utm_source, source_id, count in conn.execute(statement):
            counts[(utm_source or "").strip() or None, source_id or None][place] += count
    found = [Origin(*fields, *count) for fields, count in counts.items()]
    return sorted(found, key=lambda o: (-o.leads - o.deals, o.utm_source or "", o.source_id or ""))
