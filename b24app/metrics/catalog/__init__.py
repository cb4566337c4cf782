"""Every KPI, in the order of the catalogue: the table of contents."""

from __future__ import annotations

from b24app.metrics.catalog.average_check import AVERAGE_CHECK
from b24app.metrics.catalog.cac import CAC
from b24app.metrics.catalog.channel_roi import CHANNEL_ROI
from b24app.metrics.catalog.click_rate import CLICK_RATE
from b24app.metrics.catalog.deals_lost import DEALS_LOST
from b24app.metrics.catalog.deals_won import DEALS_WON
from b24app.metrics.catalog.engagement_rate import ENGAGEMENT_RATE
from b24app.metrics.catalog.funnel import FUNNEL
from b24app.metrics.catalog.funnel_conversion import FUNNEL_CONVERSION
from b24app.metrics.catalog.lead_conversion import LEAD_CONVERSION
from b24app.metrics.catalog.leads_new import LEADS_NEW
from b24app.metrics.catalog.pipeline_open import PIPELINE_OPEN
from b24app.metrics.catalog.processing_time import PROCESSING_TIME
from b24app.metrics.catalog.repeat_sales_rate import REPEAT_SALES_RATE
from b24app.metrics.catalog.revenue import REVENUE
from b24app.metrics.catalog.site_visits import SITE_VISITS
from b24app.metrics.catalog.stage_time import STAGE_TIME
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
    CLICK_RATE,
    SITE_VISITS,
    CHANNEL_ROI,
)

BY_KEY = {metric.key: metric for metric in CATALOG}
