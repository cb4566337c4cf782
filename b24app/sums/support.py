"""What the measures of support cases count, in SQL.

Indexes: `ix_cases_opened`, `ix_cases_closed`; another request of the same client is one probe of
`ix_cases_client`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, case, exists, or_

from b24app.facts.case_rules import CALL, SESSION, TICKET
from b24app.metrics import measures
from b24app.metrics.measures import Cut, Measure, Table
from b24app.sums.kinds import NOW, Columns, Kind, PortalRecords, Records, Value
from b24app.tables import cases

_kind = case(
    (cases.c.source == SESSION, Kind.ACTIVITY.value),
    (cases.c.source == CALL, Kind.CALL.value),
    else_=Kind.ITEM.value,
)
_entity_type = case((cases.c.source == TICKET, cases.c.entity_type_id))
_cuts: Columns = {
    Cut.OWNER: (cases.c.owner_id,),
    Cut.SUPPORT_SOURCE: (cases.c.source, cases.c.entity_type_id),
}

RECORDS: Mapping[Table, Records] = {
    Table.CASES_OPENED: PortalRecords(
        kind=_kind,
        source=cases,
        portal=cases.c.portal_id,
        day=cases.c.opened_day,
        at=cases.c.opened_at,
        id=cases.c.case_id,
        row_id=cases.c.case_id,
        cuts={**_cuts, Cut.DAY: (cases.c.opened_day,)},
        client=cases.c.client,
        entity_type=_entity_type,
    ),
    Table.CASES_CLOSED: PortalRecords(
        kind=_kind,
        source=cases,
        portal=cases.c.portal_id,
        day=cases.c.closed_day,
        at=cases.c.closed_at,
        id=cases.c.case_id,
        row_id=cases.c.case_id,
        cuts={**_cuts, Cut.DAY: (cases.c.closed_day,)},
        client=cases.c.client,
        entity_type=_entity_type,
    ),
}

_every = cases.c.case_id.is_not(None)
_is_call = cases.c.source == CALL
_may_reply = and_(~_is_call, cases.c.is_read)
_is_chat = cases.c.source == SESSION
_other = cases.alias("other_cases")
_came_back = (
    exists()
    .where(
        _other.c.portal_id == cases.c.portal_id,
        _other.c.client == cases.c.client,
        _other.c.opened_at > cases.c.closed_at,
        _other.c.opened_at <= cases.c.follow_up_until,
        or_(
            _other.c.source != cases.c.source,
            _other.c.entity_type_id != cases.c.entity_type_id,
            _other.c.case_id != cases.c.case_id,
        ),
    )
    .correlate(cases)
)
"""Another request of the same client after this one was closed; a case without a client has none."""

VALUES: Mapping[Measure, Value] = {
    measures.CASES: Value(_every),
    measures.REPLIED: Value(and_(_may_reply, cases.c.reply_s >= 0)),
    measures.REPLY_SECONDS: Value(and_(_may_reply, cases.c.reply_s >= 0), cases.c.reply_s),
    measures.REPLIED_BACKWARDS: Value(and_(_may_reply, cases.c.reply_s < 0)),
    measures.NOT_REPLIED: Value(and_(_may_reply, cases.c.reply_s.is_(None))),
    measures.REPLY_UNTOLD: Value(_is_call),
    measures.REPLY_UNREAD: Value(and_(~_is_call, ~cases.c.is_read)),
    measures.CASES_CLOSED: Value(_every),
    measures.RATED: Value(cases.c.is_positive.is_not(None)),
    measures.RATED_WELL: Value(cases.c.is_positive.is_(True)),
    measures.NOT_RATED: Value(and_(cases.c.is_positive.is_(None), or_(~_is_chat, cases.c.is_read))),
    measures.RATING_UNREAD: Value(and_(cases.c.is_positive.is_(None), _is_chat, ~cases.c.is_read)),
    measures.RESOLVED_AT_ONCE: Value(and_(~cases.c.was_reopened, ~_came_back)),
    measures.RESOLVED_SO_FAR: Value(
        or_(cases.c.follow_up_until > NOW, and_(cases.c.source == TICKET, ~cases.c.is_read))
    ),
    measures.RESOLVED: Value(cases.c.resolution_s >= 0),
    measures.RESOLUTION_SECONDS: Value(cases.c.resolution_s >= 0, cases.c.resolution_s),
    measures.RESOLVED_BACKWARDS: Value(cases.c.resolution_s < 0),
}
