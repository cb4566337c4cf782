"""Resource plan: hours logged in the period against hours planned for it."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, NO_ESTIMATE, Count, Ratio
from b24app.metrics.measures import (
    LOGGED_BACKWARDS,
    LOGGED_SECONDS,
    NOT_PLANNED,
    PLANNED_SECONDS,
    PLANNED_TASKS,
)
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

RESOURCE_PLAN = Metric(
    key="resource_plan",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.NEAR_100,
    shape=Ratio(Count((LOGGED_SECONDS,)), Count((PLANNED_SECONDS,)), sample=Count((PLANNED_TASKS,))),
    needs=(Need(Source.TIME_RECORDS), Need(Source.TASKS, whole=True)),
    by=ADDITIVE | {By.PROJECT},
    left_out=((NEGATIVE_DURATION, LOGGED_BACKWARDS), (NO_ESTIMATE, NOT_PLANNED)),
    rest_scopes=("task",),
)
