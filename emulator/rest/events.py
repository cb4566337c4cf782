"""Subscriptions to events and the offline queue."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.events import EVENT_SCOPES, OfflineRow, dynamic_events
from emulator.filters import split
from emulator.listing import PAGE
from emulator.site import App, Handler
from emulator.times import moment_text, parse_moment

OFFLINE_FIELDS = ("ID", "TIMESTAMP_X", "EVENT_NAME", "MESSAGE_ID")


@method("event.bind")
def event_bind(call: Call) -> Result:
    app = call.require_app()
    name = _event_name(call)
    is_offline = _is_offline(call)
    url = str(call.param("handler", "HANDLER", default=""))
    connector = _connector(call)
    user_id = call.integer("auth_type", "AUTH_TYPE")
    if is_offline:
        call.require_admin()
        url, user_id = "", 0
    else:
        check_url(call, url)
        if not call.is_admin:
            if user_id not in (0, call.user_id):
                call.deny()
            user_id = call.user_id
    with call.site.lock:
        if any(_same(one, name, url, user_id, is_offline, connector) for one in app.handlers):
            text = f"Unable to set event handler: Handler already binded [{name}]"
            raise PortalError("ERROR_CORE", text)
        app.handlers.append(
            Handler(
                app.next_id(), name, url, user_id, is_offline, connector, call.mapping("options", "OPTIONS")
            )
        )
    return Result(True)


@method("event.unbind")
def event_unbind(call: Call) -> Result:
    app = call.require_app()
    name = _event_name(call)
    is_offline = _is_offline(call)
    url = "" if is_offline else str(call.param("handler", "HANDLER", default=""))
    has_user = "auth_type" in call.params or "AUTH_TYPE" in call.params
    user_id = call.integer("auth_type", "AUTH_TYPE")
    if is_offline:
        call.require_admin()
    elif not url:
        raise PortalError("ERROR_ARGUMENT", "Argument 'HANDLER' is null or empty", argument="HANDLER")
    with call.site.lock:
        gone = [
            one
            for one in app.handlers
            if (one.event, one.url, one.is_offline) == (name, url, is_offline)
            and (not has_user or one.user_id == user_id)
            and (not is_offline or one.connector == _connector(call))
            and (call.is_admin or one.user_id == call.user_id)
        ]
        app.handlers[:] = [one for one in app.handlers if one not in gone]
    return Result({"count": len(gone)})


@method("event.get")
def event_get(call: Call) -> Result:
    app = call.require_app()
    return Result([
        {"event": one.event, "connector_id": one.connector, "offline": 1}
        if one.is_offline
        else {"event": one.event, "handler": one.url, "auth_type": str(one.user_id), "offline": 0}
        for one in app.handlers
        if call.is_admin or one.user_id == call.user_id
    ])  # fmt: skip


@method("event.test")
def event_test(call: Call) -> Result:
    app = call.require_app()
    for one in app.handlers:
        if one.event == "ONAPPTEST" and not one.is_offline:
            call.site.events.send(
                app, one.url, "ONAPPTEST", {"QUERY": dict(call.params)}, one.id, user_id=call.user_id
            )
    return Result(1)


@method("event.offline.get")
def event_offline_get(call: Call) -> Result:
    app = _offline_app(call)
    takes_errors = php.is_yes(call.param("error", default=0))
    clears = call.param("clear", default=1) not in (0, "0", False, "", "N")
    process_id = str(call.param("process_id", default="") or "")
    if not clears and not call.site.has_feature("rest_offline_extended"):
        raise PortalError("WRONG_LICENSE", "Offline events extended mode is not available on your plan", 403)
    limit = call.integer("limit", default=PAGE) or PAGE
    with call.site.lock:
        rows = [
            row
            for row in call.site.events.rows(app.client_id, _connector(call))
            if (row.process_id == process_id and row.has_failed == takes_errors)
            or (not row.process_id and not takes_errors)
        ]
        rows = _ordered(call, _filtered(call, rows))[:limit]
        if clears:
            call.site.events.forget(app.client_id, {row.id for row in rows})
            shown_process = None
        else:
            shown_process = process_id or secrets.token_hex(16)
            for row in rows:
                row.process_id = shown_process
    events = [_offline_row(call, row) for row in rows]
    return Result({"process_id": shown_process, "events": events}, rows=len(rows))


@method("event.offline.list")
def event_offline_list(call: Call) -> Result:
    app = _offline_app(call)
    with call.site.lock:
        rows = _ordered(call, _filtered(call, call.site.events.rows(app.client_id, _connector(call))))
    start = call.integer("start")
    offset = max(0, start) // PAGE * PAGE
    page = rows[offset : offset + PAGE]
    shown = [
        {
            **_offline_row(call, row),
            "PROCESS_ID": row.process_id,
            "ERROR": "1" if row.has_failed else "0",
        }
        for row in page
    ]
    if start < 0:
        return Result(shown, total=0, rows=len(page))
    after = offset + PAGE if offset + PAGE < len(rows) else None
    return Result(shown, len(rows), after, rows=len(page), counted=len(rows))


@method("event.offline.clear")
def event_offline_clear(call: Call) -> Result:
    app = _offline_app(call)
    process_id = _process_id(call)
    ids = {php.as_int(value) for value in call.values("id", "ID")}
    messages = {str(value) for value in call.values("message_id", "MESSAGE_ID")}
    with call.site.lock:
        queue = call.site.events.rows(app.client_id, _connector(call))
        gone = {
            row.id
            for row in queue
            if row.process_id == process_id
            and ((not ids and not messages) or row.id in ids or row.message_id in messages)
        }
        call.site.events.forget(app.client_id, gone)
    return Result(True)


@method("event.offline.error")
def event_offline_error(call: Call) -> Result:
    app = _offline_app(call)
    process_id = _process_id(call)
    messages = {str(value) for value in call.values("message_id", "MESSAGE_ID")}
    with call.site.lock:
        for row in call.site.events.rows(app.client_id, _connector(call)):
            if row.process_id == process_id and row.message_id in messages:
                row.has_failed = True
    return Result(True)


def check_url(call: Call, url: str) -> None:
    """Raises: PortalError for an address that the portal would not call."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise PortalError("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
    host = parts.hostname or ""
    if not host or (call.site.quirks.handlers_need_a_dot and "." not in host):
        raise PortalError("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")


def _event_name(call: Call) -> str:
    name = str(call.param("event", "EVENT", default="")).upper()
    if not name:
        raise PortalError("ERROR_ARGUMENT", "Argument 'EVENT' is null or empty", argument="EVENT")
    scope = _scope_of(call, name)
    if scope is None or (scope and scope not in call.scopes):
        raise PortalError("ERROR_EVENT_NOT_FOUND", "Event not found")
    return name


def _scope_of(call: Call, name: str) -> str | None:
    """The scope that an event needs; None when there is no such event."""
    return "crm" if name in dynamic_events(call.portal) else EVENT_SCOPES.get(name)


def _is_offline(call: Call) -> bool:
    return str(call.param("event_type", "EVENT_TYPE", default="online")).lower() == "offline"


def _connector(call: Call) -> str:
    if not call.site.has_feature("rest_auth_connector"):
        return ""
    return call.connector


def _same(one: Handler, name: str, url: str, user_id: int, is_offline: bool, connector: str) -> bool:
    return (one.event, one.url, one.user_id, one.is_offline, one.connector) == (
        name, url, user_id, is_offline, connector,
    )  # fmt: skip


def _offline_app(call: Call) -> App:
    app = call.require_app()
    call.require_admin()
    return app


def _process_id(call: Call) -> str:
    process_id = str(call.param("process_id", "PROCESS_ID", default="") or "")
    if not process_id:
        raise PortalError("ERROR_ARGUMENT", "Argument 'PROCESS_ID' is null or empty", argument="PROCESS_ID")
    return process_id


def _filtered(call: Call, rows: list[OfflineRow]) -> list[OfflineRow]:
    for name, value in call.mapping("filter", "FILTER").items():
        operator, plain = split(name)
        if plain not in OFFLINE_FIELDS:
            raise PortalError("ERROR_ARGUMENT", f"Wrong filter field: {plain}", argument="FILTER")
        wanted = {_plain_value(call, plain, inner) for inner in php.as_list(value)}
        if not wanted:
            continue
        rows = [row for row in rows if _matches(operator, _row_value(row, plain), wanted)]
    return rows


def _ordered(call: Call, rows: list[OfflineRow]) -> list[OfflineRow]:
    order = {name.upper(): str(way).upper() for name, way in call.mapping("order", "ORDER").items()}
    rows = sorted(rows, key=lambda row: (row.at, row.id))
    for name, way in reversed(order.items()):
        if name not in OFFLINE_FIELDS:
            raise PortalError("ERROR_ARGUMENT", f"Wrong order field: {name}", argument="ORDER")
        rows.sort(key=lambda row: _row_value(row, name), reverse=way == "DESC")
    return rows


def _matches(operator: str, value: Any, wanted: set[Any]) -> bool:
    first = next(iter(wanted))
    if operator == ">":
        return bool(value > first)
    if operator == ">=":
        return bool(value >= first)
    if operator == "<":
        return bool(value < first)
    if operator == "<=":
        return bool(value <= first)
    return (value in wanted) != operator.startswith("!")


def _plain_value(call: Call, name: str, value: Any) -> Any:
    if name == "ID":
        return php.as_int(value)
    if name == "TIMESTAMP_X":
        return parse_moment(value, call.zone) or call.now
    return str(value).upper() if name == "EVENT_NAME" else str(value)


def _row_value(row: OfflineRow, name: str) -> Any:
    return {"ID": row.id, "TIMESTAMP_X": row.at, "EVENT_NAME": row.name, "MESSAGE_ID": row.message_id}[name]


def _offline_row(call: Call, row: OfflineRow) -> dict[str, Any]:
    return {
        "ID": str(row.id),
        "TIMESTAMP_X": moment_text(row.at, call.zone),
        "EVENT_NAME": row.name,
        "EVENT_DATA": row.data or False,
        "EVENT_ADDITIONAL": row.additional or False,
        "MESSAGE_ID": row.message_id,
    }
