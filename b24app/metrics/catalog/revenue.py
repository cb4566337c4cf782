"""Won amount, in the report currency."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Money, Sum
from b24app.metrics.measures import DEALS_WON, WON_AMOUNT
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

REVENUE = Metric(
    key="revenue",
    group=Group.SALES,
    unit=Unit.MONEY,
    better=Better.UP,
    shape=Sum(Money(WON_AMOUNT, DEALS_WON)),
    needs=(Need(Source.DEALS), Need(Source.CURRENCIES, whole=True)),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
