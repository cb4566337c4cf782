"""Reads what the doctor judges: settings, database, queue, and the portal itself by one batch."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from b24app import manifest, migrations
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.crypto import Unreadable
from b24app.doctor import rules
from b24app.doctor.facts import Answer, Installation, Load, Patient, Source, Token, Work
from b24app.oauth.server import AuthServer
from b24app.portals import registry
from b24app.rest import outcomes
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply, to_map, to_unix_time
from b24app.rest.errors import RestError, Unreachable
from b24app.rest.limits import OPERATING_LIMIT_S
from b24app.store import CLOSED
from b24app.sync import cursor, state
from b24app.tables import portals, sync_sources, tokens

SOME = 10
"""How many portals in trouble are named; the rest is counted."""

PATIENCE_S = 15.0
WORKS = (cursor.FIRST_READ, state.CHANGES, cursor.RECONCILE)


def installation(parts: Parts, now: float) -> Installation:
    """Everything that concerns all portals. Trouble is in the outcome, nothing is raised."""
    settings = parts.settings
    found: dict[str, Any] = {
        "public_url": settings.public_url,
        "is_scaled_out": settings.redis_url is not None,
        "database": parts.engine.dialect.name,
        "var_free_bytes": shutil.disk_usage(settings.var_dir).free,
        "auth_servers": {url: _reach(settings, url) for url in settings.oauth_urls},
    }
    try:
        found["missing_migrations"] = tuple(migrations.missing(parts.engine))
        with parts.engine.connect() as conn:
            found["database_skew_s"] = _database_now(conn) - time.time()
            if not found["missing_migrations"]:
                found["unwell"], found["unwell_count"] = _unwell(conn, now)
    except (SQLAlchemyError, OSError) as error:
        found["database_error"] = type(getattr(error, "orig", None) or error).__name__
    try:
        found["queues"] = parts.jobs.waits(now)
    except Exception as error:  # of whatever kind the queue's own library has
        found["queue_error"] = type(error).__name__
    return Installation(**found)


def portal(parts: Parts, name: str, *, is_asking: bool = True) -> Patient | None:
    """The portal of a member_id or a domain; None if it is not known.

    is_asking: send it one batch of short questions.
    Raises: what the database raises.
    """
    with parts.engine.connect() as conn:
        row = conn.execute(
            select(portals)
            .where(or_(portals.c.member_id == name, portals.c.domain == name.lower()))
            .order_by(portals.c.portal_id.desc())  # a domain may have been another portal's before
        ).first()
        if row is None:
            return None
        token = conn.execute(
            select(tokens).where(tokens.c.portal_id == row.portal_id, tokens.c.user_id == row.reader_id)
        ).one_or_none()
        rows = conn.execute(select(sync_sources).where(sync_sources.c.portal_id == row.portal_id)).all()
        sync = state.load(conn, row.portal_id)
    by_name = {one.source: one for one in rows}
    is_open = row.state not in CLOSED and row.reader_id is not None
    return Patient(
        member_id=row.member_id,
        number=row.portal_id,
        domain=row.domain,
        state=row.state,
        installed_at=float(row.installed_at),
        has_reader=row.reader_id is not None,
        is_admin=row.reader_is_admin,
        token=None if token is None else _token(parts, token),
        missing_scopes=_missing(registry.split_scopes(row.scopes)),
        checked_at=row.checked_at,
        watched_at=row.watched_at,
        sources=tuple(
            Source(
                one.source,
                one.state,
                one.reason,
                one.error,
                one.progress,
                one.read_at.timestamp() if one.read_at else None,
            )
            for one in sync.sources
        ),
        works={name: work for name in WORKS if (work := _work(by_name.get(name))) is not None},
        reconciled_day_age=_day_age(by_name.get(cursor.RECONCILE)),
        unbound=_unbound(row.install_report),
        load=_load(parts, row.domain),
        answer=_ask(parts, row.portal_id) if is_asking and is_open else None,
    )


def _reach(settings: Settings, url: str) -> str | None:
    try:
        AuthServer(settings).app_info("doctor", url)
    except Unreachable as error:
        return error.description
    except RestError:
        pass  # it answers, and rightly refuses a made-up token
    return None


def _database_now(conn: Connection) -> float:
    if conn.dialect.name == "sqlite":
        return time.time()  # the same machine
    return float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def _unwell(conn: Connection, now: float) -> tuple[tuple[str, ...], int]:
    """Open portals whose reader's token is dead, or that were not asked for too long."""
    dead = and_(tokens.c.portal_id == portals.c.portal_id, tokens.c.user_id == portals.c.reader_id)
    where = (
        portals.c.state.not_in((*CLOSED, registry.UNPAID)),
        or_(
            portals.c.reader_id.is_(None),
            tokens.c.dead_reason.is_not(None),
            func.coalesce(portals.c.checked_at, portals.c.installed_at) < now - rules.LATE_S,
        ),
    )
    whole = portals.outerjoin(tokens, dead)
    count = conn.execute(select(func.count()).select_from(whole).where(*where)).scalar_one()
    some = conn.scalars(
        select(portals.c.member_id)
        .select_from(whole)
        .where(*where)
        .order_by(portals.c.checked_at, portals.c.portal_id)
        .limit(SOME)
    )
    return tuple(some), int(count)


def _token(parts: Parts, row: Row[Any]) -> Token:
    try:
        parts.vault.open(row.refresh)
        is_readable = True
    except Unreadable:
        is_readable = False
    return Token(float(row.expires_at), row.dead_reason, is_readable)


def _missing(granted: frozenset[str]) -> tuple[str, ...]:
    return tuple(scope.key for scope in manifest.load().scopes if not scope.is_granted(granted))


def _work(row: Row[Any] | None) -> Work | None:
    at = (row.cursor or {}) if row is not None else {}
    if row is None or not row.error:
        return None
    return Work(row.error, int(at.get("failures") or 1), float(at.get("retry_at") or 0))


def _day_age(row: Row[Any] | None) -> int | None:
    day = (row.cursor or {}).get("day") if row is not None else None
    return None if day is None else (datetime.now(UTC).date() - date.fromisoformat(day)).days


def _unbound(report: Mapping[str, Any] | None) -> tuple[str, ...]:
    lines = [*((report or {}).get("placements") or ()), *((report or {}).get("events") or ())]
    return tuple(str(line.get("code")) for line in lines if not line.get("ok"))


def _load(parts: Parts, domain: str) -> Load | None:
    if parts.settings.redis_url is None:
        return None
    budget = parts.budgets.for_portal(domain)
    level, methods, blocked = budget.standing()
    rate = budget.rate()
    return Load(
        0.0 if rate is None else level / rate.capacity,
        {name: used / OPERATING_LIMIT_S for name, used in methods.items()},
        blocked,
    )


def _ask(parts: Parts, portal_id: int) -> Answer:
    calls = {
        "scope": Call("scope"),
        "profile": Call("profile"),
        "time": Call("server.time"),
        "deals": Call("crm.item.list", _nothing("id")),
        "history": Call("crm.stagehistory.list", _nothing("ID")),
    }
    began = time.time()
    try:
        client = parts.client(portal_id, background=False, deadline_s=PATIENCE_S)
        answers = client.batch(calls)
    except RestError as error:
        return Answer(outcomes.of(error), error.code or type(error).__name__)
    seconds = time.time() - began
    replies = {name: answer for name, answer in answers.items() if isinstance(answer, Reply)}
    granted = replies["scope"].result if "scope" in replies else None
    admin = to_map(replies["profile"].result).get("ADMIN") if "profile" in replies else None
    theirs = to_unix_time(replies["time"].result) if "time" in replies else None
    return Answer(
        outcomes.OK,
        seconds=seconds,
        skew_s=0.0 if theirs is None else _skew(theirs, began, began + seconds),
        is_admin=admin if isinstance(admin, bool) else None,
        missing_scopes=_missing(frozenset(map(str, granted))) if isinstance(granted, list) else (),
        operating={
            calls[name].method: reply.operating_s / OPERATING_LIMIT_S
            for name, reply in replies.items()
            if reply.operating_s is not None
        },
        refused={
            calls[name].method: outcomes.of(answer)
            for name, answer in answers.items()
            if isinstance(answer, RestError)
        },
    )


def _nothing(key: str) -> dict[str, Any]:
    """A question to which no deal is an answer; what it tells is whether the method works."""
    return {"entityTypeId": 2, "filter": {key: 0}, "select": [key], "start": -1}


def _skew(theirs: float, began: float, ended: float) -> float:
    """By how much their clock is off at least: it was read somewhere between."""
    if theirs < began:
        return theirs - began
    return max(0.0, theirs - ended)
