"""Changes of CRM activities as the portal makes them: provider and deadline by kind, bindings, the timeline.

REST writes and tests use the same functions. `at` is the moment of the change, now by default; `by` the user.
"""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.crm_types import kind_of
from emulator.world import Portal, Row

MEETING, CALL, OLD_TASK, EMAIL, PROVIDER = 1, 2, 3, 4, 6  # TYPE_ID
WAITING, DONE = 1, 2  # STATUS
PROVIDERS = {
    MEETING: ("CRM_MEETING", "MEETING"),
    CALL: ("VOXIMPLANT_CALL", "CALL"),
    EMAIL: ("CRM_EMAIL", "EMAIL"),
}
TODO = ("CRM_TODO", "TODO")


def add_activity(
    portal: Portal,
    owner_type: int,
    owner_id: int,
    fields: Row,
    *,
    by: int = 1,
    at: datetime | None = None,
) -> int:
    """Add an activity to a CRM item; the id. UPPER names as in `crm.activity.list`, Python values."""
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    kind = int(fields.get("TYPE_ID") or PROVIDER)
    provider, provider_type = PROVIDERS.get(kind, TODO)
    start = fields.get("START_TIME") or fields.get("DEADLINE") or moment
    row: Row = {
        "OWNER_TYPE_ID": owner_type, "OWNER_ID": owner_id, "TYPE_ID": kind, "PROVIDER_ID": provider,
        "PROVIDER_TYPE_ID": provider_type, "ASSOCIATED_ENTITY_ID": 0, "SUBJECT": "", "CREATED": moment,
        "START_TIME": start, "END_TIME": start, "COMPLETED": False, "RESPONSIBLE_ID": by, "AUTHOR_ID": by,
        "PRIORITY": 2, "DESCRIPTION": "", "LOCATION": "", "SETTINGS": {}, "PROVIDER_PARAMS": {},
        "PROVIDER_DATA": "", **fields, "LAST_UPDATED": moment, "EDITOR_ID": by,
    }  # fmt: skip
    owner = {"OWNER_TYPE_ID": owner_type, "OWNER_ID": owner_id}
    others = [one for one in fields.get("BINDINGS") or () if one != owner]
    row["BINDINGS"] = [owner, *others]
    row["STATUS"] = DONE if row["COMPLETED"] else WAITING
    row.setdefault("DEADLINE", _deadline(row))
    with portal.lock:
        _touch_owner(portal, owner_type, owner_id, by, moment)
        return portal.put("activity", row)


def update_activity(
    portal: Portal, activity_id: int, fields: Row, *, by: int = 1, at: datetime | None = None
) -> Row:
    """Change an activity; completing it turns its STATUS. Raises: KeyError."""
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    with portal.lock:
        before = portal.records["activity"].get(activity_id)
        if before is None:
            raise KeyError(f"no activity {activity_id}")
        changes = dict(fields)
        if "COMPLETED" in changes:
            changes["STATUS"] = DONE if changes["COMPLETED"] else WAITING
        if not changes.keys().isdisjoint({"START_TIME", "END_TIME"}) and "DEADLINE" not in changes:
            changes["DEADLINE"] = _deadline({**before, **changes})
        return portal.change("activity", activity_id, **changes, LAST_UPDATED=moment, EDITOR_ID=by)


def add_todo(
    portal: Portal,
    owner_type: int,
    owner_id: int,
    deadline: datetime,
    *,
    title: str = "",
    description: str = "",
    responsible_id: int | None = None,
    by: int = 1,
    at: datetime | None = None,
    **more: object,
) -> int:
    """Add a to-do to a CRM item; the id."""
    fields: Row = {
        "PROVIDER_ID": TODO[0], "PROVIDER_TYPE_ID": TODO[1], "SUBJECT": title, "DESCRIPTION": description,
        "RESPONSIBLE_ID": responsible_id or by, "START_TIME": deadline, "END_TIME": deadline,
        "DEADLINE": deadline, **more,
    }  # fmt: skip
    return add_activity(portal, owner_type, owner_id, fields, by=by, at=at)


def _deadline(row: Row) -> datetime | None:
    """What the portal copies: the beginning of calls, meetings and mails, the end of all else."""
    moment: datetime | None = row["START_TIME" if row["TYPE_ID"] in PROVIDERS else "END_TIME"]
    return moment


def _touch_owner(portal: Portal, owner_type: int, owner_id: int, by: int, moment: datetime) -> None:
    """The item's last activity; it is no change of the item, so nobody is told."""
    kind = kind_of(portal, owner_type)
    item = portal.records[kind].get(owner_id) if kind else None
    if kind and item:
        portal.put(kind, {**item, "lastActivityTime": moment, "lastActivityBy": by}, quiet=True)
