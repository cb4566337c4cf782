"""Calls made: outgoing calls and call-backs that were answered."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import CALLS_OUT as MADE
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

CALLS_OUT = Metric(
    key="calls_out",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((MADE,))),
    needs=(Need(Source.CALLS),),
    by=ADDITIVE,
    rest_scopes=("telephony",),
)
