"""Request processing time: from the first contact (the deal or its lead) to the won moment."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NEGATIVE_DURATION, Count, Ratio
from b24app.metrics.measures import PROCESSED, PROCESSED_BACKWARDS, PROCESSING_SECONDS
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

PROCESSING_TIME = Metric(
    key="processing_time",
    group=Group.SALES,
    unit=Unit.SECONDS,
    better=Better.DOWN,
    shape=Ratio(Count((PROCESSING_SECONDS,)), Count((PROCESSED,)), is_mean=True),
    # the lead of a deal may be older than the period
    needs=(Need(Source.DEALS), Need(Source.LEADS, whole=True)),
    by=ADDITIVE | {By.PIPELINE, By.CHANNEL},
    left_out=((NEGATIVE_DURATION, PROCESSED_BACKWARDS),),
)
