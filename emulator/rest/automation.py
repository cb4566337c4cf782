"""Robots and workflow activities of an app: registered, listed, answered; running them is `events.post`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.site import App
from emulator.world import Row

_CODE = re.compile(r"^[a-zA-Z0-9._-]+$")
_TYPES = frozenset({"bool", "date", "datetime", "double", "file", "int", "select", "string", "text", "user"})


def _registry(app: App, family: str) -> dict[str, Row]:
    return app.robots if family == "robot" else app.activities


def _add(family: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        app = call.require_app()
        call.require_admin()
        code = str(call.param("CODE", default=""))
        if not code or not _CODE.match(code):
            raise PortalError("ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong activity code!")
        registry = _registry(app, family)
        if code in registry:
            raise PortalError("ERROR_ACTIVITY_ALREADY_INSTALLED", "Activity or Robot already installed!")
        row = dict(call.params)
        _validate(app, row)
        registry[code] = row
        return Result(True)

    return handler


def _update(family: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        app = call.require_app()
        call.require_admin()
        row = _find(call, app, family)
        fields = call.mapping("FIELDS")
        if not fields:
            raise PortalError("ERROR_ACTIVITY_VALIDATION_FAILURE", "No fields to update")
        changed = {**row, **fields}
        _validate(app, changed)
        _registry(app, family)[str(row["CODE"])] = changed
        return Result(True)

    return handler


def _delete(family: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        app = call.require_app()
        call.require_admin()
        del _registry(app, family)[str(_find(call, app, family)["CODE"])]
        return Result(True)

    return handler


def _list(family: str) -> Callable[[Call], Result]:
    def handler(call: Call) -> Result:
        app = call.require_app()
        call.require_admin()
        return Result(list(_registry(app, family)))

    return handler


for _family in ("robot", "activity"):
    method(f"bizproc.{_family}.add", scope="bizproc")(_add(_family))
    method(f"bizproc.{_family}.update", scope="bizproc")(_update(_family))
    method(f"bizproc.{_family}.delete", scope="bizproc")(_delete(_family))
    method(f"bizproc.{_family}.list", scope="bizproc")(_list(_family))


@method("bizproc.event.send", scope="bizproc")
def event_send(call: Call) -> Result:
    app = _answering_app(call)
    app.event_tokens.discard(str(call.param("EVENT_TOKEN", "event_token")))
    app.workflow_answers.append({
        "EVENT_TOKEN": call.param("EVENT_TOKEN", "event_token"),
        "RETURN_VALUES": call.mapping("RETURN_VALUES", "return_values"),
        "LOG_MESSAGE": call.param("LOG_MESSAGE", "log_message"),
    })  # fmt: skip
    return Result(True)


@method("bizproc.activity.log", scope="bizproc")
def activity_log(call: Call) -> Result:
    _answering_app(call)
    return Result(True)


def _answering_app(call: Call) -> App:
    app = call.require_app()
    if str(call.param("EVENT_TOKEN", "event_token", default="")) not in app.event_tokens:
        call.deny()
    return app


def _find(call: Call, app: App, family: str) -> Row:
    row = _registry(app, family).get(str(call.param("CODE", default="")))
    if row is None:
        raise PortalError("ERROR_ACTIVITY_NOT_FOUND", "Activity or Robot not found!")
    return row


def _validate(app: App, row: Row) -> None:
    parts = urlsplit(str(row.get("HANDLER") or ""))
    if parts.scheme not in ("http", "https"):
        raise PortalError("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported handler protocol")
    if parts.hostname != urlsplit(app.app_url).hostname:
        raise PortalError("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    if not row.get("NAME"):
        raise PortalError("ERROR_ACTIVITY_VALIDATION_FAILURE", "Empty activity NAME!")
    for key in ("PROPERTIES", "RETURN_PROPERTIES"):
        properties: Any = row.get(key) or {}
        for name, one in properties.items():
            if not isinstance(one, dict) or not one.get("Name"):
                raise PortalError("ERROR_ACTIVITY_VALIDATION_FAILURE", f"Wrong property {name}")
            if one.get("Type", "string") not in _TYPES:
                raise PortalError("ERROR_ACTIVITY_VALIDATION_FAILURE", f"Wrong property type {one['Type']}")
