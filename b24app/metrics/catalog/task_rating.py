"""Quality: good marks of all marks that completed tasks were given."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NO_MARK, Count, Ratio
from b24app.metrics.measures import BAD_MARKS, GOOD_MARKS, NOT_MARKED
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

TASK_RATING = Metric(
    key="task_rating",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((GOOD_MARKS,)), Count((GOOD_MARKS, BAD_MARKS))),
    needs=(Need(Source.TASKS),),
    by=ADDITIVE | {By.PROJECT},
    left_out=((NO_MARK, NOT_MARKED),),
    rest_scopes=("task",),
)
