"""Engagement in campaigns: how many of the delivered messages were opened."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Ratio
from b24app.metrics.measures import DELIVERED, OPENED
from b24app.metrics.metric import TIMES, Better, By, Group, Metric, Origin, Unit
from b24app.scope import Whose

ENGAGEMENT_RATE = Metric(
    key="engagement_rate",
    group=Group.MARKETING,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((OPENED,)), Count((DELIVERED,))),
    needs=(Need(Source.CAMPAIGNS),),
    by=TIMES | {By.DEPARTMENT, By.CHANNEL},
    origin=Origin.MANUAL,
    rest_scopes=(),
    per=(Whose.DEPARTMENT, Whose.COMPANY),
)
