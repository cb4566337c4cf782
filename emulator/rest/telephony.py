"""`voximplant.statistic.get`: forgiving to a fault, it drops whatever it does not understand."""

from __future__ import annotations

from typing import Any

from emulator.answers import Result
from emulator.dispatch import Call, method
from emulator.filters import Column, FilterError, compile_filter, split
from emulator.listing import select_page
from emulator.rights import visible_owners
from emulator.times import moment_text
from emulator.world import Row

FIELDS = (
    "ID", "PORTAL_USER_ID", "PORTAL_NUMBER", "PHONE_NUMBER", "CALL_ID", "EXTERNAL_CALL_ID", "CALL_CATEGORY",
    "CALL_LOG", "CALL_DURATION", "CALL_START_DATE", "CALL_RECORD_URL", "CALL_VOTE", "COST", "COST_CURRENCY",
    "CALL_FAILED_CODE", "CALL_FAILED_REASON", "CRM_ENTITY_TYPE", "CRM_ENTITY_ID", "CRM_ACTIVITY_ID",
    "REST_APP_ID", "REST_APP_NAME", "TRANSCRIPT_ID", "TRANSCRIPT_PENDING", "SESSION_ID", "REDIAL_ATTEMPT",
    "COMMENT", "RECORD_DURATION", "RECORD_FILE_ID", "CALL_TYPE",
)  # fmt: skip
INTEGERS = frozenset(
    {"ID", "PORTAL_USER_ID", "CALL_DURATION", "CALL_VOTE", "CRM_ENTITY_ID", "CRM_ACTIVITY_ID", "CALL_TYPE"}
)
COLUMNS = {name: Column(name, "integer" if name in INTEGERS else "string") for name in FIELDS} | {
    "CALL_START_DATE": Column("CALL_START_DATE", "datetime")
}
TYPED = frozenset({"RECORD_FILE_ID"})
"""The only number among texts."""
DROPPED_OPERATORS = frozenset({"@", "!@"})


@method("voximplant.statistic.get", scope="telephony")
def statistic(call: Call) -> Result:
    user = call.user
    if user.get("USER_TYPE", "employee") != "employee":
        call.deny()
    try:
        query = compile_filter(_understood(call), COLUMNS, call.zone, id_key="ID", drops_unknown=True)
    except FilterError:
        query = compile_filter({}, COLUMNS, call.zone, id_key="ID")
    start = call.integer("start")
    page = select_page(
        call.portal.records["call"], query, _order(call), id_key="ID", start=start, floors=False
    )
    rows = [_row(call, row) for row in page.rows]
    total = page.total if start >= 0 else 0
    return Result(rows, total, page.next, rows=len(rows), counted=page.total or 0)


def _understood(call: Call) -> Row:
    """The filter without what is dropped; who may see only some calls has PORTAL_USER_ID overwritten."""
    kept: dict[str, Any] = {}
    for name, value in call.mapping("FILTER", "filter").items():
        operator, _ = split(name)
        is_empty_list = isinstance(value, (list, dict)) and not value
        if operator not in DROPPED_OPERATORS and not is_empty_list:
            kept[name] = value
    owners = visible_owners(call.site, call.user_id)
    if owners is not None:
        kept = {name: value for name, value in kept.items() if split(name)[1] != "PORTAL_USER_ID"}
        kept["PORTAL_USER_ID"] = sorted(owners)
    return kept


def _order(call: Call) -> list[tuple[str, bool]]:
    """SORT and ORDER are texts; anything but an exact field and ASC or DESC leaves the rows unsorted."""
    field, direction = call.param("SORT", "sort"), call.param("ORDER", "order")
    if isinstance(field, str) and field in COLUMNS and direction in ("ASC", "DESC"):
        return [(field, direction == "DESC")]
    return []


def _row(call: Call, row: Row) -> Row:
    answer: Row = {}
    for name in FIELDS:
        value = row.get(name)
        if name == "CALL_START_DATE" and value is not None:
            value = moment_text(value, call.zone)
        answer[name] = value if value is None or name in TYPED else php_text(value)
    return answer


def php_text(value: Any) -> str:
    """A value as the database hands it out: everything is text."""
    return ("Y" if value else "N") if isinstance(value, bool) else str(value)
