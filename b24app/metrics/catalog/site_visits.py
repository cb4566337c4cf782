"""Visits of the site that campaigns brought."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import VISITS
from b24app.metrics.metric import TIMES, Better, By, Group, Metric, Origin, Unit
from b24app.scope import Whose

SITE_VISITS = Metric(
    key="site_visits",
    group=Group.MARKETING,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((VISITS,))),
    needs=(Need(Source.CAMPAIGNS),),
    by=TIMES | {By.DEPARTMENT, By.CHANNEL},
    origin=Origin.MANUAL,
    rest_scopes=(),
    per=(Whose.DEPARTMENT, Whose.COMPANY),
)
