"""The portal's queue of changes (`event.offline.*`), asked for and read into what has to be done. Pure.

How nothing of it gets lost. `event.offline.get` empties the queue as it reads it: whoever dies before
storing has lost what it told. With `clear=0` it reserves what it reads under a `process_id` for a later
`event.offline.clear`, but only on plans with `rest_offline_extended` (others refuse: WRONG_LICENSE), and
what a dead process has reserved stays hidden until somebody remembers its `process_id`. So the queue is
only looked at (`event.offline.list`, on every plan), what it names is stored, and what was stored is taken
out by the next check (`event.offline.get`, filtered). Killed between any two of these steps, the next
check sees the same entries again, which does no harm: they only name records.

One entry stands for all changes of a record and keeps its number when it is renewed. So the taking out is
limited by the portal's own moment of the looking too: an entry that was renewed since then stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from b24app.facts.values import iso, link, whole
from b24app.rest.calls import Call
from b24app.sync import sources
from b24app.sync.sources.kinds import LongList

PAGE = 50

ACTIONS = ("ADD", "UPDATE", "DELETE", "MOVETOCATEGORY")
"""What the names of events end with."""

DELETE = "DELETE"


def _no_ids() -> dict[str, set[int]]:
    return defaultdict(set)


@dataclass
class Noted:
    """What the queue says of the portal's `lists`. A change only names the record; its content is read."""

    lists: Sequence[LongList] = sources.LONG
    changed: dict[str, set[int]] = field(default_factory=_no_ids)
    deleted: dict[str, set[int]] = field(default_factory=_no_ids)
    has_new_rates: bool = False
    last_id: int = 0
    count: int = 0


def take_out(last_id: int, count: int, before: int | None) -> Call:
    """Removes the entries up to `last_id`, which have been stored, but none told of since `before`.

    before: epoch seconds of the portal's clock; None: whenever they were told of.
    """
    limits: dict[str, Any] = {"<=ID": last_id}
    if before is not None:
        limits["<TIMESTAMP_X"] = iso(before)
    return Call(
        "event.offline.get",
        {"filter": limits, "order": {"ID": "ASC"}, "limit": max(PAGE, count), "clear": 1},
    )


def look(start: int = 0) -> Call:
    """A page of the queue, which stays as it is."""
    return Call("event.offline.list", {"order": {"ID": "ASC"}, "start": start})


def more_pages(count: int, next_start: int | None, total: int | None) -> range:
    """Starts of the pages that follow a first one of `count` entries."""
    if count < PAGE or (next_start is None and (total or 0) <= count):
        return range(0)
    return range(PAGE, max(total or 0, PAGE + 1), PAGE)


def note(rows: Iterable[Mapping[str, Any]], found: Noted) -> None:
    """Adds what the rows of the queue say. Unknown events and shapes are passed over."""
    for row in rows:
        found.count += 1
        found.last_id = max(found.last_id, whole(row.get("ID")) or 0)
        note_event(str(row.get("EVENT_NAME") or ""), row.get("EVENT_DATA"), found)


def note_event(name: str, data: Any, found: Noted) -> None:
    """Adds what one event says; `data` as in the portal's `EVENT_DATA` or `data` of an online event."""
    event = name.upper()
    if event.startswith("ONCRMCURRENCY"):
        found.has_new_rates = True
        return
    fields = _fields(data)
    item_id = link(fields.get("ID"))
    if item_id is None:
        return
    for source in _sources(found.lists, event, whole(fields.get("ENTITY_TYPE_ID"))):
        if event.endswith(DELETE):
            found.deleted[source].add(item_id)
            found.changed[source].discard(item_id)  # ids are not used again: deleted is the last word
        elif item_id not in found.deleted[source]:
            found.changed[source].add(item_id)


def queued(rows: Iterable[Mapping[str, Any]], lists: Sequence[LongList] = sources.LONG) -> set[str]:
    """The lists whose deletions go into the queue, as `event.get` shows."""
    bound = {
        str(row.get("event") or "").upper() for row in rows if str(row.get("offline") or "0") in ("1", "Y")
    }
    return {source.name for source in lists if source.event and f"{source.event}{DELETE}" in bound}


def _sources(lists: Sequence[LongList], event: str, entity_type_id: int | None) -> Iterator[str]:
    """The lists that an event is about."""
    for source in lists:
        is_of_type = source.entity_type_id is None or source.entity_type_id == entity_type_id
        if not source.event or not event.startswith(source.event) or not is_of_type:
            continue
        if event[len(source.event) :].partition("_")[0] in ACTIONS:
            yield source.name


def _fields(data: Any) -> Mapping[str, Any]:
    """What an event tells of its record; those of tasks tell it before and after the change."""
    told = data if isinstance(data, Mapping) else {}
    for name in ("FIELDS", "FIELDS_AFTER", "FIELDS_BEFORE"):
        fields = told.get(name)
        if isinstance(fields, Mapping) and link(fields.get("ID")) is not None:
            return fields
    return {}
