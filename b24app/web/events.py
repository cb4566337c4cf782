"""The door of the portal's event queue: verify, answer at once, work later. No event is ever sent twice."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from b24app.portals import installation, lifecycle, registry
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
"""Seconds before each further try to prove an event while the servers do not answer."""


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


def enrol(app: Parts, notice: Notice, tries: int = 0) -> None:
    """Prove the token that an installation or update brought; store it and register everything anew.

    While the servers do not answer, it is tried again after a while.
    """
    known = known_portal(app, notice.member_id)
    try:
        person = app.admission.prove(notice.access or "", notice.member_id, notice.server_endpoint, known)
    except Refused as refused:
        log.warning("event %s: %s", notice.event, refused)
        if refused.reason is Reason.UNCONFIRMED:
            _again(app, notice, tries)
        return
    if person.is_admin is None:
        _again(app, notice, tries)
        return
    if known is not None and not person.is_admin:
        log.warning("event %s of portal %s: not an admin's", notice.event, known.id)
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


def _again(app: Parts, notice: Notice, tries: int) -> None:
    if tries < len(WAITS_S):
        app.soon.submit_in(WAITS_S[tries], enrol, app, notice, tries + 1)


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
