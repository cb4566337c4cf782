"""`GET /api/v1/settings/choices`: what the settings can name on this portal. For admins.

    {"currencies": [{"code", "is_base"}], "pipelines": [{"id", "name"}],
     "projects": [{"id", "name", "is_closed"}],
     "sources": [{"id", "name"}], "timezones": [names], "uses_leads": true,
     "objects": [{"id", "name", "pipelines": [{"id", "name"}],
                  "fields": [{"id", "name", "type", "values": [{"id", "name"}]}]}], "objects_known": true,
     "titles": [{"id", "name"}]}

`objects` are deals and smart processes, read live with the admin's own token: `objects_known` is false while
the portal does not answer. `titles` are the stored ones, of help desks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection, select

from b24app import i18n
from b24app.facts import values
from b24app.portals.settings import DEAL, SMART_PROCESS_FROM
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.tables import currencies, lead_sources, pipelines, portals, projects, smart_processes
from b24app.viewer import Viewer
from b24app.web import scopes
from b24app.web.context import parts, viewer
from b24app.web.session import require_viewer

blueprint = Blueprint("api_choices", __name__, url_prefix="/api/v1")

PATIENCE_S = 8.0
FIELD_TYPES = ("double", "integer", "money", "enumeration", "string", "boolean", "crm_status")
"""Fields that can hold an amount or a rating."""

Row = Mapping[str, Any]


@blueprint.get("/settings/choices")
@require_viewer
def choices() -> Response:
    """Everything the forms of the settings offer."""
    asking = viewer()
    scopes.require_admin(asking)
    with parts().engine.connect() as conn:
        stored = _stored(conn, asking.portal_id)
    objects = _objects(asking)
    response = jsonify(
        **stored,
        timezones=sorted(name for name in available_timezones() if "/" in name or name == "UTC"),
        objects=objects or [],
        objects_known=objects is not None,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _stored(conn: Connection, portal_id: int) -> dict[str, Any]:
    money = conn.execute(
        select(currencies.c.code, currencies.c.is_base)
        .where(currencies.c.portal_id == portal_id)
        .order_by(currencies.c.is_base.desc(), currencies.c.code)
    )
    lines = conn.execute(
        select(pipelines.c.category_id, pipelines.c.name)
        .where(pipelines.c.portal_id == portal_id, pipelines.c.entity_type_id == DEAL)
        .order_by(pipelines.c.sort, pipelines.c.category_id)
    )
    groups = conn.execute(
        select(projects.c.project_id, projects.c.name, projects.c.is_closed)
        .where(projects.c.portal_id == portal_id)
        .order_by(projects.c.is_closed, projects.c.name)
    )
    origins = conn.execute(
        select(lead_sources.c.source_id, lead_sources.c.name)
        .where(lead_sources.c.portal_id == portal_id)
        .order_by(lead_sources.c.name)
    )
    titles = conn.execute(
        select(smart_processes.c.entity_type_id, smart_processes.c.title)
        .where(smart_processes.c.portal_id == portal_id)
        .order_by(smart_processes.c.title)
    )
    leads = conn.scalar(select(portals.c.uses_leads).where(portals.c.portal_id == portal_id))
    return {
        "currencies": [{"code": row.code, "is_base": row.is_base} for row in money],
        "pipelines": [{"id": row.category_id, "name": row.name} for row in lines],
        "projects": [{"id": row.project_id, "name": row.name, "is_closed": row.is_closed} for row in groups],
        "sources": [{"id": row.source_id, "name": row.name} for row in origins],
        "uses_leads": leads is not False,
        "titles": [{"id": row.entity_type_id, "name": row.title} for row in titles],
    }


def _objects(asking: Viewer) -> list[dict[str, Any]] | None:
    """Deals and smart processes with their pipelines and fields; None where the portal does not answer."""
    client = parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
    try:
        listed = client.call("crm.type.list", {"order": {"id": "ASC"}})
        kinds = [(DEAL, i18n.text(asking.lang, "admin.deals"))]
        for row in _rows(listed, "types"):
            number = values.whole(row.get("entityTypeId")) or 0
            if number >= SMART_PROCESS_FROM:
                kinds.append((number, values.text(row.get("title"), 255) or str(number)))
        answers = client.batch(
            {
                f"{what}{number}": Call(method, {"entityTypeId": number})
                for number, _name in kinds
                for what, method in (("lines", "crm.category.list"), ("fields", "crm.item.fields"))
            }
        )
    except RestError:
        return None
    return [
        {
            "id": number,
            "name": name,
            "pipelines": [
                {"id": values.whole(row.get("id")) or 0, "name": values.text(row.get("name"), 255) or ""}
                for row in _rows(answers.get(f"lines{number}"), "categories")
            ],
            "fields": _fields(answers.get(f"fields{number}")),
        }
        for number, name in kinds
    ]


def _fields(answer: Reply | RestError | None) -> list[dict[str, Any]]:
    result = answer.result if isinstance(answer, Reply) else None
    fields = result.get("fields") if isinstance(result, Mapping) else None
    found = []
    for key, field in (fields if isinstance(fields, Mapping) else {}).items():
        if isinstance(field, Mapping) and field.get("type") in FIELD_TYPES:
            items = field.get("items")
            found.append(
                {
                    "id": str(key),
                    "name": values.text(field.get("title"), 255) or str(key),
                    "type": field["type"],
                    "values": [
                        {"id": str(item.get("ID")), "name": str(item.get("VALUE") or item.get("ID"))}
                        for item in (items if isinstance(items, list) else [])
                        if isinstance(item, Mapping)
                    ],
                }
            )
    return sorted(found, key=lambda field: (not field["id"].startswith("uf"), field["name"]))


def _rows(answer: Reply | RestError | None, name: str) -> Sequence[Row]:
    result = answer.result if isinstance(answer, Reply) else None
    rows = result.get(name) if isinstance(result, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
