"""The part of the API's description that is about targets."""

from __future__ import annotations

from b24app.metrics.catalog import CATALOG
from b24app.web.schema import (
    DAY,
    FLAG,
    INT,
    MOMENT,
    MONTH,
    PERSON,
    PLANNED,
    SCOPE,
    SHARE,
    Json,
    answer,
    body,
    get,
    list_of,
    maybe,
    obj,
    query,
    ref,
    refused,
    text,
)

METRIC = query("metric", "One key of the catalogue", text(enum=[m.key for m in CATALOG]), required=True)
WHOSE = query("scope", "Whose: me, user:ID, department:ID or company", text())
PAGE = query("page", "From 1", {**INT, "minimum": 1})

CELL: Json = {"metric": text(), "scope": SCOPE, "month": MONTH}

SCHEMAS: Json = {
    "Target": obj(
        ["metric", "scope", "month", "value"],
        metric=text(),
        scope=SCOPE,
        month=text(description="2026-11; or a quarter, 2026-Q4, which is spread over its months"),
        value={"type": ["number", "string"]},
    ),
    "TargetGrid": obj(
        ["portal", "metric", "scope", "from", "to", "months", "rows", "totals"],
        portal=text(),
        metric=text(),
        unit=text(),
        currency=SHARE,
        adds_up=FLAG,
        scope=SCOPE,
        today=DAY,
        **{"from": MONTH},
        to=MONTH,
        months=list_of(MONTH),
        rows=list_of(
            obj(
                ["key", "kind", "name", "cells"],
                key=SCOPE,
                kind=text(enum=["scope", "department", "user"]),
                name=text(),
                active=FLAG,
                position=SHARE,
                hired_on=maybe(DAY),
                may_edit=FLAG,
                cells=list_of(
                    obj(
                        ["month", "value", "effective"],
                        month=MONTH,
                        value=maybe(text(description="as set, exact decimal; send it back as `before`")),
                        set_by=PERSON,
                        set_at=maybe(MOMENT),
                        effective=PLANNED,
                    )
                ),
            )
        ),
        totals=list_of(
            obj(
                ["month", "target", "people", "undistributed"],
                month=MONTH,
                target=PLANNED,
                people=PLANNED,
                undistributed=PLANNED,
            )
        ),
    ),
    "TargetChange": obj(
        ["metric", "scope", "month", "value"],
        **CELL,
        value={"type": ["number", "string", "null"], "description": "null takes the target away"},
        before={"type": ["number", "string", "null"], "description": "the value that the editor saw"},
    ),
    "TargetsSaved": obj(
        ["accepted", "changed", "undo"], accepted=INT, changed=INT, undo=list_of(ref("TargetChange"))
    ),
    "TargetsConflict": obj(
        ["type", "title", "status", "detail", "reference", "conflicts"],
        type=text(),
        title=text(),
        status=INT,
        detail=text(),
        reference=text(),
        conflicts=list_of(
            obj(
                ["metric", "scope", "month", "value", "before", "theirs"],
                **CELL,
                value=SHARE,
                before=SHARE,
                theirs=SHARE,
                set_by=PERSON,
                set_at=maybe(MOMENT),
            )
        ),
    ),
    "TargetHistory": obj(
        ["portal", "metric", "scope", "total", "page", "pages", "changes"],
        portal=text(),
        metric=text(),
        scope=SCOPE,
        total=INT,
        page=INT,
        pages=INT,
        changes=list_of(
            obj(
                ["id", "metric", "scope", "month", "before", "after", "by", "at"],
                id=text(),
                **CELL,
                name=text(),
                before=SHARE,
                after=SHARE,
                by=PERSON,
                at=MOMENT,
            )
        ),
    ),
    "TargetProposals": obj(
        ["portal", "metric", "scope", "month", "how", "rows"],
        portal=text(),
        metric=text(),
        unit=text(),
        currency=SHARE,
        scope=SCOPE,
        month=MONTH,
        how=text(enum=["history", "copy"]),
        rows=list_of(
            obj(
                ["key", "value", "reason", "months"],
                key=SCOPE,
                name=text(),
                value=SHARE,
                reason=maybe(text(enum=["no_records", "no_target"])),
                months=list_of(obj(["month", "value"], month=MONTH, value=PLANNED)),
            )
        ),
    ),
}

PATHS: Json = {
    "/api/v1/targets": {
        "put": {
            "summary": "Set targets, all or nothing; the same metric, scope and month again replaces",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": list_of(ref("Target"))},
                    "text/csv": {"schema": text(description="the same columns, named in the first line")},
                },
            },
            "responses": {
                "200": answer(obj(["accepted"], accepted=INT)),
                **refused(400, 401, 403, 413),
            },
        },
        "get": get(
            "The targets of one KPI for everybody in a scope, as a grid of people and months",
            answer(ref("TargetGrid")),
            METRIC,
            WHOSE,
            query("from", "First month; default: this year", MONTH),
            query("to", "The month after the last one", MONTH),
            statuses=(400, 401, 403, 404),
        ),
    },
    "/api/v1/targets/changes": {
        "post": {
            "summary": "Save cells of a grid, all or nothing; for admins, and heads for those below them",
            "requestBody": body(obj(["changes"], changes=list_of(ref("TargetChange")))),
            "responses": {
                "200": answer(ref("TargetsSaved")),
                **refused(400, 401, 403, 413),
                "409": {
                    "description": "Somebody else has saved some of the cells; nothing is stored",
                    "content": {"application/problem+json": {"schema": ref("TargetsConflict")}},
                },
            },
        },
    },
    "/api/v1/targets/history": {
        "get": get(
            "Every change of the targets of a scope and of everybody in it, newest first",
            answer(ref("TargetHistory")),
            METRIC,
            WHOSE,
            query("month", "Only of this month", MONTH),
            PAGE,
            statuses=(400, 401, 403, 404),
        ),
    },
    "/api/v1/targets/proposals": {
        "get": get(
            "Values for a month that an editor may take over; nothing is stored",
            answer(ref("TargetProposals")),
            METRIC,
            WHOSE,
            query("month", "Default: this month", MONTH),
            query(
                "how",
                "history: the median of the last six whole months; copy: another month's targets",
                text(enum=["history", "copy"]),
            ),
            query("source", "Of copy: the month to copy; default: the one before", MONTH),
            query("percent", "Of copy: by how much to change the values", text()),
            statuses=(400, 401, 403, 404),
        ),
    },
}
