"""Changes of CRM items as the portal makes them: stage history, moments, closing, events.

REST writes and tests use the same functions. `at` is the moment of the change, now by default; `by` the user.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from emulator.crm_types import default_category, entity_type, has_stages, history_kind, stage_list
from emulator.world import Portal, Row

CREATED, MOVED, FINISHED, OTHER_PIPELINE = 1, 2, 3, 5  # TYPE_ID of stage history
_PIPELINE = re.compile(r"^(?:C|DT\d+_)(\d+):")


class UnknownStageError(ValueError):
    """The stage is not one of the item's pipeline."""


def stages(portal: Portal, kind: str, category_id: int = 0) -> list[Row]:
    """The status rows of a pipeline, in order."""
    entity = stage_list(kind, category_id)
    rows = [row for row in portal.records["status"] if row["ENTITY_ID"] == entity]
    return sorted(rows, key=lambda row: (int(row.get("SORT") or 0), row["ID"]))


def semantic_of(portal: Portal, kind: str, stage_id: str, category_id: int = 0) -> str:
    """`P`, `S` or `F`. Raises: UnknownStageError."""
    for row in stages(portal, kind, category_id):
        if row["STATUS_ID"] == stage_id:
            return str(row.get("SEMANTICS") or "P")
    raise UnknownStageError(stage_id)


def add_item(portal: Portal, kind: str, fields: Row, *, by: int = 1, at: datetime | None = None) -> int:
    """Create an item of any kind; the id. Raises: UnknownStageError."""
    moment = _second(at)
    row: Row = {
        "title": "", "assignedById": by, "createdBy": by, "updatedBy": by, "createdTime": moment,
        "updatedTime": moment, "lastActivityTime": moment, "lastActivityBy": by, "opened": True, **fields,
    }  # fmt: skip
    if kind in ("contact", "company"):
        return portal.put(kind, row)
    category = int(row.get("categoryId") or default_category(portal, kind))
    row.setdefault("opportunity", Decimal(0))
    row.setdefault("currencyId", base_currency(portal))
    if kind != "lead":
        row["categoryId"] = category
        row.setdefault("begindate", _today(portal, moment))
        row.setdefault("closedate", _today(portal, moment))
    if not has_stages(portal, kind):
        return portal.put(kind, row)
    row.setdefault("stageId", first_stage(portal, kind, category))
    row |= {"movedTime": moment, "movedBy": by}
    with portal.lock:
        _set_stage(portal, kind, row, moment)
        # history first: who hears of the new item finds it complete
        row_id = max(portal.records[kind].next_id(), portal.last_ids.get(kind, 0) + 1)
        given = int(row.get("id") or row_id)
        if kind == "invoice":
            row.setdefault("accountNumber", str(given))
        _note(portal, kind, {**row, "id": given}, CREATED, moment)
        return portal.put(kind, {**row, "id": given})


def update_item(
    portal: Portal, kind: str, item_id: int, fields: Row, *, by: int = 1, at: datetime | None = None
) -> Row:
    """Change an item; a new stage or pipeline leaves history. Raises: KeyError, UnknownStageError."""
    moment = _second(at)
    with portal.lock:
        before = portal.records[kind].get(item_id)
        if before is None:
            raise KeyError(f"no {kind} {item_id}")
        row = {**before, **fields}
        if has_stages(portal, kind):
            _move(portal, kind, before, row, by, moment)
        changes = {name: value for name, value in row.items() if before.get(name) != value or name in fields}
        return portal.change(kind, item_id, **{**changes, "updatedTime": moment, "updatedBy": by})


def delete_item(portal: Portal, kind: str, item_id: int) -> None:
    """Delete an item and its stage history. Raises: KeyError."""
    with portal.lock:
        portal.remove(kind, item_id)
        _drop_history(portal, kind, item_id)


def move_deal(portal: Portal, deal_id: int, stage_id: str, *, by: int = 1, at: datetime | None = None) -> Row:
    """Move a deal to a stage of any pipeline. Raises: KeyError, UnknownStageError."""
    return move_item(portal, "deal", deal_id, stage_id, by=by, at=at)


def move_item(
    portal: Portal, kind: str, item_id: int, stage_id: str, *, by: int = 1, at: datetime | None = None
) -> Row:
    """Move an item to a stage of any pipeline of its type. Raises: KeyError, UnknownStageError."""
    match = _PIPELINE.match(stage_id)
    fields: Row = {"stageId": stage_id}
    if kind != "lead":
        fields["categoryId"] = int(match.group(1)) if match else 0
    return update_item(portal, kind, item_id, fields, by=by, at=at)


def move_lead(portal: Portal, lead_id: int, stage_id: str, *, by: int = 1, at: datetime | None = None) -> Row:
    """Move a lead to a stage; `CONVERTED` converts it. Raises: KeyError, UnknownStageError."""
    return update_item(portal, "lead", lead_id, {"stageId": stage_id}, by=by, at=at)


def first_stage(portal: Portal, kind: str, category_id: int) -> str:
    """The stage that an item begins in. Raises: UnknownStageError for an unknown pipeline."""
    found = stages(portal, kind, category_id)
    if not found:
        raise UnknownStageError(f"no pipeline {category_id}")
    return str(found[0]["STATUS_ID"])


def base_currency(portal: Portal) -> str:
    """The code of the base currency, "" if the portal has none."""
    return next((str(row["CURRENCY"]) for row in portal.records["currency"] if row.get("BASE")), "")


def _move(portal: Portal, kind: str, before: Row, row: Row, by: int, moment: datetime) -> None:
    category = int(row.get("categoryId") or 0)
    other_pipeline = kind != "lead" and category != int(before.get("categoryId") or 0)
    if other_pipeline and row["stageId"] == before["stageId"]:
        row["stageId"] = first_stage(portal, kind, category)
    if row["stageId"] == before["stageId"] and not other_pipeline:
        return
    was_final = before.get("stageSemanticId") in ("S", "F")
    if kind not in ("lead", "deal"):
        row["previousStageId"] = before["stageId"]
    _set_stage(portal, kind, row, moment)
    is_final = row["stageSemanticId"] in ("S", "F")
    row |= {"movedTime": moment, "movedBy": by, "lastActivityTime": moment, "lastActivityBy": by}
    if portal.rewrites_history:
        if other_pipeline:
            _drop_history(portal, kind, row["id"])
        elif was_final and not is_final:
            _drop_history(portal, kind, row["id"], only_type=FINISHED)
    _note(portal, kind, row, OTHER_PIPELINE if other_pipeline else FINISHED if is_final else MOVED, moment)


def _set_stage(portal: Portal, kind: str, row: Row, moment: datetime) -> None:
    category = int(row.get("categoryId") or 0)
    semantic = semantic_of(portal, kind, row["stageId"], category)
    row["stageSemanticId"] = semantic
    is_closed = semantic in ("S", "F")
    if kind == "lead":
        row["dateClosed"] = moment if is_closed else None
        return
    if kind == "deal":
        row["isNew"] = row["stageId"] == first_stage(portal, kind, category)
        row["closed"] = is_closed
    if is_closed:
        row["closedate"] = _today(portal, moment)


def _note(portal: Portal, kind: str, item: Row, type_id: int, moment: datetime) -> None:
    row: dict[str, Any] = {
        "ENTITY_TYPE_ID": entity_type(kind),
        "TYPE_ID": type_id,
        "OWNER_ID": item["id"],
        "CREATED_TIME": moment,
    }
    if kind == "lead":
        row |= {"STATUS_ID": item["stageId"], "STATUS_SEMANTIC_ID": item["stageSemanticId"]}
    else:
        row |= {
            "CATEGORY_ID": int(item.get("categoryId") or 0),
            "STAGE_ID": item["stageId"],
            "STAGE_SEMANTIC_ID": item["stageSemanticId"],
        }
    portal.put(history_kind(kind), row)


def _drop_history(portal: Portal, kind: str, item_id: int, only_type: int | None = None) -> None:
    history = history_kind(kind)
    rows = portal.records[history]
    for row_id in rows.ids_where("OWNER_ID", [item_id]):
        row = rows.get(row_id)
        if row and row["ENTITY_TYPE_ID"] == entity_type(kind) and only_type in (None, row["TYPE_ID"]):
            portal.remove(history, row_id, quiet=True)


def _second(at: datetime | None) -> datetime:
    """Whole seconds: the portal's database keeps no more."""
    return (at or datetime.now(UTC)).replace(microsecond=0)


def _today(portal: Portal, moment: datetime) -> Any:
    return moment.astimezone(ZoneInfo(portal.timezone)).date()
