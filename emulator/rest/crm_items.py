"""`crm.item.*` for leads, deals, contacts and companies, and the older `crm.deal.list` family."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from emulator import crm
from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.crm_fields import (
    COLUMNS,
    FIELDS,
    OLD_COLUMNS,
    OLD_FIELDS,
    Field,
    Write,
    describe,
    is_custom,
    number,
    old_text,
    writer,
)
from emulator.dispatch import Call, method
from emulator.filters import Column, Query, compile_filter, parse_order, split
from emulator.listing import select_page
from emulator.rights import visible_owners
from emulator.times import moment_text, parse_date, parse_moment
from emulator.world import Row

OLD_FAMILIES = ("lead", "deal", "contact", "company")


@method("crm.item.list", scope="crm")
def item_list(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    columns = _with_custom(COLUMNS[kind], call)
    query, order = _read_query(call, columns, order_keys=("order",))
    _restrict(call, query)
    start = call.integer("start")
    page = select_page(call.portal.records[kind], query, order, id_key="id", start=start)
    writers = _writers(call, kind)
    items = [{name: write(row) for name, write in writers} for row in page.rows]
    if _takes_all(call):
        for item, row in zip(items, page.rows, strict=True):
            item |= _custom_values(row, call) | {"entityTypeId": crm.KINDS[kind]}
    total = page.total
    if total is None and call.site.quirks.uncounted_total_is_zero:
        total = 0
    return Result({"items": items}, total, page.next, rows=len(items), counted=page.total or 0)


@method("crm.item.get", scope="crm")
def item_get(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    return Result({"item": _whole_item(call, kind, _readable(call, kind, call.integer("id")))})


@method("crm.item.add", scope="crm")
def item_add(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    fields = _read_fields(call, kind)
    try:
        item_id = crm.add_item(
            call.portal, kind, {"assignedById": call.user_id, **fields}, by=call.user_id, at=call.now
        )
    except crm.UnknownStageError:
        raise invalid_value("stageId") from None
    row = call.portal.records[kind].get(item_id) or {}
    return Result({"item": _whole_item(call, kind, row)})


@method("crm.item.update", scope="crm")
def item_update(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    row = _readable(call, kind, call.integer("id"))
    try:
        row = crm.update_item(
            call.portal, kind, row["id"], _read_fields(call, kind), by=call.user_id, at=call.now
        )
    except crm.UnknownStageError:
        raise invalid_value("stageId") from None
    return Result({"item": _whole_item(call, kind, row)})


@method("crm.item.delete", scope="crm")
def item_delete(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    crm.delete_item(call.portal, kind, _readable(call, kind, call.integer("id"))["id"])
    return Result([])


@method("crm.item.fields", scope="crm")
def item_fields(call: Call) -> Result:
    kind = entity_kind(call)
    return Result({"fields": {name: describe(field) for name, field in FIELDS[kind].items()}})


def _old_list(kind: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        refuse_extranet(call)
        columns = _with_custom(OLD_COLUMNS[kind], call)
        query, order = _read_query(call, columns, order_keys=("order", "ORDER"), drops_unknown=True)
        _restrict(call, query)
        start = call.integer("start")
        page = select_page(call.portal.records[kind], query, order, id_key="id", start=start)
        wanted = [str(name) for name in call.values("select", "SELECT")]
        names = list(OLD_FIELDS[kind]) if not wanted or "*" in wanted else ["ID", *wanted]
        fields = [OLD_FIELDS[kind][name] for name in dict.fromkeys(names) if name in OLD_FIELDS[kind]]
        rows = [{field.upper: old_text(field, row, call.zone) for field in fields} for row in page.rows]
        return Result(rows, page.total or 0, page.next, rows=len(rows), counted=page.total or 0)

    return handler


def _old_get(kind: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        refuse_extranet(call)
        row = call.portal.records[kind].get(call.integer("id", "ID"))
        if row is None or not _may_see(call, row):
            raise PortalError("", "Not found" if row is None else "Access denied.")
        fields = OLD_FIELDS[kind].values()
        return Result({field.upper: old_text(field, row, call.zone) for field in fields}, rows=1)

    return handler


for _kind in OLD_FAMILIES:
    method(f"crm.{_kind}.list", scope="crm")(_old_list(_kind))
    method(f"crm.{_kind}.get", scope="crm")(_old_get(_kind))


def entity_kind(call: Call) -> str:
    """The kind of record of `entityTypeId`. Raises: PortalError NOT_FOUND for one this portal lacks."""
    kind = crm.ENTITY_TYPES.get(call.integer("entityTypeId"))
    if kind is None:
        raise PortalError("NOT_FOUND", "Smart process not found")
    return kind


def refuse_extranet(call: Call) -> None:
    """Raises: PortalError for a user from outside the company."""
    if call.user.get("USER_TYPE") == "extranet":
        raise PortalError("allowed_only_intranet_user", "Action is allowed for intranet users only", 403)


def invalid_value(name: str) -> PortalError:
    return PortalError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Invalid value for field "{name}"')


def _read_query(
    call: Call, columns: dict[str, Column], *, order_keys: tuple[str, ...], drops_unknown: bool = False
) -> tuple[Query, list[tuple[str, bool]]]:
    query = compile_filter(
        call.param("filter", "FILTER"), columns, call.zone, id_key="id", drops_unknown=drops_unknown
    )
    return query, parse_order(call.param(*order_keys), columns, drops_unknown=drops_unknown)


def _restrict(call: Call, query: Query) -> None:
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        query.restrict("assignedById", owners)


def _may_see(call: Call, row: Row) -> bool:
    owners = visible_owners(call.site, call.user_id)
    return owners is None or row.get("assignedById") in owners


def _readable(call: Call, kind: str, item_id: int) -> Row:
    row = call.portal.records[kind].get(item_id)
    if row is None:
        raise PortalError("NOT_FOUND", "Element not found")
    if not _may_see(call, row):
        raise PortalError("ACCESS_DENIED", "You do not have permission to view this item")
    return row


def _takes_all(call: Call) -> bool:
    wanted = call.values("select")
    return not wanted or "*" in wanted


def _writers(call: Call, kind: str) -> list[tuple[str, Write]]:
    """The selected fields and how to write them; unknown names are left out silently, `id` always comes."""
    fields = FIELDS[kind]
    wanted = [str(name) for name in call.values("select")]
    names = list(dict.fromkeys(["id", *wanted]))
    if not wanted or "*" in wanted:
        names = [name for name, field in fields.items() if not field.is_hidden]
    null = call.site.quirks.empty_links_are_null
    writers = [
        (name, writer(fields[name], call.zone, empty_links_are_null=null)) for name in names if name in fields
    ]
    custom = [name for name in names if name not in fields and is_custom(name)]
    return writers + [(name, _custom_writer(name, call)) for name in custom]


def _whole_item(call: Call, kind: str, row: Row) -> dict[str, Any]:
    null = call.site.quirks.empty_links_are_null
    item = {
        name: writer(field, call.zone, empty_links_are_null=null)(row)
        for name, field in FIELDS[kind].items()
        if not field.is_hidden
    }
    return item | _custom_values(row, call) | {"entityTypeId": crm.KINDS[kind]}


def _custom_values(row: Row, call: Call) -> dict[str, Any]:
    return {name: _custom_writer(name, call)(row) for name in row if is_custom(name)}


def _custom_writer(name: str, call: Call) -> Write:
    zone = call.zone

    def write(row: Row) -> Any:
        value = row.get(name)
        if isinstance(value, Decimal):
            return number(value)
        if isinstance(value, datetime):
            return moment_text(value, zone)
        if isinstance(value, bool):
            return "Y" if value else "N"
        return value

    return write


def _with_custom(columns: Any, call: Call) -> dict[str, Column]:
    """The columns with the custom fields that the filter and order name."""
    named = [split(name)[1] for name in (*call.mapping("filter", "FILTER"), *call.mapping("order", "ORDER"))]
    return {**columns, **{name: Column(name) for name in named if is_custom(name)}}


def _read_fields(call: Call, kind: str) -> Row:
    """The values of `fields`. Raises: PortalError for a name or value that the item cannot have."""
    row: Row = {}
    for name, value in call.mapping("fields").items():
        field = FIELDS[kind].get(name)
        if field is None and not is_custom(name):
            raise PortalError("INVALID_ARG_VALUE", f"Invalid fields: field '{name}' is unknown")
        if field is None:
            row[name] = value
        elif not field.is_read_only and not field.is_disabled:
            row[name] = _read_value(call, field, value)
    return row


def _read_value(call: Call, field: Field, value: Any) -> Any:
    if field.is_multiple:
        if not isinstance(value, (list, dict)):
            raise PortalError(
                "100", f"Expected iterable value for multiple field, but got `{type(value).__name__}` instead"
            )
        return [php.as_int(inner) for inner in php.as_list(value)]
    if field.type == "boolean":
        return php.is_yes(value)
    if value is None or value == "":
        return None
    if field.column.kind == "integer":
        if not str(value).lstrip("-").isdecimal():
            raise invalid_value(field.name)
        return int(value)
    if field.type == "double":
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise invalid_value(field.name) from None
    if field.type == "crm_currency" and not _has_currency(call, str(value)):
        raise invalid_value(field.name)
    parsed: date | None
    if field.type in ("date", "datetime"):
        parsed = parse_date(value, call.zone) if field.type == "date" else parse_moment(value, call.zone)
        if parsed is None:
            raise invalid_value(field.name)
        return parsed
    return str(value)


def _has_currency(call: Call, code: str) -> bool:
    return any(row["CURRENCY"] == code for row in call.portal.records["currency"])
