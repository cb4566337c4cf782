"""Average check: won amount per won deal; deals in a currency without a rate are on neither side."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import CountWithRate, Money, Ratio
from b24app.metrics.measures import DEALS_WON, WON_AMOUNT
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

AVERAGE_CHECK = Metric(
    key="average_check",
    group=Group.SALES,
    unit=Unit.MONEY,
    better=Better.UP,
    shape=Ratio(Money(WON_AMOUNT, DEALS_WON), CountWithRate(DEALS_WON), is_mean=True),
    needs=(Need(Source.DEALS), Need(Source.CURRENCIES, whole=True)),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
