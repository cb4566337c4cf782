"""Activities completed. The portal keeps no moment of completion: the nearest one stands in."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import ACTIVITIES_DONE as DONE
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Origin, Unit

ACTIVITIES_DONE = Metric(
    key="activities_done",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((DONE,))),
    needs=(Need(Source.ACTIVITIES),),
    by=ADDITIVE,
    origin=Origin.PROXY,
)
