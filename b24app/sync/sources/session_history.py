"""Messages of open channel sessions, one call each: only the first reply and the rating are kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import Connection, Integer, bindparam, func, select

from b24app import clock, tables
from b24app.facts import sessions
from b24app.facts.values import BadRow
from b24app.portals import settings
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.store import Writer
from b24app.sync.sources.kinds import Details, Waiting

logger = logging.getLogger(__name__)

METHOD = "imopenlines.session.history.get"


_session = tables.sessions.c

_IS_WAITING = (
    _session.portal_id == bindparam("portal"),
    _session.read_again_at <= bindparam("now"),
    _session.session_id.is_not(None),
)
_WAITING = (
    select(_session.session_id, _session.updated_at)
    .where(*_IS_WAITING)
    .order_by(_session.updated_at.desc(), _session.activity_id.desc())
    .limit(bindparam("most", type_=Integer))
)
_COUNT = select(func.count()).select_from(tables.sessions).where(*_IS_WAITING)


def _waiting(conn: Connection, portal_id: int, limit: int, without: frozenset[int]) -> list[Waiting]:
    wanted = _WAITING.where(_session.session_id.not_in(sorted(without))) if without else _WAITING
    found = conn.execute(wanted, {"portal": portal_id, "now": clock.epoch(), "most": limit})
    waiting = [Waiting(*row) for row in found]
    return waiting if waiting and settings.load(conn, portal_id).support.sessions else []


def _count(conn: Connection, portal_id: int) -> int:
    return int(conn.execute(_COUNT, {"portal": portal_id, "now": clock.epoch()}).scalar_one())


def _known(conn: Connection, portal_id: int) -> int:
    session = tables.sessions.c
    counted = select(func.count()).where(session.portal_id == portal_id, session.read_at.is_not(None))
    return int(conn.execute(counted).scalar_one())


def _store(writer: Writer, answers: Mapping[Waiting, Reply]) -> None:
    found: dict[tuple[int, int], sessions.Talk] = {}
    for session, answer in answers.items():
        try:
            talk = sessions.parse(answer.result, session.record_id, writer.zone)
        except BadRow as error:
            logger.warning("the messages of session %d cannot be read: %s", session.record_id, error)
            talk = sessions.Talk(None, None)
        found[session.record_id, session.version] = talk
    writer.save_talks(found, clock.epoch())


SESSION_HISTORY = Details(
    name="session_history",
    waiting=_waiting,
    count=_count,
    call=lambda session_id: Call(METHOD, {"SESSION_ID": session_id}),
    store=_store,
    known=_known,
    weight=2.0,
)
