"""Projects: `sonet_group.get` (UPPER names) or `socialnetwork.api.workgroup.list` (camelCase)."""

from __future__ import annotations

from dataclasses import dataclass

from b24app.facts import values
from b24app.facts.values import Row


@dataclass(frozen=True, slots=True)
class Project:
    project_id: int
    name: str
    is_closed: bool


def parse(row: Row) -> Project:
    """The fact in a row of either list. Raises: BadRow without an id."""
    read = {str(key).upper(): value for key, value in row.items()}
    return Project(
        project_id=values.required_id(read, "ID"),
        name=values.text(read.get("NAME"), 255) or "",
        is_closed=values.yes(read.get("CLOSED")),
    )
