"""Average response time: from the opening of a case to the first reply by a person."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import CASE_NOT_READ, NEGATIVE_DURATION, NO_DELAY, NO_REPLY, Count, Ratio
from b24app.metrics.measures import (
    NOT_REPLIED,
    REPLIED,
    REPLIED_BACKWARDS,
    REPLY_SECONDS,
    REPLY_UNREAD,
    REPLY_UNTOLD,
)
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

FIRST_RESPONSE_TIME = Metric(
    key="first_response_time",
    group=Group.SUPPORT,
    unit=Unit.SECONDS,
    better=Better.DOWN,
    shape=Ratio(Count((REPLY_SECONDS,)), Count((REPLIED,)), is_mean=True),
    needs=(Need(Source.CASE_DETAILS),),
    by=ADDITIVE | {By.SUPPORT_SOURCE},
    left_out=(
        (NEGATIVE_DURATION, REPLIED_BACKWARDS),
        (NO_REPLY, NOT_REPLIED),
        (NO_DELAY, REPLY_UNTOLD),
        (CASE_NOT_READ, REPLY_UNREAD),
    ),
    # messages are read one chat at a time, after the list of chats
    awaits=REPLY_UNREAD,
    rest_scopes=("crm", "imopenlines"),
)
