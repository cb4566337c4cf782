"""Events of one portal: what a change is called, the online deliveries, the offline queue."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from emulator import params as php
from emulator.crm_types import INVOICES, entity_type, is_dynamic
from emulator.site import App, Handler, Site
from emulator.times import moment_text
from emulator.world import Change, Portal, Row

if TYPE_CHECKING:
    from emulator.oauth import AuthServer

TIMEOUT_S = 10
DELIVERIES_KEPT = 10_000
OFFLINE_KEPT_S = 34 * 24 * 3600
REFRESH_TOKEN_EVENTS = frozenset({
    "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPTEST", "ONSUBSCRIPTIONRENEW", "ONOFFLINEEVENT",
})  # fmt: skip
TOKENLESS_EVENTS = frozenset({"ONAPPUNINSTALL", "ONAPPMETHODCONFIRM"})

_APP_EVENTS = (
    "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPPAYMENT", "ONAPPTEST", "ONAPPMETHODCONFIRM",
    "ONOFFLINEEVENT", "ONSUBSCRIPTIONRENEW",
)  # fmt: skip
_CRM_OBJECTS = (
    "LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "ACTIVITY", "CURRENCY", "TYPE", "DYNAMICITEM",
)  # fmt: skip
EVENT_SCOPES: dict[str, str] = {
    **dict.fromkeys(_APP_EVENTS, ""),
    **{f"ONCRM{kind}{action}": "crm" for kind in _CRM_OBJECTS for action in ("ADD", "UPDATE", "DELETE")},
    "ONCRMDEALMOVETOCATEGORY": "crm",
    **{f"ONTASK{action}": "task" for action in ("ADD", "UPDATE", "DELETE")},
    **{f"ONTASKCOMMENT{action}": "task" for action in ("ADD", "UPDATE", "DELETE")},
    **{f"ONVOXIMPLANTCALL{moment}": "telephony" for moment in ("INIT", "START", "END")},
    "ONUSERADD": "user",
    **{f"ONSONETGROUP{action}": "sonet_group" for action in ("ADD", "UPDATE", "DELETE")},
    "ONSESSIONSTART": "imopenlines", "ONSESSIONFINISH": "imopenlines",
}  # fmt: skip
"""The scope of each event; "" needs none."""

_CRM_KINDS = {
    "lead": "LEAD", "deal": "DEAL", "contact": "CONTACT", "company": "COMPANY", "activity": "ACTIVITY",
}  # fmt: skip
_CALL_FIELDS = (
    "CALL_ID", "CALL_TYPE", "PHONE_NUMBER", "PORTAL_NUMBER", "PORTAL_USER_ID", "CALL_DURATION",
    "CALL_START_DATE", "COST", "COST_CURRENCY", "CALL_FAILED_CODE", "CALL_FAILED_REASON", "CRM_ACTIVITY_ID",
)  # fmt: skip


@dataclass
class Actor:
    """Who works on the portal now; one REST request is one hit, in which the same event is sent once."""

    user_id: int  # 0: a robot or the portal itself
    client_id: str = ""
    connector: str = ""
    told: set[tuple[str, str]] = field(default_factory=set)


_actor: contextvars.ContextVar[Actor | None] = contextvars.ContextVar("actor", default=None)


@contextlib.contextmanager
def acting(user_id: int, client_id: str = "", connector: str = "") -> Iterator[None]:
    """Changes made inside are this user's; outside they are the portal's own (no token in the event)."""
    before = _actor.set(Actor(user_id, client_id, connector))
    try:
        yield
    finally:
        _actor.reset(before)


@dataclass
class OfflineRow:
    id: int
    at: datetime
    name: str
    data: Row
    additional: Row
    message_id: str
    process_id: str = ""
    has_failed: bool = False
    connector: str = ""


@dataclass
class Delivery:
    """One POST to a handler, due or done."""

    url: str
    form: Row
    due: float = 0.0
    status: int | None = None  # None: not sent or no answer


class Events:
    """The queue of a portal. Switches: `delay_s`, `lose`, `duplicate`, `reorder`; `hold` keeps all back
    until `deliver_now`. `lose` and `duplicate` are shares of 1."""

    def __init__(self, site: Site, auth: AuthServer) -> None:
        self.site = site
        self.auth = auth
        self.delay_s = 0.0
        self.lose = 0.0
        self.duplicate = 0.0
        self.reorder = False
        self.hold = False
        self.sent: deque[Delivery] = deque(maxlen=DELIVERIES_KEPT)
        self.lost: deque[Delivery] = deque(maxlen=DELIVERIES_KEPT)
        self.offline: dict[str, list[OfflineRow]] = {}  # by client id
        self.random = random.Random(1)
        self._waiting: list[Delivery] = []
        self._last_offline_id = 0
        self._last_notice: dict[str, float] = {}
        self._wake = threading.Condition()
        self._is_running = True
        self._in_flight = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        site.portal.listeners.append(self.on_change)

    def on_change(self, portal: Portal, change: Change) -> None:
        for name, data in event_of(change, ZoneInfo(portal.timezone)):
            self.fire(name, data)

    def fire(self, name: str, data: Row, *, client_id: str | None = None) -> None:
        """Tell every handler of an event; `client_id` only that app's."""
        actor = _actor.get()
        if actor is not None:
            key = (name, php.encode(data))
            if key in actor.told:
                return
            actor.told.add(key)
        with self.site.lock:
            for app in list(self.site.apps.values()):
                if client_id in (None, app.client_id) and self._may_send(app, name):
                    for handler in list(app.handlers):
                        if handler.event == name:
                            self._tell(app, handler, data, actor)

    def send(self, app: App, url: str, name: str, data: Row, handler_id: int, *, user_id: int) -> None:
        """Queue one POST of an event to an address."""
        form: Row = {
            "event": name,
            "event_handler_id": str(handler_id),
            "data": data,
            "ts": str(int(self.site.clock.time())),
            "auth": self.auth_fields(app, name, user_id),
        }
        self.post(url, form)

    def post(self, url: str, form: Row) -> None:
        """Queue a form for an address, with the arranged delay, loss and duplication."""
        delivery = Delivery(url, form, self.site.clock.time() + self.delay_s)
        if self.lose and self.random.random() < self.lose:
            self.lost.append(delivery)
            return
        with self._wake:
            self._waiting.append(delivery)
            if self.duplicate and self.random.random() < self.duplicate:
                self._waiting.append(Delivery(url, form, delivery.due))
            self._wake.notify_all()

    def deliver_now(self) -> int:
        """Send all that waits, held back or delayed, and wait for the answers; the number sent."""
        with self._wake:
            due, self._waiting = self._waiting, []
            if self.reorder:
                self.random.shuffle(due)
        for delivery in due:
            self._deliver(delivery)
        self.settle()
        return len(due)

    def settle(self, timeout_s: float = 10.0) -> None:
        """Wait until nothing that is due is under way."""
        deadline = time.monotonic() + timeout_s
        with self._wake:
            while (self._in_flight or self._due()) and time.monotonic() < deadline:
                self._wake.wait(0.02)

    def waiting(self) -> int:
        with self._wake:
            return len(self._waiting)

    def stop(self) -> None:
        with self._wake:
            self._is_running = False
            self._wake.notify_all()
        self._thread.join(timeout=1)

    def auth_fields(self, app: App, name: str, user_id: int) -> Row:
        """The `auth` of an event: tokens of a user, or none when no person caused it."""
        site = self.site
        fields: Row = {
            "domain": site.portal.domain,
            "server_endpoint": site.server_endpoint,
            "client_endpoint": site.client_endpoint,
            "member_id": site.portal.member_id,
            "application_token": app.application_token,
        }
        if name in TOKENLESS_EVENTS:
            return fields
        fields |= {"status": app.status, "scope": ",".join(sorted(app.scopes))}
        if user_id and site.user(user_id) is not None:
            token = self.auth.issue(site, user_id, app.client_id)
            pair = self.auth.pair(site, token)
            fields |= {
                "access_token": pair["access_token"],
                "expires_in": str(pair["expires_in"]),
                "expires": str(int(token.expires_at)),
                "user_id": str(user_id),
                # the portal puts its own domain here, unlike the token endpoint
                "domain": site.portal.domain,
            }
            if name in REFRESH_TOKEN_EVENTS:
                fields["refresh_token"] = pair["refresh_token"]
        return fields

    def rows(self, client_id: str, connector: str = "") -> list[OfflineRow]:
        """The app's offline queue, oldest first, without what has grown too old."""
        oldest = self.site.clock.time() - OFFLINE_KEPT_S
        queue = self.offline.setdefault(client_id, [])
        queue[:] = [row for row in queue if row.at.timestamp() >= oldest]
        return [row for row in queue if row.connector == connector]

    def forget(self, client_id: str, ids: set[int]) -> None:
        """Take rows out of the app's offline queue."""
        queue = self.offline.setdefault(client_id, [])
        queue[:] = [row for row in queue if row.id not in ids]

    def _may_send(self, app: App, name: str) -> bool:
        if not app.is_present:
            return False
        if name.startswith("ONAPP"):
            return True
        return app.is_installed and not app.is_unpaid

    def _tell(self, app: App, handler: Handler, data: Row, actor: Actor | None) -> None:
        if handler.is_offline:
            self._queue(app, handler, data, actor)
            return
        user_id = handler.user_id or (actor.user_id if actor else 0)
        self.send(app, handler.url, handler.event, data, handler.id, user_id=user_id)

    def _queue(self, app: App, handler: Handler, data: Row, actor: Actor | None) -> None:
        is_own = actor is not None and actor.client_id == app.client_id
        if is_own and actor is not None:
            same_connector = actor.connector == handler.connector
            if handler.connector and same_connector:
                return
            if not handler.connector and not actor.connector and not self.site.quirks.own_writes_are_queued:
                return
        queue = self.offline.setdefault(app.client_id, [])
        now = self.site.clock.now()
        additional = {"user_id": str(actor.user_id)} if actor and actor.user_id else {}
        for row in queue:
            if (row.name, row.data, row.connector, row.process_id) == (
                handler.event,
                data,
                handler.connector,
                "",
            ):
                row.at, row.additional = now, additional
                break
        else:
            self._last_offline_id += 1
            queue.append(
                OfflineRow(
                    self._last_offline_id,
                    now,
                    handler.event,
                    data,
                    additional,
                    secrets.token_hex(16),
                    connector=handler.connector,
                )
            )
        self._notify(app, handler.connector)

    def _notify(self, app: App, connector: str) -> None:
        for handler in app.handlers:
            if handler.event != "ONOFFLINEEVENT" or handler.is_offline:
                continue
            pause = php.as_int(handler.options.get("minTimeout"), 1)
            now = self.site.clock.time()
            if now - self._last_notice.get(f"{app.client_id} {handler.id}", 0.0) < pause:
                continue
            self._last_notice[f"{app.client_id} {handler.id}"] = now
            user_id = handler.user_id or app.installed_by
            self.send(
                app, handler.url, "ONOFFLINEEVENT", {"CONNECTOR_ID": connector}, handler.id, user_id=user_id
            )

    def _due(self) -> bool:
        now = self.site.clock.time()
        return not self.hold and any(delivery.due <= now for delivery in self._waiting)

    def _work(self) -> None:
        while True:
            with self._wake:
                while self._is_running and not self._due():
                    self._wake.wait(0.05 if self._waiting else 1.0)
                if not self._is_running:
                    return
                now = self.site.clock.time()
                due = [delivery for delivery in self._waiting if delivery.due <= now]
                self._waiting = [delivery for delivery in self._waiting if delivery.due > now]
                if self.reorder:
                    self.random.shuffle(due)
                self._in_flight += 1
            for delivery in due:
                self._deliver(delivery)
            with self._wake:
                self._in_flight -= 1
                self._wake.notify_all()

    def _deliver(self, delivery: Delivery) -> None:
        parts = urlsplit(delivery.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=TIMEOUT_S)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(
                "POST", path, php.encode(delivery.form), {"Content-Type": "application/x-www-form-urlencoded"}
            )
            delivery.status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            delivery.status = None  # the event is lost: a portal does not try again
        finally:
            connection.close()
            self.sent.append(delivery)


def dynamic_events(portal: Portal) -> list[str]:
    """The names of the events of single smart processes and of invoices."""
    numbers = [INVOICES, *(row["entityTypeId"] for row in portal.records["type"])]
    return [f"ONCRMDYNAMICITEM{verb}_{number}" for number in numbers for verb in ("ADD", "UPDATE", "DELETE")]


def event_of(change: Change, zone: tzinfo) -> list[tuple[str, Row]]:
    """The events that a change of a record causes: names and `data`, moments in the server's time."""
    kind, action, before, after = change
    row = after or before or {}
    verb = action.upper()
    if kind == "invoice" or is_dynamic(kind):
        number = entity_type(kind)
        data: Row = {"FIELDS": {"ID": str(row["id"]), "ENTITY_TYPE_ID": str(number)}}
        return [(f"ONCRMDYNAMICITEM{verb}", data), (f"ONCRMDYNAMICITEM{verb}_{number}", data)]
    if kind == "type":
        return [(f"ONCRMTYPE{verb}", {"FIELDS": {"ID": str(row["id"])}})]
    if kind in _CRM_KINDS:
        events: list[tuple[str, Row]] = [
            (f"ONCRM{_CRM_KINDS[kind]}{verb}", {"FIELDS": {"ID": str(row.get("id") or row.get("ID"))}})
        ]
        if kind == "deal" and before and after and before.get("categoryId") != after.get("categoryId"):
            fields = {"ID": row["id"], "CATEGORY_ID": row.get("categoryId"), "STAGE_ID": row.get("stageId")}
            events.append(("ONCRMDEALMOVETOCATEGORY", {"FIELDS": {k: str(v) for k, v in fields.items()}}))
        return events
    if kind == "currency":
        return [(f"ONCRMCURRENCY{verb}", {"FIELDS": {"ID": row.get("CURRENCY")}})]
    if kind == "task":
        told = {"ID": str(row["ID"])}
        return [(f"ONTASK{verb}", {
            "FIELDS_BEFORE": told if before else "undefined",
            "FIELDS_AFTER": told if after else "undefined",
            "IS_ACCESSIBLE_BEFORE": "undefined" if before else "N",
            "IS_ACCESSIBLE_AFTER": "undefined" if after else "N",
        })]  # fmt: skip
    if kind == "call" and action == "add":
        start = row.get("CALL_START_DATE")
        fields = {name: "" if row.get(name) is None else str(row[name]) for name in _CALL_FIELDS}
        fields["CALL_START_DATE"] = moment_text(start, zone) if isinstance(start, datetime) else ""
        return [("ONVOXIMPLANTCALLEND", fields)]
    if kind == "user" and action == "add":
        return [("ONUSERADD", {
            "ID": str(row["ID"]), "ACTIVE": "Y" if row.get("ACTIVE", True) else "N",
            "NAME": row.get("NAME", ""), "LAST_NAME": row.get("LAST_NAME", ""),
            "UF_DEPARTMENT": row.get("UF_DEPARTMENT") or [],
        })]  # fmt: skip
    if kind == "group":
        return [(f"ONSONETGROUP{verb}", {"FIELDS": {"ID": str(row["ID"])}})]
    return []
