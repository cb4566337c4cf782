"""Takes a proven portal in: stores it with its tokens, then makes the portal agree with the manifest.

Both steps may be repeated any number of times, also by two installations at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, update

from b24app import clock, manifest
from b24app.oauth import tokens as stored_tokens
from b24app.oauth.tokens import StoredToken
from b24app.portals import registration, registry, settings, zones
from b24app.portals.admission import Person
from b24app.portals.registration import Task
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import MethodMissing, RestError, RetryLater
from b24app.rest.token_source import FixedToken
from b24app.tables import portals

if TYPE_CHECKING:
    from b24app.bootstrap import Parts

log = logging.getLogger("b24app.portals")

Report = dict[str, Any]
"""What an installation achieved, as stored and shown:

`state` running, done or failed; `started_at`, `finished_at` unix time; `error` code of what stopped it;
`is_admin` of the installing user; `missing_scopes` keys of the manifest; `placements` and `events`, each a
list of `{code, ok, error}`.
"""


STALE_S = 120
"""After this a running registration is that of a process that died."""

TRIES = 2


def enrol(
    parts: Parts,
    person: Person,
    *,
    access: str,
    refresh: str | None,
    expires_in: int,
    lang: str | None = None,
    application_token: str | None = None,
) -> int:
    """Store the portal and the person's tokens; returns the portal's id. The person becomes the reader.

    The portal's secret is taken over from admins only: anybody with a frame could invent one.
    """
    now = clock.epoch()
    with parts.engine.connect() as conn:
        known = registry.by_member(conn, parts.vault, person.member_id)
    columns = {**person.portal_columns(), "state": registry.ACTIVE}
    if known is None:
        columns["timezone"] = _zone(parts, person, access, lang or "en")
    if lang is not None:
        columns["lang"] = lang
    if known is None or known.reader_id is None or person.is_admin or not known.reader_is_admin:
        columns |= {"reader_id": person.user_id, "reader_is_admin": person.is_admin}
    is_news = known is None or known.application_token != application_token
    with parts.engine.begin() as conn:
        portal_id = registry.save(
            conn,
            parts.vault,
            person.member_id,
            now=now,
            application_token=application_token if person.is_admin and is_news else None,
            **columns,
        )
        keep_tokens(
            conn, parts, portal_id, person, access=access, refresh=refresh, expires_at=now + expires_in
        )
    log.info("portal %s enrolled", portal_id)
    return portal_id


def keep_tokens(
    conn: Connection,
    parts: Parts,
    portal_id: int,
    person: Person,
    *,
    access: str,
    refresh: str | None,
    expires_at: int,
) -> None:
    """Store the person's tokens unless fresher ones are there: forms are posted again by reloads.

    An access token without a refresh token is kept too: it serves this person for its hour.
    """
    stored = stored_tokens.of_users(conn, parts.vault, portal_id, {person.user_id}).get(person.user_id)
    if not is_fresher(stored, person, access, expires_at):
        return
    stored_tokens.save(
        conn,
        parts.vault,
        portal_id,
        person.user_id,
        access=access,
        refresh=refresh or "",
        expires_at=_end(person, expires_at),
    )


def is_fresher(stored: StoredToken | None, person: Person, access: str, expires_at: int) -> bool:
    """Whether a token that ends then (epoch seconds) is worth storing: the stored one ends no later."""
    if stored is None or stored.is_dead or stored.access is None:
        return True
    return stored.access != access and stored.expires_at <= _end(person, expires_at)


def _end(person: Person, expires_at: int) -> int:
    """What the form says, unless the authorization server knows that the token ends earlier."""
    return min(expires_at, person.expires_at) if person.expires_at else expires_at


def register(parts: Parts, portal_id: int, user_id: int) -> Report:
    """Bind what the manifest wants and the portal lacks, with the user's token; returns the stored report.

    Never raises for the portal's troubles: they are in the report.
    """
    report = _begin(parts, portal_id, user_id)
    for attempt in range(1, TRIES + 1):
        try:
            _register_once(parts, portal_id, user_id, report)
            report["state"], report["error"] = "done", None
            break
        except RestError as error:
            log.warning("registration on portal %s, try %s: %s", portal_id, attempt, error.code)
            report["state"], report["error"] = "failed", error.code or type(error).__name__
            if not isinstance(error, RetryLater):
                break
    report["finished_at"] = clock.epoch()
    _save(parts, portal_id, report)
    return report


def is_wanted(report: Mapping[str, Any] | None, public_url: str) -> bool:
    """Whether a registration should run (again): never finished, failed, or made for another address."""
    if not report or is_running(report):
        return not report
    return report.get("state") != "done" or report.get("public_url") != public_url


def is_running(report: Mapping[str, Any] | None) -> bool:
    """Whether a registration is under way; one that began long ago has died with its process."""
    return (
        report is not None
        and report.get("state") == "running"
        and clock.epoch() - int(report.get("started_at") or 0) <= STALE_S
    )


def _begin(parts: Parts, portal_id: int, user_id: int) -> Report:
    with parts.engine.connect() as conn:
        portal = registry.by_id(conn, parts.vault, portal_id)
    report: Report = {
        "state": "running",
        "started_at": clock.epoch(),
        "finished_at": None,
        "error": None,
        "public_url": parts.settings.public_url,
        "user_id": user_id,
        "is_admin": bool(portal and portal.reader_is_admin),
        "missing_scopes": registration.missing_scopes(
            manifest.load(), portal.scopes if portal else frozenset()
        ),
        "placements": [],
        "events": [],
    }
    _save(parts, portal_id, report)
    return report


def _register_once(parts: Parts, portal_id: int, user_id: int, report: Report) -> None:
    """1. what is bound; 2. remove what is outdated and bind places; 3. bind events. Saves after each."""
    with parts.engine.connect() as conn:
        portal = registry.by_id(conn, parts.vault, portal_id)
        chosen = settings.load(conn, portal_id).support.tickets if portal else ()
    if portal is None:
        raise MethodMissing("no_portal", "the portal was removed meanwhile")
    wanted = manifest.load().with_objects(
        ticket.entity_type_id for ticket in chosen if ticket.entity_type_id >= settings.SMART_PROCESS_FROM
    )
    client = parts.client(portal_id, user_id, background=False)
    bound = client.batch({"places": Call("placement.get"), "events": Call("event.get")})
    tasks = registration.plan(
        wanted, parts.settings.public_url, portal.scopes, _result(bound["places"]), _result(bound["events"])
    )
    placements = [place.code for place in wanted.places]
    events = [*wanted.online_events, *(name for names in wanted.offline_events.values() for name in names)]
    closed = registration.closed(wanted, portal.scopes)
    report["placements"], report["events"] = [], []
    removals = [task for task in tasks if task.kind == "removal"]
    outcome = _perform(client, [*removals, *(task for task in tasks if task.kind == "placement")])
    report["placements"] = _listed(placements, outcome, closed)
    _save(parts, portal_id, report)
    outcome = _perform(client, [task for task in tasks if task.kind == "event"])
    report["events"] = _listed(events, outcome, closed)
    _save(parts, portal_id, report)


def _perform(client: Any, tasks: Sequence[Task]) -> dict[str, str | None]:
    """Error codes by subject, None for what worked. Removals that find nothing are no failure."""
    if not tasks:
        return {}
    named = {f"t{number}": task for number, task in enumerate(tasks)}
    answers = client.batch({name: Call(task.method, task.params) for name, task in named.items()})
    outcome: dict[str, str | None] = {}
    for name, task in named.items():
        answer = answers[name]
        if task.kind == "removal":
            continue
        if isinstance(answer, Reply) or registration.is_already_bound(answer.description):
            outcome[task.subject] = None
        elif isinstance(answer, RetryLater):
            raise answer
        else:
            outcome[task.subject] = answer.code or type(answer).__name__
    return outcome


def _listed(
    names: Sequence[str], outcome: Mapping[str, str | None], closed: frozenset[str]
) -> list[dict[str, Any]]:
    """One line for each name: what was not attempted was bound before, or its scope is missing."""
    lines = []
    for name in names:
        error = "insufficient_scope" if name in closed else outcome.get(name)
        lines.append({"code": name, "ok": error is None, "error": error})
    return lines


def _result(answer: Reply | RestError) -> Any:
    """The rows of an answer; a list that may not be read (no admin) counts as empty."""
    if isinstance(answer, Reply):
        return answer.result
    if isinstance(answer, RetryLater):
        raise answer
    return []


def _save(parts: Parts, portal_id: int, report: Report) -> None:
    with parts.engine.begin() as conn:
        conn.execute(
            update(portals).where(portals.c.portal_id == portal_id).values(install_report=dict(report))
        )


def _zone(parts: Parts, person: Person, access: str, lang: str) -> str:
    """The installer's time zone; where the profile names none, the portal's own by its clock."""
    if person.timezone is not None and person.timezone in available_timezones():
        return person.timezone
    client = parts.admission.client(FixedToken(person.endpoint, access))
    try:
        return zones.guess(datetime.fromisoformat(str(client.call("server.time").result)), lang)
    except (RestError, ValueError):
        return "UTC"
