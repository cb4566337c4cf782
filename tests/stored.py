"""A portal's REST rows put into the store, and KPI questions asked of it, without web or portal between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, insert, select, update

from b24app import store, sums
from b24app.facts import (
    activities,
    budget_items,
    calendars,
    calls,
    deals,
    leads,
    people,
    projects,
    reference,
    stages,
    tasks,
    time_records,
)
from b24app.facts.budget_items import BudgetFields
from b24app.facts.values import Border
from b24app.metrics import engine as kpi_engine
from b24app.metrics import periods, work_calendar
from b24app.metrics.query import parse
from b24app.store import snapshots
from b24app.store.company import load_company
from b24app.store.context import load_context
from b24app.store.portal import load_portal
from b24app.sync import state
from b24app.sync.sources import budget_items as budgets
from b24app.tables import portals, sync_sources
from b24app.web import present

NOW = datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC)


def new_portal(engine: Engine, *, timezone: str = "Europe/Moscow", uses_leads: bool = True) -> int:
    """An installed portal of which everything (nothing) has been read; returns its number."""
    with engine.begin() as conn:
        taken = len(conn.execute(select(portals.c.portal_id)).all())
        portal_id = taken + 1
        conn.execute(
            insert(portals).values(
                portal_id=portal_id,
                member_id=f"{portal_id:032x}",
                domain="portal.example",
                endpoint="https://portal.example/rest/",
                auth_server="https://oauth.example",
                state="active",
                timezone=timezone,
                uses_leads=uses_leads,
                reader_is_admin=True,
                installed_at=0,
                checked_at=NOW.timestamp(),
                settings={},
                data_version=0,
            )
        )
        for source in (*state.SOURCES, budgets.NAME):
            set_source(conn, portal_id, source, state="ready")
    return portal_id


def set_source(conn: Connection, portal_id: int, source: str, **values: Any) -> None:
    """Change how far a source has been read."""
    where = (sync_sources.c.portal_id == portal_id, sync_sources.c.source == source)
    if not conn.execute(update(sync_sources).where(*where).values(**values)).rowcount:
        row = {"cursor": {}, "row_count": 0, "progress": 0.0, "portal_id": portal_id, "source": source}
        conn.execute(insert(sync_sources).values({**row, **values}))


def choose(engine: Engine, portal_id: int, **chosen: Any) -> None:
    """Set settings as an admin would have: the JSON of `GET /api/v1/settings`."""
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == portal_id).values(settings=chosen))


def save(engine: Engine, portal_id: int, rows: Mapping[str, Any]) -> None:
    """Store the rows of a portal (see `tests.oracle`) as the reader would."""
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id) as writer:
        writer.replace_users(people.parse_user(row) for row in rows.get("users", ()))
        writer.replace_departments(people.parse_department(row) for row in rows.get("departments", ()))
        writer.replace_currencies(reference.parse_currency(row) for row in rows.get("currencies", ()))
        writer.replace_pipelines(reference.parse_pipeline(row) for row in rows.get("categories", ()))
        statuses = reference.parse_statuses([*rows.get("stages", ()), *rows.get("sources", ())])
        writer.replace_stages(statuses.stages)
        writer.replace_lead_sources(statuses.lead_sources)
        writer.save_leads(leads.parse(row, border) for row in rows.get("leads", ()))
        writer.save_deals(deals.parse(row, border) for row in rows.get("deals", ()))
        writer.save_entries(stages.parse(row, border) for row in rows.get("history", ()))
        _save_work(writer, rows, border)


def save_deals(engine: Engine, portal_id: int, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store more deals of a portal as the reader would; everything else stays."""
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id) as writer:
        writer.save_deals(deals.parse(row, border) for row in rows)


def _save_work(writer: store.Writer, rows: Mapping[str, Any], border: Border) -> None:
    """Tasks with their histories (`history` of a row, None: not read), hours, calls and CRM activities."""
    writer.replace_projects(projects.parse(row) for row in rows.get("projects", ()))
    if "calendar" in rows:
        writer.replace_calendar(work_calendar.to_stored(calendars.parse(rows["calendar"])))
    found = [(tasks.parse(row, border), row["history"]) for row in rows.get("tasks", ())]
    writer.save_tasks(task for task, _ in found)
    writer.set_returned(
        {
            (task.task_id, task.closed_at): tasks.was_returned(history)
            for task, history in found
            if history is not None and task.closed_at is not None
        }
    )
    writer.save_time_records(time_records.parse(row, border) for row in rows.get("time_records", ()))
    writer.save_calls(calls.parse(row, border) for row in rows.get("calls", ()))
    writer.save_activities(activities.parse(row, border) for row in rows.get("activities", ()))
    if "budget" in rows:
        fields = BudgetFields(rows["budget"]["entity_type_id"], "ufPlan", "ufFact", "RUB")
        items = (budget_items.parse(row, border, fields) for row in rows["budget"]["items"])
        writer.save_budget_items(items)


def ask(
    engine: Engine, portal_id: int, question: str, *, now: datetime = NOW, me: int | None = None
) -> dict[str, Any]:
    """The body of `GET /api/v1/kpi?question`, without anybody's rights."""
    with engine.connect() as conn:
        portal = load_portal(conn, portal_id)
        assert portal is not None
        sync = state.load(conn, portal_id, portal)
        company = load_company(conn, portal_id, portal.reference_version)
        context = load_context(conn, portal, company=company, sync=sync, now=now)
        today = periods.local_day(now, ZoneInfo(portal.settings.timezone))
        query = parse(parse_qsl(question, keep_blank_values=True), me, today)
        wanted = kpi_engine.reads(query, context)
        values = kpi_engine.answer(
            query,
            context,
            wanted,
            now=sums.read_all(conn, portal_id, wanted.now),
            before=sums.read_all(conn, portal_id, wanted.before),
            kept=snapshots.read_all(conn, portal_id, wanted.kept),
        )
        return present.answer_json(
            query,
            context,
            values,
            member_id=f"{portal_id:032x}",
            timezone=portal.settings.timezone,
            as_of=None,
            complete=sync.complete,
            progress=sync.progress,
            before=wanted.before_period,
            lang="en",
        )


def value(engine: Engine, portal_id: int, question: str, **how: Any) -> dict[str, Any]:
    """The only entry of `values` in the answer."""
    (found,) = ask(engine, portal_id, question, **how)["values"]
    return dict(found)


def rows(engine: Engine, portal_id: int, question: str, **how: Any) -> dict[str, dict[str, Any]]:
    """The rows of the only KPI asked for, by key, in order."""
    return {row["key"]: row for row in value(engine, portal_id, question, **how)["rows"]}
