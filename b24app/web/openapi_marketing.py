"""Marketing in the description of the API: costs, campaign results, channels."""

from __future__ import annotations

from b24app.entries.sheets import CSV_TYPE, JSON_TYPE, XLSX_TYPE
from b24app.web.schema import (
    DAY,
    FLAG,
    INT,
    SHARE,
    Json,
    answer,
    body,
    get,
    in_path,
    list_of,
    maybe,
    obj,
    query,
    ref,
    refused,
    text,
)

SCHEMAS: Json = {
    "Cost": obj(
        ["external_id", "channel", "from", "to", "amount", "currency"],
        **{"from": DAY},
        external_id=text(maxLength=100),
        channel=text(maxLength=255),
        to={**DAY, "description": "The last day, inclusive"},
        amount=text(description="An exact decimal; a number is taken too"),
        currency=text(pattern="^[A-Z]{3}$"),
        department=maybe(INT),
    ),
    "Campaign": obj(
        ["external_id", "channel", "date", "name", "delivered", "opened", "clicked", "visits"],
        external_id=text(maxLength=100),
        channel=text(maxLength=255),
        date=DAY,
        name=text(maxLength=255),
        delivered=INT,
        opened=INT,
        clicked=INT,
        visits=INT,
        department=maybe(INT),
    ),
    "Flaw": obj(
        ["line", "column", "reason", "text"],
        line={**INT, "description": "In the file; in a JSON list the place, from 1"},
        column=maybe(text()),
        reason=text(),
        value=text(),
        text=text(),
    ),
    "Preview": obj(
        ["format", "rows", "good", "bad", "new", "replaced", "sample", "flaws"],
        format=text(enum=["json", "csv", "xlsx"]),
        encoding=maybe(text()),
        separator=maybe(text()),
        columns=list_of(text()),
        missing_columns=list_of(text()),
        unknown_columns=list_of(text()),
        rows=INT,
        good=INT,
        bad=INT,
        new=INT,
        replaced=INT,
        currencies_without_rate=list_of(text()),
        sample=list_of({"anyOf": [ref("Cost"), ref("Campaign")]}),
        flaws=list_of(ref("Flaw")),
    ),
    "Channels": obj(
        ["portal", "from", "to", "rules", "channels", "origins"],
        **{"from": DAY},
        portal=text(),
        to=DAY,
        rules=list_of(
            obj(
                ["channel", "leads", "deals"],
                utm_source=text(),
                source_id=text(),
                channel=text(),
                leads=INT,
                deals=INT,
            )
        ),
        channels=list_of(
            obj(
                ["channel", "leads", "deals", "has_cost", "has_results"],
                channel=text(),
                leads=INT,
                deals=INT,
                has_cost=FLAG,
                has_results=FLAG,
            )
        ),
        origins=list_of(
            obj(
                ["utm_source", "source_id", "channel", "rule", "leads", "deals"],
                utm_source=SHARE,
                source_id=SHARE,
                source=SHARE,
                channel=text(),
                rule=maybe(INT),
                leads=INT,
                deals=INT,
            )
        ),
        more_origins=INT,
    ),
}

ENTRY_FILTER = [
    query("from", "First day", DAY),
    query("to", "The day after the last one", DAY),
    query("channel", "Of this channel only", text()),
    query("department", "Entered for this department only", INT),
]


def _upload(schema: str) -> Json:
    """What costs and campaign results are sent as."""
    rows = list_of(ref(schema))
    media = {JSON_TYPE: {"schema": rows}, CSV_TYPE: {"schema": text()}, XLSX_TYPE: {"schema": {}}}
    return {"required": True, "content": media}


def _entries(path: str, schema: str, what: str) -> Json:
    """The doors of one kind of entries."""
    frame = {"portal": text(), "total": INT, "page": INT, "pages": INT, "page_size": INT}
    key = path.rpartition("/")[2]
    listed = obj(["total", key], **frame, channels=list_of(text()), **{key: list_of(ref(schema))})
    return {
        path: {
            "get": get(
                f"{what}, the latest first; for admins",
                answer(listed),
                *ENTRY_FILTER,
                query("page", "From 1", {**INT, "minimum": 1}),
                query("page_size", "100 if not said", {**INT, "minimum": 1, "maximum": 1000}),
                statuses=(400, 401, 403),
            ),
            "put": {
                "summary": f"{what}: store all rows or none; the same external_id again replaces",
                "parameters": [query("skip", "1 leaves out the lines that are wrong", text(enum=["0", "1"]))],
                "requestBody": _upload(schema),
                "responses": {
                    "200": answer(obj(["accepted"], accepted=INT, skipped=INT)),
                    **refused(400, 401, 403, 413),
                },
            },
            "delete": {
                "summary": f"{what}: delete what the filter names",
                "parameters": [
                    *ENTRY_FILTER,
                    query("everything", "1 where there is no filter", text(enum=["0", "1"])),
                ],
                "responses": {
                    "200": answer(obj(["deleted"], deleted=INT)),
                    **refused(400, 401, 403),
                },
            },
        },
        f"{path}/preview": {
            "post": {
                "summary": f"{what}: what an upload would do; stores nothing",
                "requestBody": _upload(schema),
                "responses": {"200": answer(ref("Preview")), **refused(400, 401, 403, 413)},
            },
        },
        f"{path}/{{external_id}}": {
            "delete": {
                "summary": f"{what}: delete one",
                "parameters": [in_path("external_id", text())],
                "responses": {"204": {"description": "Done"}, **refused(401, 403, 404)},
            },
        },
    }


CHANNEL_DAYS = [
    query("from", "First day that leads and deals were created on; default: a year back", DAY),
    query("to", "The day after the last one; default: tomorrow", DAY),
]

PATHS: Json = {
    **_entries("/api/v1/costs", "Cost", "Marketing costs"),
    **_entries("/api/v1/campaigns", "Campaign", "Campaign results"),
    "/api/v1/channels": {
        "get": get(
            "Channels of leads and deals, and what the channel rules match; for admins",
            answer(ref("Channels")),
            *CHANNEL_DAYS,
            statuses=(400, 401, 403),
        ),
    },
    "/api/v1/channels/preview": {
        "post": {
            "summary": "The same for other rules, which are not stored",
            "parameters": CHANNEL_DAYS,
            "requestBody": body(
                obj(
                    ["channels"],
                    channels=list_of(obj(["channel"], utm_source=text(), source_id=text(), channel=text())),
                )
            ),
            "responses": {"200": answer(ref("Channels")), **refused(400, 401, 403)},
        },
    },
}
