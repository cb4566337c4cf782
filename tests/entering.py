"""Costs and campaign results put into the store as an upload would."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine

from b24app import store
from b24app.entries import kinds, sheets
from b24app.entries.cells import Known
from b24app.store import entered


def enter(
    engine: Engine,
    portal_id: int,
    *,
    costs: list[dict[str, Any]] | None = None,
    campaigns: list[dict[str, Any]] | None = None,
) -> None:
    """Store the rows of `PUT /api/v1/costs` and `PUT /api/v1/campaigns`; rows without an id get one."""
    for kind, rows in ((kinds.COSTS, costs or []), (kinds.CAMPAIGNS, campaigns or [])):
        named = [{"external_id": f"{kind.name} {place}", **row} for place, row in enumerate(rows)]
        sheet = sheets.read(json.dumps(named).encode(), {})
        checked = kinds.check(kind, sheet, Known())
        assert not checked.flaws, checked.flaws
        with store.writing(engine, portal_id) as writer:
            writer.changed = True
            entered.save(writer.conn, portal_id, kind.entry, checked.entries)


def cost(
    channel: str, start: str, end: str, amount: Any, currency: str = "RUB", **more: Any
) -> dict[str, Any]:
    """A cost from one day to another, the last one included."""
    return {"channel": channel, "from": start, "to": end, "amount": amount, "currency": currency, **more}


def result(
    channel: str,
    day: str,
    *,
    delivered: int = 0,
    opened: int = 0,
    clicked: int = 0,
    visits: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """What a campaign brought on a day."""
    numbers = {"delivered": delivered, "opened": opened, "clicked": clicked, "visits": visits}
    return {"channel": channel, "date": day, "name": "", **numbers, **more}
