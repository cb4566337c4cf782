"""Talk time: how long answered calls lasted."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, Count, Sum
from b24app.metrics.measures import TALK_SECONDS, TALKS_BACKWARDS
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

TALK_TIME = Metric(
    key="talk_time",
    group=Group.ACTIVITY,
    unit=Unit.SECONDS,
    better=Better.UP,
    shape=Sum(Count((TALK_SECONDS,))),
    needs=(Need(Source.CALLS),),
    by=ADDITIVE,
    left_out=((NEGATIVE_DURATION, TALKS_BACKWARDS),),
    rest_scopes=("telephony",),
)
