"""The one batch of a check: what it asks, and what the portal's queue of changes says in its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from b24app import clock
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import NO_BUDGET, RateLimited, RestError, RetryLater
from b24app.sync import cursor, latest, offline, reference
from b24app.sync.check import Check
from b24app.sync.latest import Latest
from b24app.sync.sources.kinds import LongList, Outcome

OVERLAP_S = 5
"""Changes within the second of the last check, or stored by the portal a little late, are read again."""

REFERENCE_EVERY_S = 600
"""How often people, departments, currencies and stages are read: the portal does not tell of them."""

CATCH_UP_PAGES = 12


@dataclass
class Plan:
    """What a check reads besides the queue: the lists of what changed, by source, and what was its turn."""

    chains: dict[str, paging.Chain]
    latest: dict[str, Latest]
    has_reference: bool

    def running(self) -> dict[str, paging.Chain]:
        """The lists that are not at their end, by the prefix of their commands."""
        chains = {name: chain for name, chain in self.chains.items() if not chain.is_done}
        return chains | {one.prefix: one.chain for one in self.latest.values() if not one.is_done}

    def further_calls(self) -> dict[str, Call]:
        """Commands for the pages that follow; none when everything is read."""
        running = self.running()
        pages = min(CATCH_UP_PAGES, max(1, BATCH_SIZE // max(1, len(running))))
        calls: dict[str, Call] = {}
        for name, chain in running.items():
            calls.update(chain.calls(name, pages))
        return calls


def plan(check: Check) -> Plan:
    """What is to be read now. What the portal does not tell of is read now and then: the short lists, or
    the latest rows of lists that are rewritten, whichever has waited longer."""
    reference_s = clock.epoch() - int(check.at.get("reference_at") or 0) - REFERENCE_EVERY_S
    latest_s = latest.overdue_s(check)
    has_new_rates = bool(check.at.get("rates"))
    has_reference = has_new_rates or (reference_s >= 0 and reference_s >= latest_s)
    chains = _chains(check)
    return Plan(chains, latest.begin(check) if latest_s >= 0 and not has_reference else {}, has_reference)


def ask(check: Check, planned: Plan) -> Outcome:
    """What became of the one batch. Where a method has no operating time left, the lists that may fall
    behind are left out of it, whichever it is. Raises: RestError."""
    try:
        return check.client.batch(_calls(check, planned))
    except RateLimited as error:
        if error.code != NO_BUDGET:
            raise
        for name in [name for name in planned.chains if not check.by_name[name].is_vital]:
            check.fall_behind(check.by_name[name], error)
            del planned.chains[name]
        planned.latest.clear()
        return check.client.batch(_calls(check, planned))


def note_queue(check: Check, outcome: Outcome, now: int) -> None:
    """Notes what the queue says, and in the cursor what of it the next check takes out.

    `now`: the portal's own time, told before the queue was listed.
    """
    at = check.at
    taken = outcome.get("handled")
    was_empty = False
    if isinstance(taken, Reply):
        events = taken.result.get("events") if isinstance(taken.result, dict) else None
        was_empty = not events
        # A portal that does not compare moments may have let a renewed entry go: a change of it is read by
        # its own moment now, a deletion is noted here.
        renewed = offline.Noted(check.lists)
        offline.note(paging.rows_at(events or [], ()), renewed)
        for name, gone in renewed.deleted.items():
            check.noted.deleted[name] |= gone
        at["handled"] = at["handled_count"] = 0
    listed = outcome.get("queue")
    if isinstance(listed, RestError) and not isinstance(listed, RetryLater):
        # No right, no method, no plan: deletions are found by comparing counts instead.
        at["has_queue"], at["queued"] = False, []
    if isinstance(listed, Reply):
        rows = paging.rows_at(listed.result, ())
        offline.note(rows, check.noted)
        _note_more(check, offline.more_pages(len(rows), listed.next, listed.total))
        at["handled"], at["handled_count"] = check.noted.last_id, check.noted.count
        at["handled_before"] = None if was_empty else now
    bindings = outcome.get("bindings")
    if isinstance(bindings, Reply):
        queued = offline.queued(paging.rows_at(bindings.result, ()), check.lists)
        at["has_queue"], at["queued"] = bool(queued), sorted(queued)


def _chains(check: Check) -> dict[str, paging.Chain]:
    chains: dict[str, paging.Chain] = {}
    for source in check.lists:
        before = check.at.get("behind", {}).get(source.name, {})
        if not check.is_on(source):
            continue
        check.noted.changed[source.name] |= set(before.get("named", ()))
        if before.get("until", 0) > check.started:
            check.behind[source.name] = dict(before)
        elif source.changed_key is not None:
            since = int(before.get("since", check.at["since"])) - OVERLAP_S
            chains[source.name] = paging.Chain(source.since(source.changed_key, since))
        elif (last := _last_id(check, source)) is not None:
            chains[source.name] = paging.Chain(source.base, last=last)
    return chains


def _last_id(check: Check, source: LongList) -> int | None:
    """Up to where the rows of a growing list are read; None until its first read has begun."""
    last: int | None = check.at.get("last_ids", {}).get(source.name)
    if last is not None or source.name not in check.standings:
        return last
    top = check.standings[source.name].cursor.get("top")  # the highest id when the first read began
    return None if top is None else int(top)


def _calls(check: Check, planned: Plan) -> dict[str, Call]:
    """The clock comes before the queue, and the queue before the records: what it names is in them."""
    calls = {"clock": Call("server.time"), **_queue_calls(check.at)}
    for name, chain in planned.chains.items():
        calls.update(chain.calls(name, 1))
    for one in planned.latest.values():
        calls.update(one.chain.calls(one.prefix, 1))
    has_queue = check.at.get("has_queue")
    if planned.has_reference or has_queue is None or (not has_queue and cursor.is_reading(check.states)):
        calls["bindings"] = Call("event.get")
    if planned.has_reference:
        calls.update(reference.calls(check.lists))
        calls.update({f"probe_{s.name}": s.top() for s in check.lists if not check.is_on(s)})
    if planned.has_reference or check.at.get("differs"):
        calls.update(_counts(check))
    return calls


def _queue_calls(at: dict[str, Any]) -> dict[str, Call]:
    """Nothing where the portal keeps no queue for us."""
    if at.get("has_queue") is False:
        return {}
    calls = {"queue": offline.look()}
    if not at.get("handled"):
        return calls
    taken = offline.take_out(int(at["handled"]), int(at.get("handled_count") or 0), at.get("handled_before"))
    return {"handled": taken, **calls}


def _counts(check: Check) -> dict[str, Call]:
    """Where the portal keeps no queue for us, its number of records tells of deletions."""
    if check.at.get("has_queue") is None or cursor.is_reading(check.states):
        return {}
    queued = check.at.get("queued", ())
    return {
        f"count_{source.name}": source.base.count()
        for source in check.lists
        if source.event and source.name not in queued and check.is_on(source)
    }


def _note_more(check: Check, starts: range) -> None:
    pages = {f"queue_{start}": offline.look(start) for start in starts}
    for answer in check.client.batch(pages).values() if pages else ():
        if isinstance(answer, RestError):
            return  # the rest stays in the queue for the next check
        offline.note(paging.rows_at(answer.result, ()), check.noted)
