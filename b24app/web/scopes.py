"""The scope that a request asks for, refused where the viewer may not see it."""

from __future__ import annotations

from sqlalchemy import Connection

from b24app import access, scope
from b24app.access import Verdict, Visibility
from b24app.portals import settings
from b24app.portals.settings import PortalSettings
from b24app.scope import COMPANY, Scope
from b24app.store.company import load_company
from b24app.viewer import Viewer
from b24app.web.problems import Problem


def seen_by(conn: Connection, viewer: Viewer) -> tuple[Visibility, PortalSettings]:
    """What the viewer may see of the portal, and the portal's settings that say so."""
    portal_settings = settings.load(conn, viewer.portal_id)
    org = load_company(conn, viewer.portal_id).org
    return access.allowed(org, viewer, portal_settings.grants), portal_settings


def asked_scope(text: str | None, viewer: Viewer, visibility: Visibility) -> Scope:
    """The scope behind a `scope` parameter; without one, the viewer's own, for a program the company.

    Raises: Problem 400 if it cannot be read, 403 if it is not for this viewer, 404 for an admin if it
    does not exist.
    """
    asked = _named(text, viewer)
    verdict = visibility.verdict(asked)
    if verdict is Verdict.MISSING:
        raise Problem(404, "No such scope", f"scope: {asked} does not exist here", parameter="scope")
    if verdict is Verdict.FORBIDDEN:
        raise Problem(403, "Not for this viewer", f"scope: {asked} is not open to you", parameter="scope")
    return asked


def require_admin(viewer: Viewer) -> None:
    """Raises: Problem 403 for anybody but an admin of the portal or a program that an admin let in."""
    if not access.is_administrator(viewer):
        raise Problem(403, "For admins", "only an admin of the portal may do this")


def _named(text: str | None, viewer: Viewer) -> Scope:
    if text is None or text == "me":
        if viewer.user_id is not None:
            return scope.user(viewer.user_id)
        if text is None:
            return COMPANY
        raise Problem(400, "Wrong parameter", "scope: me means nothing for a program", parameter="scope")
    try:
        return scope.parse(text)
    except ValueError as error:
        raise Problem(400, "Wrong parameter", f"scope: {error}", parameter="scope") from error
