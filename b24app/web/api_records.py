"""`GET /api/v1/kpi/records`: the records behind a number, named by the portal with the viewer's own token.

The store knows which records made the number and what each added; whether the viewer may see one is the
portal's decision. What it does not show is counted and not described.

    {"portal", "metric", "scope", "from", "to", "timezone", "currency", "as_of", "complete",
     "value", "numerator", "denominator", "unit", "reason", …   as in /kpi
     "total", "page", "pages", "page_size",
     "shown", "hidden",                             on this page
     "shown_sum", "hidden_sum",                     of "adds" on this page; the latter for heads and admins
     "records": [{"type": "deal" | "lead" | "item" | "activity" | "call" | "task" | "time_record", "id",
                  "title", "path", "client": {"type", "id", "name"} | null, "owner": {"id", "name"},
                  "pipeline", "stage", "project": {"id", "name"} | null,
                  "amount", "currency", "at", "day", "counts", "adds", "weighs", "left_out"}]}

`counts`: the record is in the numerator (or the sum), not in the denominator alone. `adds`: what it adds
there: 1, seconds, or money in the report currency; `weighs`: what it adds to the denominator. `left_out`:
why it is not in the number: `no_rate`, `negative_duration`, `not_read`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from b24app.access import Visibility
from b24app.facts import records
from b24app.facts.records import PAGE_SIZE, Question, Record
from b24app.metrics.context import Context
from b24app.metrics.engine import owners_of
from b24app.metrics.kinds import NO_RATE, Ratio, Shape, Term
from b24app.metrics.sums import Cell, Totals
from b24app.rest.errors import RestError
from b24app.viewer import Viewer
from b24app.web import api_kpi, record_names
from b24app.web.api_kpi import Asked
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import money_text
from b24app.web.problems import Problem
from b24app.web.record_names import Names
from b24app.web.session import require_viewer

blueprint = Blueprint("api_records", __name__, url_prefix="/api/v1")

PARAMETERS = frozenset({"metric", "scope", "from", "to", "period", "page"})
LAST_PAGE = 100_000
PATIENCE_S = 10.0
"""How long somebody who opened the list waits for a slow portal."""


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
        metric = asked.query.metrics[0]
        shape = metric.shape_in(asked.context.ways)
        question = _question(asked, shape)
        total = records.count(conn, asking.portal_id, question)
        rows = records.page(conn, asking.portal_id, question, number) if total else []
    names = _names(asking, rows) if rows else {}
    shown = [row for row in rows if record_names.subject(row) in names]
    hidden = [row for row in rows if record_names.subject(row) not in names]
    context, term = asked.context, shape.terms[0]
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
        "shown_sum": _sum(shown, term, context),
        "hidden_sum": _sum(hidden, term, context) if _may_sum_hidden(asked.visibility) else None,
        "records": [_record(row, names, asked, shape) for row in shown],
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


def _question(asked: Asked, shape: Shape) -> Question:
    left_out = [measure for _, measure in asked.query.metrics[0].left_out]
    return Question(
        measures=frozenset((*shape.measures, *left_out)),
        period=asked.query.period,
        owners=owners_of(asked.query, asked.context),
        categories=asked.context.categories,
        projects=asked.context.projects,
        now=asked.context.now,
    )


def _names(asking: Viewer, rows: Sequence[Record]) -> Names:
    """Titles of the records and names of their clients, as far as the portal shows them to the viewer."""
    client = parts().client(asking.portal_id, asking.user_id, background=False, deadline_s=PATIENCE_S)
    try:
        return record_names.ask(client, rows)
    except RestError as error:
        problem = Problem(
            503, "The portal does not answer", "the records cannot be named now; try again shortly"
        )
        raise problem.with_header("Retry-After", "5") from error


def _record(row: Record, names: Names, asked: Asked, shape: Shape) -> dict[str, Any]:
    context = asked.context
    owner = context.org.users.get(row.owner_id)
    added = _added(row, shape.terms[0], context)
    return {
        "type": row.kind.value,
        "id": row.id,
        "title": names[record_names.subject(row)],
        "path": record_names.path(row),
        "client": _client(row, names),
        "owner": {"id": row.owner_id, "name": owner.name if owner else ""},
        "pipeline": None
        if row.category_id is None
        else {"id": row.category_id, "name": _pipeline_name(row.category_id, context)},
        "stage": None if row.stage_id is None else {"id": row.stage_id, "name": _stage_name(row, context)},
        "project": None
        if not row.project_id
        else {"id": row.project_id, "name": context.reference.project_names.get(row.project_id, "")},
        "amount": None if row.amount is None else money_text(Fraction(row.amount, 10_000)),
        "currency": row.currency,
        "at": rfc3339(row.at),
        "day": datetime.fromtimestamp(row.at, UTC).astimezone(ZoneInfo(asked.timezone)).date().isoformat(),
        "counts": added is not None and any(measure in row.sums for measure in shape.terms[0].measures),
        "adds": _quantity(added, shape.terms[0].is_money),
        "weighs": _weighs(row, shape, context),
        "left_out": _left_out(row, asked, shape),
    }


def _client(row: Record, names: Names) -> dict[str, Any] | None:
    found = record_names.client(row)
    if found is None or found not in names:
        return None
    return {"type": (row.client or "").partition(":")[0], "id": found.id, "name": names[found]}


def _added(row: Record, term: Term, context: Context) -> Fraction | None:
    """What the record adds to one side of the number; None where its money has no rate."""
    totals = Totals()
    totals.add(Cell(row.sums, currency=row.currency))
    return None if term.left_out(totals, context.rates) else term.of(totals, context.rates)


def _weighs(row: Record, shape: Shape, context: Context) -> int | str | None:
    if not isinstance(shape, Ratio):
        return None
    return _quantity(_added(row, shape.denominator, context), shape.denominator.is_money)


def _left_out(row: Record, asked: Asked, shape: Shape) -> str | None:
    """Why the record is in the list but not in the number."""
    if any(_added(row, term, asked.context) is None for term in shape.terms):
        return NO_RATE
    reasons = asked.query.metrics[0].left_out
    return next((reason for reason, measure in reasons if measure in row.sums), None)


def _sum(rows: Iterable[Record], term: Term, context: Context) -> int | str:
    added = (_added(row, term, context) for row in rows)
    total = sum((one for one in added if one is not None), Fraction(0))
    return money_text(total) if term.is_money else int(total)


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
        row.stage_id or "",
    )
