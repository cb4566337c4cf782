"""Win rate: won deals of all deals closed in the period."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import DEALS_LOST, DEALS_WON
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

WIN_RATE = Metric(
    key="win_rate",
    group=Group.SALES,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((DEALS_WON,)), Count((DEALS_WON, DEALS_LOST))),
    needs=(Need(Source.DEALS),),
    by=ADDITIVE | {By.PIPELINE, By.CHANNEL},
)
