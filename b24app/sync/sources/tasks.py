"""Tasks: their own moments tell what has changed, events what is gone."""

from __future__ import annotations

from b24app import tables
from b24app.facts import tasks
from b24app.rest.paging import Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList
from b24app.sync.sources.task_history import TASK_HISTORY

TASKS = LongList(
    name="tasks",
    base=Listing(
        "tasks.task.list",
        {"select": list(tasks.FIELDS)},
        ("tasks",),
        filter_key="ID",
        among_operator="",
    ),
    recency_key="CHANGED_DATE",
    made_key="CREATED_DATE",
    changed_key="CHANGED_DATE",
    event="ONTASK",
    may_lack_recency=True,
    table=tables.tasks,
    id_column=tables.tasks.c.task_id,
    made_column=tables.tasks.c.created_at,
    parse=tasks.parse,
    save=Writer.save_tasks,
    fill=Writer.fill_tasks,
    delete=Writer.delete_tasks,
    details=(TASK_HISTORY,),
    weight=2.0,
)
