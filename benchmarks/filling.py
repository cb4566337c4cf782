"""Fills the app's store with a large portal as the reader does, without a portal: through `store.writing`.

So everything that the app keeps beside the facts is there too, and right, whatever that will be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, text

from b24app import store, tables, targets
from b24app.facts.deals import Deal
from b24app.facts.leads import Lead
from b24app.facts.people import Department, User
from b24app.facts.reference import Currency, LeadSource, Pipeline, Stage
from b24app.facts.stages import Entry
from b24app.facts.values import Border
from b24app.metrics import periods
from b24app.store import Writer
from b24app.sync.state import SOURCES
from b24app.target_rows import Cell, Wish
from benchmarks.report import say
from emulator import rows, seed
from emulator.large import PIPELINES, STEPS, Large

ZONE = ZoneInfo("Europe/Moscow")
MEMBER = "c" * 32
ROOT, DIVISION, TEAM = 1, 100, 20
CHUNK = 5_000
TARGETS = {"revenue": "1000000.50", "deals_won": "20", "win_rate": "0.4"}
FAR_AHEAD_S = 10 * 365 * 86_400
"""As if the portal had just been asked, for as long as a measurement may take."""


def fill(engine: Engine, portal_id: int, large: Large, *, analyze: bool = True) -> None:
    """An installed portal that is read to the end. The database has the present layout and no such portal.

    `analyze`: let the database take down its statistics, as it does by itself in time.
    """
    started = time.monotonic()
    _add_portal(engine, portal_id, large)
    with store.writing(engine, portal_id) as writer:
        _add_reference(writer, large)
    border = Border(ZONE)
    for first in range(1, large.leads + 1, CHUNK):
        with store.writing(engine, portal_id) as writer:
            last = min(first + CHUNK, large.leads + 1)
            writer.fill_leads(_lead(large, number, border) for number in range(first, last))
    history_id = 1
    for first in range(1, large.deals + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, large.deals + 1))
        entries = list(_entries(large, numbers, history_id))
        history_id += len(entries)
        with store.writing(engine, portal_id) as writer:
            writer.fill_deals(_deal(large, number, border) for number in numbers)
            writer.save_entries(entries)
        if (first - 1) % (20 * CHUNK) == 0 and first > 1:
            rate = first / (time.monotonic() - started)
            say(f"stored {first - 1:,} of {large.deals:,} deals, {rate:,.0f} a second")
    with store.writing(engine, portal_id) as writer:
        for source in SOURCES:
            writer.set_source(source, state="ready", progress=1.0, covered_from=None, read_at=large.now)
        writer.set_checked(time.time() + FAR_AHEAD_S)
        writer.changed = True
    _add_targets(engine, portal_id, large)
    if analyze:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("ANALYZE"))


def _add_portal(engine: Engine, portal_id: int, large: Large) -> None:
    with engine.begin() as conn:
        conn.execute(
            insert(tables.portals).values(
                portal_id=portal_id,
                member_id=MEMBER,
                domain="127.0.0.1:9",
                endpoint="http://127.0.0.1:9/rest/",
                auth_server="http://127.0.0.1:9",
                state="active",
                scopes="crm,user,department",
                lang="en",
                timezone=ZONE.key,
                uses_leads=True,
                reader_is_admin=True,
                installed_at=large.since,
                settings={},
            )
        )


def _add_reference(writer: Writer, large: Large) -> None:
    """Divisions of a hundred people in teams of twenty; stages, sources and currencies of a new portal."""
    hired = datetime.fromtimestamp(large.since, ZONE).date()
    divisions = range((large.people + DIVISION - 1) // DIVISION)
    teams = range((large.people + TEAM - 1) // TEAM)
    departments = [Department(ROOT, None, 1, "Company", 1)]
    departments += [
        Department(division(n), ROOT, 2 + n * DIVISION, f"Division {n + 1}", n) for n in divisions
    ]
    departments += [
        Department(team(n), division(n * TEAM // DIVISION), 2 + n * TEAM, f"Team {n + 1}", n) for n in teams
    ]
    writer.replace_departments(departments)
    people = [User(1, "Anna Admin", "", None, True, True, hired, (ROOT,))]
    people += [
        User(2 + n, f"Name{n} Surname{n}", "", None, True, True, hired, (team(n // TEAM),))
        for n in range(large.people)
    ]
    writer.replace_users(people)
    writer.replace_currencies([Currency("RUB", "1", 1, True), Currency("USD", "80", 1, False)])
    writer.replace_lead_sources(LeadSource(code, name) for code, name in seed.SOURCES.items())
    writer.replace_pipelines(
        Pipeline(rows.DEAL, number, f"Pipeline {number}", number * 100, number == 0) for number in PIPELINES
    )
    writer.replace_stages(
        Stage(rows.DEAL, number, rows.stage_id(number, code), name, place * 10, semantic or "P", color)
        for number in PIPELINES
        for place, (code, name, semantic, color) in enumerate(seed.DEAL_STAGES, 1)
    )


def _add_targets(engine: Engine, portal_id: int, large: Large) -> None:
    """Targets of three KPIs for everybody, every team, every division and the company, in every month of the
    last twelve."""
    month = datetime.fromtimestamp(large.now, ZONE).date().replace(day=1)
    scopes = ["company"]
    scopes += [f"department:{division(n)}" for n in range((large.people + DIVISION - 1) // DIVISION)]
    scopes += [f"department:{team(n)}" for n in range((large.people + TEAM - 1) // TEAM)]
    scopes += [f"user:{2 + n}" for n in range(large.people)]
    wishes = [
        Wish(Cell(metric, scope, periods.shift_months(month, -step)), value)
        for metric, value in TARGETS.items()
        for scope in scopes
        for step in range(12)
    ]
    with engine.begin() as conn:
        targets.save(conn, portal_id, wishes, by=1, at=large.now)


def division(number: int) -> int:
    """The department of the n-th hundred people, from 0."""
    return 2 + number


def team(number: int) -> int:
    """The department of the n-th twenty people, from 0."""
    return 100 + number


def _deal(large: Large, deal: int, border: Border) -> Deal:
    row = large.deal(deal)
    created, moved = large.created(deal), large.moved(deal)
    company, contact = row["companyId"], row["contactId"]
    return Deal(
        deal_id=deal,
        owner_id=row["assignedById"],
        category_id=row["categoryId"],
        stage_id=row["stageId"],
        semantics=row["stageSemanticId"],
        amount=row["opportunity"],
        currency=row["currencyId"],
        created_at=created,
        created_day=border.day(created),
        moved_at=moved,
        moved_day=border.day(moved),
        updated_at=moved,
        is_recurring=False,
        lead_id=row["leadId"],
        client=f"company:{company}" if company else f"contact:{contact}",
        source_id=row["sourceId"],
        utm_source=row["utmSource"],
        last_activity_at=moved,
    )


def _lead(large: Large, lead: int, border: Border) -> Lead:
    row = large.lead(lead)
    created, moved = large.lead_created(lead), large.lead_moved(lead)
    return Lead(
        lead_id=lead,
        owner_id=row["assignedById"],
        stage_id=row["stageId"],
        semantics=row["stageSemanticId"],
        created_at=created,
        created_day=border.day(created),
        moved_at=moved,
        moved_day=border.day(moved),
        updated_at=moved,
        client=None,
        source_id=row["sourceId"],
        utm_source=row["utmSource"],
    )


def _entries(large: Large, deals: range, history_id: int) -> Iterator[Entry]:
    """The stage history of these deals, numbered from `history_id` on."""
    for deal in deals:
        category = large.pipeline(deal)
        for at, step in large.path(deal):
            stage, semantic, type_id = STEPS[step]
            yield Entry(
                entity_type_id=rows.DEAL,
                history_id=history_id,
                item_id=deal,
                type_id=type_id,
                category_id=category,
                stage_id=rows.stage_id(category, stage),
                semantics=semantic,
                entered_at=at,
            )
            history_id += 1
