"""One round of the short lists, with who reads and whether the portal uses leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from b24app import clock
from b24app.facts.reference import SmartProcess
from b24app.facts.values import text, whole, yes
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.store import Writer
from b24app.sync import sources, trouble
from b24app.sync.sources import smart_processes
from b24app.sync.sources.kinds import LongList, Outcome
from b24app.sync.sources.users import USERS


def calls(lists: Iterable[LongList]) -> dict[str, Call]:
    """The commands of one round; `read` takes their outcome. `lists`: the long lists that are read."""
    asked = {"profile": Call("profile"), "mode": Call("crm.settings.mode.get"), "app": Call("app.info")}
    for source in sources.SHORT:
        asked.update(source.calls)
    return {**asked, **smart_processes.calls(lists)}


@dataclass
class Round:
    """What a round brought. A source is in `facts` or in `errors`."""

    facts: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, RestError] = field(default_factory=dict)
    is_admin: bool | None = None  # the reader; None: not told
    uses_leads: bool | None = None
    license: str | None = None  # of the portal; None: not told
    smart_processes: Sequence[SmartProcess] = ()  # of help desks


def read(client: PortalClient, outcome: Outcome) -> Round:
    """The round's facts; lists of several pages are read to their end."""
    found = Round(
        is_admin=_admin(outcome["profile"]),
        uses_leads=_uses_leads(outcome["mode"]),
        license=_license(outcome["app"]),
        smart_processes=smart_processes.read(outcome),
    )
    for source in sources.SHORT:
        try:
            found.facts[source.name] = source.read(client, outcome)
        except RestError as error:
            found.errors[source.name] = error
    for about in sources.OF_PEOPLE if USERS.name in found.facts else ():
        try:
            found.facts[about.name] = about.read(client, found.facts[USERS.name])
        except RestError as error:
            found.errors[about.name] = error
    return found


def store(writer: Writer, found: Round) -> None:
    """Stores a round."""
    for source in sources.EACH_TIME:
        if source.name in found.facts:
            facts = found.facts[source.name]
            source.store(writer, facts, found.is_admin is not False)
            writer.set_source(
                source.name,
                state="ready",
                reason=None,
                error=None,
                progress=1.0,
                row_count=source.size(facts),
                read_at=clock.epoch(),
            )
    for name, error in found.errors.items():
        fail_source(writer, name, error)
    writer.save_smart_processes(found.smart_processes)
    told = {
        name: value
        for name, value in (
            ("reader_is_admin", found.is_admin),
            ("uses_leads", found.uses_leads),
            ("license", found.license),
        )
        if value is not None
    }
    if told:
        writer.set_portal(**told)


def fail_source(writer: Writer, source: str, error: RestError) -> None:
    """Notes that a source could not be read: off where asking again is useless, else only failing."""
    reason = trouble.off_reason(error)
    if reason is not None:
        writer.set_source(source, state="off", reason=reason, error=None)
    else:
        writer.set_source(source, error=trouble.label(error))


def _admin(answer: Reply | RestError) -> bool | None:
    if isinstance(answer, RestError) or not isinstance(answer.result, dict) or "ADMIN" not in answer.result:
        return None
    return yes(answer.result["ADMIN"])


def _uses_leads(answer: Reply | RestError) -> bool | None:
    mode = None if isinstance(answer, RestError) else whole(answer.result)
    return None if mode is None else mode != 2


def _license(answer: Reply | RestError) -> str | None:
    if isinstance(answer, RestError) or not isinstance(answer.result, dict):
        return None
    return text(answer.result.get("LICENSE"), 64)
