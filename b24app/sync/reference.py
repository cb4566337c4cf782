"""People, departments, currencies, pipelines and stages: short lists, read whole each time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from b24app import clock
from b24app.facts import people, reference
from b24app.facts.store import Writer
from b24app.facts.values import BadRow, whole, yes
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.sync import trouble

logger = logging.getLogger(__name__)

Outcome = Mapping[str, Reply | RestError]
Fact = TypeVar("Fact")

USERS = paging.Listing(
    "user.get",
    {"FILTER": {}, "select": list(people.USER_FIELDS)},
    id_key="ID",
    filter_name="FILTER",
    is_sorted_by_text=True,
)


def calls() -> dict[str, Call]:
    """The commands of one round; `read` takes their outcome."""
    return {
        "profile": Call("profile"),
        "mode": Call("crm.settings.mode.get"),
        "pipelines": Call("crm.category.list", {"entityTypeId": 2}),
        "statuses": Call("crm.status.list", {"order": {"SORT": "ASC"}}),
        "currencies": Call("crm.currency.list"),
        "base": Call("crm.currency.base.get"),
        "users": USERS.page(beyond=None, bound=None, descending=False),
        "departments": Call("department.get", {"start": 0}),
    }


@dataclass
class Round:
    """What a round brought. A source is in `facts` or in `errors`."""

    facts: dict[str, list[Any]] = field(default_factory=dict)
    errors: dict[str, RestError] = field(default_factory=dict)
    lead_sources: list[reference.LeadSource] = field(default_factory=list)
    is_admin: bool | None = None  # the reader; None: not told
    uses_leads: bool | None = None


def read(client: PortalClient, outcome: Outcome) -> Round:
    """The round's facts; lists of several pages are read to their end.

    Raises:
        RestError: the portal stopped answering in between.
    """
    found = Round()
    found.is_admin = _admin(outcome["profile"])
    found.uses_leads = _uses_leads(outcome["mode"])

    def take(source: str, read_rows: Callable[[], Iterable[Any]]) -> None:
        try:
            found.facts[source] = list(read_rows())
        except RestError as error:
            found.errors[source] = error

    take("users", lambda: _parsed(_users(client, outcome["users"]), people.parse_user))
    take(
        "departments",
        lambda: _parsed(
            _rest_by_offset(client, "department.get", {}, outcome["departments"], ()), people.parse_department
        ),
    )
    take("currencies", lambda: _currencies(client, outcome))
    take(
        "pipelines",
        lambda: _parsed(
            paging.rows_at(_reply(outcome["pipelines"]).result, ("categories",), "crm.category.list"),
            reference.parse_pipeline,
        ),
    )

    def stages() -> list[reference.Stage]:
        rows = _rest_by_offset(client, "crm.status.list", {"order": {"SORT": "ASC"}}, outcome["statuses"], ())
        statuses = reference.parse_statuses(rows)
        found.lead_sources = list(statuses.lead_sources)
        return list(statuses.stages)

    take("stages", stages)
    return found


def store(writer: Writer, found: Round) -> bool:
    """Stores a round; True when the order of stages changed and deals have to be derived anew."""
    has_new_order = False
    if "users" in found.facts:
        writer.replace_users(found.facts["users"], drop_missing=found.is_admin is not False)
    if "departments" in found.facts:
        writer.replace_departments(found.facts["departments"])
    if "currencies" in found.facts:
        writer.replace_currencies(found.facts["currencies"])
    if "pipelines" in found.facts:
        writer.replace_pipelines(found.facts["pipelines"])
    if "stages" in found.facts:
        has_new_order = writer.replace_stages(found.facts["stages"])
        writer.replace_lead_sources(found.lead_sources)
    for source, facts in found.facts.items():
        writer.set_source(
            source,
            state="ready",
            reason=None,
            error=None,
            progress=1.0,
            row_count=len(facts),
            read_at=clock.epoch(),
        )
    for source, error in found.errors.items():
        fail_source(writer, source, error)
    told = {
        name: value
        for name, value in (("reader_is_admin", found.is_admin), ("uses_leads", found.uses_leads))
        if value is not None
    }
    if told:
        writer.set_portal(**told)
    return has_new_order


def fail_source(writer: Writer, source: str, error: RestError) -> None:
    """Notes that a source could not be read: off where asking again is useless, else only failing."""
    reason = trouble.off_reason(error)
    if reason is not None:
        writer.set_source(source, state="off", reason=reason, error=None)
    else:
        writer.set_source(source, error=trouble.label(error))


def _users(client: PortalClient, answer: Reply | RestError) -> list[paging.Row]:
    rows = USERS.rows(_reply(answer))
    if len(rows) >= paging.PAGE_SIZE:
        for more in paging.read_all(client, USERS, after=USERS.id_of(rows[-1]), first_pages=6):
            rows += more
    return rows


def _rest_by_offset(
    client: PortalClient,
    method: str,
    params: Mapping[str, Any],
    answer: Reply | RestError,
    path: tuple[str, ...],
) -> list[paging.Row]:
    """The rows of the first answer, or of all pages where it was only the first of several."""
    reply = _reply(answer)
    if reply.next is None:
        return paging.rows_at(reply.result, path, method)
    return [row for rows in paging.read_offsets(client, method, params, path) for row in rows]


def _currencies(client: PortalClient, outcome: Outcome) -> tuple[reference.Currency, ...]:
    """The rates; where the reader may not see the list, at least which currency is the base."""
    base = outcome["base"]
    base_code = base.result if isinstance(base, Reply) else None
    listed = outcome["currencies"]
    if isinstance(listed, RestError) and base_code:
        return reference.with_base((), base_code)
    rows = _rest_by_offset(client, "crm.currency.list", {}, listed, ())
    return reference.with_base(_parsed(rows, reference.parse_currency), base_code)


def _admin(answer: Reply | RestError) -> bool | None:
    if isinstance(answer, RestError) or not isinstance(answer.result, dict) or "ADMIN" not in answer.result:
        return None
    return yes(answer.result["ADMIN"])


def _uses_leads(answer: Reply | RestError) -> bool | None:
    mode = None if isinstance(answer, RestError) else whole(answer.result)
    return None if mode is None else mode != 2


def _parsed(rows: Iterable[paging.Row], parse: Callable[[paging.Row], Fact]) -> list[Fact]:
    facts: list[Fact] = []
    for row in rows:
        try:
            facts.append(parse(row))
        except BadRow as error:
            logger.warning("a row of %s is left out: %s", parse.__name__, error)
    return facts


def _reply(answer: Reply | RestError) -> Reply:
    if isinstance(answer, RestError):
        raise answer
    return answer
