"""Stored facts around one deal: itself, its stays in stages, and the won deals of its pipeline."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Connection, select

from b24app.facts.deals import ENTITY_TYPE_ID, Deal
from b24app.tables import deals, leads, pipelines, stage_stays, stages

WON_LOOKED_AT = 1_000
"""The norm of a pipeline rests on its latest won deals: habits of years ago are no norm."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A deal entered a stage."""

    category_id: int
    stage_id: str
    entered_at: int


@dataclass(frozen=True, slots=True)
class Habits:
    """The latest won deals of a pipeline. Seconds."""

    won_deals: int
    cycles_s: tuple[int, ...]  # from creation to the won moment
    stays_s: tuple[int, ...]  # in one stage


@dataclass(frozen=True, slots=True)
class Names:
    """What a deal's pipeline and stages are called, and their order."""

    pipeline: str
    stages: dict[str, str]
    order: dict[tuple[int, str], int]  # in-progress stages of all pipelines


def deal(conn: Connection, portal_id: int, deal_id: int) -> Deal | None:
    """The stored deal, or None."""
    columns = [deals.c[field.name] for field in fields(Deal)]
    row = conn.execute(
        select(*columns).where(deals.c.portal_id == portal_id, deals.c.deal_id == deal_id)
    ).one_or_none()
    return None if row is None else Deal(**row._mapping)


def entries(conn: Connection, portal_id: int, deal_id: int) -> list[Entered]:
    """The deal's stage history, in the order in which the portal wrote it."""
    rows = conn.execute(
        select(stage_stays.c.category_id, stage_stays.c.stage_id, stage_stays.c.entered_at)
        .where(
            stage_stays.c.portal_id == portal_id,
            stage_stays.c.entity_type_id == ENTITY_TYPE_ID,
            stage_stays.c.item_id == deal_id,
        )
        .order_by(stage_stays.c.history_id)
    )
    return [Entered(row.category_id, row.stage_id, row.entered_at) for row in rows]


def lead_created_at(conn: Connection, portal_id: int, lead_id: int) -> int | None:
    """When the lead that became the deal was created, in epoch seconds."""
    return conn.scalar(
        select(leads.c.created_at).where(leads.c.portal_id == portal_id, leads.c.lead_id == lead_id)
    )


def habits(conn: Connection, portal_id: int, category_id: int, stage_id: str) -> Habits:
    """How long the latest won deals of the pipeline took, in all and in the stage."""
    won = conn.execute(
        select(deals.c.deal_id, deals.c.created_at, deals.c.moved_at)
        .where(
            deals.c.portal_id == portal_id,
            deals.c.semantics == "S",
            deals.c.category_id == category_id,
            deals.c.is_recurring.is_(False),
        )
        .order_by(deals.c.moved_day.desc(), deals.c.deal_id.desc())
        .limit(WON_LOOKED_AT)
    ).all()
    stays = conn.execute(
        select(stage_stays.c.left_at - stage_stays.c.entered_at).where(
            stage_stays.c.portal_id == portal_id,
            stage_stays.c.entity_type_id == ENTITY_TYPE_ID,
            stage_stays.c.item_id.in_([row.deal_id for row in won]),
            stage_stays.c.category_id == category_id,
            stage_stays.c.stage_id == stage_id,
            stage_stays.c.left_at.is_not(None),
        )
    )
    return Habits(
        won_deals=len(won),
        cycles_s=tuple(row.moved_at - row.created_at for row in won),
        stays_s=tuple(stays.scalars()),
    )


def names(conn: Connection, portal_id: int, category_id: int) -> Names:
    """Names of a deal pipeline and its stages; empty where the portal has none (any more)."""
    pipeline = conn.scalar(
        select(pipelines.c.name).where(
            pipelines.c.portal_id == portal_id,
            pipelines.c.entity_type_id == ENTITY_TYPE_ID,
            pipelines.c.category_id == category_id,
        )
    )
    rows = conn.execute(
        select(
            stages.c.category_id, stages.c.stage_id, stages.c.name, stages.c.sort, stages.c.semantics
        ).where(stages.c.portal_id == portal_id, stages.c.entity_type_id == ENTITY_TYPE_ID)
    ).all()
    return Names(
        pipeline=pipeline or "",
        stages={row.stage_id: row.name for row in rows if row.category_id == category_id},
        order={(row.category_id, row.stage_id): row.sort for row in rows if row.semantics == "P"},
    )
