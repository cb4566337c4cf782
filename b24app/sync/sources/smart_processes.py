"""Titles of the smart processes that serve as help desks, read with the short lists.

No source of its own: whoever may not see the list is left with numbers for names, and all else goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

from b24app.facts import reference
from b24app.facts.reference import SmartProcess
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.sync.sources import tickets
from b24app.sync.sources.kinds import LongList, Outcome, parsed

METHOD = "crm.type.list"
COMMAND = "smart_processes"


def calls(lists: Iterable[LongList]) -> dict[str, Call]:
    """The command for the titles of those whose tickets are among `lists`; nothing without any."""
    ids = [
        source.entity_type_id
        for source in lists
        if source.entity_type_id is not None and source.name == tickets.name_of(source.entity_type_id)
    ]
    asked = Call(METHOD, {"filter": {"@entityTypeId": ids}, "order": {"id": "ASC"}})
    return {COMMAND: asked} if ids else {}


def read(outcome: Outcome) -> list[SmartProcess]:
    """The titles that the portal told."""
    answer = outcome.get(COMMAND)
    if not isinstance(answer, Reply):
        return []
    return parsed(paging.rows_at(answer.result, ("types",), METHOD), reference.parse_smart_process, COMMAND)
