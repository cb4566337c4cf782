"""The grid of one KPI's targets: who is in it, what stands in its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from b24app import access, scope
from b24app.access import Visibility
from b24app.metrics import plans
from b24app.metrics.catalog import BY_KEY
from b24app.metrics.context import Context
from b24app.metrics.metric import Metric
from b24app.metrics.periods import Period, shift_months
from b24app.metrics.plans import Plans
from b24app.org import Org
from b24app.scope import Scope, Whose
from b24app.target_rows import Cell
from b24app.targets import Target
from b24app.viewer import Viewer
from b24app.web import scopes
from b24app.web.moments import rfc3339
from b24app.web.parameters import wrong
from b24app.web.present import planned
from b24app.web.problems import Problem
from b24app.web.sight import Sight

Line = Mapping[str, Any]
"""A row without its cells."""


@dataclass(frozen=True)
class Grid:
    """A permitted question for targets of one KPI."""

    asking: Viewer
    metric: Metric
    scope: Scope
    visibility: Visibility
    context: Context

    @property
    def org(self) -> Org:
        return self.context.org


def asked_grid(conn: Connection, asking: Viewer, given: Mapping[str, str]) -> Grid:
    """Raises: Problem 400, 403, 404 as `/kpi` does."""
    key = given.get("metric")
    if key is None:
        raise wrong("metric", "is missing")
    metric = BY_KEY.get(key)
    if metric is None:
        raise Problem(404, "Unknown metric", f"there is no metric {key}", parameter="metric")
    sight = Sight(conn, asking)
    asked_scope = scopes.asked_scope(given.get("scope"), asking, sight.visibility)
    return Grid(asking, metric, asked_scope, sight.visibility, sight.context)


def grid_json(asked: Grid, stored: Mapping[Cell, Target], first: date, end: date) -> dict[str, Any]:
    """The body of `GET /api/v1/targets`."""
    found = Plans({(c.metric, c.scope, c.month): Fraction(t.value) for c, t in stored.items()})
    months = plans.months_of(Period(first, end))
    filled = {cell.scope for cell in stored}
    return {
        "portal": asked.asking.member_id,
        "metric": asked.metric.key,
        "unit": asked.metric.unit.value,
        "currency": asked.context.rates.currency,
        "adds_up": asked.metric.adds_up,
        "scope": str(asked.scope),
        "today": asked.context.today.isoformat(),
        "from": f"{first:%Y-%m}",
        "to": f"{end:%Y-%m}",
        "months": [f"{month:%Y-%m}" for month in months],
        "rows": [
            {**row, "cells": [_cell_json(asked, row["key"], month, stored, found) for month in months]}
            for row in rows_in(asked)
            if row["active"] or row["key"] in filled
        ],
        "totals": [_total_json(asked, month, found) for month in months],
    }


def rows_in(asked: Grid) -> list[Line]:
    """The rows of a grid: the scope itself, the departments in it, its people by name; dismissed ones too."""
    org, own = asked.org, asked.scope
    if own.whose is Whose.USER:
        return [_row(asked, own)]
    below = org.subtree(own.id) if own.id is not None else _all_departments(org)
    people = org.people(own.id) if own.id is not None else org.employees()
    ordered = sorted(people, key=lambda user_id: (org.users[user_id].name.casefold(), user_id))
    return [
        _row(asked, own),
        *(_row(asked, scope.department(number)) for number in below if number != own.id),
        *(_row(asked, scope.user(user_id)) for user_id in ordered),
    ]


def written(value: Fraction | None, metric: Metric) -> int | float | str | None:
    return planned(value, metric.unit, not metric.adds_up)


def month_of(month: date) -> Period:
    return Period(month, shift_months(month, 1))


def named(user_id: int | None, org: Org) -> dict[str, Any] | None:
    if user_id is None:
        return None
    employee = org.users.get(user_id)
    return {"id": user_id, "name": "" if employee is None else employee.name}


def _all_departments(org: Org) -> tuple[int, ...]:
    return tuple(dict.fromkeys(inner for root in org.roots() for inner in org.subtree(root)))


def _row(asked: Grid, whose: Scope) -> Line:
    employee = asked.org.users.get(whose.id or 0) if whose.whose is Whose.USER else None
    department = asked.org.departments.get(whose.id or 0) if whose.whose is Whose.DEPARTMENT else None
    hired_on = employee.hired_on if employee is not None else None
    return {
        "key": str(whose),
        "kind": "scope" if whose == asked.scope else whose.whose.value,
        "name": employee.name if employee is not None else department.name if department is not None else "",
        "active": employee is None or employee.is_active,
        "position": employee.position if employee is not None else None,
        "hired_on": None if hired_on is None else hired_on.isoformat(),
        "may_edit": whose.whose in asked.metric.per and access.may_plan(asked.org, asked.asking, whose),
    }


def _cell_json(
    asked: Grid, key: str, month: date, stored: Mapping[Cell, Target], found: Plans
) -> dict[str, Any]:
    target = stored.get(Cell(asked.metric.key, key, month))
    counts = plans.target_of(
        found, asked.metric.key, scope.parse(key), month_of(month), asked.org, adds_up=asked.metric.adds_up
    )
    return {
        "month": f"{month:%Y-%m}",
        "value": None if target is None else target.value,
        "set_by": None if target is None else named(target.set_by, asked.org),
        "set_at": None if target is None else rfc3339(target.set_at),
        "effective": written(counts, asked.metric),
    }


def _total_json(asked: Grid, month: date, found: Plans) -> dict[str, Any]:
    own = found.own(asked.metric.key, asked.scope, month)
    people = rest = None
    if asked.metric.adds_up and asked.scope.whose is not Whose.USER:
        people, rest = plans.undistributed(found, asked.metric.key, asked.scope, month, asked.org)
    return {
        "month": f"{month:%Y-%m}",
        "target": written(own, asked.metric),
        "people": written(people, asked.metric),
        "undistributed": written(rest, asked.metric),
    }
