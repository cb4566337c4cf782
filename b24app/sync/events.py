"""Online events about records: a portal says that something changed, the next check reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from b24app.facts import store
from b24app.sync import cursor, offline


def notice(engine: Engine, portal_id: int, name: str, data: Mapping[str, Any]) -> bool:
    """Remembers that the portal told of a record; True if that is anything we read.

    `data` is the event's own (`{"FIELDS": {"ID": "410"}}`). A deletion is believed only after the
    portal, asked for the record, does not have it. Raises: store.PortalLeft.
    """
    found = offline.Noted()
    offline.note_event(name, data, found)
    ids = {source: found.changed[source] | found.deleted[source] for source in found.changed}
    if not found.has_new_rates and not any(ids.values()):
        return False
    with store.writing(engine, portal_id) as writer:
        before = cursor.load(writer.conn, portal_id, cursor.NOTICED)
        noticed = {source: sorted(set(before.get(source, ())) | ids[source]) for source in ids}
        rates = bool(before.get("rates")) or found.has_new_rates
        writer.set_source(cursor.NOTICED, state="ready", cursor={**noticed, "rates": rates})
    return True
