"""`GET /openapi.json`: the API described for programs. Kept by hand; a test holds it to the routes."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from b24app.metrics.attainment import Status
from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import Better, By
from b24app.metrics.periods import NAMES, Compare
from b24app.sums.kinds import Kind
from b24app.web import openapi_marketing, openapi_plans, openapi_sets
from b24app.web.context import parts
from b24app.web.schema import AMOUNT, DAY, FLAG, INT, MOMENT, NUMBER, PLANNED, SHARE, Json
from b24app.web.schema import answer as _answer
from b24app.web.schema import body as _body
from b24app.web.schema import get as _get
from b24app.web.schema import in_path as _in_path
from b24app.web.schema import list_of as _list
from b24app.web.schema import maybe as _maybe
from b24app.web.schema import obj as _object
from b24app.web.schema import query as _query
from b24app.web.schema import ref as _ref
from b24app.web.schema import refused as _refused
from b24app.web.schema import text as _text

blueprint = Blueprint("openapi", __name__)

VERSION = "1.0.0"


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
        "paths": PATHS | openapi_marketing.PATHS | openapi_plans.PATHS | openapi_sets.PATHS,
        "components": {
            "schemas": (SCHEMAS | openapi_marketing.SCHEMAS | openapi_plans.SCHEMAS | openapi_sets.SCHEMAS),
            "securitySchemes": SECURITY,
            "responses": RESPONSES,
        },
    }


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
ROW_KEYS = (
    "2026-11-03", "2026-11", "user:7", "department:12", "pipeline:0", "stage:0:NEW", "channel:NAME",
    "project:5", "support_source:session", "support_source:call", "support_source:ticket:1036",
)  # fmt: skip
QUESTION = [
    METRIC,
    SCOPE,
    *PERIOD,
    _query(
        "compare", "What to compare with: the period before, or the year before", _text(enum=list(Compare))
    ),
    _query("by", f"Split into rows, keyed like {', '.join(ROW_KEYS)}", _text(enum=list(By))),
    _query("fresh", "1 waits for a live read of the portal first", _text(enum=["0", "1"])),
]

CHANGE = [
    SCOPE,
    *PERIOD,
    _query("compare", "Default: previous", _text(enum=list(Compare))),
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
    "target": PLANNED,
    "attainment": SHARE,
    "pace": {**PLANNED, "description": "what is expected of the target by today"},
    "forecast": {**PLANNED, "description": "the value at the end of the running period"},
    "status": _maybe(_text(enum=list(Status))),
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
        ["type", "title", "status", "detail", "reference"],
        type=_text(),
        title=_text(),
        status=INT,
        detail=_text(),
        reference=_text(),
    ),
    "Row": _object(
        ["key", "value", "numerator", "denominator"],
        key=_text(),
        value=AMOUNT,
        numerator=AMOUNT,
        denominator=AMOUNT,
        few_data=FLAG,
        target=PLANNED,
        attainment=SHARE,
        pace=PLANNED,
        forecast=PLANNED,
        status=_maybe(_text(enum=list(Status))),
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
        short_name=_text(description="the same in a word or two, for headings of columns"),
        meaning=_text(),
        formula=_text(),
        moment=_text(description="which day a record counts on"),
        credit=_text(description="whose number it is"),
        reading=_text(description="how to read the value"),
        unit=_text(),
        unit_name=_text(),
        better=_text(enum=list(Better)),
        source=_text(),
        origin=_text(enum=["native", "proxy", "manual"]),
        scopes=_list(_text()),
        rest_scopes=_list(_text()),
        dimensions=_list(_text()),
        is_snapshot=FLAG,
        adds_up=FLAG,
        is_mean=FLAG,
        min_sample=_maybe(INT),
        available=FLAG,
        reason=_maybe(_text(enum=REASONS)),
    ),
    "Record": _object(
        ["type", "id", "title", "owner", "at", "counts", "adds"],
        type=_text(enum=[*Kind, "cost", "campaign"]),
        id={"type": ["integer", "string"]},
        title=_text(),
        path=_maybe(_text(description="of the record's card on the portal")),
        client=_maybe(_object(type=_text(enum=["contact", "company", "lead"]), id=INT, name=_text())),
        owner=_maybe(_object(id=INT, name=_text())),
        pipeline=_maybe(_object(id=INT, name=_text())),
        stage=_maybe(_object(id=_text(), name=_text())),
        project=_maybe(_object(id=INT, name=_text())),
        department=_maybe(_object(id=INT, name=_text())),
        channel=SHARE,
        amount=SHARE,
        currency=SHARE,
        at=_maybe(MOMENT),
        day=DAY,
        until=_maybe({**DAY, "description": "the last day of a cost"}),
        counts=FLAG,
        adds=AMOUNT,
        weighs=AMOUNT,
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
    "Why": _object(
        ["portal", "scope", "from", "to", "compared", "metric", "value", "before", "change", "drivers"],
        **FRAME,
        metric=_text(enum=["revenue"]),
        value=AMOUNT,
        before=AMOUNT,
        reason=_maybe(_text(enum=REASONS)),
        change=_maybe(_text(description="value - before, exactly")),
        drivers=_list(
            _object(
                ["key", "unit", "now", "before", "effect"],
                key=_text(enum=["leads", "conversion", "deals", "average_check"]),
                unit=_text(enum=["count", "ratio", "money"]),
                now=AMOUNT,
                before=AMOUNT,
                effect=_text(description="its part of the change; all of them add up to it"),
            )
        ),
        people=_list(_object(["key", "name", "effect"], key=_text(), name=_text(), effect=_text())),
        others=_maybe(_text(description="the part of the change that is nobody's among the people")),
        working_days=_maybe(_object(["elapsed", "all"], elapsed=INT, all=INT)),
        lost=_object(
            count=INT,
            before=_maybe(INT),
            stages=_list(
                _object(
                    ["key", "name", "count"],
                    key=_text(),
                    name=_text(),
                    pipeline=SHARE,
                    count=INT,
                    before=_maybe(INT),
                )
            ),
        ),
        quality=_list(_object(["key", "count", "of"], key=_text(), count=INT, of=INT)),
    ),
    "Moved": _object(
        ["type", "id", "title", "owner", "day", "effect"],
        type=_text(enum=["deal"]),
        id=INT,
        title=_text(),
        path=_text(description="of the record's card on the portal"),
        owner=_object(id=INT, name=_text()),
        day=DAY,
        at=MOMENT,
        amount=_text(),
        currency=_text(),
        effect=_text(description="by how much the deal moved the amount, in the report currency"),
    ),
    "WhyRecords": _object(
        ["portal", "scope", "from", "to", "compared", "up", "down", "hidden"],
        **FRAME,
        up=_list(_ref("Moved")),
        down=_list(_ref("Moved")),
        hidden=INT,
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
                hired_on=_maybe(DAY),
                away_until=_maybe(DAY),
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
        titles={"type": "object", "additionalProperties": {"type": "string"}},
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
                methods=_list(_text()),
            )
        ),
        limits=_object(
            ["is_shared", "bucket", "requests", "operating_limit_s", "window_s", "methods"],
            is_shared=FLAG,
            bucket=_maybe(
                _object(["used", "capacity", "per_second"], used=NUMBER, capacity=NUMBER, per_second=NUMBER)
            ),
            requests=INT,
            operating_limit_s=NUMBER,
            window_s=INT,
            methods=_list(
                _object(
                    ["method", "used_s", "blocked_until"],
                    method=_text(),
                    used_s=NUMBER,
                    blocked_until=_maybe(MOMENT),
                )
            ),
        ),
        comparison=_object(
            at=_maybe(MOMENT),
            is_whole=FLAG,
            error=SHARE,
            differences=_maybe(
                _list(
                    _object(
                        source=_text(),
                        month=_maybe(_text(pattern="^[0-9]{4}-[0-9]{2}$")),
                        in_portal=_maybe(INT),
                        stored=INT,
                        repaired=INT,
                    )
                )
            ),
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
    "Card": {
        "type": "object",
        "description": "One record in numbers; what there is depends on its kind",
    },
    "Choices": {
        "type": "object",
        "description": "Currencies, pipelines, projects, sources, time zones, deals and smart processes",
    },
    "Functions": _object(
        ["functions", "departments", "focus", "most", "is_read", "currency"],
        functions=_list(
            _object(
                ["key", "name", "is_found", "signs", "metrics"],
                key=_text(),
                name=_text(),
                purpose=_text(),
                is_found=FLAG,
                signs=_list(_object(["sign", "is_found"], sign=_text(), is_found=FLAG, count=_maybe(INT))),
                metrics=_list(
                    _object(
                        ["metric", "name", "is_suggested"],
                        metric=_text(),
                        name=_text(),
                        weight=INT,
                        is_suggested=FLAG,
                    )
                ),
                department=_maybe(_object(["id", "name"], id=INT, name=_text())),
            )
        ),
        departments=_list(_object(["id", "name", "depth"], id=INT, name=_text(), depth=INT)),
        focus=INT,
        most=INT,
        is_read=FLAG,
        currency=_maybe(_text()),
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
    409: "Something else has changed it meanwhile",
    413: "Too large",
    429: "Too often",
    503: "The portal or the database cannot be reached and nothing is stored yet",
}

RESPONSES: Json = {
    str(status): {
        "description": meaning,
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    for status, meaning in MEANINGS.items()
}


CHANNEL_DAYS = [
    _query("from", "First local day of creation; by default a year back", DAY),
    _query("to", "The day after the last one; by default tomorrow", DAY),
]
ENTRY_FILTER = [
    _query("from", "Only from this day on", DAY),
    _query("to", "Only before this day", DAY),
    _query("channel", "Only of this channel", _text()),
    _query("department", "Only of this department", INT),
]


def _upload(schema: str) -> Json:
    """The body of an upload: the same columns in every format."""
    return {
        "required": True,
        "content": {
            "application/json": {"schema": _list(_ref(schema))},
            "text/csv": {"schema": _text(description="The columns are named in the first line")},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"schema": {}},
        },
    }


def _entries(path: str, schema: str, summary: str) -> Json:
    """The doors of one kind of entered records, for admins."""
    name = path.rpartition("/")[2]
    return {
        path: {
            "get": _get(
                f"{summary}, the latest first",
                _answer(
                    _object(
                        ["portal", name, "total", "page", "pages"],
                        portal=_text(),
                        **{name: _list(_ref(schema))},
                        total=INT,
                        page=INT,
                        pages=INT,
                        page_size=INT,
                        channels=_list(_text()),
                    )
                ),
                *ENTRY_FILTER,
                _query("page", "From 1", {**INT, "minimum": 1}),
                _query("page_size", "Entries of a page", {**INT, "minimum": 1}),
                statuses=(400, 401, 403),
            ),
            "put": {
                "summary": f"{summary}: store them, all or nothing; the same external_id again replaces",
                "parameters": [
                    _query("skip", "1 leaves out the lines that are wrong", _text(enum=["0", "1"]))
                ],
                "requestBody": _upload(schema),
                "responses": {
                    "200": _answer(_object(["accepted"], accepted=INT, skipped=INT)),
                    **_refused(400, 401, 403, 409, 413),
                },
            },
            "delete": {
                "summary": f"{summary}: delete all that the filter names",
                "parameters": [
                    *ENTRY_FILTER,
                    _query("everything", "1 where there is no filter", _text(enum=["0", "1"])),
                ],
                "responses": {
                    "200": _answer(_object(["deleted"], deleted=INT)),
                    **_refused(400, 401, 403, 409),
                },
            },
        },
        f"{path}/preview": {
            "post": {
                "summary": f"{summary}: what an upload of this body would do; nothing is stored",
                "requestBody": _upload(schema),
                "responses": {"200": _answer(_ref("Preview")), **_refused(400, 401, 403, 413)},
            },
        },
        f"{path}/{{external_id}}": {
            "delete": {
                "summary": f"{summary}: delete one",
                "parameters": [_in_path("external_id", _text())],
                "responses": {"204": {"description": "Done"}, **_refused(401, 403, 404, 409)},
            },
        },
    }


PATHS: Json = {
    "/api/v1/metrics": {"get": _get("The catalogue", _answer(_object(metrics=_list(_ref("Metric")))))},
    "/api/v1/kpi": {
        "get": _get("KPIs", _answer(_ref("Kpi")), *QUESTION, statuses=(400, 401, 403, 404, 503)),
    },
    "/api/v1/kpi/records": {
        "get": _get(
            "The records behind a number, read with the viewer's own rights",
            _answer(_ref("Records")),
            {**METRIC, "required": True, "description": "One key of the catalogue"},
            SCOPE,
            *PERIOD,
            _query("page", "From 1, 50 records each", {**INT, "minimum": 1}),
            statuses=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/why": {
        "get": _get(
            "What a change of the won amount is made of, in parts that add up to it",
            _answer(_ref("Why")),
            *CHANGE,
            statuses=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/why/records": {
        "get": _get(
            "The deals that moved the won amount most, named with the viewer's own rights",
            _answer(_ref("WhyRecords")),
            *CHANGE,
            statuses=(400, 401, 403, 404, 503),
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
            statuses=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/org": {"get": _get("Departments and employees open to the viewer", _answer(_ref("Org")))},
    "/api/v1/sync": {"get": _get("How much of the portal is read", _answer(_ref("Sync")))},
    "/api/v1/deals/{deal_id}": {
        "get": _get(
            "A deal beside the norm of its pipeline",
            _answer(_ref("Deal")),
            _in_path("deal_id", INT),
            statuses=(401, 403, 404, 503),
        ),
    },
    "/api/v1/cards/{kind}/{record_id}": {
        "get": _get(
            "A lead, client, ticket, task or project in numbers, once the portal has shown it to the viewer",
            _answer(_ref("Card")),
            _in_path("kind", {"type": "string"}),
            _in_path("record_id", INT),
            statuses=(401, 403, 404, 503),
        ),
    },
    "/api/v1/settings/choices": {
        "get": _get(
            "What the settings can name on this portal, for admins",
            _answer(_ref("Choices")),
            statuses=(401, 403),
        ),
    },
    "/api/v1/settings/functions": {
        "get": _get(
            "What the company may want to measure, by what its portal shows, for admins",
            _answer(_ref("Functions")),
            statuses=(401, 403),
        ),
    },
    "/api/v1/settings": {
        "get": _get("Settings, for admins", _answer(_ref("Settings")), statuses=(401, 403)),
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
            statuses=(401, 403),
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
            statuses=(401, 403),
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
