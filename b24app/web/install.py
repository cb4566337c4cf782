"""The installation frame: proves the admin, stores the portal, registers at once, shows the progress."""

from __future__ import annotations

from concurrent.futures import wait
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from b24app import i18n, manifest
from b24app.portals import installation, registry
from b24app.portals.installation import Report
from b24app.portals.launch import Launch, Reason, Refused
from b24app.sync import state
from b24app.viewer import Viewer
from b24app.web import pages, session
from b24app.web.context import parts, viewer
from b24app.web.headers import allow_framing
from b24app.web.problems import Problem
from b24app.web.session import require_viewer
from b24app.web.welcome import known_portal

blueprint = Blueprint("install", __name__)

PATIENCE_S = 3.0
"""How long the page waits for the registration; a slower one is followed by the page's own questions."""

POLL_S = 1


@blueprint.get("/install")
def landing() -> Response:
    """Opened outside a portal."""
    return pages.landing()


@blueprint.post("/install")
def install() -> Response:
    """The page of the portal's installation frame; it finishes the installation by itself."""
    launch = Launch.parse(request.form, request.args)
    known = known_portal(parts(), launch.member_id)
    person = parts().admission.admit(launch, known, secret_may_change=True)
    if person.is_admin is None:
        raise Refused(Reason.UNCONFIRMED, "the portal does not say whether this is an admin")
    if not person.is_admin:
        raise Refused(Reason.ADMIN_ONLY, "an installation by somebody who is no admin")
    portal_id = installation.enrol(
        parts(),
        person,
        access=launch.access,
        refresh=launch.refresh,
        expires_in=launch.expires_in,
        lang=launch.lang,
        application_token=launch.application_token,
    )
    wait([parts().soon.submit(installation.register, parts(), portal_id, person.user_id)], PATIENCE_S)
    with parts().engine.connect() as conn:
        portal = registry.by_id(conn, parts().vault, portal_id)
    if portal is None:
        raise Refused(Reason.NOT_INSTALLED, "the app was removed while it was being installed")
    admin = Viewer(
        portal_id=portal_id,
        member_id=person.member_id,
        user_id=person.user_id,
        is_admin=True,
        lang=i18n.best(launch.lang),
    )
    allow_framing(portal.origin)
    boot = {
        "lang": admin.lang,
        "view": "install",
        "placement": launch.placement,
        "portal": {"member_id": portal.member_id, "origin": portal.origin},
        "viewer": {"id": admin.user_id, "name": person.name, "is_admin": True, "heads": []},
        "is_installed": person.is_installed,
        "strings": i18n.section(admin.lang, "ui") | {"install": i18n.section(admin.lang, "install")},
        "first": {"/api/v1/install": progress(admin, portal.install_report)},
        "poll_s": POLL_S,
    }
    return make_response(
        render_template(
            "install.html",
            lang=admin.lang,
            session_token=session.issue(admin),
            boot=boot,
            words=boot["strings"],
        )
    )


@blueprint.get("/api/v1/install")
@require_viewer
def show() -> Response:
    """How far the installation is, for admins."""
    return jsonify(progress(viewer(), _portal().install_report))


@blueprint.post("/api/v1/install")
@require_viewer
def repeat() -> Response:
    """Register again, for example after a scope was granted; the answer shows the beginning."""
    asking = viewer()
    portal = _portal()
    assert asking.user_id is not None  # noqa: S101  _portal lets no program through
    if not installation.is_running(portal.install_report):
        job = parts().soon.submit(installation.register, parts(), portal.id, asking.user_id)
        wait([job], PATIENCE_S)
    response = jsonify(progress(asking, _portal().install_report))
    response.status_code = 202
    return response


def progress(asking: Viewer, report: Any) -> dict[str, Any]:
    """How far an installation is, in words for the page.

        {"state": "running" | "done" | "failed", "error", "progress": 0..1, "can_finish",
         "steps": [{"key", "title", "state": "waiting" | "running" | "done" | "failed", "done", "total"}],
         "scopes": [{"key", "title", "granted", "lost"}],      lost: what does not work without it
         "placements": [{"code", "title", "ok", "error"}], "notes": [text],
         "reading": {"complete", "progress"}}

    `can_finish`: the portal may be told that the installation is done; missing rights do not hinder it.
    """
    found: Report = dict(report or {"state": "running"})
    with parts().engine.connect() as conn:
        reading = state.load(conn, asking.portal_id)
    steps = _steps(asking.lang, found)
    finished = [step for step in steps if step["state"] in ("done", "failed")]
    return {
        "state": found["state"],
        "error": found.get("error"),
        "progress": round(len(finished) / len(steps), 2),
        "can_finish": found["state"] == "done",
        "steps": steps,
        "scopes": _scopes(asking.lang, found),
        "placements": _placements(asking.lang, found),
        "notes": _notes(asking.lang, found),
        "reading": {"complete": reading.complete, "progress": round(reading.progress, 4)},
    }


def _portal() -> registry.Portal:
    asking = viewer()
    if not asking.is_admin or asking.user_id is None:
        raise Problem(403, "For admins", "only an admin of the portal may install")
    with parts().engine.connect() as conn:
        portal = registry.by_id(conn, parts().vault, asking.portal_id)
    if portal is None:
        raise Problem(401, "Not authorized", "the portal is not stored")
    return portal


def _steps(lang: str, report: Report) -> list[dict[str, Any]]:
    steps = [{"key": "portal", "state": "done", "done": 1, "total": 1}]
    totals = {
        "placements": max(len(manifest.load().places), len(report.get("placements") or [])),
        "events": len(manifest.load().online_events) + sum(map(len, manifest.load().offline_events.values())),
    }
    for key, total in totals.items():
        lines = report.get(key) or []
        if lines:
            now = "done"
        elif report["state"] == "running":
            now = "running" if all(step["state"] == "done" for step in steps) else "waiting"
        else:
            now = "failed"
        steps.append({"key": key, "state": now, "done": sum(line["ok"] for line in lines), "total": total})
    return [{**step, "title": i18n.text(lang, f"install.step.{step['key']}")} for step in steps]


def _scopes(lang: str, report: Report) -> list[dict[str, Any]]:
    missing = report.get("missing_scopes") or []
    return [
        {
            "key": scope.key,
            "title": i18n.text(lang, f"install.scope.{scope.key}.title"),
            "granted": scope.key not in missing,
            "lost": i18n.text(lang, f"install.scope.{scope.key}.lost"),
        }
        for scope in manifest.load().scopes
    ]


def _placements(lang: str, report: Report) -> list[dict[str, Any]]:
    lines = []
    for line in report.get("placements") or []:
        place = manifest.load().place(line["code"])
        title = place.title.get(lang, place.title["en"]) if place else line["code"]
        where = i18n.text(lang, f"install.place.{place.key}") if place else ""
        lines.append({**line, "title": title, "where": where})
    return lines


def _notes(lang: str, report: Report) -> list[str]:
    notes = []
    if report.get("error"):
        notes.append(i18n.text(lang, "install.note.failed", code=report["error"]))
    events = report.get("events") or []
    offline = {name for names in manifest.load().offline_events.values() for name in names}
    if any(not line["ok"] and line["code"] in offline for line in events):
        notes.append(i18n.text(lang, "install.note.no_queue"))
    if any(not line["ok"] and line["code"] not in offline for line in events):
        notes.append(i18n.text(lang, "install.note.no_events"))
    return notes
