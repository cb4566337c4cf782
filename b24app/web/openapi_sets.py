"""The part of the API's description that is about KPI sets, scores, places, notes, notices and the log."""

from __future__ import annotations

from b24app.metrics.attainment import Status
from b24app.metrics.catalog import CATALOG
from b24app.metrics.periods import NAMES
from b24app.web.schema import (
    AMOUNT,
    DAY,
    FLAG,
    INT,
    MOMENT,
    MONTH,
    NUMBER,
    PERSON,
    PLANNED,
    SCOPE,
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

KEYS = [metric.key for metric in CATALOG]
ONE = query("scope", "One employee: me or user:ID", text())
PAGE = query("page", "From 1", {**INT, "minimum": 1})
PERIOD = [
    query("from", "First local day", DAY),
    query("to", "The day after the last one", DAY),
    query("period", "Instead of from and to", text(enum=[*NAMES, *(f"last_{name}" for name in NAMES)])),
]
MONTHS = [query("from", "First month", MONTH), query("to", "The month after the last one", MONTH)]
SET_ID = in_path("set_id", text())

ASSIGNED = obj(departments=list_of(INT), positions=list_of(text()), users=list_of(INT))
MOVED: Json = {
    "description": "Somebody else has changed the set; `current` is its newest version, null if it is gone",
    "content": {
        "application/problem+json": {
            "schema": obj(
                ["type", "title", "status", "detail", "current"],
                type=text(),
                title=text(),
                status=INT,
                detail=text(),
                current=maybe(ref("Set")),
            )
        }
    },
}

SCHEMAS: Json = {
    "NoticeSent": obj(
        ["sent", "failed", "missing_scope"],
        sent=list_of(obj(["id", "name"], id=INT, name=text())),
        failed=list_of(
            obj(
                ["id", "name", "reason"],
                id=INT,
                name=text(),
                reason=text(enum=["missing_scope", "refused", "no_answer"]),
            )
        ),
        missing_scope=maybe(text()),
    ),
    "Set": obj(
        ["id", "version", "name", "purpose", "owner", "starts_on", "metrics", "assigned"],
        id=SHARE,
        version=maybe(INT),
        name=text(),
        purpose=text(),
        owner=PERSON,
        starts_on=maybe(DAY),
        metrics=list_of(
            obj(["metric", "weight", "name"], metric=text(), weight=NUMBER, name=SHARE),
        ),
        assigned=ASSIGNED,
        made_by=PERSON,
        made_at=maybe(MOMENT),
        is_retired=FLAG,
        people={**INT, "description": "active employees that it applies to today; in the list of sets"},
    ),
    "SetDraft": obj(
        ["name", "metrics"],
        name=text(minLength=1, maxLength=200),
        purpose=text(maxLength=2000),
        owner_id=maybe(INT),
        starts_on={**DAY, "description": "Default: today"},
        metrics=list_of(obj(["metric"], metric=text(enum=KEYS), weight=NUMBER)),
        assigned=ASSIGNED,
        version={**INT, "description": "of the set that the editor saw; needed for a change"},
    ),
    "SetWarning": obj(
        ["code", "metric", "text"],
        code=text(
            enum=[
                "too_many",
                "missing_scope",
                "source_off",
                "not_synced",
                "not_per_employee",
                "no_data",
                "also_assigned",
            ]
        ),
        metric=SHARE,
        text=text(),
    ),
    "Sets": obj(
        ["portal", "sets", "ready"],
        portal=text(),
        sets=list_of(ref("Set")),
        ready=list_of(
            obj(
                ["key", "name", "purpose", "metrics"],
                key=text(),
                name=text(),
                purpose=text(),
                metrics=list_of(obj(metric=text(), weight=NUMBER, name=SHARE)),
            )
        ),
    ),
    "SetSaved": obj(["set", "warnings"], set=ref("Set"), warnings=list_of(ref("SetWarning"))),
    "AppliedSet": obj(
        ["portal", "scope", "day", "is_usual", "set"],
        portal=text(),
        scope=SCOPE,
        day=DAY,
        is_usual={**FLAG, "description": "no set is assigned; these are the usual KPIs"},
        set=ref("Set"),
    ),
    "Score": obj(
        ["portal", "scope", "from", "to", "set", "score", "cap", "metrics"],
        portal=text(),
        scope=SCOPE,
        **{"from": DAY},
        to=DAY,
        set=obj(["id", "version", "name"], id=SHARE, version=maybe(INT), name=text()),
        score=SHARE,
        cap=text(description="the highest attainment that is weighed"),
        metrics=list_of(
            obj(
                ["metric", "weight", "value", "target", "attainment", "counted", "reason"],
                metric=text(),
                name=text(),
                weight=NUMBER,
                value=AMOUNT,
                unit=text(),
                target=PLANNED,
                attainment=SHARE,
                status=maybe(text(enum=list(Status))),
                few_data=FLAG,
                counted=FLAG,
                reason=SHARE,
            )
        ),
    ),
    "Rank": obj(
        ["portal", "metric", "scope", "from", "to", "among", "value", "rank", "of", "reason"],
        portal=text(),
        metric=text(),
        scope=SCOPE,
        **{"from": DAY},
        to=DAY,
        among=SCOPE,
        unit=text(),
        value=AMOUNT,
        rank=maybe(INT),
        of={**INT, "description": "how many have a place"},
        reason=SHARE,
        rows={
            **list_of(obj(["key", "name", "rank", "value"], key=SCOPE, name=text(), rank=INT, value=AMOUNT)),
            "description": "only with an open leaderboard, or for those who may see the whole group",
        },
    ),
    "Note": obj(
        ["id", "kind", "month", "text", "author", "at"],
        id=text(),
        kind=text(enum=["comment", "acknowledged"]),
        month=MONTH,
        text=text(),
        author=PERSON,
        at=MOMENT,
        is_current={**FLAG, "description": "the targets were not set again after they were acknowledged"},
        may_remove=FLAG,
    ),
    "NoteDraft": obj(
        ["scope", "month"],
        scope=text(),
        kind=text(enum=["comment", "acknowledged"]),
        month=MONTH,
        text=text(maxLength=4000),
    ),
    "Notes": obj(
        ["portal", "scope", "from", "to", "may_acknowledge", "notes", "months"],
        portal=text(),
        scope=SCOPE,
        **{"from": MONTH},
        to=MONTH,
        may_acknowledge=FLAG,
        notes=list_of(ref("Note")),
        months=list_of(
            obj(
                ["month", "targets_set_at", "acknowledged_at", "is_current"],
                month=MONTH,
                targets_set_at=maybe(MOMENT),
                acknowledged_at=maybe(MOMENT),
                is_current=FLAG,
            )
        ),
    ),
    "Audit": obj(
        ["portal", "total", "page", "pages", "entries"],
        portal=text(),
        total=INT,
        page=INT,
        pages=INT,
        actions=list_of(text()),
        entries=list_of(
            obj(
                ["id", "at", "actor", "action", "subject", "detail"],
                id=text(),
                at=MOMENT,
                actor=PERSON,
                action=text(),
                subject=text(),
                subject_name=SHARE,
                detail={"type": "object"},
            )
        ),
    ),
}

PATHS: Json = {
    "/api/v1/sets": {
        "get": get(
            "KPI sets in their newest version, and ready-made ones to begin with; for admins",
            answer(ref("Sets")),
            statuses=(401, 403),
        ),
        "post": {
            "summary": "A new set; warnings do not keep it from being stored",
            "requestBody": body(ref("SetDraft")),
            "responses": {"201": answer(ref("SetSaved")), **refused(400, 401, 403)},
        },
    },
    "/api/v1/sets/{set_id}": {
        "put": {
            "summary": "A new version of a set; periods before it begins keep the one that was in force",
            "parameters": [SET_ID],
            "requestBody": body(ref("SetDraft")),
            "responses": {"200": answer(ref("SetSaved")), **refused(400, 401, 403, 404), "409": MOVED},
        },
        "delete": {
            "summary": "End a set from today on",
            "parameters": [
                SET_ID,
                query("version", "The version that the editor saw", INT, required=True),
            ],
            "responses": {
                "204": {"description": "Done"},
                **refused(400, 401, 403, 404),
                "409": MOVED,
            },
        },
    },
    "/api/v1/sets/{set_id}/versions": {
        "get": get(
            "Every version of a set, newest first",
            answer(obj(["versions"], versions=list_of(ref("Set")))),
            SET_ID,
            statuses=(401, 403, 404),
        ),
    },
    "/api/v1/sets/check": {
        "post": {
            "summary": "Warnings about a draft; nothing is stored",
            "requestBody": body(ref("SetDraft")),
            "responses": {
                "200": answer(obj(["warnings"], warnings=list_of(ref("SetWarning")))),
                **refused(400, 401, 403),
            },
        },
    },
    "/api/v1/notices": {
        "post": {
            "summary": "Tell colleagues where the KPIs are, as a notice of the asking admin",
            "requestBody": body(
                obj(["users", "text"], users=list_of(INT), text=text(minLength=1, maxLength=2000))
            ),
            "responses": {"200": answer(ref("NoticeSent")), **refused(400, 401, 403, 429, 503)},
        },
    },
    "/api/v1/sets/applied": {
        "get": get(
            "The set of an employee or a department on a day; for the company the viewer's own",
            answer(ref("AppliedSet")),
            query("scope", "me, user:ID, department:ID or company", text()),
            query("day", "Default: today", DAY),
            statuses=(400, 401, 403, 404),
        ),
    },
    "/api/v1/score": {
        "get": get(
            "The KPI score of an employee",
            answer(ref("Score")),
            ONE,
            *PERIOD,
            statuses=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/rank": {
        "get": get(
            "The place of an employee among colleagues, without their values",
            answer(ref("Rank")),
            query("metric", "One key of the catalogue", text(enum=KEYS), required=True),
            ONE,
            query("among", "The company, or a department that the employee is in", text()),
            *PERIOD,
            statuses=(400, 401, 403, 404, 503),
        ),
    },
    "/api/v1/notes": {
        "get": get(
            "Comments on an employee's months and acknowledgements of targets, newest first",
            answer(ref("Notes")),
            ONE,
            *MONTHS,
            statuses=(400, 401, 403, 404),
        ),
        "post": {
            "summary": "Write a comment, or acknowledge the own targets of a month",
            "requestBody": body(ref("NoteDraft")),
            "responses": {"201": answer(ref("Note")), **refused(400, 401, 403, 404)},
        },
    },
    "/api/v1/notes/{note_id}": {
        "delete": {
            "summary": "Take a comment back",
            "parameters": [in_path("note_id", text())],
            "responses": {"204": {"description": "Done"}, **refused(401, 403, 404)},
        },
    },
    "/api/v1/audit": {
        "get": get(
            "Who changed or looked at what, newest first; for admins",
            answer(ref("Audit")),
            query("action", "Only this action", text()),
            query("actor", "Only by this user, or by programs", text(pattern=r"^([0-9]+|program)$")),
            query("subject", "Only about this (user:7, a setting, a set)", text()),
            query("from", "From this local day on", DAY),
            query("to", "Before this local day", DAY),
            PAGE,
            statuses=(400, 401, 403),
        ),
    },
}
