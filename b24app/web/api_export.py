"""`GET /api/v1/export.{csv,xlsx,json}`: the question of `/kpi`, answered as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from flask import Blueprint, Response, abort, json, request

from b24app import i18n
from b24app.export import csv, xlsx
from b24app.export.table import Line, lines
from b24app.web import api_kpi
from b24app.web.context import viewer
from b24app.web.session import require_viewer
from b24app.web.sight import looking

blueprint = Blueprint("api_export", __name__, url_prefix="/api/v1")

TABLES: Mapping[str, tuple[str, Callable[[Iterable[Line]], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", csv.write),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write),
}


@blueprint.get("/export.<extension>")
@require_viewer
def export(extension: str) -> Response:
    """The answer as a download; it says what `/kpi` says to this viewer, nothing more."""
    if extension != "json" and extension not in TABLES:
        abort(404, f"exports are json, {', '.join(TABLES)}")
    asking = viewer()
    with looking(asking) as sight:
        answer = api_kpi.kpi_json(sight, list(request.args.items(multi=True)))
    if extension == "json":
        body, kind = json.dumps(answer).encode(), "application/json"
    else:
        kind, write = TABLES[extension]
        names = {
            value["metric"]: i18n.text(asking.lang, f"catalog.{value['metric']}.text.name")
            for value in answer["values"]
        }
        body = write(lines(answer, names))
    response = Response(body, content_type=kind)
    period = f"{answer['from']}_{answer['to']}"
    scope = answer["scope"].replace(":", "-")
    response.headers["Content-Disposition"] = f'attachment; filename="kpi_{scope}_{period}.{extension}"'
    response.headers["Cache-Control"] = "no-store"
    return response
