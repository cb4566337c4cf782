"""What answers to one viewer rest on besides records: read when needed, once for all answers of a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from b24app import clock
from b24app.access import Visibility
from b24app.metrics import periods
from b24app.metrics.context import Context
from b24app.portals.settings import PortalSettings
from b24app.store.context import load_context
from b24app.sync import state
from b24app.sync.state import SyncState
from b24app.tables import portals
from b24app.viewer import Viewer
from b24app.web import scopes
from b24app.web.context import parts


class Sight:
    """One viewer's view of their portal at one moment. The data version is read before anything else, so that
    no answer is newer than its tag says."""

    def __init__(self, conn: Connection, asking: Viewer, now: datetime | None = None) -> None:
        self.conn = conn
        self.asking = asking
        self.now = now or clock.now()
        self.data_version: int = conn.execute(
            select(portals.c.data_version).where(portals.c.portal_id == asking.portal_id)
        ).scalar_one()

    @property
    def portal_id(self) -> int:
        return self.asking.portal_id

    @property
    def visibility(self) -> Visibility:
        """Whom the viewer may see."""
        return self._seen[0]

    @property
    def settings(self) -> PortalSettings:
        return self._seen[1]

    @property
    def today(self) -> date:
        """The portal's local day."""
        return periods.local_day(self.now, ZoneInfo(self.settings.timezone))

    @cached_property
    def sync(self) -> SyncState:
        return state.load(self.conn, self.portal_id)

    @cached_property
    def context(self) -> Context:
        """What KPI rules need to know; without targets."""
        return load_context(
            self.conn,
            self.portal_id,
            org=self.visibility.org,
            settings=self.settings,
            sync=self.sync,
            now=self.now,
        )

    @cached_property
    def _seen(self) -> tuple[Visibility, PortalSettings]:
        return scopes.seen_by(self.conn, self.asking)


@contextmanager
def looking(asking: Viewer) -> Iterator[Sight]:
    """A sight over a connection of its own."""
    with parts().engine.connect() as conn:
        yield Sight(conn, asking)
