"""`POST /api/v1/notices`: an admin tells colleagues where the KPIs are, in the admin's own name.

    {"users": [5, 12], "text": "..."}
 -> {"sent": [{"id", "name"}], "failed": [{"id", "name", "reason"}], "missing_scope": "im" | null}

`reason`: missing_scope, refused (the portal takes no notices for this person), no_answer. Whoever is told
again finds the new notice in place of the one before it. Nothing is stored but a line of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app import audit, clock
from b24app.org import Org
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError, RetryLater, ScopeMissing
from b24app.store.company import load_company
from b24app.tables import audit as log
from b24app.viewer import Viewer
from b24app.web import scopes
from b24app.web.context import parts, viewer
from b24app.web.parameters import wrong
from b24app.web.problems import Problem
from b24app.web.session import require_viewer

blueprint = Blueprint("api_notices", __name__, url_prefix="/api/v1")

METHOD, SCOPE = "im.notify.personal.add", "im"
TAG = "b24app-where"
"""A notice of the same tag takes the place of the one before it."""
MOST = BATCH_SIZE
"""People at a time: one request to the portal."""
TEXT_LIMIT = 2_000
HOURLY = 20
"""Sendings of a portal: people are told where something is, not written to."""
PATIENCE_S = 15.0


@blueprint.post("/notices")
@require_viewer
def send() -> Response:
    """Tell the named people, with the asking admin's own token."""
    asking = viewer()
    scopes.require_admin(asking)
    if asking.user_id is None:
        raise Problem(403, "Not for programs", "people are told by people")
    ids, text = _asked(request.get_json(force=True))
    with parts().engine.connect() as conn:
        org = load_company(conn, asking.portal_id).org
        _check_pace(conn, asking)
    for number in ids:
        if number not in org.employees() or not org.users[number].is_active:
            raise wrong("users", f"{number} does not work here")
    outcomes = _notify(asking, ids, text)
    sent = [number for number, reason in outcomes.items() if reason is None]
    if sent:
        with parts().engine.begin() as conn:
            audit.record(
                conn,
                asking.portal_id,
                asking.user_id,
                audit.NOTICE_SENT,
                "company",
                {"users": sent},
                at=clock.epoch(),
            )
    return jsonify(
        sent=[_person(org, number) for number in sent],
        failed=[{**_person(org, number), "reason": why} for number, why in outcomes.items() if why],
        missing_scope=SCOPE if "missing_scope" in outcomes.values() else None,
    )


def _asked(body: Any) -> tuple[list[int], str]:
    if not isinstance(body, dict):
        raise wrong("notice", "must be a JSON object")
    ids, text = body.get("users"), body.get("text")
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise wrong("users", "must be a list of ids")
    if not 0 < len(set(ids)) <= MOST:
        raise wrong("users", f"must name from 1 to {MOST} people")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= TEXT_LIMIT:
        raise wrong("text", f"must be a text of at most {TEXT_LIMIT} characters")
    return sorted(set(ids)), text.strip()


def _check_pace(conn: Connection, asking: Viewer) -> None:
    recent = (log.c.action == audit.NOTICE_SENT, log.c.at > clock.epoch() - 3600)
    if audit.count(conn, asking.portal_id, *recent) >= HOURLY:
        raise Problem(429, "Too many", f"at most {HOURLY} times an hour").with_header("Retry-After", "600")


def _notify(asking: Viewer, ids: Sequence[int], text: str) -> dict[int, str | None]:
    """Why each was not told; None where they were. Raises: Problem 503 where the portal does not answer."""
    calls = {f"to{number}": Call(METHOD, {"USER_ID": number, "MESSAGE": text, "TAG": TAG}) for number in ids}
    try:
        client = parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
        answers = client.batch(calls)
    except RestError as error:
        raise Problem(503, "The portal does not answer", "nobody was told; try again shortly").with_header(
            "Retry-After", "5"
        ) from error
    return {number: _reason(answers[f"to{number}"]) for number in ids}


def _reason(answer: Reply | RestError) -> str | None:
    if isinstance(answer, ScopeMissing):
        return "missing_scope"
    if isinstance(answer, RetryLater):
        return "no_answer"
    if isinstance(answer, RestError) or not answer.result:
        return "refused"
    return None


def _person(org: Org, number: int) -> dict[str, Any]:
    return {"id": number, "name": org.users[number].name}
