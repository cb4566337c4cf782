"""Missed calls of all incoming ones."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import CALLS_IN, CALLS_MISSED
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

CALLS_MISSED_RATE = Metric(
    key="calls_missed_rate",
    group=Group.ACTIVITY,
    unit=Unit.RATIO,
    better=Better.DOWN,
    shape=Ratio(Count((CALLS_MISSED,)), Count((CALLS_IN, CALLS_MISSED))),
    needs=(Need(Source.CALLS),),
    by=ADDITIVE,
    rest_scopes=("telephony",),
)
