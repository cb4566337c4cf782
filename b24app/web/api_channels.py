"""`/api/v1/channels`: which channels leads and deals came through, and what the rules for that match.

    {"portal", "from", "to",
     "rules":    [{"utm_source"?, "source_id"?, "channel", "leads", "deals"}],   what each one decides
     "channels": [{"channel", "leads", "deals", "has_cost", "has_results"}],     entered ones are there too
     "origins":  [{"utm_source", "source_id", "source", "channel", "rule", "leads", "deals"}],
     "more_origins"}                                                             how many are not told

`rule` is the place of the rule that decides, null where none does. `GET` answers for the rules that are set,
`POST /api/v1/channels/preview` for `{"channels": [rules]}`, which it does not store. For admins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from b24app import clock
from b24app.entries import cells
from b24app.entries.cells import Reading, Refused
from b24app.metrics import periods
from b24app.metrics.channels import channel_of, deciding_rule
from b24app.metrics.periods import Period
from b24app.portals import settings
from b24app.portals.settings import ChannelRule, PortalSettings, SettingsRefused
from b24app.refusal import Why
from b24app.store import entered, origins
from b24app.store.company import load_company
from b24app.store.entered import Campaign, Cost
from b24app.store.origins import Origin
from b24app.viewer import Viewer
from b24app.web import parameters, problems, scopes
from b24app.web.context import parts, viewer
from b24app.web.session import require_viewer

blueprint = Blueprint("api_channels", __name__, url_prefix="/api/v1")

USUAL_DAYS = 365
"""How far back records are looked at when nobody says."""
SHOWN_ORIGINS = 500


@blueprint.get("/channels")
@require_viewer
def channels() -> Response:
    """What the rules that are set match."""
    asking = viewer()
    scopes.require_admin(asking)
    with parts().engine.connect() as conn:
        portal_settings = settings.load(conn, asking.portal_id)
    return jsonify(channels_json(asking, portal_settings, portal_settings.channels))


@blueprint.post("/channels/preview")
@require_viewer
def preview() -> Response:
    """What other rules would match."""
    asking = viewer()
    scopes.require_admin(asking)
    with parts().engine.connect() as conn:
        portal_settings = settings.load(conn, asking.portal_id)
        known = settings.load_known(conn, asking.portal_id)
    body = request.get_json(force=True)
    try:
        if not isinstance(body, dict) or body.keys() != {"channels"}:
            raise SettingsRefused({"channels": Why("not_the_only_member")})
        rules = settings.patched(portal_settings, body, known).channels
    except SettingsRefused as error:
        raise problems.parts_refused("Rules refused", error, asking.lang) from error
    return jsonify(channels_json(asking, portal_settings, rules))


def channels_json(
    asking: Viewer, portal_settings: PortalSettings, rules: Sequence[ChannelRule]
) -> dict[str, Any]:
    """The body of both answers. Raises: Problem 400 for wrong days."""
    period = _period(portal_settings)
    with parts().engine.connect() as conn:
        found = origins.load(conn, asking.portal_id, period)
        names = load_company(conn, asking.portal_id).reference.source_names
        paid = set(entered.channels(conn, asking.portal_id, Cost))
        measured = set(entered.channels(conn, asking.portal_id, Campaign))
    judged = [
        (origin, channel_of(origin.utm_source, origin.source_id, rules, names), _place(origin, rules))
        for origin in found
    ]
    by_rule, by_channel = _Counts(), _Counts()
    for origin, channel, place in judged:
        by_channel.add(channel, origin)
        if place is not None:
            by_rule.add(place, origin)
    return {
        "portal": asking.member_id,
        "from": period.start.isoformat(),
        "to": period.end.isoformat(),
        "rules": [{**settings.channel_json(rule), **by_rule.of(place)} for place, rule in enumerate(rules)],
        "channels": [
            {
                "channel": channel,
                **by_channel.of(channel),
                "has_cost": channel in paid,
                "has_results": channel in measured,
            }
            for channel in sorted(by_channel.keys() | paid | measured)
        ],
        "origins": [
            {
                "utm_source": origin.utm_source,
                "source_id": origin.source_id,
                "source": names.get(origin.source_id or ""),
                "channel": channel,
                "rule": place,
                "leads": origin.leads,
                "deals": origin.deals,
            }
            for origin, channel, place in judged[:SHOWN_ORIGINS]
        ],
        "more_origins": max(0, len(judged) - SHOWN_ORIGINS),
    }


class _Counts:
    """Leads and deals by what they belong to."""

    def __init__(self) -> None:
        self._leads: Counter[str | int] = Counter()
        self._deals: Counter[str | int] = Counter()

    def add(self, key: str | int, origin: Origin) -> None:
        self._leads[key] += origin.leads
        self._deals[key] += origin.deals

    def of(self, key: str | int) -> dict[str, int]:
        return {"leads": self._leads[key], "deals": self._deals[key]}

    def keys(self) -> set[str]:
        return {key for key in self._leads if isinstance(key, str)}


def _place(origin: Origin, rules: Sequence[ChannelRule]) -> int | None:
    return deciding_rule(origin.utm_source, origin.source_id, rules)


def _period(portal_settings: PortalSettings) -> Period:
    arguments = parameters.single(("from", "to"))
    today = periods.local_day(clock.now(), ZoneInfo(portal_settings.timezone))
    end = _day("to", arguments.get("to"), today + timedelta(days=1))
    start = _day("from", arguments.get("from"), end - timedelta(days=USUAL_DAYS))
    if start >= end:
        raise parameters.wrong("to", "is exclusive and must be later than from")
    return Period(start, end)


def _day(name: str, written: str | None, usual: date) -> date:
    if written is None:
        return usual
    try:
        return cells.day(written, Reading(is_typed=True))
    except Refused as error:
        raise parameters.wrong(name, f"{written!r} is no date YYYY-MM-DD") from error
