"""Reads what KPI rules need to know of a portal besides its records."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from b24app import tables
from b24app.facts.case_coverage import case_sources
from b24app.metrics import periods
from b24app.metrics.attainment import Thresholds
from b24app.metrics.context import Context
from b24app.metrics.coverage import Coverage, Reason, Source, SourceState
from b24app.metrics.metric import Pipeline, Reference, Stage
from b24app.metrics.plans import Planning
from b24app.org import Org
from b24app.portals.settings import PortalSettings, Support
from b24app.store.rates import load_rates
from b24app.sums.computed.capacity import load_calendar
from b24app.sums.sales import DEAL
from b24app.sync.state import SyncState


def load_context(
    conn: Connection,
    portal_id: int,
    *,
    org: Org,
    settings: PortalSettings,
    sync: SyncState,
    now: datetime,
) -> Context:
    """The portal's context at a moment; `org`, `settings` and `sync` were read by the caller already."""
    uses_leads = conn.execute(
        select(tables.portals.c.uses_leads).where(tables.portals.c.portal_id == portal_id)
    ).scalar_one_or_none()
    return Context(
        today=periods.local_day(now, ZoneInfo(settings.timezone)),
        org=org,
        reference=load_reference(conn, portal_id),
        rates=load_rates(conn, portal_id, settings.currency),
        coverage=coverage_of(sync, entered_sources(conn, portal_id), settings.support),
        now=int(now.timestamp()),
        categories=settings.pipelines,
        projects=settings.projects,
        channel_rules=settings.channels,
        # Until the portal has said so, leads are expected: "not read yet" is better than a wrong 0.
        uses_leads=uses_leads is not False,
        has_money_budget=settings.budget is not None,
        min_ratio=settings.min_sample.ratio,
        min_mean=settings.min_sample.mean,
        planning=Planning(
            calendar=load_calendar(conn, portal_id),
            thresholds=Thresholds(
                met=Fraction(settings.thresholds.met), near=Fraction(settings.thresholds.near)
            ),
        ),
    )


def load_reference(conn: Connection, portal_id: int) -> Reference:
    """Deal pipelines and stages in the portal's order, names of sources."""
    pipelines, stages, sources = tables.pipelines.c, tables.stages.c, tables.lead_sources.c
    found = conn.execute(
        select(pipelines.category_id, pipelines.name, pipelines.sort)
        .where(pipelines.portal_id == portal_id, pipelines.entity_type_id == DEAL)
        .order_by(pipelines.sort, pipelines.category_id)
    ).all()
    places = {row.category_id: place for place, row in enumerate(found)}
    entries = conn.execute(
        select(stages.category_id, stages.stage_id, stages.name, stages.sort, stages.semantics).where(
            stages.portal_id == portal_id, stages.entity_type_id == DEAL
        )
    ).all()
    ordered = sorted(
        (Stage(*row) for row in entries),
        key=lambda s: (places.get(s.category_id, len(places)), s.category_id, s.sort, s.stage_id),
    )
    names = conn.execute(select(sources.source_id, sources.name).where(sources.portal_id == portal_id))
    projects = tables.projects.c
    groups = conn.execute(select(projects.project_id, projects.name).where(projects.portal_id == portal_id))
    return Reference(
        pipelines=tuple(Pipeline(*row) for row in found),
        stages=tuple(ordered),
        source_names={row.source_id: row.name for row in names},
        project_names={row.project_id: row.name for row in groups},
    )


def entered_sources(conn: Connection, portal_id: int) -> dict[Source, SourceState]:
    """The sources that people and programs fill: never unread, but empty until the first entry."""
    found = {}
    for source, table in ((Source.COSTS, tables.costs), (Source.CAMPAIGNS, tables.campaigns)):
        any_row = select(table.c.external_id).where(table.c.portal_id == portal_id).limit(1)
        is_empty = conn.execute(any_row).scalar_one_or_none() is None
        found[source] = SourceState(is_complete=True, is_empty=is_empty)
    return found


def coverage_of(sync: SyncState, entered: dict[Source, SourceState], support: Support) -> Coverage:
    """What the reader's state allows KPIs to claim."""
    known = {
        source.source: SourceState(
            is_complete=source.state == "ready",
            covered_from=source.covered_from,
            off=_off(source.reason) if source.state == "off" else None,
        )
        for source in sync.sources
    }
    read = {source: known[source] for source in Source if source in known}
    return Coverage({**read, **entered, **case_sources(support, known)})


def _off(reason: str | None) -> Reason:
    return Reason.MISSING_SCOPE if reason == Reason.MISSING_SCOPE else Reason.SOURCE_OFF
