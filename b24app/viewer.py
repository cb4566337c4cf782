"""Who is asking, once proven. Past this value nothing reads the form of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A verified person in a frame, or (`user_id` None) a program with API credentials made by an admin.

    A program sees what an admin sees; `me` means nothing for it.
    """

    portal_id: int
    member_id: str
    user_id: int | None
    is_admin: bool
    lang: str = "en"
    placement: str = "DEFAULT"
    entity_id: int | None = None  # deal, lead, employee … that the placement belongs to
