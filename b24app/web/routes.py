"""Every door of the app, in one list."""

from __future__ import annotations

from flask import Blueprint

from b24app.web import (
    api_audit,
    api_card,
    api_channels,
    api_choices,
    api_deal,
    api_entries,
    api_export,
    api_functions,
    api_kpi,
    api_notes,
    api_notices,
    api_org,
    api_proposals,
    api_records,
    api_score,
    api_sets,
    api_settings,
    api_targets,
    api_why,
    assets,
    automation,
    connect,
    events,
    health,
    install,
    oauth_token,
    openapi,
    placements,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    # called by the portal
    install.blueprint,
    placements.blueprint,
    events.blueprint,
    automation.blueprint,
    # called by people and operators
    connect.blueprint,
    health.blueprint,
    assets.blueprint,
    # called by widgets and programs
    api_kpi.blueprint,
    api_records.blueprint,
    api_why.blueprint,
    api_export.blueprint,
    api_deal.blueprint,
    api_card.blueprint,
    api_org.blueprint,
    api_settings.blueprint,
    api_choices.blueprint,
    api_functions.blueprint,
    api_entries.blueprint,
    api_channels.blueprint,
    api_targets.blueprint,
    api_proposals.blueprint,
    api_sets.blueprint,
    api_score.blueprint,
    api_notes.blueprint,
    api_notices.blueprint,
    api_audit.blueprint,
    oauth_token.blueprint,
    openapi.blueprint,
)
