"""New leads; in portals without leads, new deals."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import COHORT_DEALS, LEADS_CREATED
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

LEADS_NEW = Metric(
    key="leads_new",
    group=Group.MARKETING,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((LEADS_CREATED,))),
    without_leads=Sum(Count((COHORT_DEALS,))),
    needs=(Need(Source.LEADS),),
    by=ADDITIVE | {By.CHANNEL},
)
