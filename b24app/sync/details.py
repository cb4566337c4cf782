"""Details that only one call per record tells, fifty calls a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from sqlalchemy import Connection

from b24app import clock, store
from b24app.rest.calls import BATCH_SIZE
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, BadRequest, MethodMissing, NotFound, RestError, RestSwitchedOff
from b24app.sync import cursor
from b24app.sync.parts import Parts
from b24app.sync.sources.kinds import Details, Waiting

logger = logging.getLogger(__name__)

RETRY_S = 3600
"""When a single record that the portal refuses is asked for again."""

REFUSED_KEPT = 500

TELLING = 10
"""When so many records are refused and none is not, all of them are."""


def catch_up(
    parts: Parts,
    portal_id: int,
    client: PortalClient,
    source: Details,
    *,
    is_over: Callable[[], bool] = lambda: False,
    requests: int | None = None,
) -> bool:
    """True when no record waits for its details any more; False when the caller's time was over first.

    At least one request is made if there is anything to ask, and at most so many as the caller allows.

    Raises:
        RestError: the portal fails, or this kind of details cannot be read at all.
        PortalLeft: the portal was removed meanwhile.
    """
    done = total = 0
    for turn in count():
        with parts.engine.connect() as conn:
            refused = _refused(cursor.load(conn, portal_id, source.name))
            waiting = source.waiting(conn, portal_id, BATCH_SIZE, frozenset(refused))
            if not waiting:
                return True
            total = total or source.count(conn, portal_id)
        if turn and (is_over() or turn == requests):
            return False
        outcome = client.batch({f"d{n}": source.call(one.record_id) for n, one in enumerate(waiting)})
        found: dict[Waiting, Reply] = {}
        errors: list[RestError] = []
        for one, answer in zip(waiting, outcome.values(), strict=True):
            if isinstance(answer, Reply):
                found[one] = answer
            elif _is_about_record(answer):
                errors.append(answer)
                refused[one.record_id] = clock.epoch() + RETRY_S
                logger.warning("%s of record %d cannot be read: %s", source.name, one.record_id, answer.code)
            else:
                raise answer
        if len(errors) == len(waiting) >= TELLING:
            raise errors[0]  # not a matter of single records
        done += len(waiting)
        with store.writing(parts.engine, portal_id) as writer:
            source.store(writer, found)
            at: dict[str, Any] = cursor.load(writer.conn, portal_id, source.name)
            kept = sorted(refused.items(), key=lambda item: item[1])[-REFUSED_KEPT:]
            at["refused"] = {str(record_id): until for record_id, until in kept}
            writer.set_source(
                source.name, cursor=at, error=None, read_at=clock.epoch(), progress=min(1.0, done / total)
            )
    return True


def is_any_waiting(conn: Connection, portal_id: int, source: Details, at: Mapping[str, Any]) -> bool:
    """Whether there is anything to ask; `at`: the cursor of the source."""
    return bool(source.waiting(conn, portal_id, 1, frozenset(_refused(at))))


def _refused(at: Mapping[str, Any]) -> dict[int, int]:
    now = clock.epoch()
    return {int(key): int(until) for key, until in at.get("refused", {}).items() if until > now}


def _is_about_record(error: RestError) -> bool:
    """The record is gone or closed to the reader; the others can be read."""
    if isinstance(error, MethodMissing | RestSwitchedOff):
        return False
    return isinstance(error, NotFound | BadRequest | AccessDenied)
