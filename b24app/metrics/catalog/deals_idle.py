"""Deals without a next step: in progress, with no open activity bound to them."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import IDLE_DEALS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

DEALS_IDLE = Metric(
    key="deals_idle",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.DOWN,
    shape=Sum(Count((IDLE_DEALS,))),
    needs=(Need(Source.DEALS, whole=True), Need(Source.ACTIVITIES, whole=True)),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
)
