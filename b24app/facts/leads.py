"""Leads: `crm.item.list` with entityTypeId 1. Source: bitrix24 crm/universal/object-fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from b24app.facts import deals, values
from b24app.facts.values import Border, Row

ENTITY_TYPE_ID = 1

FIELDS = (
    "id", "assignedById", "stageId", "stageSemanticId", "createdTime", "movedTime", "updatedTime",
    "companyId", "contactId", "sourceId", "utmSource",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lead:
    lead_id: int
    owner_id: int
    stage_id: str
    semantics: str
    created_at: int
    created_day: date
    moved_at: int
    moved_day: date
    updated_at: int
    client: str | None
    source_id: str | None
    utm_source: str | None


def parse(row: Row, border: Border) -> Lead:
    """The fact in a row of `crm.item.list`. Raises: BadRow without an id or any moment."""
    lead_id = values.required_id(row, "id")
    created, moved, updated = deals.moments(row, border)
    stage_id = values.text(row.get("stageId"), 64) or ""
    return Lead(
        lead_id=lead_id,
        owner_id=values.link(row.get("assignedById")) or 0,
        stage_id=stage_id,
        semantics=deals.semantics(row.get("stageSemanticId"), border, ENTITY_TYPE_ID, 0, stage_id),
        created_at=created,
        created_day=border.day(created),
        moved_at=moved,
        moved_day=border.day(moved),
        updated_at=updated,
        client=deals.client(row),
        source_id=values.text(row.get("sourceId"), 64),
        utm_source=values.text(row.get("utmSource"), 255),
    )
