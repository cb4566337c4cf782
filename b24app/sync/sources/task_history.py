"""Histories of tasks, one call each: only of tasks that are closed, and once for each closing."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Integer, bindparam, func, select

from b24app import tables
from b24app.facts import tasks
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.paging import rows_at
from b24app.store import Writer
from b24app.sync.sources.kinds import Details, Waiting

METHOD = "tasks.task.history.list"


_task = tables.tasks.c

_IS_WAITING = (
    _task.portal_id == bindparam("portal"),
    _task.closed_at.is_not(None),
    _task.was_returned.is_(None),
)
_WAITING = (
    select(_task.task_id, _task.closed_at)
    .where(*_IS_WAITING)
    .order_by(_task.closed_at.desc(), _task.task_id.desc())
    .limit(bindparam("most", type_=Integer))
)
_COUNT = select(func.count()).select_from(tables.tasks).where(*_IS_WAITING)


def _waiting(conn: Connection, portal_id: int, limit: int, without: frozenset[int]) -> list[Waiting]:
    wanted = _WAITING.where(_task.task_id.not_in(sorted(without))) if without else _WAITING
    return [Waiting(*row) for row in conn.execute(wanted, {"portal": portal_id, "most": limit})]


def _count(conn: Connection, portal_id: int) -> int:
    return int(conn.execute(_COUNT, {"portal": portal_id}).scalar_one())


def _known(conn: Connection, portal_id: int) -> int:
    task = tables.tasks.c
    counted = select(func.count()).where(
        task.portal_id == portal_id, task.closed_at.is_not(None), task.was_returned.is_not(None)
    )
    return int(conn.execute(counted).scalar_one())


def _store(writer: Writer, answers: Mapping[Waiting, Reply]) -> None:
    writer.set_returned({
        (task.record_id, task.version): tasks.was_returned(rows_at(answer.result, ("list",), METHOD))
        for task, answer in answers.items()
    })  # fmt: skip


TASK_HISTORY = Details(
    name="task_history",
    waiting=_waiting,
    count=_count,
    call=lambda task_id: Call(METHOD, {"taskId": task_id}),
    store=_store,
    known=_known,
    weight=2.0,
)
