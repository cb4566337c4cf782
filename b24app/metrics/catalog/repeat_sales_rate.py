"""Repeat sales: won deals whose client had bought before, of won deals with a known client."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NO_CLIENT, Count, Ratio
from b24app.metrics.measures import CLIENT_UNKNOWN, CLIENT_WON, REPEAT_WON
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

REPEAT_SALES_RATE = Metric(
    key="repeat_sales_rate",
    group=Group.SALES,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((REPEAT_WON,)), Count((CLIENT_WON,))),
    needs=(Need(Source.DEALS, whole=True),),  # an earlier purchase counts however old it is
    by=ADDITIVE | {By.PIPELINE, By.CHANNEL},
    left_out=((NO_CLIENT, CLIENT_UNKNOWN),),
)
