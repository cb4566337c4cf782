"""Time to resolution: from the opening of a case to its closing."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, Count, Ratio
from b24app.metrics.measures import RESOLUTION_SECONDS, RESOLVED, RESOLVED_BACKWARDS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

RESOLUTION_TIME = Metric(
    key="resolution_time",
    group=Group.SUPPORT,
    unit=Unit.SECONDS,
    better=Better.DOWN,
    shape=Ratio(Count((RESOLUTION_SECONDS,)), Count((RESOLVED,)), is_mean=True),
    needs=(Need(Source.CASES),),
    by=ADDITIVE | {By.SUPPORT_SOURCE},
    left_out=((NEGATIVE_DURATION, RESOLVED_BACKWARDS),),
)
