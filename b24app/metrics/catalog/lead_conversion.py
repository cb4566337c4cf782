"""Lead-to-deal conversion: leads created in the period that are converted by now."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import COHORT_DEALS, COHORT_WON, LEADS_CONVERTED, LEADS_CREATED
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

LEAD_CONVERSION = Metric(
    key="lead_conversion",
    group=Group.MARKETING,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((LEADS_CONVERTED,)), Count((LEADS_CREATED,))),
    without_leads=Ratio(Count((COHORT_WON,)), Count((COHORT_DEALS,))),
    needs=(Need(Source.LEADS),),
    by=ADDITIVE | {By.CHANNEL},
)
