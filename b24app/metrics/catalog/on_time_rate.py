"""Deadlines met: tasks completed by their deadline of all whose deadline came in the period."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import DEFERRED, NOT_DUE, Count, Ratio
from b24app.metrics.measures import TASKS_DEFERRED, TASKS_DUE, TASKS_NOT_DUE, TASKS_ON_TIME
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

ON_TIME_RATE = Metric(
    key="on_time_rate",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((TASKS_ON_TIME,)), Count((TASKS_DUE,))),
    # a task whose deadline is in the period may have been made and changed long before
    needs=(Need(Source.TASKS, whole=True),),
    by=ADDITIVE | {By.PROJECT},
    left_out=((NOT_DUE, TASKS_NOT_DUE), (DEFERRED, TASKS_DEFERRED)),
    rest_scopes=("task",),
    moves_with_time=True,
)
