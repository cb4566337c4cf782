"""Cuts stored moments into the days of another time zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, bindparam, select, tuple_, update

from b24app import tables
from b24app.facts.values import Border
from b24app.store import kept_sums
from b24app.store.writing import bump


def recut_days(conn: Connection, portal_id: int, zone: ZoneInfo) -> None:
    """Cuts all stored moments of a portal into the days of another time zone.

    Call it in the transaction that changes `portals.timezone`, after `lock`.
    """
    border = Border(zone)
    for table in CUT_BY_DAYS:
        _recut(conn, table, portal_id, days_of(table), border.day)
    kept_sums.make_anew(conn, portal_id)
    bump(conn, portal_id)


CUT_BY_DAYS = (
    tables.deals, tables.leads, tables.stage_stays, tables.activities, tables.calls, tables.cases,
    tables.tasks, tables.time_records, tables.budget_items,
)  # fmt: skip
"""Tables of records of the portal with moments and their local days."""


def days_of(table: Table) -> tuple[tuple[str, str], ...]:
    """(moment, its local day) of the table: `moved_at` stands beside `moved_day`."""
    names = [column.name.removesuffix("_day") for column in table.c if column.name.endswith("_day")]
    return tuple((f"{name}_at", f"{name}_day") for name in names)


def _recut(
    conn: Connection,
    table: Table,
    portal_id: int,
    pairs: Sequence[tuple[str, str]],
    day: Callable[[int], date],
) -> None:
    keys = [column for column in table.primary_key if column.name != "portal_id"]
    columns = [table.c[name] for pair in pairs for name in pair]
    last: tuple[Any, ...] | None = None
    while True:
        page = select(*keys, *columns).where(table.c.portal_id == portal_id).order_by(*keys).limit(10_000)
        rows = conn.execute(page if last is None else page.where(tuple_(*keys) > tuple_(*last))).all()
        changes = []
        for row in rows:
            found = row._mapping
            days = {name: None if found[at] is None else day(found[at]) for at, name in pairs}
            if any(found[name] != value for name, value in days.items()):
                changes.append(
                    {f"key_{key.name}": found[key.name] for key in keys}
                    | {f"new_{name}": value for name, value in days.items()}
                )
        if changes:
            conn.execute(
                update(table)
                .where(table.c.portal_id == portal_id, *(key == bindparam(f"key_{key.name}") for key in keys))
                .values({name: bindparam(f"new_{name}") for _, name in pairs}),
                changes,
            )
        if len(rows) < 10_000:
            return
        last = tuple(rows[-1][: len(keys)])
