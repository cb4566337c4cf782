"""`GET /api/v1/kpi/records`: the records behind a number, named by the portal with the viewer's own token.

The store knows which records made the number and what each added; whether the viewer may see one is the
portal's decision. What it does not show is counted and not described.

    {"portal", "metric", "scope", "from", "to", "timezone", "currency", "as_of", "complete",
     "value", "numerator", "denominator", "unit", "reason", …   as in /kpi
     "total", "page", "pages", "page_size",
     "shown", "hidden",                             on this page
     "shown_sum", "hidden_sum",                     of "adds" on this page; the latter for heads and admins
     "records": [{"type": "deal" | "lead", "id", "title", "path", "client": {"type", "id", "name"} | null,
                  "owner": {"id", "name"}, "pipeline": {"id", "name"} | null, "stage": {"id", "name"},
                  "amount", "currency", "at", "day", "counts", "adds", "left_out"}]}

`counts`: the record is in the numerator (or the sum), not in the denominator alone. `adds`: what it adds
there: 1, seconds, or money in the report currency. `left_out`: `no_rate` where that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from b24app.access import Visibility
from b24app.facts import deals, records
from b24app.facts.records import PAGE_SIZE, Question, Record
from b24app.metrics.context import Context
from b24app.metrics.engine import owners_of
from b24app.metrics.kinds import NO_RATE
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, RestError
from b24app.viewer import Viewer
from b24app.web import api_kpi
from b24app.web.api_kpi import Asked
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import money_text
from b24app.web.problems import Problem
from b24app.web.session import require_viewer

blueprint = Blueprint("api_records", __name__, url_prefix="/api/v1")

LEAD, DEAL, CONTACT, COMPANY = 1, deals.ENTITY_TYPE_ID, 3, 4
"""Entity types of the portal."""
KINDS = {LEAD: "lead", DEAL: "deal"}
CLIENTS = {"contact": CONTACT, "company": COMPANY}
FIELDS = {
    LEAD: ["id", "title"],
    DEAL: ["id", "title"],
    CONTACT: ["id", "name", "lastName"],
    COMPANY: ["id", "title"],
}

PARAMETERS = frozenset({"metric", "scope", "from", "to", "period", "page"})
LAST_PAGE = 100_000
PATIENCE_S = 10.0
"""How long somebody who opened the list waits for a slow portal."""


@dataclass(frozen=True)
class Named:
    """What the portal told this viewer: records and clients by entity type and id."""

    names: Mapping[tuple[int, int], str]

    def __contains__(self, record: Record) -> bool:
        return (record.entity_type_id, record.id) in self.names


@blueprint.get("/kpi/records")
@require_viewer
def behind() -> Response:
    """One page of the records behind one number."""
    response = jsonify(records_json(viewer(), list(request.args.items(multi=True))))
    response.headers["Cache-Control"] = "no-store"
    return response


def records_json(asking: Viewer, arguments: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The body of `GET /api/v1/kpi/records`.

    Raises: Problem as `/kpi` does, 400 for a wrong page or not exactly one metric, 503 while the portal
    does not answer.
    """
    number, rest = _page(arguments)
    with parts().engine.connect() as conn:
        asked = api_kpi.ask(conn, asking, rest)
        if len(asked.query.metrics) != 1:
            raise Problem(400, "Wrong parameter", "metric: name exactly one", parameter="metric")
        answered = api_kpi.answer(conn, asked, asking)
        question = _question(asked)
        total = records.count(conn, asking.portal_id, question)
        rows = records.page(conn, asking.portal_id, question, number) if total else []
    named = _ask_portal(asking, rows)
    shown = [row for row in rows if row in named]
    hidden = [row for row in rows if row not in named]
    context, is_money = asked.context, asked.query.metrics[0].shape.terms[0].is_money
    value = answered.pop("values")[0]
    return {
        **{key: answered[key] for key in answered if key not in ("names", "compared")},
        **value,
        "total": total,
        "page": number,
        "pages": -(-total // PAGE_SIZE),
        "page_size": PAGE_SIZE,
        "shown": len(shown),
        "hidden": len(hidden),
        "shown_sum": _sum(shown, context, is_money),
        "hidden_sum": _sum(hidden, context, is_money) if _may_sum_hidden(asked.visibility) else None,
        "records": [_record(row, named, asked, is_money) for row in shown],
    }


def _page(arguments: Iterable[tuple[str, str]]) -> tuple[int, list[tuple[str, str]]]:
    rest: list[tuple[str, str]] = []
    pages: list[str] = []
    for name, value in arguments:
        if name not in PARAMETERS:
            known = ", ".join(sorted(PARAMETERS))
            raise Problem(
                400, "Wrong parameter", f"{name}: is no parameter; known are {known}", parameter=name
            )
        if name == "page":
            pages.append(value)
        else:
            rest.append((name, value))
    if not pages:
        return 1, rest
    text = pages[0]
    if len(pages) > 1 or not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LAST_PAGE):
        raise Problem(400, "Wrong parameter", "page: must be a number from 1", parameter="page")
    return int(text), rest


def _question(asked: Asked) -> Question:
    metric = asked.query.metrics[0]
    shape = metric.shape_in(asked.context.uses_leads)
    return Question(
        shape=shape,
        period=asked.query.period,
        owners=owners_of(asked.query, asked.context),
        categories=asked.context.categories,
    )


def _ask_portal(asking: Viewer, rows: Sequence[Record]) -> Named:
    """Titles of the records and names of their clients, as far as the portal shows them to the viewer."""
    wanted: dict[int, set[int]] = {}
    for row in rows:
        wanted.setdefault(row.entity_type_id, set()).add(row.id)
        client = _client(row)
        if client is not None:
            wanted.setdefault(client[0], set()).add(client[1])
    if not wanted:
        return Named({})
    calls = {f"t{kind}": _list(kind, ids) for kind, ids in wanted.items()}
    names: dict[tuple[int, int], str] = {}
    try:
        answers = (
            parts()
            .client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
            .batch(calls)
        )
        for kind in wanted:
            answer = answers[f"t{kind}"]
            if isinstance(answer, Reply):
                names.update(
                    {(kind, row_id): name for row_id, name in _names(answer) if row_id in wanted[kind]}
                )
            elif kind in KINDS and not isinstance(answer, AccessDenied):  # no right at all: all hidden
                raise answer
    except RestError as error:
        problem = Problem(
            503, "The portal does not answer", "the records cannot be named now; try again shortly"
        )
        raise problem.with_header("Retry-After", "5") from error
    return Named(names)


def _list(kind: int, ids: Iterable[int]) -> Call:
    return Call(
        "crm.item.list",
        {
            "entityTypeId": kind,
            "filter": {"@id": sorted(ids)},
            "select": FIELDS[kind],
            "order": {"id": "ASC"},
            "start": -1,
        },
    )


def _names(answer: Reply) -> Iterable[tuple[int, str]]:
    result = answer.result if isinstance(answer.result, Mapping) else {}
    items = result.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and str(item.get("id", "")).isdigit():
            full_name = " ".join(str(item[key]) for key in ("name", "lastName") if item.get(key))
            yield int(item["id"]), str(item.get("title") or full_name)


def _client(row: Record) -> tuple[int, int] | None:
    kind, _, number = (row.client or "").partition(":")
    return (CLIENTS[kind], int(number)) if kind in CLIENTS else None


def _record(row: Record, named: Named, asked: Asked, is_money: bool) -> dict[str, Any]:
    context = asked.context
    client = _client(row)
    client_name = named.names.get(client) if client is not None else None
    owner = context.org.users.get(row.owner_id)
    adds = _adds(row, context, is_money)
    kind = KINDS[row.entity_type_id]
    return {
        "type": kind,
        "id": row.id,
        "title": named.names[row.entity_type_id, row.id],
        "path": f"/crm/{kind}/details/{row.id}/",
        "client": None
        if client is None or client_name is None
        else {"type": (row.client or "").partition(":")[0], "id": client[1], "name": client_name},
        "owner": {"id": row.owner_id, "name": owner.name if owner else ""},
        "pipeline": None
        if row.category_id is None
        else {"id": row.category_id, "name": _pipeline_name(row.category_id, context)},
        "stage": {"id": row.stage_id, "name": _stage_name(row, context)},
        "amount": None if row.amount is None else money_text(Fraction(row.amount, 10_000)),
        "currency": row.currency,
        "at": rfc3339(row.at),
        "day": datetime.fromtimestamp(row.at, UTC).astimezone(ZoneInfo(asked.timezone)).date().isoformat(),
        "counts": row.counts and adds is not None,
        "adds": _quantity(adds, is_money),
        "left_out": NO_RATE if adds is None else None,
    }


def _adds(row: Record, context: Context, is_money: bool) -> Fraction | None:
    """What the record adds to the number; None for money without a rate."""
    return context.rates.convert(row.adds, row.currency or "") if is_money else Fraction(row.adds)


def _sum(rows: Iterable[Record], context: Context, is_money: bool) -> int | str:
    added = (_adds(row, context, is_money) for row in rows)
    total = sum((one for one in added if one is not None), Fraction(0))
    return money_text(total) if is_money else int(total)


def _quantity(value: Fraction | None, is_money: bool) -> int | str | None:
    if value is None:
        return None
    return money_text(value) if is_money else int(value)


def _may_sum_hidden(visibility: Visibility) -> bool:
    return visibility.everything or bool(visibility.departments)


def _pipeline_name(category_id: int, context: Context) -> str:
    return next((p.name for p in context.reference.pipelines if p.category_id == category_id), "")


def _stage_name(row: Record, context: Context) -> str:
    return next(
        (
            stage.name
            for stage in context.reference.stages
            if (stage.category_id, stage.stage_id) == (row.category_id, row.stage_id)
        ),
        row.stage_id,
    )
