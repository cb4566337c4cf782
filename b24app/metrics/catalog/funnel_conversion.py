"""Contact-to-deal conversion: how many of the deals created in the period are won by now."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import COHORT_DEALS, COHORT_WON
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

FUNNEL_CONVERSION = Metric(
    key="funnel_conversion",
    group=Group.SALES,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((COHORT_WON,)), Count((COHORT_DEALS,))),
    needs=(Need(Source.DEALS),),
    by=ADDITIVE | {By.PIPELINE, By.CHANNEL},
)
