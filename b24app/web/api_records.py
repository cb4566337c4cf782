"""`GET /api/v1/kpi/records`: the records behind a number, named by the portal with the viewer's own token.

The store knows which records made the number and what each added; whether the viewer may see one is the
portal's decision. What it does not show is counted and not described.

    {"portal", "metric", "scope", "from", "to", "timezone", "currency", "as_of", "complete",
     "value", "numerator", "denominator", "unit", "reason", …   as in /kpi
     "total", "page", "pages", "page_size",
     "shown", "hidden",                             on this page
     "shown_sum", "hidden_sum",                     of "adds" on this page; the latter for heads and admins
     "records": [{"type": "deal" | "lead" | "item" | "activity" | "call" | "task" | "time_record" | "cost" |
                  "campaign", "id", "title", "path", "client": {"type", "id", "name"} | null,
                  "owner", "pipeline", "stage", "project", "department": {"id", "name"} | null, "channel",
                  "amount", "currency", "at", "day", "until", "counts", "adds", "weighs", "left_out"}]}

`counts`: the record is in the numerator (or the sum), not in the denominator alone. `adds`: what it adds
there: 1, seconds, or money in the report currency; `weighs`: what it adds to the denominator. `left_out`:
the one reason why it is not in the number, under which `/kpi` counts it (`no_rate`, `no_client`, …). Costs
and campaign results were entered in the app, not on the portal: they come first, have a `day` but no moment,
and are shown to everybody who may see the number; `until` is the last day of a cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from b24app import sums
from b24app.access import Visibility
from b24app.metrics.context import Context
from b24app.metrics.engine import departments_of, owners_of
from b24app.metrics.kinds import NO_COST, NO_RATE, Ratio, Shape, Term, alone
from b24app.metrics.measures import COST, Cut, Table
from b24app.metrics.metric import Metric
from b24app.metrics.sums import Cell, SumsQuery, Totals
from b24app.rest.errors import RestError
from b24app.store.entered import Cost
from b24app.sums import entered_records, records
from b24app.sums.entered_records import EnteredRecord
from b24app.sums.kinds import Kind
from b24app.sums.records import PAGE_SIZE, Question, Record
from b24app.viewer import Viewer
from b24app.web import api_kpi, record_names
from b24app.web.api_kpi import Asked
from b24app.web.context import parts, viewer
from b24app.web.moments import rfc3339
from b24app.web.present import EXACT_PLACES, PLACES, money_text
from b24app.web.problems import Problem
from b24app.web.record_names import Names
from b24app.web.session import require_viewer
from b24app.web.sight import looking

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
    with looking(asking) as sight:
        conn, asked = sight.conn, api_kpi.ask(sight, rest)
        if len(asked.query.metrics) != 1:
            raise Problem(400, "Wrong parameter", "metric: name exactly one", parameter="metric")
        answered = api_kpi.answer(sight, asked)
        metric = asked.query.metrics[0]
        shape = metric.shape_in(asked.context.ways)
        entries, rows, total = _read(conn, asking.portal_id, asked, shape, number)
        reckoning = Reckoning(metric, shape, asked.context, _paid_channels(conn, asking.portal_id, asked))
    names = _names(asking, rows) if rows else {}
    shown = [row for row in rows if record_names.subject(row) in names]
    hidden = [row for row in rows if record_names.subject(row) not in names]
    value = answered.pop("values")[0]
    return {
        **{key: answered[key] for key in answered if key not in ("names", "compared")},
        **value,
        "total": total,
        "page": number,
        "pages": -(-total // PAGE_SIZE),
        "page_size": PAGE_SIZE,
        "shown": len(entries) + len(shown),
        "hidden": len(hidden),
        "shown_sum": reckoning.sum([*entries, *shown]),
        "hidden_sum": reckoning.sum(hidden) if _may_sum_hidden(asked.visibility) else None,
        "records": [
            *(_entered(row, reckoning) for row in entries),
            *(_record(row, names, asked.timezone, reckoning) for row in shown),
        ],
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


def _read(
    conn: Connection, portal_id: int, asked: Asked, shape: Shape, number: int
) -> tuple[list[EnteredRecord], list[Record], int]:
    """The page's entered records and records of the portal, and how many there are on all pages."""
    left_out = [measure for _, measure in asked.query.metrics[0].left_out_in(asked.context.ways)]
    wanted = frozenset((*shape.measures, *left_out))
    by_hand = entered_records.Question(wanted, asked.query.period, departments_of(asked.query, asked.context))
    question = Question(
        measures=wanted,
        period=asked.query.period,
        owners=owners_of(asked.query, asked.context),
        categories=asked.context.categories,
        projects=asked.context.projects,
        now=asked.context.now,
    )
    before = entered_records.count(conn, portal_id, by_hand)
    total = before + records.count(conn, portal_id, question)
    first = (number - 1) * PAGE_SIZE
    entries: list[EnteredRecord] = []
    rows: list[Record] = []
    if first < before:
        entries = entered_records.part(conn, portal_id, by_hand, limit=PAGE_SIZE, offset=first)
    if first < total and len(entries) < PAGE_SIZE:
        left = PAGE_SIZE - len(entries)
        rows = records.part(conn, portal_id, question, limit=left, offset=max(first - before, 0))
    return entries, rows, total


def _paid_channels(conn: Connection, portal_id: int, asked: Asked) -> frozenset[str] | None:
    """The channels that have a cost, where the KPI is about those only."""
    if not asked.query.metrics[0].by_channel:
        return None
    query = SumsQuery(
        table=Table.COSTS,
        measures=frozenset({COST}),
        period=asked.query.period,
        departments=departments_of(asked.query, asked.context),
        cuts=frozenset({Cut.ENTERED_CHANNEL}),
    )
    rates = asked.context.rates
    return frozenset(
        cell.channel or ""
        for cell in sums.read(conn, portal_id, query)
        if rates.convert(cell.sums[COST], cell.currency or "")
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


@dataclass(frozen=True)
class Reckoning:
    """What records add to one KPI. `paid`: the channels that have a cost, None where that does not matter."""

    metric: Metric
    shape: Shape
    context: Context
    paid: frozenset[str] | None

    def added(self, row: Record | EnteredRecord, term: Term | None = None) -> Fraction | None:
        """What the record adds to the term (the first one); None where its money has no rate."""
        totals = Totals()
        totals.add(Cell(row.sums, currency=row.currency))
        return alone(term or self.shape.terms[0], totals, self.context.rates)

    def told(self, row: Record | EnteredRecord) -> dict[str, Any]:
        """What the list says of it."""
        first, left_out = self.shape.terms[0], self.left_out(row)
        added = None if left_out == NO_COST else self.added(row)
        weight: int | str | None = None
        if isinstance(self.shape, Ratio) and left_out != NO_COST:
            weight = _quantity(self.added(row, self.shape.denominator), self.shape.denominator)
        return {
            "counts": added is not None and any(measure in row.sums for measure in first.measures),
            "adds": _quantity(added, first),
            "weighs": weight,
            "left_out": left_out,
        }

    def left_out(self, row: Record | EnteredRecord) -> str | None:
        """Why the record is in the list but not in the number."""
        if self.paid is not None and isinstance(row, Record) and self.channel(row) not in self.paid:
            return NO_COST
        if any(self.added(row, term) is None for term in self.shape.terms):
            return NO_RATE
        reasons = self.metric.left_out_in(self.context.ways)
        return next((reason for reason, measure in reasons if measure in row.sums), None)

    def sum(self, rows: Iterable[Record | EnteredRecord]) -> int | str:
        """What the records add to the first term together."""
        added = (self.added(row) for row in rows if self.left_out(row) != NO_COST)
        total = sum((one for one in added if one is not None), Fraction(0))
        return _quantity(total, self.shape.terms[0]) or 0

    def channel(self, row: Record) -> str | None:
        """The channel of a lead or deal."""
        if row.kind not in (Kind.LEAD, Kind.DEAL):
            return None
        return self.context.channel(row.utm_source, row.source_id)


def _record(row: Record, names: Names, timezone: str, reckoning: Reckoning) -> dict[str, Any]:
    context = reckoning.context
    owner = context.org.users.get(row.owner_id)
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
        "department": None,
        "channel": reckoning.channel(row),
        "amount": None if row.amount is None else money_text(Fraction(row.amount, 10_000)),
        "currency": row.currency,
        "at": rfc3339(row.at),
        "day": datetime.fromtimestamp(row.at, UTC).astimezone(ZoneInfo(timezone)).date().isoformat(),
        "until": None,
        **reckoning.told(row),
    }


def _entered(row: EnteredRecord, reckoning: Reckoning) -> dict[str, Any]:
    entry, departments = row.entry, reckoning.context.org.departments
    is_cost = isinstance(entry, Cost)
    department_id = entry.department_id
    return {
        "type": "cost" if is_cost else "campaign",
        "id": entry.external_id,
        "title": entry.channel if isinstance(entry, Cost) else entry.name or entry.channel,
        **dict.fromkeys(("path", "client", "owner", "pipeline", "stage", "project")),
        "department": None
        if department_id is None
        else {
            "id": department_id,
            "name": departments[department_id].name if department_id in departments else "",
        },
        "channel": entry.channel,
        "amount": money_text(Fraction(entry.amount)) if isinstance(entry, Cost) else None,
        "currency": row.currency,
        "at": None,
        "day": (entry.from_day if isinstance(entry, Cost) else entry.day).isoformat(),
        "until": entry.to_day.isoformat() if isinstance(entry, Cost) else None,
        **reckoning.told(row),
    }


def _client(row: Record, names: Names) -> dict[str, Any] | None:
    found = record_names.client(row)
    if found is None or found not in names:
        return None
    return {"type": (row.client or "").partition(":")[0], "id": found.id, "name": names[found]}


def _quantity(value: Fraction | None, term: Term) -> int | str | None:
    if value is None:
        return None
    return money_text(value, PLACES if term.is_spread else EXACT_PLACES) if term.is_money else int(value)


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
