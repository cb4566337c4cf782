"""First contact resolution: closed cases that were neither reopened nor followed by another of the client."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import CASES_CLOSED, RESOLVED_AT_ONCE, RESOLVED_SO_FAR
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

FCR = Metric(
    key="fcr",
    group=Group.SUPPORT,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((RESOLVED_AT_ONCE,)), Count((CASES_CLOSED,))),
    needs=(Need(Source.CASES),),
    by=ADDITIVE | {By.SUPPORT_SOURCE},
    # the client may still come back
    awaits=RESOLVED_SO_FAR,
    moves_with_time=True,
)
