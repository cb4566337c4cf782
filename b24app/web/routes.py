"""Every door of the app, in one list."""

from __future__ import annotations

from flask import Blueprint

from b24app.web import (
    api_deal,
    api_export,
    api_kpi,
    api_org,
    api_records,
    api_settings,
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
    api_export.blueprint,
    api_deal.blueprint,
    api_org.blueprint,
    api_settings.blueprint,
    oauth_token.blueprint,
    openapi.blueprint,
)
