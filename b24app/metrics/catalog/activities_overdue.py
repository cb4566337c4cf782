"""Overdue activities: not completed, the deadline has passed."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import ACTIVITIES_OVERDUE as OVERDUE
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

ACTIVITIES_OVERDUE = Metric(
    key="activities_overdue",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.DOWN,
    shape=Sum(Count((OVERDUE,))),
    needs=(Need(Source.ACTIVITIES, whole=True),),
    by=ADDITIVE,
    moves_with_time=True,
)
