"""Open pipeline: the amount of deals in progress now."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Money, Sum
from b24app.metrics.measures import OPEN_AMOUNT, OPEN_DEALS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

PIPELINE_OPEN = Metric(
    key="pipeline_open",
    group=Group.SALES,
    unit=Unit.MONEY,
    better=Better.UP,
    shape=Sum(Money(OPEN_AMOUNT, OPEN_DEALS)),
    needs=(Need(Source.DEALS, whole=True), Need(Source.CURRENCIES, whole=True)),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
