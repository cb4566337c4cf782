"""Every KPI, in the order of the catalogue: the table of contents."""

from __future__ import annotations

from b24app.metrics.catalog.activities_done import ACTIVITIES_DONE
from b24app.metrics.catalog.activities_overdue import ACTIVITIES_OVERDUE
from b24app.metrics.catalog.average_check import AVERAGE_CHECK
from b24app.metrics.catalog.budget_deviation import BUDGET_DEVIATION
from b24app.metrics.catalog.cac import CAC
from b24app.metrics.catalog.calls_in import CALLS_IN
from b24app.metrics.catalog.calls_missed_rate import CALLS_MISSED_RATE
from b24app.metrics.catalog.calls_out import CALLS_OUT
from b24app.metrics.catalog.cases import CASES
from b24app.metrics.catalog.channel_roi import CHANNEL_ROI
from b24app.metrics.catalog.click_rate import CLICK_RATE
from b24app.metrics.catalog.csat import CSAT
from b24app.metrics.catalog.deals_idle import DEALS_IDLE
from b24app.metrics.catalog.deals_lost import DEALS_LOST
from b24app.metrics.catalog.deals_won import DEALS_WON
from b24app.metrics.catalog.email_open_rate import EMAIL_OPEN_RATE
from b24app.metrics.catalog.emails_sent import EMAILS_SENT
from b24app.metrics.catalog.engagement_rate import ENGAGEMENT_RATE
from b24app.metrics.catalog.fcr import FCR
from b24app.metrics.catalog.first_response_time import FIRST_RESPONSE_TIME
from b24app.metrics.catalog.funnel import FUNNEL
from b24app.metrics.catalog.funnel_conversion import FUNNEL_CONVERSION
from b24app.metrics.catalog.lead_conversion import LEAD_CONVERSION
from b24app.metrics.catalog.leads_new import LEADS_NEW
from b24app.metrics.catalog.meetings import MEETINGS
from b24app.metrics.catalog.on_time_rate import ON_TIME_RATE
from b24app.metrics.catalog.pipeline_open import PIPELINE_OPEN
from b24app.metrics.catalog.processing_time import PROCESSING_TIME
from b24app.metrics.catalog.repeat_sales_rate import REPEAT_SALES_RATE
from b24app.metrics.catalog.resolution_time import RESOLUTION_TIME
from b24app.metrics.catalog.resource_plan import RESOURCE_PLAN
from b24app.metrics.catalog.revenue import REVENUE
from b24app.metrics.catalog.rework_rate import REWORK_RATE
from b24app.metrics.catalog.site_visits import SITE_VISITS
from b24app.metrics.catalog.stage_time import STAGE_TIME
from b24app.metrics.catalog.talk_time import TALK_TIME
from b24app.metrics.catalog.task_rating import TASK_RATING
from b24app.metrics.catalog.tasks_done import TASKS_DONE
from b24app.metrics.catalog.utilization import UTILIZATION
from b24app.metrics.catalog.win_rate import WIN_RATE
from b24app.metrics.metric import Metric

CATALOG: tuple[Metric, ...] = (
    DEALS_WON,
    REVENUE,
    AVERAGE_CHECK,
    DEALS_LOST,
    WIN_RATE,
    FUNNEL,
    FUNNEL_CONVERSION,
    PROCESSING_TIME,
    REPEAT_SALES_RATE,
    PIPELINE_OPEN,
    STAGE_TIME,
    LEADS_NEW,
    LEAD_CONVERSION,
    CAC,
    ENGAGEMENT_RATE,
    EMAIL_OPEN_RATE,
    CLICK_RATE,
    SITE_VISITS,
    CHANNEL_ROI,
    CASES,
    FIRST_RESPONSE_TIME,
    CSAT,
    FCR,
    RESOLUTION_TIME,
    ON_TIME_RATE,
    BUDGET_DEVIATION,
    TASKS_DONE,
    REWORK_RATE,
    TASK_RATING,
    RESOURCE_PLAN,
    UTILIZATION,
    CALLS_OUT,
    CALLS_IN,
    CALLS_MISSED_RATE,
    TALK_TIME,
    MEETINGS,
    EMAILS_SENT,
    ACTIVITIES_DONE,
    ACTIVITIES_OVERDUE,
    DEALS_IDLE,
)

BY_KEY = {metric.key: metric for metric in CATALOG}
