"""Customer satisfaction: positive ratings of all ratings of cases closed in the period."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import CASE_NOT_READ, NO_RATING, Count, Ratio
from b24app.metrics.measures import NOT_RATED, RATED, RATED_WELL, RATING_UNREAD
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

CSAT = Metric(
    key="csat",
    group=Group.SUPPORT,
    unit=Unit.RATIO,
    better=Better.UP,
    shape=Ratio(Count((RATED_WELL,)), Count((RATED,))),
    needs=(Need(Source.CASE_DETAILS),),
    by=ADDITIVE | {By.SUPPORT_SOURCE},
    left_out=((NO_RATING, NOT_RATED), (CASE_NOT_READ, RATING_UNREAD)),
    awaits=RATING_UNREAD,
    rest_scopes=("crm", "imopenlines"),
)
