"""Every door of the app, in one list."""

from __future__ import annotations

from flask import Blueprint

from b24app.web import (
    api_deal,
    api_org,
    api_settings,
    assets,
    automation,
    connect,
    health,
    install,
    oauth_token,
    openapi,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    install.blueprint,
    automation.blueprint,
    connect.blueprint,
    health.blueprint,
    assets.blueprint,
    api_org.blueprint,
    api_deal.blueprint,
    api_settings.blueprint,
    oauth_token.blueprint,
    openapi.blueprint,
)
