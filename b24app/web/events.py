"""The door of the portal's event queue: verify, answer at once, work later. No event is ever sent twice."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from b24app.portals import installation, lifecycle, registry
from b24app.portals.admission import Person
from b24app.portals.launch import Reason, Refused
from b24app.portals.lifecycle import Intent, Notice
from b24app.portals.registry import Portal
from b24app.rest.errors import AppRemoved, PaymentRequired, PortalGone, RestError, TokenDead
from b24app.sync import freshness
from b24app.web.context import parts
from b24app.web.welcome import known_portal

if TYPE_CHECKING:
    from b24app.bootstrap import Parts

blueprint = Blueprint("events", __name__)
log = logging.getLogger("b24app.events")

WAITS_S = (2.0, 10.0, 60.0)
"""Before each further try to prove an event while the authorization server does not answer."""


@blueprint.post("/events")
def receive() -> Response:
    """Any event of any portal. 403 where it proves nothing."""
    notice = Notice.parse(request.form.items(multi=True))
    known = known_portal(parts(), notice.member_id)
    intent = lifecycle.decide(
        notice, known=known is not None, secret=known.application_token if known else None
    )
    log.info("event %s of portal %s: %s", notice.event, known.id if known else "new", intent)
    _act(parts(), notice, known, intent)
    return jsonify(result=True)


def _act(app: Parts, notice: Notice, known: Portal | None, intent: Intent) -> None:
    """What is a matter of one row is done at once, so that a restart cannot lose it."""
    if intent is Intent.ENROL:
        app.soon.submit(enrol, app, notice)
    if known is None:
        return
    if intent in (Intent.REMOVE, Intent.PURGE):
        remove(app, known.id, clean=intent is Intent.PURGE)
    elif intent is Intent.SUSPEND:
        _set_state(app, known.id, registry.UNPAID)
    elif intent is Intent.RESUME:
        _set_state(app, known.id, registry.ACTIVE)
    elif intent is Intent.CHECK:
        app.soon.submit(check, app, notice, known.id)
    elif intent is Intent.LOOK:
        freshness.touch(app, known.id)


def enrol(app: Parts, notice: Notice) -> None:
    """Prove the token that an installation or update brought; store it and register everything anew."""
    person, known = _proven(app, notice)
    if person is None or (known is not None and not person.is_admin):
        log.warning("event %s of portal %s not believed", notice.event, known.id if known else "new")
        return
    portal_id = installation.enrol(
        app,
        person,
        access=notice.access or "",
        refresh=notice.refresh,
        expires_in=notice.expires_in,
        application_token=notice.application_token,
    )
    installation.register(app, portal_id, person.user_id)


def _proven(app: Parts, notice: Notice) -> tuple[Person | None, Portal | None]:
    """The person behind the event's token, None if it proves nothing; waits for servers that are away."""
    for wait_s in (*WAITS_S, 0.0):
        known = known_portal(app, notice.member_id)
        try:
            person = app.admission.prove(notice.access or "", notice.member_id, notice.server_endpoint, known)
        except Refused as refused:
            log.warning("event %s: %s", notice.event, refused)
            if refused.reason is not Reason.UNCONFIRMED:
                return None, known
        else:
            if person.is_admin is not None:
                return person, known
        time.sleep(wait_s)
    return None, known


def remove(app: Parts, portal_id: int, *, clean: bool) -> None:
    """Stop everything for the portal and forget its tokens; `clean`: remove all its rows, soon."""
    with app.engine.begin() as conn:
        registry.set_state(conn, portal_id, registry.PURGING if clean else registry.UNINSTALLED)
        registry.forget_tokens(conn, portal_id)
    if clean:
        app.soon.submit(registry.purge_marked, app.engine)


def check(app: Parts, notice: Notice, portal_id: int) -> None:
    """An event that nothing proves: only what the portal itself says counts."""
    try:
        answer = app.client(portal_id).call("app.info").result
    except PaymentRequired:
        _set_state(app, portal_id, registry.UNPAID)
    except (AppRemoved, PortalGone, TokenDead):
        if notice.event == "ONAPPUNINSTALL":
            remove(app, portal_id, clean=notice.wants_cleaning)
        else:
            _set_state(app, portal_id, registry.GONE)
    except RestError as error:
        log.warning("portal %s cannot be asked about %s: %s", portal_id, notice.event, error.code)
    else:
        expired = isinstance(answer, dict) and str(answer.get("PAYMENT_EXPIRED", "N")).upper() == "Y"
        _set_state(app, portal_id, registry.UNPAID if expired else registry.ACTIVE)


def _set_state(app: Parts, portal_id: int, state: str) -> None:
    with app.engine.begin() as conn:
        registry.set_state(conn, portal_id, state)
