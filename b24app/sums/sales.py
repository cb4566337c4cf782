"""What the measures of sales and marketing count, in SQL.

Indexes: a table's rows are found by portal and day (`ix_deals_moved`, `ix_deals_created`, `ix_stays_left`,
`ix_leads_created`), or for one employee by owner and day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, and_, literal, type_coerce

from b24app.metrics import measures
from b24app.metrics.measures import Cut, Measure, Table
from b24app.sums.kinds import Columns, Kind, PortalRecords, Records, Value
from b24app.tables import campaigns, deals, leads, stage_stays

DEAL, LEAD = 2, 1
"""Entity types of the portal."""

_deal_cuts: Columns = {
    Cut.OWNER: (deals.c.owner_id,),
    Cut.CATEGORY: (deals.c.category_id,),
    Cut.STAGE: (deals.c.stage_id,),
    Cut.REACHED: (deals.c.reached_stage_id,),
    Cut.CHANNEL: (deals.c.utm_source, deals.c.source_id),
}

_deal_shown: Mapping[str, Any] = {
    "stage": deals.c.stage_id,
    "amount": type_coerce(deals.c.amount, BigInteger),
    "currency_of": deals.c.currency,
    "client": deals.c.client,
    "entity_type": literal(DEAL),
}

_no_template = deals.c.is_recurring.is_(False)
_won = deals.c.semantics == "S"
_lost = deals.c.semantics == "F"
_open = deals.c.semantics == "P"
_amount = type_coerce(deals.c.amount, BigInteger)

_stay_of_deal = stage_stays.join(
    deals, and_(deals.c.portal_id == stage_stays.c.portal_id, deals.c.deal_id == stage_stays.c.item_id)
)

RECORDS: Mapping[Table, Records] = {
    Table.WON_LOST: PortalRecords(
        source=deals,
        portal=deals.c.portal_id,
        only=(_no_template,),
        day=deals.c.moved_day,
        at=deals.c.moved_at,
        kind=Kind.DEAL,
        **_deal_shown,
        id=deals.c.deal_id,
        row_id=deals.c.deal_id,
        cuts={**_deal_cuts, Cut.DAY: (deals.c.moved_day,)},
        category=deals.c.category_id,
        currency=deals.c.currency,
    ),
    Table.COHORT: PortalRecords(
        source=deals,
        portal=deals.c.portal_id,
        only=(_no_template,),
        day=deals.c.created_day,
        at=deals.c.created_at,
        kind=Kind.DEAL,
        **_deal_shown,
        id=deals.c.deal_id,
        row_id=deals.c.deal_id,
        cuts={**_deal_cuts, Cut.DAY: (deals.c.created_day,)},
        category=deals.c.category_id,
    ),
    Table.OPEN: PortalRecords(
        source=deals,
        portal=deals.c.portal_id,
        only=(_no_template,),
        day=None,
        at=deals.c.created_at,
        kind=Kind.DEAL,
        **_deal_shown,
        id=deals.c.deal_id,
        row_id=deals.c.deal_id,
        cuts=_deal_cuts,
        category=deals.c.category_id,
        currency=deals.c.currency,
    ),
    Table.STAYS: PortalRecords(
        source=_stay_of_deal,
        alone=stage_stays,
        portal=stage_stays.c.portal_id,
        # Reckoned with, so that no index is taken for it: there are better ones for every question.
        only=(stage_stays.c.entity_type_id == DEAL, (stage_stays.c.owner_id + 0).is_not(None)),
        day=stage_stays.c.left_day,
        at=stage_stays.c.left_at,
        kind=Kind.DEAL,
        **_deal_shown,
        id=deals.c.deal_id,
        row_id=stage_stays.c.history_id,
        cuts={
            Cut.OWNER: (stage_stays.c.owner_id,),
            Cut.DAY: (stage_stays.c.left_day,),
            Cut.CATEGORY: (stage_stays.c.category_id,),
            Cut.STAGE: (stage_stays.c.stage_id,),
            Cut.CHANNEL: (deals.c.utm_source, deals.c.source_id),
        },
        category=stage_stays.c.category_id,
    ),
    Table.LEADS: PortalRecords(
        source=leads,
        portal=leads.c.portal_id,
        only=(),
        day=leads.c.created_day,
        at=leads.c.created_at,
        kind=Kind.LEAD,
        stage=leads.c.stage_id,
        client=leads.c.client,
        entity_type=literal(LEAD),
        id=leads.c.lead_id,
        row_id=leads.c.lead_id,
        cuts={
            Cut.OWNER: (leads.c.owner_id,),
            Cut.DAY: (leads.c.created_day,),
            Cut.CHANNEL: (leads.c.utm_source, leads.c.source_id),
        },
    ),
    Table.CAMPAIGNS: Records(
        source=campaigns,
        portal=campaigns.c.portal_id,
        day=campaigns.c.day,
        cuts={
            Cut.DAY: (campaigns.c.day,),
            Cut.ENTERED_CHANNEL: (campaigns.c.channel,),
            Cut.TAGGED_DEPARTMENT: (campaigns.c.department_id,),
        },
    ),
}
_processing = deals.c.moved_at - deals.c.first_contact_at
_stay = stage_stays.c.left_at - stage_stays.c.entered_at
_stay_in_progress = stage_stays.c.semantics == "P"
_campaign = campaigns.c.external_id.is_not(None)

_has_client = deals.c.client.is_not(None)

VALUES: Mapping[Measure, Value] = {
    measures.DEALS_WON: Value(_won, semantics="S"),
    measures.WON_AMOUNT: Value(_won, _amount, semantics="S"),
    measures.DEALS_LOST: Value(_lost, semantics="F"),
    measures.PROCESSED: Value(and_(_won, _processing >= 0), semantics="S"),
    measures.PROCESSING_SECONDS: Value(and_(_won, _processing >= 0), _processing, semantics="S"),
    measures.PROCESSED_BACKWARDS: Value(and_(_won, _processing < 0), semantics="S"),
    measures.CLIENT_WON: Value(and_(_won, _has_client), semantics="S"),
    measures.CLIENT_UNKNOWN: Value(and_(_won, ~_has_client), semantics="S"),
    measures.REPEAT_WON: Value(and_(_won, _has_client, deals.c.is_first.is_(False)), semantics="S"),
    measures.NEW_CUSTOMERS: Value(and_(_won, _has_client, deals.c.is_first), semantics="S"),
    measures.COHORT_DEALS: Value(deals.c.deal_id.is_not(None)),
    measures.COHORT_WON: Value(_won),
    measures.COHORT_OPEN: Value(_open),
    measures.OPEN_DEALS: Value(_open, semantics="P"),
    measures.OPEN_AMOUNT: Value(_open, _amount, semantics="P"),
    measures.STAYS: Value(and_(_stay_in_progress, _stay >= 0)),
    measures.STAY_SECONDS: Value(and_(_stay_in_progress, _stay >= 0), _stay),
    measures.STAYS_BACKWARDS: Value(and_(_stay_in_progress, _stay < 0)),
    measures.LEADS_CREATED: Value(leads.c.lead_id.is_not(None)),
    measures.LEADS_CONVERTED: Value(leads.c.semantics == "S"),
    measures.DELIVERED: Value(_campaign, campaigns.c.delivered),
    measures.OPENED: Value(_campaign, campaigns.c.opened),
    measures.CLICKED: Value(_campaign, campaigns.c.clicked),
    measures.VISITS: Value(_campaign, campaigns.c.visits),
}
