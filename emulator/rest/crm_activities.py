"""`crm.activity.*`: texts, by START_TIME unless ordered otherwise; rights follow the item that owns it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emulator import activities
from emulator import params as php
from emulator.answers import PortalError, Result, object_or_list
from emulator.crm_types import kind_of
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.crm_items import may_see, refuse_extranet
from emulator.rights import visible_owners
from emulator.times import moment_text, parse_moment
from emulator.world import Row

MOMENTS = ("CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE")
NUMBERS = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "ASSOCIATED_ENTITY_ID", "STATUS", "RESPONSIBLE_ID",
    "AUTHOR_ID", "EDITOR_ID", "PRIORITY", "DIRECTION", "RESULT_MARK", "RESULT_STATUS", "RESULT_STREAM",
    "NOTIFY_TYPE", "NOTIFY_VALUE", "DESCRIPTION_TYPE", "AUTOCOMPLETE_RULE",
)  # fmt: skip
FLAGS = ("COMPLETED", "IS_INCOMING_CHANNEL")
FIELDS = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "PROVIDER_ID", "PROVIDER_TYPE_ID", "PROVIDER_GROUP_ID",
    "ASSOCIATED_ENTITY_ID", "SUBJECT", "CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE",
    "COMPLETED", "STATUS", "RESPONSIBLE_ID", "PRIORITY", "NOTIFY_TYPE", "NOTIFY_VALUE", "DESCRIPTION",
    "DESCRIPTION_TYPE", "DIRECTION", "LOCATION", "SETTINGS", "ORIGINATOR_ID", "ORIGIN_ID", "AUTHOR_ID",
    "EDITOR_ID", "PROVIDER_PARAMS", "PROVIDER_DATA", "RESULT_MARK", "RESULT_VALUE", "RESULT_SUM",
    "RESULT_CURRENCY_ID", "RESULT_STATUS", "RESULT_STREAM", "RESULT_SOURCE_ID", "AUTOCOMPLETE_RULE",
)  # fmt: skip
OBJECTS = ("SETTINGS", "PROVIDER_PARAMS")
ON_DEMAND = ("IS_INCOMING_CHANNEL", "BINDINGS", "COMMUNICATIONS", "FILES")
DEFAULTS = {"PRIORITY": "2", "NOTIFY_TYPE": "0", "NOTIFY_VALUE": "0", "DESCRIPTION_TYPE": "1"}
NO_DEADLINE = "9999-12-31T00:00:00+00:00"
COLUMNS = {
    name: Column(
        name,
        "datetime"
        if name in MOMENTS
        else "integer"
        if name in NUMBERS
        else "boolean"
        if name in FLAGS
        else "string",
    )
    for name in (*FIELDS, "IS_INCOMING_CHANNEL")
    if name not in OBJECTS
}


DESCRIBED = (
    # name, type, title ("": the name)
    ("ID", "integer", ""),
    ("OWNER_ID", "integer", "Owner ID"),
    ("OWNER_TYPE_ID", "crm_enum_ownertype", "Owner Type"),
    ("TYPE_ID", "crm_enum_activitytype", "Type"),
    ("PROVIDER_ID", "string", "Provider ID"),
    ("PROVIDER_TYPE_ID", "string", "Provider Type"),
    ("PROVIDER_GROUP_ID", "string", "Connector Type"),
    ("ASSOCIATED_ENTITY_ID", "integer", "Associated Entity ID"),
    ("SUBJECT", "string", "Subject"),
    ("START_TIME", "datetime", "Start"),
    ("END_TIME", "datetime", "Deadline"),
    ("DEADLINE", "datetime", "Execution Deadline"),
    ("COMPLETED", "char", "Completed"),
    ("STATUS", "crm_enum_activitystatus", "Status"),
    ("RESPONSIBLE_ID", "user", "Responsible"),
    ("PRIORITY", "crm_enum_activitypriority", "Priority"),
    ("NOTIFY_TYPE", "crm_enum_activitynotifytype", "Notification Type"),
    ("NOTIFY_VALUE", "integer", "Notification Parameter"),
    ("DESCRIPTION", "string", "Description"),
    ("DESCRIPTION_TYPE", "crm_enum_contenttype", "Description Type"),
    ("DIRECTION", "crm_enum_activitydirection", "Direction"),
    ("LOCATION", "string", "Location"),
    ("CREATED", "datetime", "Creation Date"),
    ("AUTHOR_ID", "user", "Created By"),
    ("LAST_UPDATED", "datetime", "Last Updated Date"),
    ("EDITOR_ID", "user", "Edited By"),
    ("SETTINGS", "object", "Settings"),
    ("ORIGIN_ID", "string", "External Code"),
    ("ORIGINATOR_ID", "string", "External Source"),
    ("RESULT_STATUS", "integer", ""),
    ("RESULT_STREAM", "integer", ""),
    ("RESULT_SOURCE_ID", "string", ""),
    ("PROVIDER_PARAMS", "object", "Provider Parameters"),
    ("PROVIDER_DATA", "string", "Provider Data"),
    ("RESULT_MARK", "integer", ""),
    ("RESULT_VALUE", "double", ""),
    ("RESULT_SUM", "double", ""),
    ("RESULT_CURRENCY_ID", "string", ""),
    ("AUTOCOMPLETE_RULE", "integer", "Autocomplete"),
    ("BINDINGS", "crm_activity_binding", "Bindings"),
    ("COMMUNICATIONS", "crm_activity_communication", "Communication Channel"),
    ("FILES", "diskfile", "Files"),
    ("WEBDAV_ELEMENTS", "diskfile", "Added Files"),
    ("IS_INCOMING_CHANNEL", "char", ""),
)
REQUIRED = frozenset({"TYPE_ID", "SUBJECT", "RESPONSIBLE_ID", "COMMUNICATIONS"})
READ_ONLY = frozenset(
    {
        "ID",
        "ASSOCIATED_ENTITY_ID",
        "CREATED",
        "AUTHOR_ID",
        "LAST_UPDATED",
        "EDITOR_ID",
        "BINDINGS",
        "IS_INCOMING_CHANNEL",
    }
)
IMMUTABLE = frozenset({"OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID"})
MULTIPLE = frozenset({"BINDINGS", "COMMUNICATIONS", "FILES", "WEBDAV_ELEMENTS"})


@method("crm.activity.list", scope="crm")
def activity_list(call: Call) -> Result:
    refuse_extranet(call)
    conditions = call.mapping("filter", "FILTER")
    bindings = [pair for pair in _pairs(conditions.pop("BINDINGS", None)) if pair]
    query = compile_filter(conditions, COLUMNS, call.zone, id_key="ID", drops_unknown=True)
    order = parse_order(call.param("order", "ORDER"), COLUMNS, drops_unknown=True) or [("START_TIME", False)]
    if bindings:
        query.tests.append(lambda row: any(pair in _bindings(row) for pair in bindings))
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        query.tests.append(lambda row: _may_see(call, row, owners))
    start = call.integer("start")
    page = select_page(call.portal.records["activity"], query, order, id_key="ID", start=start)
    rows = page.rows
    if len(bindings) > 1:  # a row comes once for each binding that matches
        rows = [row for row in rows for pair in bindings if pair in _bindings(row)]
    wanted = [str(name) for name in call.values("select", "SELECT")]
    names = FIELDS if not wanted else tuple(n for n in FIELDS if n in wanted or n == "ID" or "*" in wanted)
    names += tuple(name for name in ON_DEMAND if name in wanted)
    shown = [{name: _value(call, row, name) for name in names} for row in rows]
    return Result(shown, page.total or 0, page.next, rows=len(shown), counted=page.total or 0)


@method("crm.activity.get", scope="crm")
def activity_get(call: Call) -> Result:
    refuse_extranet(call)
    row = _own(call)
    return Result({name: _value(call, row, name) for name in FIELDS}, rows=1)


@method("crm.activity.add", scope="crm")
def activity_add(call: Call) -> Result:
    refuse_extranet(call)
    given = call.mapping("fields", "FIELDS")
    fields = _read_fields(call, given)
    _require(call, fields, given)
    owner_type, owner_id = fields.pop("OWNER_TYPE_ID", 0), fields.pop("OWNER_ID", 0)
    if _owner(call, owner_type, owner_id) is None:
        raise _refusal(
            "Could not build binding. Please ensure that owner info and communications are defined correctly"
        )
    fields["BINDINGS"] = _bound_by_communications(given)
    return Result(
        activities.add_activity(call.portal, owner_type, owner_id, fields, by=call.user_id, at=call.now)
    )


@method("crm.activity.update", scope="crm")
def activity_update(call: Call) -> Result:
    refuse_extranet(call)
    row = _own(call)
    given = call.mapping("fields", "FIELDS")
    fields = _read_fields(call, given)
    for name in IMMUTABLE:
        fields.pop(name, None)
    if "SUBJECT" in fields and not fields["SUBJECT"]:
        raise _refusal("The field SUBJECT is not defined or empty")
    if "RESPONSIBLE_ID" in fields and call.site.user(fields["RESPONSIBLE_ID"]) is None:
        raise _refusal("The field RESPONSIBLE_ID is not defined or invalid")
    activities.update_activity(call.portal, row["ID"], fields, by=call.user_id, at=call.now)
    return Result(True)


@method("crm.activity.delete", scope="crm")
def activity_delete(call: Call) -> Result:
    refuse_extranet(call)
    call.portal.remove("activity", _own(call)["ID"])
    return Result(True)


@method("crm.activity.fields", scope="crm")
def activity_fields(call: Call) -> Result:
    refuse_extranet(call)
    return Result({
        name: {
            "type": kind,
            "isRequired": name in REQUIRED,
            "isReadOnly": name in READ_ONLY,
            "isImmutable": name in IMMUTABLE,
            "isMultiple": name in MULTIPLE,
            "isDynamic": False,
            **({"isDeprecated": True} if name == "WEBDAV_ELEMENTS" else {}),
            "title": title or name,
        }
        for name, kind, title in DESCRIBED
    })  # fmt: skip


@method("crm.activity.todo.add", scope="crm")
def todo_add(call: Call) -> Result:
    refuse_extranet(call)
    for name in ("ownerTypeId", "ownerId", "deadline"):
        if name not in call.params:
            raise PortalError("100", f"Could not find value for parameter {{{name}}}")
    owner_type, owner_id = call.integer("ownerTypeId"), call.integer("ownerId")
    kind = kind_of(call.portal, owner_type)
    if kind is None:
        raise PortalError("OWNER_NOT_FOUND", "Owner not found")
    owner = call.portal.records[kind].get(owner_id)
    if owner is None:
        raise PortalError("NOT_FOUND", "Not found.")
    if not may_see(call, owner):
        raise PortalError("ACCESS_DENIED", "Access denied.")
    deadline = parse_moment(call.param("deadline"), call.zone)
    if deadline is None:
        raise PortalError("WRONG_DATETIME_FORMAT", "Wrong datetime format")
    responsible = call.integer("responsibleId") or call.user_id
    if call.site.user(responsible) is None:
        raise PortalError("ACCESS_DENIED", "Access denied.")
    settings: Row = {"COLOR": str(call.param("colorId"))} if call.param("colorId") else {}
    offsets = [php.as_int(one) for one in call.values("pingOffsets")]
    if offsets:
        settings["PING_OFFSETS"] = offsets
    number = activities.add_todo(
        call.portal,
        owner_type,
        owner_id,
        deadline,
        title=str(call.param("title", default="") or ""),
        description=str(call.param("description", default="") or ""),
        responsible_id=responsible,
        by=call.user_id,
        at=call.now,
        ASSOCIATED_ENTITY_ID=call.integer("parentActivityId"),
        SETTINGS=settings,
    )
    return Result({"id": number})


def _own(call: Call) -> Row:
    """The activity of the parameters. Raises: PortalError, without a code, when it is not to be had."""
    row = call.portal.records["activity"].get(call.integer("id", "ID"))
    if row is None:
        raise _refusal("Activity is not found.")
    owners = visible_owners(call.site, call.user_id)
    if owners is not None and not _may_see(call, row, owners):
        raise _refusal("Access denied.")
    return row


def _owner(call: Call, owner_type: int, owner_id: int) -> Row | None:
    """The item that is to own an activity. Raises: PortalError when it is not the user's to change."""
    kind = kind_of(call.portal, owner_type)
    item = call.portal.records[kind].get(owner_id) if kind else None
    if item is not None and not may_see(call, item):
        raise _refusal("Access denied.")
    return item


def _require(call: Call, fields: Row, given: Row) -> None:
    """Raises: PortalError for what a new activity lacks, in the order in which the portal looks."""
    if not fields.get("SUBJECT"):
        raise _refusal("The field SUBJECT is not defined or empty")
    if call.site.user(fields.get("RESPONSIBLE_ID") or 0) is None:
        raise _refusal("The field RESPONSIBLE_ID is not defined or invalid")
    kind = fields.get("TYPE_ID")
    if kind not in (*activities.PROVIDERS, activities.PROVIDER):
        raise _refusal("The field TYPE_ID is not defined or invalid")
    provider = fields.get("PROVIDER_ID")
    if kind == activities.PROVIDER:
        if not provider:
            raise _refusal("The custom activity without provider is not supported in current context")
        if provider == "CONFIGURABLE_REST_APP":
            raise _refusal("Use crm.activity.configurable.add for this activity provider")
        if provider == "REST_APP" and call.app is None:
            raise _refusal("Application context required")
        return
    people = php.as_list(given.get("COMMUNICATIONS"))
    if not people or not all(isinstance(one, dict) for one in people):
        raise _refusal("The field COMMUNICATIONS is not defined or invalid")
    if kind == activities.CALL and len(people) > 1:
        raise _refusal("The only one communication is allowed for activity of specified type")


def _refusal(text: str) -> PortalError:
    return PortalError("", text)


def _read_fields(call: Call, given: Row) -> Row:
    """Python values of what may be written; read-only and unknown names are passed over."""
    fields: Row = {}
    for name, kind, _ in DESCRIBED:
        if name not in given or name in READ_ONLY or name in MULTIPLE:
            continue
        value = given[name]
        if name in MOMENTS:
            fields[name] = parse_moment(value, call.zone)
        elif name in FLAGS:
            fields[name] = php.is_yes(value)
        elif name in NUMBERS:
            fields[name] = php.as_int(value)
        elif kind == "object":
            fields[name] = php.as_map(value)
        else:
            fields[name] = "" if value is None else str(value)
    fields.pop("DEADLINE", None)  # it cannot be set: the portal copies it
    return fields


def _bound_by_communications(given: Row) -> list[Row]:
    bound = []
    for one in php.as_list(given.get("COMMUNICATIONS")):
        pair = {
            "OWNER_TYPE_ID": php.as_int(one.get("ENTITY_TYPE_ID")),
            "OWNER_ID": php.as_int(one.get("ENTITY_ID")),
        }
        if all(pair.values()):
            bound.append(pair)
    return bound


def _pairs(value: Any) -> list[tuple[int, int]]:
    if isinstance(value, dict):
        value = [value] if "OWNER_ID" in value else list(value.values())
    return [(int(one.get("OWNER_TYPE_ID", 0)), int(one.get("OWNER_ID", 0))) for one in value or ()]


def _bindings(row: Row) -> list[tuple[int, int]]:
    own = [(int(row.get("OWNER_TYPE_ID") or 0), int(row.get("OWNER_ID") or 0))]
    more = [(int(one["OWNER_TYPE_ID"]), int(one["OWNER_ID"])) for one in row.get("BINDINGS") or ()]
    return own + [pair for pair in more if pair not in own]


def _may_see(call: Call, row: Row, owners: frozenset[int]) -> bool:
    """An activity follows its owner item; without one it is its responsible person's."""
    kind = kind_of(call.portal, int(row.get("OWNER_TYPE_ID") or 0))
    item = call.portal.records[kind].get(int(row.get("OWNER_ID") or 0)) if kind else None
    if item is not None:
        return item.get("assignedById") in owners
    return row.get("RESPONSIBLE_ID") in owners


def _value(call: Call, row: Row, name: str) -> Any:
    value = row.get(name)
    if name == "BINDINGS":
        return [
            {"OWNER_TYPE_ID": str(owner_type), "OWNER_ID": str(owner)} for owner_type, owner in _bindings(row)
        ]
    if name in OBJECTS:
        return object_or_list(dict(value or {}))
    if name in FLAGS:
        return "Y" if value in (True, "Y") else "N"
    if name in ON_DEMAND:
        return value or []
    if isinstance(value, datetime):
        return moment_text(value, call.zone)
    if name == "DEADLINE" and value is None:
        return NO_DEADLINE
    if value is None:
        return DEFAULTS.get(name, "0" if name in NUMBERS else None)
    return str(value)
