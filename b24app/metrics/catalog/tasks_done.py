"""Completed tasks."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import TASKS_DONE as DONE
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

TASKS_DONE = Metric(
    key="tasks_done",
    group=Group.PROJECTS,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((DONE,))),
    needs=(Need(Source.TASKS),),
    by=ADDITIVE | {By.PROJECT},
    rest_scopes=("task",),
)
