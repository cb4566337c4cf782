"""`crm.item.*` for all types of CRM items, smart processes included, and the older `crm.deal.list` family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from emulator import crm
from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.crm_fields import Field, Write, describe, is_custom, number, old_text, parent_type, writer
from emulator.crm_types import Schema, entity_type, kind_of, schema
from emulator.dispatch import Call, method
from emulator.filters import Column, Query, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rights import visible_owners
from emulator.times import moment_text, parse_date, parse_moment
from emulator.world import Row

OLD_FAMILIES = ("lead", "deal", "contact", "company")
OLD_INVOICES = 5


@method("crm.item.list", scope="crm")
def item_list(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    known = schema(call.portal, kind)
    columns = known.original_columns if _takes_originals(call) else known.columns
    query, order = _read_query(call, columns, order_keys=("order",))
    _restrict(call, query)
    start = call.integer("start")
    page = select_page(call.portal.records[kind], query, order, id_key="id", start=start)
    writers, carried = _writers(call, known)
    items = [{name: write(row) for name, write in writers} for row in page.rows]
    for item, row in zip(items, page.rows, strict=True):
        if carried is None:
            item |= _carried(row, call, known) | {"entityTypeId": entity_type(kind)}
        elif carried:
            item |= _carried(row, call, known, carried)
    total = page.total
    if total is None and call.site.quirks.uncounted_total_is_zero:
        total = 0
    return Result({"items": items}, total, page.next, rows=len(items), counted=page.total or 0)


@method("crm.item.get", scope="crm")
def item_get(call: Call) -> Result:
    kind = entity_kind(call)
    refuse_extranet(call)
    return Result({"item": _whole_item(call, kind, readable_item(call, kind, call.integer("id")))})


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
    row = readable_item(call, kind, call.integer("id"))
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
    crm.delete_item(call.portal, kind, readable_item(call, kind, call.integer("id"))["id"])
    return Result([])


@method("crm.item.fields", scope="crm")
def item_fields(call: Call) -> Result:
    fields = schema(call.portal, entity_kind(call)).fields
    shows_originals = _takes_originals(call)
    return Result({
        "fields": {
            field.upper_name if shows_originals and field.is_custom else name: describe(field)
            for name, field in fields.items()
        }
    })  # fmt: skip


def _old_list(kind: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        refuse_extranet(call)
        known = schema(call.portal, kind)
        query, order = _read_query(call, known.old_columns, order_keys=("order", "ORDER"), drops_unknown=True)
        _restrict(call, query)
        start = call.integer("start")
        page = select_page(call.portal.records[kind], query, order, id_key="id", start=start)
        wanted = [str(name) for name in call.values("select", "SELECT")]
        takes_all = not wanted or "*" in wanted
        names = [name for name in known.old_fields if takes_all and name not in known.originals]
        names += ["ID", *wanted, *(known.originals if "UF_*" in wanted else ())]
        fields = [known.old_fields[name] for name in dict.fromkeys(names) if name in known.old_fields]
        rows = [{field.upper: old_text(field, row, call.zone) for field in fields} for row in page.rows]
        return Result(rows, page.total or 0, page.next, rows=len(rows), counted=page.total or 0)

    return handler


def _old_get(kind: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        refuse_extranet(call)
        row = call.portal.records[kind].get(call.integer("id", "ID"))
        if row is None or not may_see(call, row):
            raise PortalError("", "Not found" if row is None else "Access denied.")
        fields = schema(call.portal, kind).old_fields.values()
        return Result({field.upper: old_text(field, row, call.zone) for field in fields}, rows=1)

    return handler


for _kind in OLD_FAMILIES:
    method(f"crm.{_kind}.list", scope="crm")(_old_list(_kind))
    method(f"crm.{_kind}.get", scope="crm")(_old_get(_kind))


def entity_kind(call: Call) -> str:
    """The kind of record of `entityTypeId`. Raises: PortalError NOT_FOUND for one this portal lacks."""
    number = call.integer("entityTypeId")
    if number == OLD_INVOICES:
        raise PortalError("ENTITY_TYPE_NOT_SUPPORTED", "Entity type INVOICE is not supported")
    kind = kind_of(call.portal, number)
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
    call: Call, columns: Mapping[str, Column], *, order_keys: tuple[str, ...], drops_unknown: bool = False
) -> tuple[Query, list[tuple[str, bool]]]:
    query = compile_filter(
        call.param("filter", "FILTER"), columns, call.zone, id_key="id", drops_unknown=drops_unknown
    )
    return query, parse_order(call.param(*order_keys), columns, drops_unknown=drops_unknown)


def _restrict(call: Call, query: Query) -> None:
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        query.restrict("assignedById", owners)


def may_see(call: Call, row: Row) -> bool:
    """Whether the user of the token sees a CRM item."""
    owners = visible_owners(call.site, call.user_id)
    return owners is None or row.get("assignedById") in owners


def readable_item(call: Call, kind: str, item_id: int) -> Row:
    """The item. Raises: PortalError NOT_FOUND, ACCESS_DENIED."""
    row = call.portal.records[kind].get(item_id)
    if row is None:
        raise PortalError("NOT_FOUND", "Element not found")
    if not may_see(call, row):
        raise PortalError("ACCESS_DENIED", "You do not have permission to view this item")
    return row


def _takes_originals(call: Call) -> bool:
    """Whether custom fields are asked and answered by their original names."""
    return call.param("useOriginalUfNames") in ("Y", True)


def _writers(call: Call, known: Schema) -> tuple[list[tuple[str, Write]], set[str] | None]:
    """The selected fields and how to write them; unknown names are left out silently, `id` always comes.

    Beside them the names that come only with an item that has them; None for whatever an item has.
    """
    wanted = [str(name) for name in call.values("select")]
    names = list(dict.fromkeys(["id", *wanted]))
    if _takes_originals(call):
        names = [known.originals.get(name, "" if name.startswith("ufCrm") else name) for name in names]
    takes_all = not wanted or "*" in wanted
    if takes_all:
        names = [name for name, field in known.fields.items() if not field.is_hidden]
    writers = [
        (_shown_name(call, known.fields[name]), _writer(call, known.fields[name]))
        for name in names
        if name in known.fields
    ]
    if takes_all:
        return writers, None
    return writers, {name for name in names if name not in known.fields and is_custom(name)}


def _whole_item(call: Call, kind: str, row: Row) -> dict[str, Any]:
    known = schema(call.portal, kind)
    item = {
        _shown_name(call, field): _writer(call, field)(row)
        for field in known.fields.values()
        if not field.is_hidden
    }
    return item | _carried(row, call, known) | {"entityTypeId": entity_type(kind)}


def _shown_name(call: Call, field: Field) -> str:
    return field.upper_name if field.is_custom and _takes_originals(call) else field.name


def _writer(call: Call, field: Field) -> Write:
    return writer(field, call.zone, empty_links_are_null=call.site.quirks.empty_links_are_null)


def _carried(row: Row, call: Call, known: Schema, names: set[str] | None = None) -> dict[str, Any]:
    """Links and custom fields that the item has though nothing on the portal sets them up."""
    return {
        name: _custom_writer(name, call)(row)
        for name in row
        if is_custom(name) and name not in known.fields and (names is None or name in names)
    }


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


def _read_fields(call: Call, kind: str) -> Row:
    """The values of `fields`. Raises: PortalError for a name or value that the item cannot have."""
    known = schema(call.portal, kind)
    row: Row = {}
    for name, value in call.mapping("fields").items():
        plain = known.originals.get(name, name) if _takes_originals(call) else name
        field = known.fields.get(plain)
        parent = parent_type(plain)
        if field is None and parent is not None and kind_of(call.portal, parent):
            row[plain] = php.as_int(value) or None
        elif field is None:
            raise PortalError("INVALID_ARG_VALUE", f"Invalid fields: field '{name}' is unknown")
        elif not field.is_read_only and not field.is_disabled:
            row[plain] = _read_value(call, field, value)
    return row


def _read_value(call: Call, field: Field, value: Any) -> Any:
    if field.is_multiple:
        if not isinstance(value, (list, dict)):
            raise PortalError(
                "100", f"Expected iterable value for multiple field, but got `{type(value).__name__}` instead"
            )
        if field.column.kind == "list" and field.type not in ("string", "url", "money", "address"):
            return [php.as_int(inner) for inner in php.as_list(value)]
        return [str(inner) for inner in php.as_list(value)]
    if field.type == "boolean":
        return php.is_yes(value)
    if value is None or value == "":
        return None
    if field.column.kind == "integer":
        if not str(value).lstrip("-").isdecimal():
            raise invalid_value(field.name)
        if field.choices and int(value) not in {number for number, _ in field.choices}:
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
