"""The REST methods, one module for each family."""

from __future__ import annotations

from importlib import import_module

FAMILIES = (
    "system",
    "people",
    "events",
    "placements",
    "options",
    "notifications",
    "automation",
    "crm_items",
    "crm_reference",
    "smart_processes",
    "custom_fields",
    "crm_activities",
    "stage_history",
    "tasks",
    "task_changes",
    "telephony",
    "openlines",
    "calendar",
    "projects",
)  # fmt: skip
"""Modules of this package that register methods."""


def load() -> None:
    """Import every family once."""
    for family in FAMILIES:
        import_module(f"emulator.rest.{family}")
