"""Time in stage: how long deals stayed in a stage that they left in the period."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, Count, Ratio
from b24app.metrics.measures import STAY_SECONDS, STAYS, STAYS_BACKWARDS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

STAGE_TIME = Metric(
    key="stage_time",
    group=Group.SALES,
    unit=Unit.SECONDS,
    better=Better.DOWN,
    shape=Ratio(Count((STAY_SECONDS,)), Count((STAYS,)), is_mean=True),
    # a stay that ended in the period may have begun long before
    needs=(Need(Source.STAGE_HISTORY, whole=True), Need(Source.DEALS)),
    by=ADDITIVE | {By.PIPELINE, By.STAGE, By.CHANNEL},
    left_out=((NEGATIVE_DURATION, STAYS_BACKWARDS),),
)
