"""Reads what KPI rules need to know of a portal besides its records."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, exists, select

from b24app import tables
from b24app.facts.case_coverage import case_sources
from b24app.metrics import periods
from b24app.metrics.attainment import Thresholds
from b24app.metrics.context import Context
from b24app.metrics.coverage import Coverage, Reason, Source, SourceState
from b24app.metrics.money import rates_in
from b24app.metrics.plans import Planning
from b24app.portals.settings import Support
from b24app.store.company import Company
from b24app.store.portal import PortalRow
from b24app.sync.state import SyncState


def load_context(
    conn: Connection,
    portal: PortalRow,
    *,
    company: Company,
    sync: SyncState,
    now: datetime,
) -> Context:
    """The portal's context at a moment."""
    settings = portal.settings
    return Context(
        today=periods.local_day(now, ZoneInfo(settings.timezone)),
        org=company.org,
        reference=company.reference,
        rates=rates_in(company.rates, settings.currency),
        coverage=coverage_of(sync, entered_sources(conn, portal.portal_id), settings.support),
        now=int(now.timestamp()),
        categories=settings.pipelines,
        projects=settings.projects,
        channel_rules=settings.channels,
        # Until the portal has said so, leads are expected: "not read yet" is better than a wrong 0.
        uses_leads=portal.uses_leads is not False,
        has_money_budget=settings.budget is not None,
        min_ratio=settings.min_sample.ratio,
        min_mean=settings.min_sample.mean,
        planning=Planning(
            calendar=company.calendar,
            thresholds=Thresholds(
                met=Fraction(settings.thresholds.met), near=Fraction(settings.thresholds.near)
            ),
        ),
    )


def entered_sources(conn: Connection, portal_id: int) -> dict[Source, SourceState]:
    """The sources that people and programs fill: never unread, but empty until the first entry."""
    filled = {Source.COSTS: tables.costs, Source.CAMPAIGNS: tables.campaigns}
    has_any = (exists().where(table.c.portal_id == portal_id) for table in filled.values())
    row = conn.execute(select(*has_any)).one()
    return {
        source: SourceState(is_complete=True, is_empty=not found)
        for source, found in zip(filled, row, strict=True)
    }


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
