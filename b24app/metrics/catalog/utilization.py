"""Use of capacity: hours logged of the working hours of active employees."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, Count, Ratio
from b24app.metrics.measures import CAPACITY_SECONDS, LOGGED_BACKWARDS, LOGGED_SECONDS
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

UTILIZATION = Metric(
    key="utilization",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((LOGGED_SECONDS,)), Count((CAPACITY_SECONDS,))),
    needs=(Need(Source.TIME_RECORDS),),
    by=ADDITIVE,
    left_out=((NEGATIVE_DURATION, LOGGED_BACKWARDS),),
    rest_scopes=("task", "calendar"),
)
