"""How far support cases have been read: as far as all the sources that an admin chose for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from b24app.metrics.coverage import Reason, Source, SourceState
from b24app.portals.settings import Support

ACTIVITIES, CALLS, SESSION_HISTORY, TICKETS = "activities", "calls", "session_history", "tickets"
"""The reader's names of the sources behind cases; those of tickets begin with the last one."""


def case_sources(support: Support, known: Mapping[str, SourceState]) -> dict[Source, SourceState]:
    """The state of cases and of what only their messages tell; `known`: sources by the reader's names.

    A chosen source that is off takes all cases along: a count without it would be too small.
    """
    chosen: list[SourceState] = []
    if support.sessions:
        chosen.append(known.get(ACTIVITIES, SourceState()))
    if support.calls:
        chosen.append(known.get(CALLS, SourceState()))
    types = sorted({ticket.entity_type_id for ticket in support.tickets})
    chosen += [known.get(f"{TICKETS}_{number}", SourceState()) for number in types]
    if not chosen:
        off = SourceState(off=Reason.SOURCE_OFF)
        return {Source.CASES: off, Source.CASE_DETAILS: off}
    told = [known.get(SESSION_HISTORY, SourceState())] if support.sessions else []
    told += [known.get(f"{TICKETS}_{number}_history", SourceState()) for number in types]
    return {Source.CASES: _least(chosen), Source.CASE_DETAILS: _least([*chosen, *told])}


def _least(states: Iterable[SourceState]) -> SourceState:
    """What holds for all of them."""
    found = list(states)
    off = next((state for state in found if state.off is not None), None)
    if off is not None:
        return off
    unfinished = [state.covered_from for state in found if not state.is_complete]
    days = [day for day in unfinished if day is not None]
    return SourceState(
        is_complete=not unfinished,
        covered_from=max(days) if days and len(days) == len(unfinished) else None,
    )
