"""Budget deviation: by how much actual exceeds planned, in hours of tasks or in money of chosen items."""

from b24app.metrics.coverage import Need, Source
from b24app.metrics.kinds import NO_ESTIMATE, Count, CountWithRate, Difference, Money, Ratio
from b24app.metrics.measures import (
    ACTUAL_MONEY,
    BUDGETS,
    ESTIMATED_SECONDS,
    ESTIMATED_TASKS,
    NOT_ESTIMATED,
    PLANNED_MONEY,
    SPENT_SECONDS,
)
from b24app.metrics.metric import ADDITIVE, Better, By, Group, Metric, Unit

BUDGET_DEVIATION = Metric(
    key="budget_deviation",
    group=Group.PROJECTS,
    unit=Unit.RATIO,
    better=Better.DOWN,
    shape=Ratio(
        Difference(Count((SPENT_SECONDS,)), Count((ESTIMATED_SECONDS,))),
        Count((ESTIMATED_SECONDS,)),
        sample=Count((ESTIMATED_TASKS,)),
    ),
    needs=(Need(Source.TASKS),),
    with_budget=Ratio(
        Difference(Money(ACTUAL_MONEY, BUDGETS), Money(PLANNED_MONEY, BUDGETS)),
        Money(PLANNED_MONEY, BUDGETS),
        sample=CountWithRate(BUDGETS),
    ),
    needs_with_budget=(Need(Source.BUDGETS), Need(Source.CURRENCIES, whole=True)),
    by=ADDITIVE | {By.PROJECT},
    left_out=((NO_ESTIMATE, NOT_ESTIMATED),),
    rest_scopes=("task",),
)
