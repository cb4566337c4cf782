"""Support requests: cases opened in the period."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import CASES as CASES_OPENED
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

CASES = Metric(
    key="cases",
    group=Group.SUPPORT,
    unit=Unit.COUNT,
    better=Better.NEITHER,
    shape=Sum(Count((CASES_OPENED,))),
    needs=(Need(Source.CASES),),
    by=ADDITIVE | {By.SUPPORT_SOURCE},
)
