"""`GET /api/v1/cards/<kind>/<id>`: one record of the portal in numbers, for the app's tab on its card.

Whether the viewer may see the record is the portal's decision: it is read with the viewer's own token, and
only then do numbers of the store follow. Names and texts of the record are neither kept nor answered.
Kinds: `lead`, `contact`, `company`, `task`, `project`, and `process-N` for an item of a smart process.

    {"portal", "kind", "id", "as_of", "timezone", "owner": {"id", "name", "visible"} | null, …}

    client    "purchases": {"count", "amount", "currency", "average", "first_day", "last_day",
                            "without_rate"},
              "open": {"count", "amount"}, "lost", "is_repeat", "between_s",
              "support": {"cases", "open", "last_at", "reply_s", "resolution_s", "ratings", "positive"}
    lead      "status": "open" | "won" | "lost", "created_at", "age": beside the norm, "first_response",
              "deals": {"won", "open", "lost", "amount", "currency"},
              "channel": {"name", "leads", "converted", "days"}
    process   "is_ticket", "status", "reply": beside the norm | null, "resolution": …, "is_positive",
              "was_reopened"
    task      "status": 2–6, "deadline_at", "closed_at", "late_s": above 0 where it is late, "spent_s",
              "estimate_s", "was_returned", "mark", "project": {"id", "name"} | null
    project   "name", "open", "overdue", "soon", "spent_s", "estimate_s", "hidden"   of the viewer's people

`beside the norm`: {"seconds", "median", "p75", "sample"}; median and p75 are null below twenty records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import mean
from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection

from b24app import clock, store
from b24app.access import Visibility, is_administrator
from b24app.deal_norms import first_response_s, norm
from b24app.facts import leads as lead_facts
from b24app.facts import tasks as task_facts
from b24app.facts import values
from b24app.facts.values import BadRow, Border
from b24app.metrics import periods
from b24app.metrics.channels import channel_of
from b24app.metrics.money import SCALE, Rates, rates_in
from b24app.portals.settings import PortalSettings
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, BadRequest, NotFound, RestError, ScopeMissing
from b24app.store import around
from b24app.store.around import Purchase, Request
from b24app.store.company import load_company
from b24app.viewer import Viewer
from b24app.web import contacts, scopes
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import money_text
from b24app.web.problems import Problem
from b24app.web.session import require_viewer

blueprint = Blueprint("api_card", __name__, url_prefix="/api/v1")

PATIENCE_S = 5.0
LARGEST_ID = 2**53
CHANNEL_DAYS = 90
"""How far back the leads of a lead's channel are looked at."""
SOON_S = 7 * 86_400
KIND = re.compile(r"lead|contact|company|task|project|process-[1-9]\d{0,8}")
ENTITY_TYPES = {"lead": 1, "contact": 3, "company": 4}
STATUS = {"P": "open", "S": "won", "F": "lost"}

Answers = Mapping[str, Reply | RestError]


@dataclass(frozen=True)
class Desk:
    """What every kind needs to know. `row`: the record as the portal shows it to the viewer."""

    conn: Connection
    asking: Viewer
    visibility: Visibility
    settings: PortalSettings
    rates: Rates
    border: Border
    record_id: int
    object_id: int
    row: Mapping[str, Any]
    answers: Answers
    now: int


@blueprint.get("/cards/<kind>/<int:record_id>")
@require_viewer
def card(kind: str, record_id: int) -> Response:
    """The record in numbers."""
    response = jsonify(card_json(viewer(), kind, record_id))
    response.headers["Cache-Control"] = "no-store"
    return response


def card_json(asking: Viewer, kind: str, record_id: int) -> dict[str, Any]:
    """The body of `GET /api/v1/cards/<kind>/<id>`.

    Raises: Problem 404 for an unknown kind, 403 where the portal does not show the record to the viewer (404
    for an admin), 503 where the portal does not answer.
    """
    if not KIND.fullmatch(kind):
        raise Problem(404, "No such kind", f"kind: {kind} is not known", parameter="kind")
    if not 0 < record_id <= LARGEST_ID:
        raise _not_shown(asking, kind, record_id)
    name, _, number = kind.partition("-")
    object_id = int(number or 0)
    answers = _read(asking, name, record_id, object_id)
    row = _row(answers["record"], record_id)
    if not row:
        raise _not_shown(asking, kind, record_id)
    with parts().engine.connect() as conn:
        visibility, settings = scopes.seen_by(conn, asking)
        desk = Desk(
            conn,
            asking,
            visibility,
            settings,
            rates_in(load_company(conn, asking.portal_id).rates, settings.currency),
            store.load_border(conn, asking.portal_id),
            record_id,
            object_id,
            row,
            answers,
            clock.epoch(),
        )
        try:
            told = DESCRIBED[name](desk)
        except BadRow as error:
            raise _not_shown(asking, kind, record_id) from error
    head = {
        "portal": asking.member_id,
        "kind": kind,
        "id": record_id,
        "as_of": rfc3339(desk.now),
        "timezone": str(desk.border.zone),
    }
    return {**head, "owner": None, **told}


def _read(asking: Viewer, name: str, record_id: int, object_id: int) -> Answers:
    calls = {"record": _call(name, record_id, object_id)}
    if name == "lead":
        calls["activities"] = contacts.call(ENTITY_TYPES["lead"], record_id)
    client = parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
    try:
        answers: Answers = client.batch(calls)
        found = answers["record"]
        if isinstance(found, RestError):
            raise found
    except (AccessDenied, NotFound, BadRequest) as error:
        raise _not_shown(asking, name, record_id) from error
    except ScopeMissing as error:
        raise Problem(
            403, "A right is missing", "the app lacks the right to read this record", reason="missing_scope"
        ) from error
    except RestError as error:
        raise Problem(
            503, "The portal does not answer", "the record cannot be read now; try again shortly"
        ).with_header("Retry-After", "5") from error
    return answers


def _call(name: str, record_id: int, object_id: int) -> Call:
    if name == "task":
        return Call(
            "tasks.task.get",
            {
                "taskId": record_id,
                "select": [
                    "ID", "STATUS", "REAL_STATUS", "RESPONSIBLE_ID", "GROUP_ID", "CREATED_DATE",
                    "CLOSED_DATE",
                    "DEADLINE", "TIME_ESTIMATE", "TIME_SPENT_IN_LOGS", "MARK", "CHANGED_DATE",
                ],
            },
        )  # fmt: skip
    if name == "project":
        return Call("sonet_group.get", {"FILTER": {"ID": record_id}})
    entity = object_id or ENTITY_TYPES[name]
    return Call("crm.item.get", {"entityTypeId": entity, "id": record_id})


def _row(answer: Reply | RestError, record_id: int) -> Mapping[str, Any]:
    """The record in an answer of any of the methods; empty where it is not there."""
    result: Any = answer.result if isinstance(answer, Reply) else None
    if isinstance(result, Mapping):
        result = result.get("item") or result.get("task") or {}
        return result if isinstance(result, Mapping) else {}
    rows = result if isinstance(result, Sequence) and not isinstance(result, str) else ()
    found = [row for row in rows if isinstance(row, Mapping) and values.whole(row.get("ID")) == record_id]
    return found[0] if found else {}


def _not_shown(asking: Viewer, kind: str, record_id: int) -> Problem:
    if is_administrator(asking):
        return Problem(404, "No such record", f"{kind} {record_id} does not exist on the portal")
    return Problem(403, "Not for this viewer", "the portal does not show you this record")


def _client(desk: Desk, kind: str) -> dict[str, Any]:
    client = f"{kind}:{desk.record_id}"
    found = around.purchases(desk.conn, desk.asking.portal_id, client)
    won = [one for one in found if one.semantics == "S"]
    going = [one for one in found if one.semantics == "P"]
    gaps = [later.at - earlier.at for earlier, later in pairwise(won)]
    worth, unknown = _worth(won, desk.rates)
    return {
        "owner": _owner(desk, values.whole(desk.row.get("assignedById"))),
        "purchases": {
            "count": len(won),
            "amount": money_text(worth),
            "currency": desk.rates.currency,
            "average": money_text(worth / (len(won) - unknown)) if len(won) > unknown else None,
            "first_day": _day(won[0].at, desk) if won else None,
            "last_day": _day(won[-1].at, desk) if won else None,
            "without_rate": unknown,
        },
        "open": {"count": len(going), "amount": money_text(_worth(going, desk.rates)[0])},
        "lost": sum(one.semantics == "F" for one in found),
        "is_repeat": len(won) > 1,
        "between_s": round(mean(gaps)) if gaps else None,
        "support": _support(around.requests(desk.conn, desk.asking.portal_id, client)),
    }


def _support(found: Sequence[Request]) -> dict[str, Any]:
    replies = [one.reply_s for one in found if one.reply_s is not None and one.reply_s >= 0]
    times = [one.resolution_s for one in found if one.resolution_s is not None and one.resolution_s >= 0]
    rated = [one.is_positive for one in found if one.is_positive is not None]
    return {
        "cases": len(found),
        "open": sum(one.closed_at is None for one in found),
        "last_at": rfc3339(found[-1].opened_at) if found else None,
        "reply_s": round(mean(replies)) if replies else None,
        "resolution_s": round(mean(times)) if times else None,
        "ratings": len(rated),
        "positive": sum(rated),
    }


def _lead(desk: Desk) -> dict[str, Any]:
    lead = lead_facts.parse(desk.row, desk.border)
    portal_id = desk.asking.portal_id
    born = around.deals_of_lead(desk.conn, portal_id, desk.record_id)
    end = desk.now if lead.semantics == "P" else lead.moved_at
    names = load_company(desk.conn, portal_id).reference.source_names
    rules = desk.settings.channels
    channel = channel_of(lead.utm_source, lead.source_id, rules, names)
    since = periods.local_day(clock.now(), desk.border.zone) - timedelta(days=CHANNEL_DAYS)
    peers = [
        semantics
        for utm, source, semantics in around.origins_since(desk.conn, portal_id, since)
        if channel_of(utm, source, rules, names) == channel
    ]
    held, reason = contacts.read(desk.answers.get("activities"), desk.border.zone)
    answered = None if reason else first_response_s(lead.created_at, held)
    return {
        "owner": _owner(desk, lead.owner_id),
        "status": STATUS[lead.semantics],
        "created_at": rfc3339(lead.created_at),
        "age": _beside(end - lead.created_at, around.conversion_times(desk.conn, portal_id)),
        "first_response": {
            "seconds": answered,
            "reason": reason or ("no_records" if answered is None else None),
        },
        "deals": {
            "won": sum(one.semantics == "S" for one in born),
            "open": sum(one.semantics == "P" for one in born),
            "lost": sum(one.semantics == "F" for one in born),
            "amount": money_text(_worth([one for one in born if one.semantics == "S"], desk.rates)[0]),
            "currency": desk.rates.currency,
        },
        "channel": {
            "name": channel,
            "leads": len(peers),
            "converted": sum(semantics == "S" for semantics in peers),
            "days": CHANNEL_DAYS,
        },
    }


def _process(desk: Desk) -> dict[str, Any]:
    portal_id = desk.asking.portal_id
    case = around.ticket_case(desk.conn, portal_id, desk.object_id, desk.record_id)
    told: dict[str, Any] = {
        "owner": _owner(desk, values.whole(desk.row.get("assignedById"))),
        "is_ticket": case is not None,
    }
    if case is None:
        return told
    replies, solutions = around.ticket_times(desk.conn, portal_id, desk.object_id)
    waits = desk.now - case.opened_at
    is_open = case.closed_at is None
    return told | {
        "status": "open" if is_open else "closed",
        "opened_at": rfc3339(case.opened_at),
        "is_answered": case.reply_s is not None,
        "reply": _beside(waits if case.reply_s is None else case.reply_s, replies),
        "resolution": _beside(waits if case.resolution_s is None else case.resolution_s, solutions),
        "is_positive": case.is_positive,
        "was_reopened": around.was_reopened(desk.conn, portal_id, desk.object_id, desk.record_id),
    }


def _task(desk: Desk) -> dict[str, Any]:
    task = task_facts.parse(desk.row, desk.border)
    end = desk.now if task.closed_at is None else task.closed_at
    name = around.project_name(desk.conn, desk.asking.portal_id, task.project_id) if task.project_id else None
    return {
        "owner": _owner(desk, task.owner_id),
        "status": task.status,
        "created_at": rfc3339(task.created_at),
        "deadline_at": rfc3339(task.deadline_at),
        "closed_at": rfc3339(task.closed_at),
        "late_s": None if task.deadline_at is None else end - task.deadline_at,
        "spent_s": task.spent_s,
        "estimate_s": task.estimate_s,
        "was_returned": around.was_returned(desk.conn, desk.asking.portal_id, desk.record_id),
        "mark": task.mark,
        "project": {"id": task.project_id, "name": name} if task.project_id else None,
    }


def _project(desk: Desk) -> dict[str, Any]:
    rows = around.open_tasks(desk.conn, desk.asking.portal_id, desk.record_id)
    seen = [row for row in rows if desk.visibility.can_see_owner(row[0])]
    left = [deadline_at - desk.now for _owner, deadline_at, *_ in seen if deadline_at is not None]
    return {
        "name": around.project_name(desk.conn, desk.asking.portal_id, desk.record_id),
        "open": len(seen),
        "overdue": sum(seconds < 0 for seconds in left),
        "soon": sum(0 <= seconds <= SOON_S for seconds in left),
        "spent_s": sum(spent_s for *_, spent_s in seen),
        "estimate_s": sum(estimate_s for *_, estimate_s, _spent in seen),
        "hidden": len(rows) - len(seen),
    }


def _worth(found: Sequence[Purchase], rates: Rates) -> tuple[Fraction, int]:
    """The sum in the report currency, and how many have no rate for it."""
    worths = [rates.convert(int(one.amount * SCALE), one.currency) for one in found]
    known = [worth for worth in worths if worth is not None]
    return sum(known, Fraction(0)), len(worths) - len(known)


def _beside(seconds: int, times: Sequence[int]) -> dict[str, Any]:
    usual = norm(times, len(times))
    return {
        "seconds": max(0, seconds),
        "median": None if usual is None else usual.median_s,
        "p75": None if usual is None else usual.p75_s,
        "sample": 0 if usual is None else usual.sample,
    }


def _owner(desk: Desk, user_id: int | None) -> dict[str, Any] | None:
    if not user_id:
        return None
    known = desk.visibility.org.users.get(user_id)
    is_seen = desk.visibility.can_see_user(user_id)
    return {"id": user_id, "name": known.name if known else "", "visible": is_seen}


def _day(at: int, desk: Desk) -> str:
    return periods.local_day(datetime.fromtimestamp(at, UTC), desk.border.zone).isoformat()


DESCRIBED: dict[str, Callable[[Desk], dict[str, Any]]] = {
    "lead": _lead,
    "contact": lambda desk: _client(desk, "contact"),
    "company": lambda desk: _client(desk, "company"),
    "process": _process,
    "task": _task,
    "project": _project,
}
