"""`GET /api/v1/deals/<id>`: one deal beside the norm of its pipeline, for the tab of the deal card.

Whether the viewer may see the deal is the portal's decision: the deal is read with the viewer's own token.
Where the portal does not answer, those who may see the responsible employee's KPIs get the stored deal.

    {"portal", "deal", "live": true, "as_of", "status": "open" | "won" | "lost",
     "owner": {"id", "name", "visible", "department": {"id", "name"} | null},
                       visible: the viewer may see this employee's KPIs
     "pipeline": {"id", "name"}, "stage": {"id", "name"},
     "amount", "currency", "report_amount", "report_currency",
     "created_at",
     "age": {"seconds", "median", "p75", "sample"},  from creation to now, or to closing
     "in_stage": the same with "since"; null for a closed deal,
     "norm": {"won_deals", "needed"},                median, p75 are null below `needed`
     "last_activity": {"at", "seconds"} | null,
     "first_response": {"seconds", "reason"},        reason: null, no_records, missing_scope, not_synced
     "returns": 0,
     "contribution": null | {"metric", "day", "month", "amount", "currency", "counted"}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection

from b24app import clock, store
from b24app.access import Visibility, is_administrator
from b24app.deal_norms import WON_NEEDED, Contact, count_returns, first_response_s, norm, stage_since
from b24app.facts import deals as deal_facts
from b24app.facts.deals import Deal
from b24app.facts.values import BadRow, Border
from b24app.metrics.money import SCALE, rates_in
from b24app.portals.settings import PortalSettings
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, BadRequest, NotFound, RestError
from b24app.store import deal_history
from b24app.store.deal_history import Habits, Names
from b24app.store.remembered import Remembered
from b24app.viewer import Viewer
from b24app.web import contacts
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import money_text
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.sight import Sight, looking

blueprint = Blueprint("api_deal", __name__, url_prefix="/api/v1")

STATUS = {"P": "open", "S": "won", "F": "lost"}
_borders: Remembered[Border] = Remembered(1_000)
_known_habits: Remembered[Habits] = Remembered(1_000)
_known_names: Remembered[Names] = Remembered(1_000)

LEAD = 1
"""Entity type of a lead."""
LARGEST_ID = 2**63 - 1
"""What a database column holds."""
PATIENCE_S = 5.0
"""How long the tab waits for a slow portal before the stored deal is shown."""


@blueprint.get("/deals/<int:deal_id>")
@require_viewer
def deal(deal_id: int) -> Response:
    """The deal as the portal shows it to this viewer."""
    asking = viewer()

    def client() -> PortalClient:
        return parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)

    with looking(asking) as sight:
        return jsonify(deal_json(sight, deal_id, client))


def deal_json(sight: Sight, deal_id: int, client: Callable[[], PortalClient]) -> dict[str, Any]:
    """The body of `GET /api/v1/deals/<id>`, read live. `client`: of the viewer; it may raise RestError.

    Raises: Problem 403 where the portal does not show the deal to the viewer (404 for an admin), 503 where
    the portal does not answer and the stored deal is not open to the viewer.
    """
    asking = sight.asking
    if deal_id > LARGEST_ID:
        raise _not_shown(asking, deal_id)
    stored = deal_history.deal(sight.conn, asking.portal_id, deal_id)
    border = _border(sight)
    calls = _calls(deal_id, stored.lead_id if stored else None)
    try:
        answers = client().batch(calls)
        found = answers["deal"]
        if isinstance(found, RestError):
            raise found
        live = deal_facts.parse(_item(found), border)
    except (AccessDenied, NotFound, BadRequest) as error:
        raise _not_shown(asking, deal_id) from error
    except (RestError, BadRow) as error:
        fallback = _stored_json(sight, deal_id, stored)
        if fallback is None:
            raise Problem(
                503, "The portal does not answer", "the deal cannot be read now; try again shortly"
            ).with_header("Retry-After", "5") from error
        return fallback
    held, reason = _contacts(answers, border.zone)
    first_response = _first_response(sight.conn, asking, live, held, reason)
    return {**_describe(sight, live), "first_response": first_response, "live": True}


def stored_deal_json(sight: Sight, deal_id: int) -> dict[str, Any] | None:
    """The same from the store, without asking the portal; None where that is not for this viewer.

    The store does not know who may read a deal on the portal, so only those get it who may see the KPIs
    that the deal is a part of.
    """
    return _stored_json(sight, deal_id, deal_history.deal(sight.conn, sight.portal_id, deal_id))


def _stored_json(sight: Sight, deal_id: int, stored: Deal | None) -> dict[str, Any] | None:
    if stored is None or not sight.visibility.can_see_owner(stored.owner_id):
        return None
    unknown = {"seconds": None, "reason": "not_synced"}
    return {**_describe(sight, stored), "first_response": unknown, "live": False}


def _calls(deal_id: int, lead_id: int | None) -> dict[str, Call]:
    calls = {
        "deal": Call("crm.item.get", {"entityTypeId": deal_facts.ENTITY_TYPE_ID, "id": deal_id}),
        "activities": contacts.call(deal_facts.ENTITY_TYPE_ID, deal_id),
    }
    if lead_id is not None:
        calls["lead_activities"] = contacts.call(LEAD, lead_id)
    return calls


def _not_shown(asking: Viewer, deal_id: int) -> Problem:
    if is_administrator(asking):
        return Problem(404, "No such deal", f"deal {deal_id} does not exist on the portal")
    return Problem(403, "Not for this viewer", "the portal does not show you this deal")


def _item(reply: Reply) -> Mapping[str, Any]:
    result = reply.result if isinstance(reply.result, Mapping) else {}
    item = result.get("item")
    return item if isinstance(item, Mapping) else {}


def _contacts(answers: Mapping[str, Reply | RestError], zone: ZoneInfo) -> tuple[list[Contact], str | None]:
    """What was done for the client, as a lead too, and why it is not known, if it is not."""
    found: list[Contact] = []
    for name in ("activities", "lead_activities"):
        held, reason = contacts.read(answers.get(name), zone)
        if reason is not None:
            return [], reason
        found += held
    return found, None


def _first_response(
    conn: Connection, asking: Viewer, found: Deal, held: list[Contact], reason: str | None
) -> dict[str, Any]:
    began = found.created_at
    if found.lead_id is not None:
        lead_at = deal_history.lead_created_at(conn, asking.portal_id, found.lead_id)
        began = min(began, lead_at) if lead_at is not None else began
    seconds = None if reason else first_response_s(began, held)
    return {"seconds": seconds, "reason": reason or ("no_records" if seconds is None else None)}


def _describe(sight: Sight, found: Deal) -> dict[str, Any]:
    now, visibility, settings = clock.epoch(), sight.visibility, sight.settings
    entries = deal_history.entries(sight.conn, sight.portal_id, found.deal_id)
    habits = _habits(sight, found.category_id, found.stage_id)
    names = _names(sight, found.category_id)
    rates = rates_in(sight.company.rates, settings.currency)
    is_open = found.semantics == "P"
    since = stage_since(entries, found.category_id, found.stage_id, found.moved_at)
    worth = rates.convert(int(found.amount * SCALE), found.currency)
    report_amount = None if worth is None else money_text(worth)
    owner = visibility.org.users.get(found.owner_id)
    return {
        "portal": sight.asking.member_id,
        "deal": found.deal_id,
        "as_of": rfc3339(now),
        "status": STATUS[found.semantics],
        "owner": {
            "id": found.owner_id,
            "name": owner.name if owner else "",
            "visible": visibility.can_see_user(found.owner_id),
            "department": _department(found.owner_id, visibility),
        },
        "pipeline": {"id": found.category_id, "name": names.pipeline},
        "stage": {"id": found.stage_id, "name": names.stages.get(found.stage_id, found.stage_id)},
        "amount": money_text(Fraction(found.amount)),
        "currency": found.currency,
        "report_amount": report_amount,
        "report_currency": rates.currency,
        "created_at": rfc3339(found.created_at),
        "age": _beside_norm(
            (now if is_open else found.moved_at) - found.created_at, habits.cycles_s, habits.won_deals
        ),
        "in_stage": {
            "since": rfc3339(since),
            **_beside_norm(now - since, habits.stays_s, habits.won_deals),
        }
        if is_open
        else None,
        "norm": {"won_deals": habits.won_deals, "needed": WON_NEEDED},
        "last_activity": None
        if found.last_activity_at is None
        else {"at": rfc3339(found.last_activity_at), "seconds": max(0, now - found.last_activity_at)},
        "returns": count_returns(entries, names.order),
        "contribution": _contribution(found, report_amount, rates.currency, settings),
    }


def _border(sight: Sight) -> Border:
    return sight.kept(_borders, (), lambda: store.load_border(sight.conn, sight.portal_id))


def _habits(sight: Sight, category_id: int, stage_id: str) -> Habits:
    return sight.kept(
        _known_habits,
        (category_id, stage_id),
        lambda: deal_history.habits(sight.conn, sight.portal_id, category_id, stage_id),
    )


def _names(sight: Sight, category_id: int) -> Names:
    return sight.kept(
        _known_names,
        (category_id,),
        lambda: deal_history.names(sight.conn, sight.portal_id, category_id),
    )


def _department(owner_id: int, visibility: Visibility) -> dict[str, Any] | None:
    """The first of the employee's departments that is open to the viewer."""
    owner = visibility.org.users.get(owner_id)
    for number in owner.department_ids if owner else ():
        if number in visibility.org.departments and visibility.can_see_department(number):
            return {"id": number, "name": visibility.org.departments[number].name}
    return None


def _beside_norm(seconds: int, durations_s: tuple[int, ...], won_deals: int) -> dict[str, Any]:
    usual = norm(durations_s, won_deals)
    return {
        "seconds": max(0, seconds),
        "median": None if usual is None else usual.median_s,
        "p75": None if usual is None else usual.p75_s,
        "sample": 0 if usual is None else usual.sample,
    }


def _contribution(
    found: Deal, report_amount: str | None, currency: str | None, settings: PortalSettings
) -> dict[str, Any] | None:
    """What a closed deal has already given, and in which month; None for an open one."""
    if found.semantics == "P":
        return None
    won_day: date = found.moved_day
    chosen = settings.pipelines is None or found.category_id in settings.pipelines
    is_won = found.semantics == "S"
    return {
        "metric": "revenue" if is_won else "deals_lost",
        "day": won_day.isoformat(),
        "month": won_day.isoformat()[:7],
        "amount": report_amount if is_won else None,
        "currency": currency if is_won else None,
        "counted": chosen and not found.is_recurring,
    }
