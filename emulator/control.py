"""The control surface over HTTP: `/_control/...` on the authorization server's address, JSON in and out.

The same as the methods of `Emulator`, for other processes. See docs/emulator.md for the paths.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from emulator import activities, crm, large, seed, tasks
from emulator.events import acting
from emulator.site import Site
from emulator.wire import Request, Response, json_response
from emulator.world import Row

if TYPE_CHECKING:
    from emulator.server import Emulator

_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
EVENT_SWITCHES = ("delay_s", "lose", "duplicate", "reorder", "hold")
AUTH_SWITCHES = ("old_refresh_lives", "code_grant_is_full", "access_s")
APP_FIELDS = ("is_installed", "is_present", "version", "status", "is_unpaid", "days", "application_token")
ROWS_SHOWN = 1000


class ControlError(Exception):
    """A request to the control surface that makes no sense; the text says why."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Control:
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def answer(self, request: Request) -> Response:
        try:
            body = read_json(request.body) if request.body else {}
            parts = request.path.removeprefix("/_control/").strip("/").split("/")
            user_id = int(request.args.get("as") or 0)
            with acting(user_id):
                return _json(self._route(request.method, parts, body))
        except ControlError as error:
            return _json({"error": str(error)}, error.status)
        except (KeyError, TypeError, ValueError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _route(self, verb: str, parts: list[str], body: Any) -> Any:
        if parts == ["portals"]:
            if verb == "POST":
                return self._portal(self.emulator.site(self.emulator.add_portal(**body)))
            return {"portals": [self._portal(site) for site in self.emulator.sites.values()]}
        if parts == ["clock"]:
            if verb == "POST":
                self.emulator.clock.advance(float(body["advance"]))
            return {"now": self.emulator.clock.now()}
        if parts == ["auth"]:
            _set(self.emulator.auth, AUTH_SWITCHES, body)
            return _get(self.emulator.auth, AUTH_SWITCHES) | {"refreshes": self.emulator.auth.refreshes}
        if parts == ["auth", "faults"]:
            return _faults(self.emulator.auth.faults, verb, body)
        if parts[0] == "portals" and len(parts) >= 2:
            site = self.emulator.sites.get(parts[1])
            if site is None:
                raise ControlError(f"no portal {parts[1]!r}", 404)
            return self._of_portal(verb, site, parts[2:], body)
        raise ControlError("no such path", 404)

    def _of_portal(self, verb: str, site: Site, parts: list[str], body: Any) -> Any:
        if not parts:
            return self._portal(site)
        if parts[0] == "records" and len(parts) in (2, 3):
            return _records(verb, site, parts[1], parts[2] if len(parts) == 3 else None, body)
        if parts[0] == "actions" and len(parts) == 2:
            return self._act(site, parts[1], body)
        plain: dict[str, Callable[[], Any]] = {
            "faults": lambda: _faults(site.faults, verb, body),
            "limits": lambda: _limits(site, verb, body),
            "counters": lambda: _counters(site, verb),
            "calls": lambda: _calls(site, verb),
            "events": lambda: _events(site, verb, body),
            "quirks": lambda: _quirks(site, body),
            "app": lambda: self._app(site, body),
            "notifications": lambda: list(site.notifications),
        }
        if parts[0] in plain and len(parts) == 1:
            return plain[parts[0]]()
        raise ControlError("no such path", 404)

    def _portal(self, site: Site) -> Row:
        portal = site.portal
        return {
            "member_id": portal.member_id,
            "domain": portal.domain,
            "old_domains": sorted(portal.old_domains),
            "title": portal.title,
            "lang": portal.lang,
            "timezone": portal.timezone,
            "is_box": portal.is_box,
            "uses_leads": portal.uses_leads,
            "is_deleted": site.is_deleted,
            "records": {kind: len(rows) for kind, rows in portal.records.items()},
        }

    def _app(self, site: Site, body: Row) -> Row:
        app = site.apps[self.emulator.client_id]
        _set(app, (*APP_FIELDS, "scopes", "allowed_users"), body)
        app.scopes = set(app.scopes)
        return _get(app, APP_FIELDS) | {
            "client_id": app.client_id,
            "scopes": sorted(app.scopes),
            "handlers": [dataclasses.asdict(handler) for handler in app.handlers],
            "placements": [dataclasses.asdict(placement) for placement in app.placements],
            "robots": app.robots,
            "activities": app.activities,
            "options": app.options,
        }

    def _act(self, site: Site, name: str, body: Row) -> Any:
        """Do something to a portal; the body holds the arguments of the function of the same name."""
        action = _ACTIONS.get(name)
        if action is None:
            raise ControlError(f"no action {name!r}, there are {', '.join(sorted(_ACTIONS))}", 404)
        try:
            bound = inspect.signature(action).bind(self.emulator, site, **body)
        except TypeError as error:
            raise ControlError(str(error)) from None
        return {"result": action(*bound.args, **bound.kwargs)}


def read_json(body: bytes) -> Any:
    """JSON with moments, dates and decimals as Python values. Raises: ValueError."""
    return _python(json.loads(body, parse_float=Decimal))


def _python(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _python(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_python(inner) for inner in value]
    if isinstance(value, str) and _MOMENT.match(value):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, str) and _DAY.match(value):
        return date.fromisoformat(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _json(value: Any, status: int = 200) -> Response:
    return json_response(json.loads(json.dumps(value, default=_plain)), status)


def _set(target: Any, names: tuple[str, ...], body: Row) -> None:
    for name, value in body.items():
        if name not in names:
            raise ControlError(f"no switch {name!r}, there are {', '.join(names)}")
        before = getattr(target, name)
        setattr(target, name, float(value) if isinstance(value, Decimal) or type(before) is float else value)


def _get(target: Any, names: tuple[str, ...]) -> Row:
    return {name: getattr(target, name) for name in names}


def _records(verb: str, site: Site, kind: str, row_id: str | None, body: Row) -> Any:
    portal = site.portal
    if kind not in portal.records:
        raise ControlError(f"no kind {kind!r}, there are {', '.join(portal.records)}", 404)
    with portal.lock:
        if row_id is None:
            if verb == "POST":
                return {"id": portal.put(kind, body)}
            return {"rows": [row for row, _ in zip(portal.records[kind], range(ROWS_SHOWN), strict=False)]}
        number = int(row_id)
        if portal.records[kind].get(number) is None:
            raise ControlError(f"no {kind} {number}", 404)
        if verb == "PATCH":
            return portal.change(kind, number, **body)
        if verb == "DELETE":
            portal.remove(kind, number)
            return {"id": number}
        return portal.records[kind].get(number)


def _faults(faults: Any, verb: str, body: Row) -> Row:
    if verb == "DELETE":
        faults.clear()
    elif verb == "POST":
        faults.add(**body)
    return {"waiting": faults.waiting()}


def _limits(site: Site, verb: str, body: Row) -> Row:
    names = tuple(one.name for one in dataclasses.fields(site.limits) if not one.name.startswith("_"))
    if verb == "DELETE":
        site.limits.reset()
    _set(site.limits, names, body)
    return _get(site.limits, names)


def _counters(site: Site, verb: str) -> Row:
    counted = site.counters.as_dict()
    if verb == "DELETE":
        site.counters.reset()
    return counted


def _calls(site: Site, verb: str) -> Row:
    calls = [{"method": name, "params": params} for name, params in list(site.calls)]
    if verb == "DELETE":
        site.calls.clear()
    return {"calls": calls}


def _events(site: Site, verb: str, body: Row) -> Row:
    events = site.events
    if verb == "POST":
        return {"delivered": events.deliver_now()}
    _set(events, EVENT_SWITCHES, body)
    return _get(events, EVENT_SWITCHES) | {
        "waiting": events.waiting(),
        "sent": [{"url": one.url, "form": one.form, "status": one.status} for one in events.sent],
        "lost": len(events.lost),
    }


def _quirks(site: Site, body: Row) -> Row:
    names = tuple(one.name for one in dataclasses.fields(site.quirks))
    _set(site.quirks, names, body)
    site.quirks.features = frozenset(site.quirks.features)
    return _get(site.quirks, names)


def _move_deal(emulator: Emulator, site: Site, id: int, stage_id: str, by: int = 1, at: Any = None) -> Row:
    with acting(by):
        return crm.move_deal(site.portal, id, stage_id, by=by, at=at)


def _move_lead(emulator: Emulator, site: Site, id: int, stage_id: str, by: int = 1, at: Any = None) -> Row:
    with acting(by):
        return crm.move_lead(site.portal, id, stage_id, by=by, at=at)


def _add_item(emulator: Emulator, site: Site, kind: str, fields: Row, by: int = 1, at: Any = None) -> int:
    with acting(by):
        return crm.add_item(site.portal, kind, fields, by=by, at=at)


def _move_item(
    emulator: Emulator, site: Site, kind: str, id: int, stage_id: str, by: int = 1, at: Any = None
) -> Row:
    with acting(by):
        return crm.move_item(site.portal, kind, id, stage_id, by=by, at=at)


def _add_task(emulator: Emulator, site: Site, fields: Row, by: int = 1, at: Any = None) -> int:
    with acting(by):
        return tasks.add_task(site.portal, fields, by=by, at=at)


def _update_task(emulator: Emulator, site: Site, id: int, fields: Row, by: int = 1, at: Any = None) -> Row:
    with acting(by):
        return tasks.update_task(site.portal, id, fields, by=by, at=at)


def _log_time(emulator: Emulator, site: Site, id: int, user_id: int, seconds: int, at: Any = None) -> int:
    return tasks.log_time(site.portal, id, user_id, seconds, at=at)


def _add_activity(
    emulator: Emulator,
    site: Site,
    owner_type: int,
    owner_id: int,
    fields: Row,
    by: int = 1,
    at: Any = None,
) -> int:
    with acting(by):
        return activities.add_activity(site.portal, owner_type, owner_id, fields, by=by, at=at)


def _update_activity(
    emulator: Emulator, site: Site, id: int, fields: Row, by: int = 1, at: Any = None
) -> Row:
    with acting(by):
        return activities.update_activity(site.portal, id, fields, by=by, at=at)


def _add_smart_process(emulator: Emulator, site: Site, title: str, **settings: Any) -> int:
    return seed.add_smart_process(site.portal, title, **settings)


def _add_invoices(emulator: Emulator, site: Site) -> int:
    return seed.add_invoices(site.portal)


def _add_custom_field(emulator: Emulator, site: Site, kind: str, title: str, **settings: Any) -> str:
    return seed.add_custom_field(site.portal, kind, title, **settings)


def _update_item(
    emulator: Emulator, site: Site, kind: str, id: int, fields: Row, by: int = 1, at: Any = None
) -> Row:
    with acting(by):
        return crm.update_item(site.portal, kind, id, fields, by=by, at=at)


def _delete_item(emulator: Emulator, site: Site, kind: str, id: int, by: int = 1) -> None:
    with acting(by):
        crm.delete_item(site.portal, kind, id)


def _set_deleted(emulator: Emulator, site: Site, is_deleted: bool = True) -> None:
    site.is_deleted = is_deleted


def _set_missing_methods(emulator: Emulator, site: Site, methods: list[str]) -> None:
    site.missing_methods = {name.lower() for name in methods}


def _fill(emulator: Emulator, site: Site, deals: int, now: datetime | None = None) -> Row:
    filled = large.fill(site.portal, deals, now or emulator.clock.now())
    return {name: getattr(filled, name) for name in ("deals", "leads", "history", "people")}


def _method_of(name: str) -> Callable[..., Any]:
    """An action that is a method of the emulator taking the portal first."""

    def act(emulator: Emulator, site: Site, **arguments: Any) -> Any:
        return getattr(emulator, name)(site.portal, **arguments)

    return act


_ACTIONS: dict[str, Callable[..., Any]] = {
    "fill": _fill,
    "move_deal": _move_deal,
    "move_lead": _move_lead,
    "move_item": _move_item,
    "add_task": _add_task,
    "update_task": _update_task,
    "log_time": _log_time,
    "add_activity": _add_activity,
    "update_activity": _update_activity,
    "add_smart_process": _add_smart_process,
    "add_invoices": _add_invoices,
    "add_custom_field": _add_custom_field,
    "add_item": _add_item,
    "update_item": _update_item,
    "delete_item": _delete_item,
    "set_deleted": _set_deleted,
    "set_missing_methods": _set_missing_methods,
    **{
        name: _method_of(name)
        for name in (
            "install",
            "uninstall",
            "update_app",
            "set_payment",
            "rename",
            "close_portal",
            "open_portal",
            "issue_token",
            "expire_tokens",
            "revoke_tokens",
            "frame_post",
            "add_webhook",
        )
    },
}
