"""Stored KPI sets: every version of each, never changed once written."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, insert, select

from b24app import audit, store
from b24app.metrics.kpi_sets import Assigned, KpiSet, Weighted, latest
from b24app.set_drafts import Draft
from b24app.tables import kpi_sets


class SetMoved(Exception):
    """Somebody else has made a newer version; `current`: it, or None where the set is gone."""

    def __init__(self, current: KpiSet | None) -> None:
        super().__init__("the set was changed meanwhile")
        self.current = current


def load(conn: Connection, portal_id: int, set_id: str | None = None) -> list[KpiSet]:
    """All versions of all sets, or of one, oldest first."""
    where = [kpi_sets.c.portal_id == portal_id]
    if set_id is not None:
        where.append(kpi_sets.c.set_id == set_id)
    rows = conn.execute(select(kpi_sets).where(*where).order_by(kpi_sets.c.set_id, kpi_sets.c.version))
    return [_from_row(dict(row)) for row in rows.mappings()]


def create(conn: Connection, portal_id: int, draft: Draft, *, by: int | None, at: int) -> KpiSet:
    """The first version of a new set."""
    store.lock(conn, portal_id)
    return _write(conn, portal_id, secrets.token_hex(8), 1, draft, audit.SET_CREATED, by=by, at=at)


def change(conn: Connection, portal_id: int, set_id: str, draft: Draft, *, by: int | None, at: int) -> KpiSet:
    """A new version; the ones before stay in force for the days before it begins.

    Raises: SetMoved where the draft was made from another version than the newest.
    """
    store.lock(conn, portal_id)
    current = _current(conn, portal_id, set_id, draft.version)
    return _write(conn, portal_id, set_id, current.version + 1, draft, audit.SET_CHANGED, by=by, at=at)


def retire(
    conn: Connection, portal_id: int, set_id: str, version: int, draft: Draft, *, by: int | None, at: int
) -> None:
    """End the set from the draft's `starts_on` on; past days keep it. Raises: SetMoved."""
    store.lock(conn, portal_id)
    current = _current(conn, portal_id, set_id, version)
    _write(
        conn, portal_id, set_id, current.version + 1, draft, audit.SET_RETIRED, by=by, at=at, is_retired=True
    )


def _current(conn: Connection, portal_id: int, set_id: str, version: int | None) -> KpiSet:
    found = latest(load(conn, portal_id, set_id))
    current = found[0] if found else None
    if current is None or current.version != version:
        raise SetMoved(current)
    return current


def _write(
    conn: Connection,
    portal_id: int,
    set_id: str,
    version: int,
    draft: Draft,
    action: str,
    *,
    by: int | None,
    at: int,
    is_retired: bool = False,
) -> KpiSet:
    made = KpiSet(
        set_id=set_id,
        version=version,
        name=draft.name,
        purpose=draft.purpose,
        owner_id=draft.owner_id,
        starts_on=draft.starts_on,
        metrics=draft.metrics,
        assigned=draft.assigned,
        is_retired=is_retired,
        made_by=by,
        made_at=at,
    )
    conn.execute(insert(kpi_sets).values({"portal_id": portal_id, **_to_row(made)}))
    store.bump(conn, portal_id)
    detail = {
        "id": set_id,
        "version": version,
        "starts_on": draft.starts_on.isoformat(),
        "metrics": [weighted.metric for weighted in draft.metrics],
    }
    audit.record(conn, portal_id, by, action, draft.name, detail, at=at)
    return made


def _to_row(made: KpiSet) -> dict[str, Any]:
    return {
        "set_id": made.set_id,
        "version": made.version,
        "name": made.name,
        "purpose": made.purpose,
        "owner_id": made.owner_id,
        "starts_on": made.starts_on,
        "metrics": [{"metric": one.metric, "weight": str(one.weight)} for one in made.metrics],
        "assigned": {
            "departments": sorted(made.assigned.departments),
            "positions": sorted(made.assigned.positions),
            "users": sorted(made.assigned.users),
        },
        "is_retired": made.is_retired,
        "made_by": made.made_by,
        "made_at": made.made_at,
    }


def _from_row(row: Mapping[str, Any]) -> KpiSet:
    return KpiSet(
        set_id=row["set_id"],
        version=row["version"],
        name=row["name"],
        purpose=row["purpose"],
        owner_id=row["owner_id"],
        starts_on=row["starts_on"],
        metrics=tuple(Weighted(one["metric"], Fraction(one["weight"])) for one in row["metrics"]),
        assigned=Assigned(
            departments=frozenset(row["assigned"]["departments"]),
            positions=frozenset(row["assigned"]["positions"]),
            users=frozenset(row["assigned"]["users"]),
        ),
        is_retired=row["is_retired"],
        made_by=row["made_by"],
        made_at=row["made_at"],
    )
