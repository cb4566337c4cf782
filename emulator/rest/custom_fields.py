"""`userfieldconfig.*`: the settings of custom fields of CRM items, read only."""

from __future__ import annotations

from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.filters import Column, compile_filter, parse_order
from emulator.listing import select_page
from emulator.rest.crm_items import refuse_extranet
from emulator.world import Row

FLAGS = ("multiple", "mandatory", "showInList", "editInList", "isSearchable")
NAMES = (
    "id", "entityId", "fieldName", "userTypeId", "xmlId", "sort", "multiple", "mandatory", "showFilter",
    "showInList", "editInList", "isSearchable", "settings",
)  # fmt: skip
LABELS = ("editFormLabel", "listColumnLabel", "listFilterLabel", "errorMessage", "helpMessage")
COLUMNS = {
    name: Column(name, "integer" if name in ("id", "sort") else "boolean" if name in FLAGS else "string")
    for name in NAMES
    if name != "settings"
}
ORDERS = {name: COLUMNS[name] for name in ("id", "fieldName", "userTypeId", "xmlId", "sort")}


@method("userfieldconfig.list", scope="userfieldconfig")
def field_list(call: Call) -> Result:
    _require_right(call)
    query = compile_filter(call.param("filter"), COLUMNS, call.zone, id_key="id", drops_unknown=True)
    order = parse_order(call.param("order"), ORDERS, drops_unknown=True) or [("sort", False), ("id", False)]
    page = select_page(
        call.portal.records["user_field"], query, order, id_key="id", start=call.integer("start")
    )
    asked = call.param("select")
    language = str(php.as_map(asked).get("language") or "")
    wanted = {str(name) for name in php.as_list(asked)}
    names = [name for name in NAMES if name in wanted or not wanted - {language} or "*" in wanted]
    fields = [_settings(row, names) | (_labels(row, [language]) if language else {}) for row in page.rows]
    return Result({"fields": fields}, page.total, page.next, rows=len(fields), counted=page.total or 0)


@method("userfieldconfig.get", scope="userfieldconfig")
def field_get(call: Call) -> Result:
    _require_right(call)
    row = call.portal.records["user_field"].get(call.integer("id"))
    if row is None:
        raise _no_right()
    languages = list(row.get("editFormLabel") or {}) or [call.portal.lang]
    field = _settings(row, list(NAMES)) | _labels(row, languages)
    field |= {name: dict.fromkeys(languages) for name in LABELS if field[name] is None}
    if row["userTypeId"] == "enumeration":
        field["enum"] = [_choice(row, place, one) for place, one in enumerate(row.get("enum") or (), 1)]
    return Result({"field": field}, rows=1)


def _require_right(call: Call) -> None:
    """Raises: PortalError as the page has it: no codes."""
    if "moduleId" not in call.params:
        raise PortalError("100", "Could not find value for parameter {moduleId}")
    module = str(call.param("moduleId"))
    if module not in call.scopes:
        raise PortalError("", f"The current method required more scopes. ({module})")
    if module != "crm":
        raise PortalError("", "No settings for UserFieldAccess")
    refuse_extranet(call)
    if not call.is_admin:
        raise _no_right()


def _no_right() -> PortalError:
    return PortalError("", "You do not have permission to view user field settings")


def _settings(row: Row, names: list[str]) -> dict[str, Any]:
    defaults: Row = {"sort": 100, "showFilter": "N", "showInList": True, "editInList": True}
    field: dict[str, Any] = {}
    for name in names:
        value = row.get(name, defaults.get(name))
        if name in FLAGS:
            field[name] = "Y" if value else "N"
        elif name == "settings":
            field[name] = dict(value or {}) or []
        else:
            field[name] = None if value is None else str(value)
    return field


def _labels(row: Row, languages: list[str]) -> dict[str, Any]:
    """What the field is called in these languages; a text that nobody gave is null."""
    texts: dict[str, Any] = {"languageId": {language: language for language in languages}}
    for name in LABELS:
        given = row.get(name) or {}
        if name == "editFormLabel" and not given and row.get("title"):
            given = dict.fromkeys(languages, row["title"])
        texts[name] = {language: given.get(language) for language in languages} if given else None
    return texts


def _choice(row: Row, place: int, one: Row) -> dict[str, Any]:
    return {
        "id": str(one["ID"]),
        "userFieldId": str(row["id"]),
        "value": one["VALUE"],
        "def": "Y" if one.get("DEF") else "N",
        "sort": str(one.get("SORT") or place * 100),
        "xmlId": str(one.get("XML_ID") or ""),
    }
