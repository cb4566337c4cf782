"""Return on channel: what the won deals of the channels with a cost brought beyond that cost."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import CountWithCost, Money, NetReturn, Ratio
from b24app.metrics.measures import COST, COST_ENTRIES, DEALS_WON, WON_AMOUNT
from b24app.metrics.metric import TIMES, Better, By, Group, Metric, Origin, Unit
from b24app.scope import Whose

_SPENT = Money(COST, COST_ENTRIES, is_spread=True)

CHANNEL_ROI = Metric(
    key="channel_roi",
    group=Group.MARKETING,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(
        NetReturn(Money(WON_AMOUNT, DEALS_WON), _SPENT), _SPENT, sample=CountWithCost(DEALS_WON, _SPENT)
    ),
    needs=(Need(Source.DEALS), Need(Source.CURRENCIES, whole=True), Need(Source.COSTS)),
    by=TIMES | {By.DEPARTMENT, By.CHANNEL},
    origin=Origin.MANUAL,
    per=(Whose.DEPARTMENT, Whose.COMPANY),
)
