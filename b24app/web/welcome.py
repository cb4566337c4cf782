"""A proven launch changes what is stored: a moved address, fresher tokens, a better reader."""

from __future__ import annotations

from collections.abc import Mapping

from b24app import clock
from b24app.bootstrap import Parts
from b24app.db import reading
from b24app.oauth import tokens
from b24app.oauth.tokens import StoredToken
from b24app.portals import installation, registry
from b24app.portals.admission import Person
from b24app.portals.launch import Launch, Reason, Refused
from b24app.portals.registry import Portal
from b24app.rest.errors import RestError
from b24app.rest.token_source import FixedToken

REMOVED = (registry.UNINSTALLED, registry.PURGING)


def known_portal(parts: Parts, member_id: str) -> Portal | None:
    """The stored portal; one that waits to be removed is removed now, so that it may come back clean."""
    with reading(parts.engine) as conn:
        found = registry.by_member(conn, parts.vault, member_id)
    if found is None or found.state != registry.PURGING:
        return found
    with parts.engine.begin() as conn:
        registry.purge(conn, found.id)
    return None


def welcome(parts: Parts, launch: Launch, person: Person, known: Portal | None) -> int:
    """Bring what is stored up to the proof; returns the portal's id.

    Raises: Refused where the app is not installed and the person may not install it, or is not paid for.
    """
    if known is None or known.state in REMOVED:
        if not person.is_admin:
            raise Refused(Reason.NOT_INSTALLED, "the portal is not stored and the person is no admin")
        return enrol(parts, launch, person)
    if known.state == registry.UNPAID and not is_paid(parts, launch, person):
        raise Refused(Reason.UNPAID, "the portal says that the payment has expired")
    changes = {
        name: value for name, value in person.portal_columns().items() if value != _stored(known, name)
    }
    if known.state != registry.ACTIVE:
        changes["state"] = registry.ACTIVE
    expires_at = clock.epoch() + launch.expires_in
    with reading(parts.engine) as conn:
        users = {person.user_id, known.reader_id or person.user_id}
        stored = tokens.of_users(conn, parts.vault, known.id, users)
    changes |= _reader(stored, known, person)
    if changes or installation.is_fresher(stored.get(person.user_id), person, launch.access, expires_at):
        with parts.engine.begin() as conn:
            if changes:
                registry.save(conn, parts.vault, known.member_id, now=clock.epoch(), **changes)
            installation.keep_tokens(
                conn,
                parts,
                known.id,
                person,
                access=launch.access,
                refresh=launch.refresh,
                expires_at=expires_at,
            )
    if person.is_admin and installation.is_wanted(known.install_report, parts.settings.public_url):
        parts.soon.submit(installation.register, parts, known.id, person.user_id)
    return known.id


def enrol(parts: Parts, launch: Launch, person: Person) -> int:
    """Store the portal of an admin's launch and start the registration; returns the portal's id."""
    portal_id = installation.enrol(
        parts,
        person,
        access=launch.access,
        refresh=launch.refresh,
        expires_in=launch.expires_in,
        lang=launch.lang,
        application_token=launch.application_token,
    )
    parts.soon.submit(installation.register, parts, portal_id, person.user_id)
    return portal_id


def is_paid(parts: Parts, launch: Launch, person: Person) -> bool:
    """What the portal says now about a payment that had expired; unpaid while it does not answer."""
    client = parts.admission.client(FixedToken(person.endpoint, launch.access))
    try:
        answer = client.call("app.info").result
    except RestError:
        return False
    return isinstance(answer, dict) and str(answer.get("PAYMENT_EXPIRED", "N")).upper() != "Y"


def _reader(stored: Mapping[int, StoredToken], known: Portal, person: Person) -> dict[str, object]:
    """The background reading moves to this person if that makes it more complete or possible again."""
    if person.is_admin is None:
        return {}
    mine: dict[str, object] = {"reader_id": person.user_id, "reader_is_admin": person.is_admin}
    if known.reader_id == person.user_id:
        return mine if known.reader_is_admin != person.is_admin else {}
    token = stored.get(known.reader_id or 0)
    is_dead = token is None or token.is_dead
    if person.is_admin and (is_dead or not known.reader_is_admin):
        return mine
    return mine if is_dead and not known.reader_is_admin else {}


def _stored(known: Portal, name: str) -> object:
    if name == "scopes":
        return ",".join(sorted(known.scopes))
    return getattr(known, name)
