"""Stage history: `crm.stagehistory.list`. Source: bitrix24 crm/crm-stage-history-list."""

from __future__ import annotations

from dataclasses import dataclass

from b24app.facts import deals, values
from b24app.facts.values import BadRow, Border, Row

FIELDS = ("ID", "TYPE_ID", "OWNER_ID", "CREATED_TIME", "CATEGORY_ID", "STAGE_ID", "STAGE_SEMANTIC_ID")


@dataclass(frozen=True, slots=True)
class Entry:
    """An item entered a stage. When it left again follows from its other entries (`derive.left_moments`)."""

    entity_type_id: int
    history_id: int
    item_id: int
    type_id: int  # 1 created, 2 moved, 3 finished, 5 pipeline changed
    category_id: int
    stage_id: str
    semantics: str
    entered_at: int


def parse(row: Row, border: Border) -> Entry:
    """The fact in a history row of a deal. Raises: BadRow without an id, an owner or a moment."""
    entered = values.moment(row.get("CREATED_TIME"), border.zone)
    if entered is None:
        raise BadRow("no CREATED_TIME")
    category_id = values.whole(row.get("CATEGORY_ID")) or 0
    stage_id = values.text(row.get("STAGE_ID"), 64) or ""
    return Entry(
        entity_type_id=deals.ENTITY_TYPE_ID,
        history_id=values.required_id(row, "ID"),
        item_id=values.required_id(row, "OWNER_ID"),
        type_id=values.whole(row.get("TYPE_ID")) or 2,
        category_id=category_id,
        stage_id=stage_id,
        semantics=deals.semantics(
            row.get("STAGE_SEMANTIC_ID"), border, deals.ENTITY_TYPE_ID, category_id, stage_id
        ),
        entered_at=entered,
    )
