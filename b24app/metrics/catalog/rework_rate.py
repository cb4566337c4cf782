"""Quality: tasks that were sent back at least once before they were completed."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NOT_READ, Count, Ratio
from b24app.metrics.measures import CHECKED_TASKS, RETURNED_TASKS, UNCHECKED_TASKS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

REWORK_RATE = Metric(
    key="rework_rate",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.DOWN,
    shape=Ratio(Count((RETURNED_TASKS,)), Count((CHECKED_TASKS,))),
    needs=(Need(Source.TASKS), Need(Source.TASK_HISTORY)),
    by=ADDITIVE | {By.PROJECT},
    # histories are read one by one, after the tasks
    left_out=((NOT_READ, UNCHECKED_TASKS),),
    awaits=UNCHECKED_TASKS,
    rest_scopes=("task",),
)
