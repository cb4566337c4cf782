"""Lost deals."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import DEALS_LOST as LOST
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

DEALS_LOST = Metric(
    key="deals_lost",
    group=Group.SALES,
    unit=Unit.COUNT,
    better=Better.DOWN,
    shape=Sum(Count((LOST,))),
    needs=(Need(Source.DEALS),),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
