"""Calls taken: incoming calls that were answered."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import CALLS_IN as TAKEN
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

CALLS_IN = Metric(
    key="calls_in",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.NEITHER,
    shape=Sum(Count((TAKEN,))),
    needs=(Need(Source.CALLS),),
    by=ADDITIVE,
    rest_scopes=("telephony",),
)
