"""How measures are described in SQL: where records are, what each adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, bindparam

from b24app.metrics.measures import Cut

Columns = Mapping[Cut, tuple[ColumnElement[Any], ...]]

NOW = bindparam("now", type_=BigInteger)
"""The moment of the question in epoch seconds, for what is due or overdue."""


class Kind(StrEnum):
    """What a record is on the portal; its id is unique among its kind (and entity type, for items)."""

    DEAL = "deal"
    LEAD = "lead"
    ITEM = "item"  # of a smart process, or a deal that is read for its budget
    ACTIVITY = "activity"
    CALL = "call"
    TASK = "task"
    TIME_RECORD = "time_record"


@dataclass(frozen=True, kw_only=True)
class Records:
    """Where a table's records are. `day` None: the present state. `only`: what every record must be.

    `whatever_pipeline`: records that the choice of pipelines does not limit. `alone`: the records without
    what stands beside them in `source` for lists and channels.
    """

    source: FromClause
    alone: FromClause | None = None
    portal: ColumnElement[int]
    only: tuple[ColumnElement[bool], ...] = ()
    day: ColumnElement[Any] | None
    cuts: Columns
    category: ColumnElement[int] | None = None
    whatever_pipeline: ColumnElement[bool] | None = None
    project: ColumnElement[int] | None = None
    currency: ColumnElement[str] | None = None


@dataclass(frozen=True, kw_only=True)
class PortalRecords(Records):
    """Records that the portal keeps: it can be asked for them. The rest is what lists show of them.

    `entity_type`: of CRM items, or of the item that a record belongs to; `parent`: the id of that item, or
    of the task that a time record belongs to.
    """

    kind: Kind | ColumnElement[str]  # an expression where records of several kinds are in one table
    at: ColumnElement[int]  # the moment that the day is cut from
    id: ColumnElement[int]
    row_id: ColumnElement[int]  # unique: one deal can have several stays
    stage: ColumnElement[str] | None = None
    amount: ColumnElement[int] | None = None  # in `currency_of`
    currency_of: ColumnElement[str] | None = None
    client: ColumnElement[str] | None = None
    entity_type: ColumnElement[int] | None = None
    parent: ColumnElement[int] | None = None


@dataclass(frozen=True)
class Value:
    """Which of the table's records a measure takes, and how much each adds (None: 1)."""

    where: ColumnElement[bool]
    adds: ColumnElement[int] | None = None
    semantics: str | None = None  # the records are all in one final state: the index can find them
