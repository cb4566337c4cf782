"""Every door of the app, in one list."""

from __future__ import annotations

from flask import Blueprint

from b24app.web import health

BLUEPRINTS: tuple[Blueprint, ...] = (health.blueprint,)
