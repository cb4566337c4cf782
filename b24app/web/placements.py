"""The door of every placement and of the app's own page: one verified launch becomes one filled page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from b24app import i18n, manifest, meters, scope
from b24app.access import Visibility
from b24app.metrics.catalog import CATALOG
from b24app.portals.launch import Launch, Reason, Refused
from b24app.rest.client import PortalClient
from b24app.store.portal import PortalRow
from b24app.sync import freshness
from b24app.viewer import Viewer
from b24app.web import api_deal, api_kpi, api_org, api_sets, api_why, assets, pages, session, tracing, words
from b24app.web.context import parts
from b24app.web.first_view import CALL_CARDS, RECORD_CARDS, first_view, set_path
from b24app.web.headers import allow_framing
from b24app.web.problems import Problem
from b24app.web.remembered import joined, remembered
from b24app.web.sight import Sight, looking
from b24app.web.welcome import known_portal, welcome

blueprint = Blueprint("placements", __name__)

POLL_S = 3
"""How often an open page asks. A change shows within ten seconds: a check waits five for the one before it,
half a second for the worker and its own time, then the page asks."""

SHARED_LIMIT = 1000
"""Characters of the address of a shared view."""
LIVE_READ_S = 2.0
"""How long the page waits for the portal's own answer about its deal; later the browser asks for it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about: a deal, an employee, or the viewer's people."""

    view: str  # deal, employee, department, or one of first_view.RECORD_CARDS
    scope: str | None
    deal_id: int | None = None
    user_id: int | None = None
    record: str | None = None  # kind and id of the record that /api/v1/cards describes
    cards: tuple[str, ...] | None = None  # instead of those of the view


@blueprint.get("/")
def landing() -> AnyResponse:
    """Opened outside a frame: the way back from an authorization, or a visitor (robots send HEAD)."""
    if "code" in request.args and "state" in request.args:
        return redirect(f"{url_for('connect.callback')}?{request.query_string.decode('ascii', 'replace')}")
    return pages.landing()


@blueprint.post("/")
def launch() -> Response:
    """The widget page of any placement."""
    posted = Launch.parse(request.form, request.args)
    known = known_portal(parts(), posted.member_id)
    person = parts().admission.admit(posted, known)
    portal_id = welcome(parts(), posted, person, known)
    place = manifest.load().place(posted.placement)
    entity_id = posted.number(place.entity) if place else None
    viewer = Viewer(
        portal_id=portal_id,
        member_id=person.member_id,
        user_id=person.user_id,
        is_admin=bool(person.is_admin),
        lang=i18n.best(posted.lang),
        placement=posted.placement,
        entity_id=entity_id,
    )
    if place is not None and place.entity is not None and entity_id is None:
        raise Refused(Reason.NO_RECORD, f"{posted.placement} without a record")
    view = place.view if place else "home"

    def client() -> PortalClient:
        license_ = known.license if known else None
        return parts().guest(portal_id, person, posted.access, license_, deadline_s=LIVE_READ_S)

    opened = page(
        viewer,
        person.name,
        view=view,
        client=client if person.is_admin is not None else None,  # else it did not answer just now
        object_id=place.object_id if place else None,
        shared=str(posted.options.get("view") or "")[:SHARED_LIMIT] if place and place.view == "link" else "",
    )
    meters.opening(view, tracing.elapsed_s() or 0.0)
    return opened


def page(
    viewer: Viewer,
    name: str,
    *,
    view: str,
    client: Callable[[], PortalClient] | None,
    object_id: int | None = None,
    shared: str = "",
) -> Response:
    """The widget page, filled from the store.

    view: of the manifest. client: of the viewer, with which the portal may be asked once more; None: not now.
    object_id: the smart process whose item it is about. shared: the address of a view that somebody shared.
    Raises: Refused or Problem where the viewer may not see what the page is about.
    """
    with looking(viewer) as sight:
        _refuse_dismissed(sight)
        first: dict[str, Any] = _deal(sight, client) if view == "deal" and client else {}
        boot = _filled(sight, name, view, first, object_id, shared)
        freshness.touch(parts(), sight.portal_id, known=sight.portal)
    allow_framing(sight.portal.origin)
    return make_response(
        render_template(
            "widget.html",
            lang=viewer.lang,
            session_token=session.issue(viewer),
            boot=boot,
            embedded=joined({**boot, "first": joined(first)}),
            words=i18n.section(viewer.lang, "ui"),
        )
    )


def _refuse_dismissed(sight: Sight) -> None:
    """Raises: Refused for whoever is no employee of the portal any more."""
    stored = sight.company.org.users.get(sight.asking.user_id or 0)
    if stored is not None and not stored.is_active:
        raise Refused(Reason.NO_ACCESS, "the employee was dismissed")


def _filled(
    sight: Sight,
    name: str,
    view: str,
    first: dict[str, Any],
    object_id: int | None,
    shared: str,
) -> dict[str, Any]:
    """The boot JSON of the page without its first answers, which `first` is filled with."""
    viewer, visibility, today = sight.asking, sight.visibility, sight.today
    catalogue = remembered(sight, "catalogue", lambda: api_kpi.catalogue_facts(sight))
    subject = _subject(view, viewer, visibility, first, object_id)
    plan = first_view(
        subject.view,
        today=today,
        scope=subject.scope,
        known=[metric.key for metric in CATALOG],
        deal_id=subject.deal_id,
        cards=subject.cards or _own_cards(sight, subject, first),
    )
    for path in plan.requests:
        if path not in first:
            answer = _answer(path, sight)
            if answer is not None:
                first[path] = answer
    boot = _boot(sight, subject, name)
    is_closed = subject.scope is not None and not visibility.can_see(scope.parse(subject.scope))
    return boot | {
        "layout": plan.layout | {"is_closed": is_closed, "is_fixed": subject.cards is not None},
        "shared": shared,
        "catalog": catalogue,
    }


def _subject(
    view: str, viewer: Viewer, visibility: Visibility, first: dict[str, Any], object_id: int | None
) -> Subject:
    own = f"user:{viewer.user_id}"
    if view == "deal":
        deal = first.get(_deal_path(viewer)) or {}
        owner = deal.get("owner") or {}
        return Subject(
            "deal", f"user:{owner['id']}" if owner.get("visible") else None, deal_id=viewer.entity_id
        )
    if view in RECORD_CARDS:
        kind = view if object_id is None else f"{view}-{object_id}"
        # A project is looked at as far as the viewer's own people go; other records belong to somebody.
        whose = _home(viewer, visibility).scope if view == "project" else None
        return Subject(view, whose, record=f"{kind}/{viewer.entity_id}")
    if view == "calls":
        return replace(_home(viewer, visibility), cards=CALL_CARDS)
    if view == "employee" and viewer.entity_id is not None:
        return Subject("employee", f"user:{viewer.entity_id}", user_id=viewer.entity_id)
    if view in ("home", "link"):
        return _home(viewer, visibility)
    return Subject("employee", own, user_id=viewer.user_id)


def _own_cards(sight: Sight, subject: Subject, first: dict[str, Any]) -> tuple[str, ...] | None:
    """The KPIs of the set by which the page's people are looked at, which comes with the page too."""
    if subject.scope is None or subject.view not in ("department", "employee"):
        return None
    try:
        asked = subject.scope
        known = remembered(sight, f"set {asked}", lambda: api_sets.applied_json(sight, asked, sight.today))
    except Problem:
        return None  # the scope is not open to the viewer: the page says so
    first[set_path(subject.scope, sight.today)] = known
    return tuple(one["metric"] for one in json.loads(known)["set"]["metrics"])


def _home(viewer: Viewer, visibility: Visibility) -> Subject:
    """The people that the viewer looks after, else the viewer."""
    if visibility.everything:
        return Subject("department", "company")
    departments = _widest(visibility)
    if departments:
        return Subject("department", f"department:{departments}")
    return Subject("employee", f"user:{viewer.user_id}", user_id=viewer.user_id)


def _widest(visibility: Visibility) -> int | None:
    """The department that a head's page begins with: the one with most people of those open to the viewer."""
    return max(
        sorted(visibility.departments), key=lambda number: len(visibility.org.people(number)), default=None
    )


def _deal_path(viewer: Viewer) -> str:
    return f"/api/v1/deals/{viewer.entity_id}"


def _deal(sight: Sight, client: Callable[[], PortalClient]) -> dict[str, Any]:
    """The deal as the portal shows it to the viewer; nothing while the portal is slow.

    Raises: Refused where the deal is gone or not for this viewer.
    """
    viewer = sight.asking
    assert viewer.entity_id is not None  # noqa: S101  the launch was refused otherwise
    try:
        return {_deal_path(viewer): api_deal.deal_json(sight, viewer.entity_id, client)}
    except Problem as problem:
        if problem.status in (403, 404):
            problem.extra["key"] = "error.deal_missing"
            raise
        return {}


def _answer(path: str, sight: Sight) -> Any:
    """The body that the API would give, from the store; None where it would be an error or has to be live."""
    parsed, viewer = urlsplit(path), sight.asking
    try:
        if parsed.path == "/api/v1/kpi":
            return api_kpi.kpi_for_page(sight, parse_qsl(parsed.query))
        if parsed.path == "/api/v1/why":
            return remembered(sight, path, lambda: api_why.why_json(sight, parse_qsl(parsed.query)))
        if parsed.path == "/api/v1/org":
            return remembered(sight, path, lambda: api_org.org_json(sight))
        if parsed.path == "/api/v1/sync":
            return api_org.sync_json(sight)
        if parsed.path == _deal_path(viewer):
            assert viewer.entity_id is not None  # noqa: S101  the path was made of it
            return api_deal.stored_deal_json(sight, viewer.entity_id)
    except Problem:
        return None  # the browser asks by itself and shows what the API says
    raise ValueError(f"no embedded answer for {path}")


def _boot(sight: Sight, subject: Subject, name: str) -> dict[str, Any]:
    viewer, portal, visibility = sight.asking, sight.portal, sight.visibility
    stored = visibility.org.users.get(viewer.user_id or 0)
    return {
        "lang": viewer.lang,
        "view": subject.view,
        "placement": viewer.placement,
        "portal": {
            "member_id": portal.member_id,
            "origin": portal.origin,
            "timezone": sight.settings.timezone,
            "link": _link(portal),
        },
        "viewer": {
            "id": viewer.user_id,
            "name": name or (stored.name if stored else ""),
            "is_admin": viewer.is_admin,
            "heads": list(visibility.org.headed_by(viewer.user_id or 0)),
        },
        "entity": {
            "deal_id": subject.deal_id,
            "user_id": subject.user_id,
            "record": subject.record,
        },
        "words": _words(viewer),
        "poll_s": POLL_S,
    }


def _words(viewer: Viewer) -> list[str]:
    """Where the texts of the page are; those of the setup only for whom it is."""
    wanted = (words.PAGE, words.ADMIN) if viewer.is_admin else (words.PAGE,)
    return [assets.url(words.name_of(viewer.lang, part)) for part in wanted]


def _link(portal: PortalRow) -> str | None:
    """The portal's address that opens a shared view; None where the place is not bound."""
    lines = (portal.install_report or {}).get("placements") or []
    if not any(line.get("code") == "REST_APP_URI" and line.get("ok") for line in lines):
        return None
    return f"{portal.origin}/marketplace/view/{parts().settings.client_id}/"
