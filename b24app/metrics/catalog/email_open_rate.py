"""Opened e-mails of those that can be tracked; a proxy where no campaign results are entered."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NOT_TRACKED, Count, Ratio
from b24app.metrics.measures import MAILS_NOT_TRACKED, MAILS_OPENED, MAILS_TRACKED
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Origin, Unit

EMAIL_OPEN_RATE = Metric(
    key="email_open_rate",
    group=Group.MARKETING,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((MAILS_OPENED,)), Count((MAILS_TRACKED,))),
    needs=(Need(Source.ACTIVITIES),),
    by=ADDITIVE,
    left_out=((NOT_TRACKED, MAILS_NOT_TRACKED),),
    origin=Origin.PROXY,
)
