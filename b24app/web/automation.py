"""The door of automation rules and workflow activities. Which rules there are, the manifest says."""

from __future__ import annotations

from flask import Blueprint, Response, request

from b24app.portals.launch import Reason, Refused, check_secret
from b24app.portals.lifecycle import Notice
from b24app.web.context import parts
from b24app.web.problems import Problem
from b24app.web.welcome import known_portal

blueprint = Blueprint("automation", __name__)


@blueprint.post("/automation/<code>")
def run(code: str) -> Response:
    """404 for a rule that this version does not have; 403 for a caller that is not the portal."""
    notice = Notice.parse([("event", code), *request.form.items(multi=True)])
    known = known_portal(parts(), notice.member_id)
    if known is None or not check_secret(notice.application_token, known.application_token):
        raise Refused(Reason.WRONG_SECRET, "an automation call that nothing proves")
    raise Problem(404, "No such rule", f"this version of the app has no automation rule {code}")
