"""Meetings held: completed meetings by the day they ended."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import MEETINGS_HELD
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

MEETINGS = Metric(
    key="meetings",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((MEETINGS_HELD,))),
    needs=(Need(Source.ACTIVITIES),),
    by=ADDITIVE,
)
