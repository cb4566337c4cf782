"""Stored targets: by metric, scope and month, with every change of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from b24app import audit, store
from b24app.db import upsert
from b24app.metrics.plans import Plans
from b24app.store.portal import PortalRow
from b24app.store.remembered import Remembered
from b24app.tables import portals, target_changes, targets
from b24app.target_rows import Cell, Wish

PAGE_SIZE = 100

REMEMBERED = 200_000
"""Targets of all portals that one process keeps; a thousand take about 300 kilobytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stored target. `set_by` None: a program."""

    cell: Cell
    value: str
    set_by: int | None
    set_at: int


@dataclass(frozen=True, slots=True)
class Change:
    """A cell held `before` and then `after`; None: nothing."""

    change_id: str
    cell: Cell
    before: str | None
    after: str | None
    changed_by: int | None
    changed_at: int


class TargetsMoved(Exception):
    """Cells do not hold any more what the editor saw; `theirs`: what they hold now, None for nothing."""

    def __init__(self, theirs: Sequence[tuple[Wish, Target | None]]) -> None:
        super().__init__(f"{len(theirs)} targets were changed meanwhile")
        self.theirs = tuple(theirs)


def load_plans(
    conn: Connection, portal: PortalRow, metrics: Collection[str], first: date, end: date
) -> Plans:
    """The targets of these metrics in the months that begin from `first` on and before `end`.

    They are read once a process, until the portal's `targets_version` moves: to a number never used before,
    so that what a transaction saw that came to nothing is never taken for what came after it.
    """
    if portal.targets_version is None:
        return Plans()

    def read() -> Plans:
        found = load(conn, portal.portal_id, metrics, first, end)
        return Plans({(t.cell.metric, t.cell.scope, t.cell.month): Fraction(t.value) for t in found.values()})

    key = (portal.portal_id, frozenset(metrics), first, end)
    return _plans.of(conn, key, portal.targets_version, read)


_plans: Remembered[Plans] = Remembered(REMEMBERED, size=lambda plans: 1 + len(plans.values))


def load(
    conn: Connection, portal_id: int, metrics: Collection[str], first: date, end: date
) -> dict[Cell, Target]:
    """The stored targets of these metrics and months, by cell."""
    rows = conn.execute(
        select(
            targets.c.metric,
            targets.c.scope,
            targets.c.month,
            targets.c.value,
            targets.c.set_by,
            targets.c.set_at,
        ).where(
            targets.c.portal_id == portal_id,
            targets.c.metric.in_(sorted(metrics)),
            targets.c.month >= first,
            targets.c.month < end,
        )
    )
    found = (Target(Cell(row[0], row[1], row[2]), row[3], row[4], row[5]) for row in rows)
    return {target.cell: target for target in found}


def save(
    conn: Connection, portal_id: int, wishes: Sequence[Wish], *, by: int | None, at: int
) -> list[Change]:
    """Fulfil all wishes, or none; returns what is different now. What already is as wished stays untouched.

    Raises: TargetsMoved where a checked cell holds something else than its editor saw.
    """
    if not wishes:
        return []
    store.lock(conn, portal_id)
    months = [wish.cell.month for wish in wishes]
    last = max(months)
    known = load(
        conn,
        portal_id,
        {wish.cell.metric for wish in wishes},
        min(months),
        date.fromordinal(last.toordinal() + 1),
    )
    moved = [(wish, known.get(wish.cell)) for wish in wishes if _has_moved(wish, known.get(wish.cell))]
    if moved:
        raise TargetsMoved(moved)
    changes = []
    for place, wish in enumerate(wishes):
        target = known.get(wish.cell)
        before = None if target is None else target.value
        if before != wish.value:
            changes.append(Change(audit.ordered_id(place), wish.cell, before, wish.value, by, at))
    _write(conn, portal_id, changes)
    return changes


def history(
    conn: Connection, portal_id: int, number: int, *where: ColumnElement[bool]
) -> tuple[int, list[Change]]:
    """(how many changes there are, those of a page), newest first. `where`: over `target_changes`."""
    mine = (target_changes.c.portal_id == portal_id, *where)
    total = conn.execute(select(func.count()).select_from(target_changes).where(*mine)).scalar_one()
    rows = conn.execute(
        select(
            target_changes.c.change_id,
            target_changes.c.metric,
            target_changes.c.scope,
            target_changes.c.month,
            target_changes.c.before,
            target_changes.c.after,
            target_changes.c.changed_by,
            target_changes.c.changed_at,
        )
        .where(*mine)
        .order_by(target_changes.c.changed_at.desc(), target_changes.c.change_id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return int(total), [Change(row[0], Cell(row[1], row[2], row[3]), *row[4:]) for row in rows]


def _has_moved(wish: Wish, target: Target | None) -> bool:
    """Whether the cell is in an editor's way: it holds neither what was seen nor what is wished."""
    held = None if target is None else target.value
    return wish.is_checked and held not in (wish.before, wish.value)


def _write(conn: Connection, portal_id: int, changes: Sequence[Change]) -> None:
    if not changes:
        return
    upsert(conn, targets, (_target_row(portal_id, change) for change in changes if change.after is not None))
    _remove(conn, portal_id, (change.cell for change in changes if change.after is None))
    conn.execute(insert(target_changes), [_change_row(portal_id, change) for change in changes])
    conn.execute(
        update(portals).where(portals.c.portal_id == portal_id).values(targets_version=secrets.randbits(62))
    )
    store.bump(conn, portal_id)
    _note(conn, portal_id, changes)


def _remove(conn: Connection, portal_id: int, cells: Iterable[Cell]) -> None:
    gone = [{"a_metric": cell.metric, "a_scope": cell.scope, "a_month": cell.month} for cell in cells]
    if gone:
        conn.execute(
            delete(targets).where(
                targets.c.portal_id == portal_id,
                targets.c.metric == bindparam("a_metric"),
                targets.c.scope == bindparam("a_scope"),
                targets.c.month == bindparam("a_month"),
            ),
            gone,
        )


def _note(conn: Connection, portal_id: int, changes: Sequence[Change]) -> None:
    metrics = sorted({change.cell.metric for change in changes})
    scopes = sorted({change.cell.scope for change in changes})
    months = [change.cell.month for change in changes]
    detail = {
        "count": len(changes),
        "metrics": metrics,
        "scopes": scopes[:20],
        "from": f"{min(months):%Y-%m}",
        "to": f"{max(months):%Y-%m}",
    }
    first = changes[0]
    audit.record(
        conn,
        portal_id,
        first.changed_by,
        audit.TARGETS_CHANGED,
        ", ".join(metrics),
        detail,
        at=first.changed_at,
    )


def _target_row(portal_id: int, change: Change) -> dict[str, object]:
    return {
        "portal_id": portal_id,
        "metric": change.cell.metric,
        "scope": change.cell.scope,
        "month": change.cell.month,
        "value": change.after,
        "set_by": change.changed_by,
        "set_at": change.changed_at,
    }


def _change_row(portal_id: int, change: Change) -> dict[str, object]:
    return {
        "portal_id": portal_id,
        "change_id": change.change_id,
        "metric": change.cell.metric,
        "scope": change.cell.scope,
        "month": change.cell.month,
        "before": change.before,
        "after": change.after,
        "changed_by": change.changed_by,
        "changed_at": change.changed_at,
    }
