"""Time records of tasks: new rows by their ids; they are edited and removed without notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from b24app import tables
from b24app.facts import time_records
from b24app.rest.calls import Call
from b24app.rest.paging import PAGE_SIZE, Listing
from b24app.store import Writer
from b24app.sync.sources.kinds import LongList, Touch


@dataclass(frozen=True, slots=True)
class PositionalListing(Listing):
    """A list whose parameters are told by their order, and whose pages cannot be asked for without counting.

    No task stands before the order: that asks for the records of all tasks, in a batch too. The filter is
    never empty, because an empty one is not sent and the fields would stand in its place.
    Source: api-reference/tasks/elapsed-item/task-elapsed-item-get-list.md
    """

    def page(
        self, *, beyond: int | str | None, bound: int | None, descending: bool, is_counted: bool = True
    ) -> Call:
        ahead, behind = ("<ID", ">ID") if descending else (">ID", "<ID")
        limits = dict(self.params.get(self.filter_name, {}))
        if beyond is not None:
            limits[ahead] = beyond
        if bound is not None:
            limits[behind] = bound
        return self._call(limits, "desc" if descending else "asc")

    def count(self) -> Call:
        return self.ids_only()._call(dict(self.params.get(self.filter_name, {})), "asc")

    def _call(self, limits: Mapping[str, Any], direction: str) -> Call:
        return Call(
            self.method,
            {
                "ORDER": {"ID": direction},
                "FILTER": {">ID": 0, **limits},
                "SELECT": self.params["select"],
                "PARAMS": {"NAV_PARAMS": {"nPageSize": PAGE_SIZE, "iNumPage": 1}},
            },
        )


TIME_RECORDS = LongList(
    name="time_records",
    base=PositionalListing("task.elapseditem.getlist", {"select": list(time_records.FIELDS)}, id_key="ID"),
    recency_key="CREATED_DATE",
    made_key="CREATED_DATE",
    is_rewritten=True,
    table=tables.time_records,
    id_column=tables.time_records.c.record_id,
    made_column=tables.time_records.c.worked_at,
    parse=time_records.parse,
    save=Writer.save_time_records,
    fill=Writer.fill_time_records,
    delete=Writer.delete_time_records,
    # The time spent on a task stands in the task as well, and moves without a change of the task.
    touches=Touch("tasks", tables.time_records.c.task_id),
    follows="tasks",
)
