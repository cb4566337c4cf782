"""The stored organisation of a portal, as the pure tree that KPIs and access rules work on."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from b24app.org import Department, Employee, Org
from b24app.tables import absences, departments, memberships, users


def load_org(conn: Connection, portal_id: int) -> Org:
    """The portal's users and departments; empty before the first read."""
    inside: dict[int, list[int]] = {}
    for row in conn.execute(
        select(memberships.c.user_id, memberships.c.department_id)
        .where(memberships.c.portal_id == portal_id)
        .order_by(memberships.c.user_id, memberships.c.department_id)
    ):
        inside.setdefault(row.user_id, []).append(row.department_id)
    employees = {
        row.user_id: Employee(
            id=row.user_id,
            name=row.name,
            position=row.position,
            photo=row.photo,
            is_active=row.is_active,
            is_employee=row.is_employee,
            department_ids=tuple(inside.get(row.user_id, ())),
            hired_on=row.hired_on,
        )
        for row in conn.execute(select(users).where(users.c.portal_id == portal_id))
    }
    tree = {
        row.department_id: Department(
            id=row.department_id,
            name=row.name,
            parent_id=row.parent_id,
            head_id=row.head_id,
            sort=row.sort,
        )
        for row in conn.execute(select(departments).where(departments.c.portal_id == portal_id))
    }
    return Org(users=employees, departments=tree)


def away_until(conn: Connection, portal_id: int, day: date) -> dict[int, date]:
    """Who is away on that day, and the last day of it."""
    rows = conn.execute(
        select(absences.c.user_id, absences.c.to_day).where(
            absences.c.portal_id == portal_id, absences.c.from_day <= day, absences.c.to_day >= day
        )
    )
    return {row.user_id: row.to_day for row in rows}
