"""Viewer ↔ short-lived bearer token. No cookies: browsers block them in frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g, request
from sqlalchemy import and_, select

from b24app.crypto import BadToken
from b24app.db import reading
from b24app.portals import registry
from b24app.tables import api_clients, portals, users
from b24app.viewer import Viewer
from b24app.web.context import parts
from b24app.web.problems import Problem

P = ParamSpec("P")
R = TypeVar("R")

PURPOSE = "session"
FRAME_SECONDS = 3600
"""Life of a frame's token: as long as the portal's own access token lives."""

GONE_STATES = (registry.UNINSTALLED, registry.PURGING, registry.GONE)


def issue(viewer: Viewer, seconds: int = FRAME_SECONDS, *, client_id: str | None = None) -> str:
    """A bearer token for the viewer. `client_id`: the API client that it was given to, if any."""
    claims: dict[str, Any] = {
        "portal": viewer.portal_id,
        "member": viewer.member_id,
        "user": viewer.user_id,
        "admin": viewer.is_admin,
        "lang": viewer.lang,
        "placement": viewer.placement,
        "entity": viewer.entity_id,
    }
    if client_id is not None:
        claims["client"] = client_id
    return parts().signer.sign(PURPOSE, claims, seconds)


def require_viewer(handler: Callable[P, R]) -> Callable[P, R]:
    """Let the handler run only for a live bearer token; `context.viewer()` is then set. 401 otherwise."""

    @wraps(handler)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        g.viewer = _authenticate()
        return handler(*args, **kwargs)

    return guarded


def _authenticate() -> Viewer:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _refusal("no bearer token")
    try:
        claims = parts().signer.read(PURPOSE, token.strip())
        viewer = Viewer(
            portal_id=int(claims["portal"]),
            member_id=str(claims["member"]),
            user_id=None if claims["user"] is None else int(claims["user"]),
            is_admin=bool(claims["admin"]),
            lang=str(claims["lang"]),
            placement=str(claims["placement"]),
            entity_id=None if claims["entity"] is None else int(claims["entity"]),
        )
    except BadToken as error:
        raise _refusal(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _refusal("not a token of this kind") from error
    if not _still_welcome(viewer, claims.get("client")):
        raise _refusal("the access behind this token has ended")
    return viewer


def _still_welcome(viewer: Viewer, client_id: str | None) -> bool:
    """Whether the portal still has the app, and the person or program its access.

    The member_id is compared because row numbers of removed portals may be given out again.
    """
    is_theirs = and_(users.c.portal_id == portals.c.portal_id, users.c.user_id == viewer.user_id)
    with reading(parts().engine) as conn:
        portal = conn.execute(
            select(portals.c.member_id, portals.c.state, users.c.is_active)
            .select_from(portals.outerjoin(users, is_theirs))
            .where(portals.c.portal_id == viewer.portal_id)
        ).first()
        if portal is None or portal.member_id != viewer.member_id or portal.state in GONE_STATES:
            return False
        if client_id is not None:
            client = conn.execute(
                select(api_clients.c.revoked_at).where(
                    api_clients.c.portal_id == viewer.portal_id, api_clients.c.client_id == client_id
                )
            ).first()
            return client is not None and client.revoked_at is None
    # Unknown people are those whom the app has not read yet.
    return viewer.user_id is None or portal.is_active is None or bool(portal.is_active)


def _refusal(why: str) -> Problem:
    return Problem(401, "Not authorized", why).with_header("WWW-Authenticate", 'Bearer realm="b24app"')
