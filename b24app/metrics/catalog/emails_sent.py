"""E-mails sent from the CRM."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import Count, Sum
from b24app.metrics.measures import MAILS_SENT
from b24app.metrics.metric import ADDITIVE, Better, Group, Metric, Unit

EMAILS_SENT = Metric(
    key="emails_sent",
    group=Group.ACTIVITY,
    unit=Unit.COUNT,
    better=Better.UP,
    shape=Sum(Count((MAILS_SENT,))),
    needs=(Need(Source.ACTIVITIES),),
    by=ADDITIVE,
)
