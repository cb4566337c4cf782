"""What follows from the rows and events of a check: named records, rewritten histories, details."""

from __future__ import annotations

from sqlalchemy import select

from b24app.db import reading
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.errors import RestError
from b24app.sync import details, reference, trouble
from b24app.sync.check import Check
from b24app.sync.list_read import read_by_id
from b24app.sync.sources.kinds import Details, LongList
from b24app.sync.sources.stage_history import HISTORY

OWNERS_PER_COMMAND = 5
DETAIL_REQUESTS = 2
"""Requests for details in one check: who looks does not wait for a long row of them."""


def read_named(check: Check) -> None:
    """Reads records that events name and no list brought; those that are not there any more go."""
    for source in check.lists:
        name = source.name
        _note_touched_by_loss(check, source)
        named = check.noted.changed[name] - check.read[name] - check.noted.deleted[name]
        if not named or not check.is_on(source):
            continue
        try:
            if name not in check.behind:
                check.save(source, read_by_id(check.client, source, sorted(named)))
        except RestError as error:
            check.fall_behind(source, error)
        if name in check.behind:
            check.behind[name]["named"] = sorted(named)
            continue
        if check.sees_all_it_saw():
            check.noted.deleted[name] |= named - check.read[name]


def _note_touched_by_loss(check: Check, source: LongList) -> None:
    """A row that is gone changed the record that it belonged to."""
    for other in check.lists:
        touch = other.touches
        if touch is None or touch.source != source.name or not check.noted.deleted[other.name]:
            continue
        with check.parts.engine.connect() as conn:
            found = conn.execute(
                select(touch.column).where(
                    *other.stored(check.portal_id),
                    other.id_column.in_(sorted(check.noted.deleted[other.name])),
                )
            ).scalars()
            check.noted.changed[source.name] |= set(found)


def reread_histories(check: Check) -> None:
    owners = sorted(check.rewritten)
    if not owners or not check.is_on(HISTORY):
        return
    chains = {
        f"owners_{start}": paging.Chain(
            HISTORY.base.where({"@OWNER_ID": owners[start : start + OWNERS_PER_COMMAND]})
        )
        for start in range(0, len(owners), OWNERS_PER_COMMAND)
    }
    rows: list[paging.Row] = []
    while running := {name: chain for name, chain in chains.items() if not chain.is_done}:
        calls: dict[str, Call] = {}
        for name, chain in running.items():
            calls.update(chain.calls(name, 1))
        outcome = check.client.batch(calls)
        for name, chain in running.items():
            rows += chain.take(name, outcome)
    entries = HISTORY.parsed(rows, check.border)
    with check.writing(check.border) as writer:
        writer.replace_history(owners, entries)


def rederive(check: Check) -> None:
    """After a change of stages: the furthest stage of every deal, a portion at a time."""
    after: int | None = check.at.get("rederive_after")
    while after is not None:
        with check.writing() as writer:
            after = writer.rederive_deals(after)
    check.at["rederive_after"] = None


def read_details(check: Check, is_reference_due: bool) -> None:
    """Reads the details of records that changed. What is off is tried again now and then."""
    for one, is_retry in _with_details(check, is_reference_due):
        requests = 1 if is_retry else DETAIL_REQUESTS
        try:
            details.catch_up(check.parts, check.portal_id, check.client, one, requests=requests)
        except RestError as error:
            if trouble.concerns_portal(error):
                raise
            check.failed.add(one.name)
            with check.writing() as writer:
                reference.fail_source(writer, one.name, error)
                writer.changed = writer.changed or not is_retry
            continue
        if is_retry:
            with check.writing() as writer:
                writer.set_source(one.name, state="pending", reason=None)
                writer.changed = True


def _with_details(check: Check, is_reference_due: bool) -> list[tuple[Details, bool]]:
    """The details that are to be read now, and whether that only tries if they can be read again."""
    found: list[tuple[Details, bool]] = []
    with reading(check.parts.engine) as conn:
        for source in check.lists:
            for one in source.details:
                state = check.states.get(one.name)
                if state == "off" and is_reference_due and check.states.get(source.name) == "ready":
                    found.append((one, True))
                elif state == "ready" and details.is_any_waiting(
                    conn, check.portal_id, one, check.standings[one.name].cursor
                ):
                    found.append((one, False))
    return found
