"""`GET /openapi.json`: the API described for programs. Kept by hand; a test holds it to the routes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import By
from b24app.metrics.periods import NAMES, Compare
from b24app.web.context import parts

blueprint = Blueprint("openapi", __name__)

VERSION = "1.0.0"

Json = dict[str, Any]


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description; public, because it says nothing of any portal."""
    response = jsonify(document(parts().settings.public_url))
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def document(public_url: str) -> Json:
    """The OpenAPI 3.1 document of an app that is reached at the address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KPI API",
            "version": VERSION,
            "description": (
                "Live KPIs of a Bitrix24 portal. Money is a string of an exact decimal, ratios and means are "
                "strings rounded half-even to 10 places beside their numerator and denominator, counts and "
                "seconds are numbers. No data is null with a reason."
            ),
        },
        "servers": [{"url": public_url}],
        "security": [{"program": []}, {"frame": []}],
        "paths": PATHS,
        "components": {"schemas": SCHEMAS, "securitySchemes": SECURITY, "responses": RESPONSES},
    }


def _text(*, enum: list[str] | None = None, **more: Any) -> Json:
    return {"type": "string", **({"enum": enum} if enum else {}), **more}


def _maybe(schema: Json) -> Json:
    """The schema, or null."""
    if "type" in schema and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: list[str] | None = None, **properties: Json) -> Json:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "required": required}


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "schema": schema, "required": True}


def _answer(schema: Json, description: str = "The answer") -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refused(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _body(schema: Json, media_type: str = "application/json") -> Json:
    return {"required": True, "content": {media_type: {"schema": schema}}}


INT: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
NUMBER: Json = {"type": "number"}
DAY = _text(format="date")
MOMENT = _text(format="date-time")
AMOUNT: Json = {"type": ["integer", "string", "null"]}
SHARE = _maybe(_text())
REASONS = ["no_records", "not_synced", "missing_scope", "source_off", "not_per_employee"]

METRIC = _query(
    "metric",
    "Keys of the catalogue, repeated or separated by commas; none means the viewer's KPI set",
    _list(_text(enum=[metric.key for metric in CATALOG])),
)
SCOPE = _query(
    "scope",
    "Whose numbers: me, user:ID, department:ID or company. Default: me; for a program company",
    _text(pattern=r"^(me|company|user:[0-9]+|department:[0-9]+)$"),
)
PERIOD = [
    _query("from", "First local day", DAY),
    _query("to", "The day after the last one", DAY),
    _query("period", "Instead of from and to", _text(enum=[*NAMES, *(f"last_{name}" for name in NAMES)])),
]
QUESTION = [
    METRIC,
    SCOPE,
    *PERIOD,
    _query(
        "compare", "What to compare with: the period before, or the year before", _text(enum=list(Compare))
    ),
    _query("by", "Split into rows", _text(enum=list(By))),
    _query("fresh", "1 waits for a live read of the portal first", _text(enum=["0", "1"])),
]

VALUE_ALWAYS = (
    "metric", "value", "unit", "reason", "provisional", "few_data", "target", "attainment",
)  # fmt: skip
VALUE: Json = {
    "metric": _text(),
    "value": AMOUNT,
    "numerator": AMOUNT,
    "denominator": AMOUNT,
    "unit": _text(enum=["count", "money", "ratio", "seconds"]),
    "reason": _maybe(_text(enum=REASONS)),
    "provisional": FLAG,
    "few_data": FLAG,
    "target": AMOUNT,
    "attainment": SHARE,
    "before": AMOUNT,
    "change": SHARE,
    "since": DAY,
    "left_out": _list(_object(["reason", "count"], reason=_text(), count=INT, currency=_text())),
    "rows": _list(_ref("Row")),
}
FRAME_ALWAYS = ("portal", "scope", "from", "to", "timezone", "currency", "as_of", "complete")
FRAME: Json = {
    "portal": _text(description="member_id"),
    "scope": _text(),
    "from": DAY,
    "to": DAY,
    "timezone": _text(),
    "today": DAY,
    "currency": _maybe(_text()),
    "as_of": _maybe(MOMENT),
    "complete": FLAG,
    "progress": NUMBER,
    "compared": _maybe(_object(["from", "to"], **{"from": DAY}, to=DAY)),
}

SCHEMAS: Json = {
    "Problem": _object(
        ["type", "title", "status", "detail"], type=_text(), title=_text(), status=INT, detail=_text()
    ),
    "Row": _object(
        ["key", "value", "numerator", "denominator"],
        key=_text(),
        value=AMOUNT,
        numerator=AMOUNT,
        denominator=AMOUNT,
        few_data=FLAG,
        before=AMOUNT,
        change=SHARE,
        share=SHARE,
    ),
    "Value": _object([*VALUE_ALWAYS], **VALUE),
    "Kpi": _object(
        [*FRAME_ALWAYS, "values"],
        **FRAME,
        values=_list(_ref("Value")),
        names={"type": "object", "additionalProperties": _text()},
    ),
    "Metric": _object(
        [
            "key",
            "name",
            "meaning",
            "formula",
            "unit",
            "better",
            "source",
            "scopes",
            "dimensions",
            "available",
        ],
        key=_text(),
        group=_text(),
        group_name=_text(),
        name=_text(),
        meaning=_text(),
        formula=_text(),
        moment=_text(description="which day a record counts on"),
        credit=_text(description="whose number it is"),
        reading=_text(description="how to read the value"),
        unit=_text(),
        unit_name=_text(),
        better=_text(enum=["up", "down", "none"]),
        source=_text(),
        origin=_text(enum=["native", "proxy", "manual"]),
        scopes=_list(_text()),
        rest_scopes=_list(_text()),
        dimensions=_list(_text()),
        is_snapshot=FLAG,
        is_mean=FLAG,
        min_sample=_maybe(INT),
        available=FLAG,
        reason=_maybe(_text(enum=REASONS)),
    ),
    "Record": _object(
        ["type", "id", "title", "owner", "at", "counts", "adds"],
        type=_text(enum=["deal", "lead"]),
        id=INT,
        title=_text(),
        path=_text(description="of the record's card on the portal"),
        client=_maybe(_object(type=_text(enum=["contact", "company"]), id=INT, name=_text())),
        owner=_object(id=INT, name=_text()),
        pipeline=_maybe(_object(id=INT, name=_text())),
        stage=_object(id=_text(), name=_text()),
        amount=SHARE,
        currency=SHARE,
        at=MOMENT,
        day=DAY,
        counts=FLAG,
        adds=AMOUNT,
        left_out=SHARE,
    ),
    "Records": _object(
        [*FRAME_ALWAYS, *VALUE_ALWAYS, "total", "page", "pages", "shown", "hidden", "records"],
        **FRAME,
        **VALUE,
        total=INT,
        page=INT,
        pages=INT,
        page_size=INT,
        shown=INT,
        hidden=INT,
        shown_sum=AMOUNT,
        hidden_sum=AMOUNT,
        records=_list(_ref("Record")),
    ),
    "Org": _object(
        ["portal", "departments", "employees"],
        portal=_text(),
        me=_maybe(INT),
        is_admin=FLAG,
        sees_company=FLAG,
        heads=_list(INT),
        departments=_list(
            _object(
                ["id", "name", "parent_id"],
                id=INT,
                scope=_text(),
                name=_text(),
                parent_id=_maybe(INT),
                depth=INT,
                head_id=_maybe(INT),
                people=INT,
            )
        ),
        employees=_list(
            _object(
                ["id", "name", "active", "department_ids"],
                id=INT,
                scope=_text(),
                name=_text(),
                position=_text(),
                photo=SHARE,
                active=FLAG,
                department_ids=_list(INT),
                departments=_list(_text()),
            )
        ),
    ),
    "Sync": _object(
        ["portal", "complete", "progress", "as_of", "sources"],
        portal=_text(),
        complete=FLAG,
        progress=NUMBER,
        as_of=_maybe(MOMENT),
        problems=_list(_text()),
        sources=_list(
            _object(
                ["source", "state", "progress"],
                source=_text(),
                state=_text(enum=["pending", "reading", "ready", "off"]),
                reason=SHARE,
                progress=NUMBER,
                covered_from=_maybe(DAY),
                rows=_maybe(INT),
                read_at=_maybe(MOMENT),
                error=SHARE,
            )
        ),
    ),
    "Settings": _object(
        timezone=_text(),
        currency=_maybe(_text()),
        pipelines=_maybe(_list(INT)),
        projects=_maybe(_list(INT)),
        support=_object(
            sessions=FLAG,
            calls=FLAG,
            tickets=_list(
                _object(
                    ["entity_type_id", "category_id"],
                    entity_type_id=INT,
                    category_id=INT,
                    rating_field=_text(),
                    positive_values=_list(_text()),
                )
            ),
        ),
        fcr_days=INT,
        working_hours_for_support=FLAG,
        hours_per_day=NUMBER,
        budget=_maybe(
            _object(
                ["entity_type_id", "planned_field", "actual_field"],
                entity_type_id=INT,
                planned_field=_text(),
                actual_field=_text(),
            )
        ),
        channels=_list(_object(["channel"], utm_source=_text(), source_id=_text(), channel=_text())),
        min_sample=_object(ratio=INT, mean=INT),
        thresholds=_object(met=NUMBER, near=NUMBER),
        open_leaderboard=FLAG,
        grants=_list(_object(["user", "scope"], user=INT, scope=_text())),
    ),
    "Token": _object(
        ["access_token", "token_type", "expires_in"], access_token=_text(), token_type=_text(), expires_in=INT
    ),
    "Deal": {
        "type": "object",
        "description": "One deal beside the won deals of its pipeline, for the tab of the deal card",
    },
    "Installation": {
        "type": "object",
        "description": "Steps, scopes that are missing, and what does not work without them",
    },
    "ApiClient": _object(["client_id", "name"], client_id=_text(), name=_text(), created_at=MOMENT),
    "NewApiClient": _object(
        ["client_id", "client_secret", "name"], client_id=_text(), client_secret=_text(), name=_text()
    ),
}

SECURITY: Json = {
    "program": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    },
    "frame": {"type": "http", "scheme": "bearer", "description": "The session token of a frame"},
}

MEANINGS = {
    400: "A parameter is wrong; `detail` names it",
    401: "No token, or a dead one",
    403: "Not for this viewer",
    404: "No such metric; for admins also: no such scope",
    503: "The portal or the database cannot be reached and nothing is stored yet",
}

RESPONSES: Json = {
    str(status): {
        "description": meaning,
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    for status, meaning in MEANINGS.items()
}


def _get(summary: str, answer: Json, *parameters: Json, refused: tuple[int, ...] = (401,)) -> Json:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": answer, **_refused(*refused)},
    }


PATHS: Json = {
    "/api/v1/metrics": {"get": _get("The catalogue", _answer(_object(metrics=_list(_ref("Metric")))))},
    "/api/v1/kpi": {
        "get": _get("KPIs", _answer(_ref("Kpi")), *QUESTION, refused=(400, 401, 403, 404, 503)),
    },
    "/api/v1/kpi/records": {
        "get": _get(
            "The records behind a number, read with the viewer's own rights",
            _answer(_ref("Records")),
            {**METRIC, "required": True, "description": "One key of the catalogue"},
            SCOPE,
            *PERIOD,
            _query("page", "From 1, 50 records each", {**INT, "minimum": 1}),
            refused=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/export.{extension}": {
        "get": _get(
            "The question of /kpi, answered as a file",
            {
                "description": "The file",
                "content": {
                    "text/csv": {"schema": _text()},
                    "application/json": {"schema": _ref("Kpi")},
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"schema": {}},
                },
            },
            _in_path("extension", _text(enum=["csv", "xlsx", "json"])),
            *QUESTION,
            refused=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/org": {"get": _get("Departments and employees open to the viewer", _answer(_ref("Org")))},
    "/api/v1/sync": {"get": _get("How much of the portal is read", _answer(_ref("Sync")))},
    "/api/v1/deals/{deal_id}": {
        "get": _get(
            "A deal beside the norm of its pipeline",
            _answer(_ref("Deal")),
            _in_path("deal_id", INT),
            refused=(401, 403, 404, 503),
        ),
    },
    "/api/v1/settings": {
        "get": _get("Settings, for admins", _answer(_ref("Settings")), refused=(401, 403)),
        "patch": {
            "summary": "Change settings: keys that are sent replace, null takes a choice back",
            "requestBody": _body(_ref("Settings")),
            "responses": {"200": _answer(_ref("Settings")), **_refused(400, 401, 403)},
        },
    },
    "/api/v1/api-clients": {
        "get": _get(
            "Programs that an admin let in",
            _answer(_object(clients=_list(_ref("ApiClient")))),
            refused=(401, 403),
        ),
        "post": {
            "summary": "Let a program in; its secret is shown this once",
            "requestBody": _body(_object(["name"], name=_text(minLength=1, maxLength=200))),
            "responses": {"201": _answer(_ref("NewApiClient")), **_refused(400, 401, 403)},
        },
    },
    "/api/v1/api-clients/{client_id}": {
        "delete": {
            "summary": "End a program's access",
            "parameters": [_in_path("client_id", _text())],
            "responses": {"204": {"description": "Done"}, **_refused(401, 403, 404)},
        },
    },
    "/api/v1/install": {
        "get": _get(
            "How far the installation on the portal is, for admins",
            _answer(_ref("Installation")),
            refused=(401, 403),
        ),
        "post": {
            "summary": "Register on the portal again, for example after a scope was granted",
            "responses": {
                "202": _answer(_ref("Installation"), "It has begun"),
                **_refused(401, 403),
            },
        },
    },
    "/oauth/token": {
        "post": {
            "summary": "A token for a program: client credentials of OAuth 2.0",
            "security": [],
            "requestBody": _body(
                _object(
                    ["grant_type"],
                    grant_type=_text(enum=["client_credentials"]),
                    client_id=_text(),
                    client_secret=_text(),
                ),
                "application/x-www-form-urlencoded",
            ),
            "responses": {"200": _answer(_ref("Token")), **_refused(400, 401)},
        },
    },
    "/openapi.json": {
        "get": {
            "summary": "This description",
            "security": [],
            "responses": {"200": _answer({"type": "object"})},
        },
    },
}
