"""`GET`/`PATCH /api/v1/settings` and the programs that may use the API: for admins."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app import api_clients, audit, clock, store
from b24app.api_clients import ApiClient
from b24app.portals import installation, settings
from b24app.portals.settings import PortalSettings, SettingsRefused
from b24app.store import support_cases
from b24app.sync.sources import chosen
from b24app.viewer import Viewer
from b24app.web import problems, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.problems import Problem
from b24app.web.session import require_viewer

blueprint = Blueprint("api_settings", __name__, url_prefix="/api/v1")


@blueprint.get("/settings")
@require_viewer
def read() -> Response:
    """All settings of the portal."""
    scopes.require_admin(viewer())
    return jsonify(settings_json(viewer()))


@blueprint.patch("/settings")
@require_viewer
def change() -> Response:
    """The settings after the change; nothing is changed if anything is refused."""
    asking = viewer()
    scopes.require_admin(asking)
    patch = _body()
    with parts().engine.begin() as conn:
        store.lock(conn, asking.portal_id)
        current = settings.load(conn, asking.portal_id)
        try:
            changed = settings.patched(current, patch, settings.load_known(conn, asking.portal_id))
        except SettingsRefused as error:
            raise problems.parts_refused("Settings refused", error, asking.lang) from error
        settings.save(conn, asking.portal_id, changed)
        _note_change(conn, asking, current, changed)
        chosen.follow(conn, asking.portal_id, current, changed)
        if changed.timezone != current.timezone:
            store.recut_days(conn, asking.portal_id, ZoneInfo(changed.timezone))
        if support_cases.rules_of(changed) != support_cases.rules_of(current):
            support_cases.rederive(conn, asking.portal_id)
    if changed.support.tickets != current.support.tickets and asking.user_id is not None:
        # A help desk of its own has a tab on its cards.
        parts().soon.submit(installation.register, parts(), asking.portal_id, asking.user_id)
    return jsonify(settings_json(asking))


def _note_change(conn: Connection, asking: Viewer, current: PortalSettings, changed: PortalSettings) -> None:
    """Into the log: each setting that is different now, with what it was before."""
    before, after = settings.to_json(current, None), settings.to_json(changed, None)
    keys = [key for key in after if after[key] != before[key]]
    if keys:
        detail = {"before": {k: before[k] for k in keys}, "after": {k: after[k] for k in keys}}
        audit.record(
            conn,
            asking.portal_id,
            asking.user_id,
            audit.SETTINGS_CHANGED,
            ", ".join(keys),
            detail,
            at=clock.epoch(),
        )


def settings_json(asking: Viewer) -> dict[str, Any]:
    """The body of `GET /api/v1/settings`."""
    with parts().engine.connect() as conn:
        known = settings.load_known(conn, asking.portal_id)
        return settings.to_json(settings.load(conn, asking.portal_id), known.base_currency)


@blueprint.get("/api-clients")
@require_viewer
def list_clients() -> Response:
    """The programs that an admin let in, without their secrets."""
    asking = _admin_in_person()
    with parts().engine.connect() as conn:
        found = api_clients.listed(conn, asking.portal_id)
    return jsonify(clients=[_client_json(client) for client in found])


@blueprint.post("/api-clients")
@require_viewer
def create_client() -> tuple[Response, int]:
    """New credentials; the secret is shown this once."""
    asking = _admin_in_person()
    body = _body()
    name = body.get("name") if isinstance(body, dict) else None
    try:
        with parts().engine.begin() as conn:
            made = api_clients.create(
                conn, asking.member_id, name if isinstance(name, str) else "", clock.epoch()
            )
            _note_client(conn, asking, audit.CLIENT_CREATED, made.client_id)
    except ValueError as error:
        raise Problem(400, "Wrong parameter", str(error), parameter="name") from error
    return jsonify(client_id=made.client_id, client_secret=made.client_secret, name=name), 201


@blueprint.delete("/api-clients/<client_id>")
@require_viewer
def revoke_client(client_id: str) -> tuple[str, int]:
    """End a program's access at once."""
    asking = _admin_in_person()
    with parts().engine.begin() as conn:
        found = api_clients.revoke(conn, asking.portal_id, client_id, clock.epoch())
        if found:
            _note_client(conn, asking, audit.CLIENT_REVOKED, client_id)
    if not found:
        raise Problem(404, "No such client", f"client_id: {client_id} has no access here")
    return "", 204


def _note_client(conn: Connection, asking: Viewer, action: str, client_id: str) -> None:
    audit.record(conn, asking.portal_id, asking.user_id, action, client_id, at=clock.epoch())


def _admin_in_person() -> Viewer:
    """The asking admin. Programs cannot let in further programs."""
    asking = viewer()
    if asking.user_id is None:
        raise Problem(403, "For admins", "only an admin of the portal may do this")
    scopes.require_admin(asking)
    return asking


def _body() -> Any:
    return request.get_json(force=True)


def _client_json(client: ApiClient) -> dict[str, Any]:
    return {"client_id": client.client_id, "name": client.name, "created_at": rfc3339(client.created_at)}
