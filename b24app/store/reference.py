"""What ids of deals mean: pipelines, stages, sources and projects of a portal."""

from __future__ import annotations

from sqlalchemy import Connection, select

from b24app import tables
from b24app.facts.deals import ENTITY_TYPE_ID as DEAL
from b24app.metrics.metric import Pipeline, Reference, Stage


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
    titles = tables.smart_processes.c
    processes = conn.execute(select(titles.entity_type_id, titles.title).where(titles.portal_id == portal_id))
    return Reference(
        pipelines=tuple(Pipeline(*row) for row in found),
        stages=tuple(ordered),
        source_names={row.source_id: row.name for row in names},
        project_names={row.project_id: row.name for row in groups},
        process_titles={row.entity_type_id: row.title for row in processes},
    )
