"""Deal volume: deals closed successfully."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import DEALS_WON as WON
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

DEALS_WON = Metric(
    key="deals_won",
    group=Group.SALES,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((WON,))),
    needs=(Need(Source.DEALS),),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
