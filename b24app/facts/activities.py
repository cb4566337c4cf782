"""CRM activities: `crm.activity.list`. Source: bitrix24 crm/timeline/activities/activity-base.

No subject, no description, no communications of clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from b24app.facts import values
from b24app.facts.values import BadRow, Border, Row

FIELDS = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "PROVIDER_ID", "ASSOCIATED_ENTITY_ID", "CREATED",
    "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE", "COMPLETED", "RESPONSIBLE_ID", "DIRECTION",
    "SETTINGS", "BINDINGS",
)  # fmt: skip

MEETING, CALL, EMAIL_TYPE = 1, 2, 4
"""`TYPE_ID` of the kinds that have one of their own."""
EMAIL = "CRM_EMAIL"
SESSION = "IMOPENLINES_SESSION"
OUTGOING = 2

NO_DEADLINE_YEAR = "9999"


@dataclass(frozen=True, slots=True)
class CrmActivity:
    """`bindings`: the CRM items (entity type, id) it belongs to, its owner among them."""

    activity_id: int
    owner_id: int
    type_id: int
    provider_id: str
    direction: int
    is_completed: bool
    created_at: int
    created_day: date
    started_at: int | None
    end_at: int | None
    end_day: date | None
    deadline_at: int | None
    updated_at: int
    done_at: int | None
    done_day: date | None
    is_trackable: bool
    is_opened: bool
    item_type_id: int | None
    item_id: int | None
    session_id: int | None
    bindings: tuple[tuple[int, int], ...]


def parse(row: Row, border: Border) -> CrmActivity:
    """The fact in a row of `crm.activity.list`. Raises: BadRow without an id or any moment."""
    activity_id = values.required_id(row, "ID")
    created, updated = _moments(row, border.zone)
    end = values.moment(row.get("END_TIME"), border.zone)
    type_id = values.whole(row.get("TYPE_ID")) or 0
    provider_id = (values.text(row.get("PROVIDER_ID"), 64) or "").upper()
    is_completed = values.yes(row.get("COMPLETED"))
    done = _done_at(type_id, provider_id, created, end, updated) if is_completed else None
    settings = row.get("SETTINGS")
    is_opened = isinstance(settings, Mapping) and (values.whole(settings.get("READ_CONFIRMED")) or 0) > 0
    owner = _item(row)
    return CrmActivity(
        activity_id=activity_id,
        owner_id=values.link(row.get("RESPONSIBLE_ID")) or 0,
        type_id=type_id,
        provider_id=provider_id,
        direction=values.whole(row.get("DIRECTION")) or 0,
        is_completed=is_completed,
        created_at=created,
        created_day=border.day(created),
        started_at=values.moment(row.get("START_TIME"), border.zone),
        end_at=end,
        end_day=None if end is None else border.day(end),
        deadline_at=deadline(row.get("DEADLINE"), border.zone),
        updated_at=updated,
        done_at=done,
        done_day=None if done is None else border.day(done),
        is_trackable=is_opened or (isinstance(settings, Mapping) and _is_single_mail(settings)),
        is_opened=is_opened,
        item_type_id=None if owner is None else owner[0],
        item_id=None if owner is None else owner[1],
        session_id=values.link(row.get("ASSOCIATED_ENTITY_ID")) if provider_id == SESSION else None,
        bindings=_bindings(row, owner),
    )


def deadline(value: Any, zone: ZoneInfo) -> int | None:
    """The moment of a deadline; the portal writes none as null or as a day of the year 9999."""
    if isinstance(value, str) and NO_DEADLINE_YEAR in value:
        return None
    return values.moment(value, zone)


def _moments(row: Row, zone: ZoneInfo) -> tuple[int, int]:
    """(created, updated). Raises: BadRow when there is no moment at all."""
    created, updated, start = (
        values.moment(row.get(key), zone) for key in ("CREATED", "LAST_UPDATED", "START_TIME")
    )
    some = next((found for found in (created, start, updated) if found is not None), None)
    if some is None:
        raise BadRow("no CREATED")
    return some, some if updated is None else updated


def _done_at(type_id: int, provider_id: str, created: int, end: int | None, updated: int) -> int:
    """When it was completed, as near as the portal tells: it keeps no such moment."""
    if type_id in (MEETING, CALL) or provider_id == SESSION:
        return updated if end is None else end
    if type_id == EMAIL_TYPE or provider_id == EMAIL:
        return created
    return updated


def _is_single_mail(settings: Mapping[str, Any]) -> bool:
    """The mail was written to one person, so its opening can be seen: the mark is there and says no."""
    mark = settings.get("IS_BATCH_EMAIL")
    if isinstance(mark, str):
        return mark.strip().upper() in ("N", "0", "FALSE")
    return mark is not None and not isinstance(mark, list | dict) and not mark


def _item(row: Row) -> tuple[int, int] | None:
    kind, number = values.link(row.get("OWNER_TYPE_ID")), values.link(row.get("OWNER_ID"))
    return None if kind is None or number is None else (kind, number)


def _bindings(row: Row, owner: tuple[int, int] | None) -> tuple[tuple[int, int], ...]:
    listed = row.get("BINDINGS")
    entries = listed.values() if isinstance(listed, Mapping) else listed if isinstance(listed, list) else ()
    found = {_item(entry) for entry in entries if isinstance(entry, Mapping)} | {owner}
    return tuple(sorted(pair for pair in found if pair is not None))
