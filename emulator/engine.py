"""REST over HTTP: a request of any accepted form becomes calls, their results become the answer."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from emulator import batch, dispatch
from emulator.answers import Broken, PortalError, Result, Wire
from emulator.bodies import is_json, read_fields
from emulator.damage import damaged, gateway_page
from emulator.dispatch import Call
from emulator.events import acting
from emulator.oauth import AuthServer, may_use
from emulator.site import App, Site
from emulator.times import time_block
from emulator.wire import Request, Response, html_response, json_response

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "origin, content-type, accept",
    "X-Content-Type-Options": "nosniff",
}
RESERVED = ("auth", "access_token", "auth_connector", "state", "token", "sessid")
IGNORED = ("bx24_request_id", "bx24_sdk_ver", "bx24_sdk_type")
_WEBHOOK = re.compile(r"^(\d+)/([^/]+)/(.+)$")
_FINISHED_BEFORE_DAMAGE = {"lost_answer", "slow", "half_body", "half_hang"}


@dataclass(frozen=True)
class Identity:
    user_id: int
    app: App | None
    scopes: frozenset[str]
    token: str


class Rest:
    """The REST engine of one portal."""

    def __init__(self, site: Site, auth: AuthServer) -> None:
        self.site = site
        self.auth = auth

    def answer(self, request: Request) -> Response:
        """The reply to a request whose path begins with `/rest/`."""
        if request.method == "OPTIONS":
            return Response(200, headers={**CORS, "Access-Control-Allow-Methods": "POST, GET, OPTIONS"})
        with self.site.counters.request():
            try:
                response = self._checked(request)
            except Broken as broken:
                response = damaged(broken.wire, None)
        response.headers.update(CORS)
        return response

    def _checked(self, request: Request) -> Response:
        site = self.site
        name = request.path.removeprefix("/rest/").strip("/")
        if name.startswith("api/"):
            return _v3_unknown(name.removeprefix("api/"))
        webhook = _WEBHOOK.match(name)
        method, form = _split_format(webhook.group(3) if webhook else name)
        try:
            if site.is_deleted:
                if site.quirks.deleted_is_html:
                    return html_response("<h1>Portal was deleted</h1>", site.quirks.deleted_status)
                raise PortalError("PORTAL_DELETED", "Portal was deleted", site.quirks.deleted_status)
            if not site.portal.is_box:
                site.limits.take_drop(request.client, site.clock.time())
            fields = read_fields(request)
            wire = self._fault(method, fields)
            identity = (
                self._webhook(int(webhook.group(1)), webhook.group(2))
                if webhook
                else self._bearer(request, fields)
            )
            answer = self._run(method, fields, identity, is_json(request))
        except PortalError as error:
            site.counters.count_refusal(error.code)
            return _render(error.body(), form, error.status)
        except _RequestTooLongError:
            return gateway_page("504")
        whole = _render(answer, form)
        return damaged(wire, whole) if wire else whole

    def _fault(self, method: str, fields: dict[str, Any]) -> Wire | None:
        """The damage that is to be done after the work, if any.

        Raises: PortalError for the outer method, Broken for damage instead of the work.
        """
        names = [method]
        if method == "batch":
            names += dict.fromkeys(batch.methods(fields.get("cmd")))
        try:
            self.site.faults.check(method)
            for name in names[1:]:
                self.site.faults.check(name, errors=False, exact=True)
        except Broken as broken:
            if broken.wire.kind in _FINISHED_BEFORE_DAMAGE:
                return broken.wire
            raise
        return None

    def _webhook(self, user_id: int, secret: str) -> Identity:
        if self.site.quirks.webhooks_need_https:
            raise PortalError("INVALID_REQUEST", "Https required.", 400)
        scopes = self.site.webhooks.get((user_id, secret))
        if scopes is None:
            raise PortalError("INVALID_CREDENTIALS", "Invalid request credentials", 403)
        self._check_user(user_id)
        return Identity(user_id, None, frozenset(scopes), "")

    def _bearer(self, request: Request, fields: dict[str, Any]) -> Identity:
        site = self.site
        header = request.headers.get("authorization", "")
        access = header[7:].strip() if header.lower().startswith("bearer ") else ""
        access = access or str(fields.get("auth") or fields.get("access_token") or "")
        token = self.auth.token(access) if access else None
        if token is None:
            raise PortalError("NO_AUTH_FOUND", "Wrong authorization data", 401)
        app = site.apps.get(token.client_id)
        if app is not None and not app.is_present:
            raise PortalError("APPLICATION_NOT_FOUND", "Application not found", 401)
        if app is None or token.member_id != site.portal.member_id or token.is_revoked:
            raise PortalError("invalid_token", "Unable to get application by token", 401)
        if token.expires_at <= site.clock.time():
            raise PortalError("expired_token", "The access token provided has expired.", 401)
        if app.is_unpaid:
            raise PortalError("PAYMENT_REQUIRED", "Payment required", 401)
        self._check_user(token.user_id)
        if not may_use(app, site, token.user_id):
            raise PortalError(
                "user_access_error",
                "The user does not have access to the application.",
                site.quirks.access_errors_status,
            )
        # a scope that was taken from the app is gone from its old tokens, a new one needs a new token
        scopes = frozenset(token.scope.split(",")) & app.scopes
        return Identity(token.user_id, app, scopes, access)

    def _check_user(self, user_id: int) -> None:
        user = self.site.user(user_id)
        if user is None or user.get("ACTIVE") is False:
            raise PortalError("authorization_error", "Unable to authorize user", 401)

    def _run(
        self, method: str, fields: dict[str, Any], identity: Identity, from_json: bool
    ) -> dict[str, Any]:
        began, started = time.perf_counter(), self.site.clock.time()
        connector = str(fields.get("auth_connector") or "")
        for name in (*RESERVED, *IGNORED):
            fields.pop(name, None)
        client_id = identity.app.client_id if identity.app else ""
        with acting(identity.user_id, client_id, connector):
            if method != "batch":
                result, block = self._command(method, fields, identity, connector, from_json, in_batch=False)
                answer: dict[str, Any] = {"result": result.value}
                if result.next is not None:
                    answer["next"] = result.next
                if result.total is not None:
                    answer["total"] = result.total
                self._pass_time(block["duration"], began)
                return answer | {"time": block}
            return self._batch(fields, identity, connector, began, started)

    def _batch(
        self, fields: dict[str, Any], identity: Identity, connector: str, began: float, started: float
    ) -> dict[str, Any]:
        site = self.site
        site.counters.count_batch()
        site.calls.append(("batch", fields))
        costs: list[float] = []

        def one(name: str, params: dict[str, Any]) -> tuple[Result, dict[str, Any]]:
            site.faults.check(name, wires=False, exact=True)
            for reserved in RESERVED:
                params.pop(reserved, None)
            try:
                result, block = self._command(name.lower(), params, identity, connector, False, in_batch=True)
            except PortalError as error:
                site.counters.count_refusal(error.code)
                raise
            costs.append(block["duration"])
            if site.limits.request_time and sum(costs) > site.limits.request_limit_s:
                raise _RequestTooLongError
            return result, block

        value = batch.run(fields.get("cmd"), fields.get("halt"), one)
        self._pass_time(sum(costs), began)
        block = time_block(started, site.clock.time(), self._zone, sum(costs))
        return {"result": value, "time": block}

    def _command(
        self,
        name: str,
        params: dict[str, Any],
        identity: Identity,
        connector: str,
        from_json: bool,
        *,
        in_batch: bool,
    ) -> tuple[Result, dict[str, Any]]:
        site = self.site
        site.calls.append((name, params))
        clocked, started = time.perf_counter(), site.clock.time()
        client_id = identity.app.client_id if identity.app else ""
        if not site.portal.is_box:
            site.limits.check_operating(client_id, name, started)
        call = Call(
            site=site,
            method=name,
            params=params,
            user_id=identity.user_id,
            app=identity.app,
            scopes=identity.scopes,
            now=site.clock.now(),
            token=identity.token,
            connector=connector,
            from_json=from_json,
        )
        result = dispatch.run(call, in_batch=in_batch)
        real = time.perf_counter() - clocked
        cost = 0.0 if site.portal.is_box else site.limits.cost(result)
        block = time_block(started, site.clock.time(), self._zone, cost)
        spent = 0.0
        if not site.portal.is_box:
            spent, reset_at = site.limits.spend(client_id, name, cost or real, started)
            block |= {"operating_reset_at": reset_at, "operating": round(spent, 6)}
        site.counters.count_command(name, cost, real, rows=result.rows, operating=spent)
        return result, block

    def _pass_time(self, seconds: float, began: float) -> None:
        """Take as long as the cost model says since `began` (a `perf_counter`), own work included."""
        limits = self.site.limits
        if limits.cost_model and limits.time_scale > 0 and not self.site.portal.is_box:
            time.sleep(max(0.0, seconds * limits.time_scale - (time.perf_counter() - began)))

    @property
    def _zone(self) -> Any:
        return dispatch.zone(self.site.portal)


class _RequestTooLongError(Exception):
    """The gateway would have cut the request off."""


def _split_format(name: str) -> tuple[str, str]:
    lower = name.lower()
    for form in ("json", "xml"):
        if lower.endswith("." + form):
            return lower.removesuffix("." + form), form
    return lower, "json"


def _render(value: dict[str, Any], form: str, status: int = 200) -> Response:
    if form == "xml":
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<response>{_xml(value)}</response>'
        return Response(status, text.encode(), {"Content-Type": "text/xml; charset=utf-8"})
    return json_response(value, status)


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(inner)}</item>" for inner in value)
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else escape(str(value))


def _v3_unknown(method: str) -> Response:
    """No method of REST 3 is published here."""
    error = {
        "code": "BITRIX_REST_V3_EXCEPTION_METHODNOTFOUNDEXCEPTION",
        "message": f"Method {method} not found",
    }
    return json_response({"error": error}, 404)
