"""The portal's own row: what everything about a portal rests on, read once for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from b24app.portals import settings
from b24app.portals.launch import origin
from b24app.portals.settings import PortalSettings
from b24app.tables import portals, tokens


@dataclass(frozen=True, slots=True)
class PortalRow:
    """A portal at one moment.

    `data_version` moves with every change of facts, targets, sets, settings; `reference_version` and
    `targets_version` with those of people, stages, rates, and of targets. `checked_at`: when the portal was
    last asked what has changed, `watched_at`: when somebody last looked; epoch seconds.
    """

    portal_id: int
    member_id: str
    state: str
    endpoint: str
    install_report: Mapping[str, Any] | None
    settings: PortalSettings
    uses_leads: bool | None
    reader_id: int | None
    reader_is_admin: bool | None
    reader_dead: str | None  # why the reader's token is refused for good
    data_version: int
    reference_version: int | None
    targets_version: int | None
    sums_version: int | None
    checked_at: float | None
    watched_at: float | None

    @property
    def origin(self) -> str:
        """`https://portal.example` as browsers name it."""
        return origin(self.endpoint)


def load_portal(conn: Connection, portal_id: int) -> PortalRow | None:
    """The portal as it is now; None for an unknown one."""
    is_readers = and_(tokens.c.portal_id == portals.c.portal_id, tokens.c.user_id == portals.c.reader_id)
    row = conn.execute(
        select(
            portals.c.member_id,
            portals.c.state,
            portals.c.endpoint,
            portals.c.install_report,
            portals.c.settings,
            portals.c.timezone,
            portals.c.uses_leads,
            portals.c.reader_id,
            portals.c.reader_is_admin,
            tokens.c.dead_reason,
            portals.c.data_version,
            portals.c.reference_version,
            portals.c.targets_version,
            portals.c.sums_version,
            portals.c.checked_at,
            portals.c.watched_at,
        )
        .select_from(portals.outerjoin(tokens, is_readers))
        .where(portals.c.portal_id == portal_id)
    ).one_or_none()
    if row is None:
        return None
    return PortalRow(
        portal_id=portal_id,
        member_id=row.member_id,
        state=row.state,
        endpoint=row.endpoint,
        install_report=row.install_report,
        settings=settings.from_stored(row.settings or {}, row.timezone),
        uses_leads=row.uses_leads,
        reader_id=row.reader_id,
        reader_is_admin=row.reader_is_admin,
        reader_dead=row.dead_reason,
        data_version=row.data_version,
        reference_version=row.reference_version,
        targets_version=row.targets_version,
        sums_version=row.sums_version,
        checked_at=row.checked_at,
        watched_at=row.watched_at,
    )
