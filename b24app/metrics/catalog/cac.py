"""Customer acquisition cost: what marketing cost per new customer."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import BOUGHT_BEFORE, NO_CLIENT, Count, Money, Ratio
from b24app.metrics.measures import CLIENT_UNKNOWN, COST, COST_ENTRIES, NEW_CUSTOMERS, REPEAT_WON
from b24app.metrics.metric import TIMES, Better, By, Group, Metric, Origin, Unit
from b24app.scope import Whose

CAC = Metric(
    key="cac",
    group=Group.MARKETING,
    unit=Unit.MONEY,
    better=Better.DOWN,
    shape=Ratio(Money(COST, COST_ENTRIES, is_spread=True), Count((NEW_CUSTOMERS,)), is_mean=True),
    # whether a purchase is the first one is known only when all are read
    needs=(Need(Source.DEALS, whole=True), Need(Source.CURRENCIES, whole=True), Need(Source.COSTS)),
    by=TIMES | {By.DEPARTMENT, By.CHANNEL},
    left_out=((NO_CLIENT, CLIENT_UNKNOWN), (BOUGHT_BEFORE, REPEAT_WON)),
    origin=Origin.MANUAL,
    per=(Whose.DEPARTMENT, Whose.COMPANY),
)
