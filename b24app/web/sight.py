"""What answers to one viewer rest on besides records: read when needed, once for all answers of a page."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from b24app import access, clock
from b24app.access import Visibility
from b24app.db import reading
from b24app.metrics import periods
from b24app.metrics.context import Context
from b24app.portals.launch import Reason, Refused
from b24app.portals.settings import PortalSettings
from b24app.store.company import Company, load_company
from b24app.store.context import load_context
from b24app.store.portal import PortalRow, load_portal
from b24app.store.remembered import Remembered
from b24app.sync import state
from b24app.sync.state import SyncState
from b24app.viewer import Viewer
from b24app.web.context import parts

V = TypeVar("V")

TIME_STEP_S = 60
"""How old an answer may be that changes with time alone, where nothing changed on the portal."""


class Sight:
    """One viewer's view of their portal at one moment. The portal's row with its data version is read before
    anything else: an answer may be newer than its version says, never older."""

    def __init__(self, conn: Connection, asking: Viewer, now: datetime | None = None) -> None:
        """Raises: Refused where the portal is not stored (any more)."""
        self.conn = conn
        self.asking = asking
        self.now = now or clock.now()
        self.portal = _portal(conn, asking.portal_id)

    @property
    def portal_id(self) -> int:
        return self.asking.portal_id

    @property
    def settings(self) -> PortalSettings:
        return self.portal.settings

    @property
    def today(self) -> date:
        """The portal's local day."""
        return periods.local_day(self.now, ZoneInfo(self.settings.timezone))

    @cached_property
    def company(self) -> Company:
        return load_company(self.conn, self.portal_id, self.portal.reference_version)

    @cached_property
    def visibility(self) -> Visibility:
        """Whom the viewer may see."""
        return access.allowed(self.company.org, self.asking, self.settings.grants)

    @cached_property
    def sync(self) -> SyncState:
        return state.load(self.conn, self.portal_id, self.portal)

    @cached_property
    def context(self) -> Context:
        """What KPI rules need to know; without targets."""
        return load_context(self.conn, self.portal, company=self.company, sync=self.sync, now=self.now)

    def kept(self, memory: Remembered[V], key: tuple[Hashable, ...], make: Callable[[], V]) -> V:
        """What is made of facts alone, the same for all viewers, until any fact of the portal changes.

        Only for sights that were opened by `looking`: see `Remembered`.
        """
        return memory.of(self.conn, (self.portal_id, *key), self.portal.data_version, make)

    def version(self, *, moves_with_time: bool = False) -> tuple[object, ...]:
        """Moves with everything that an answer to this viewer can depend on, but not when the portal was
        merely asked again. `moves_with_time`: the answer changes as time goes by, too."""
        minute = int(self.now.timestamp()) // TIME_STEP_S if moves_with_time else None
        return (self.portal.data_version, self.today, minute, self.portal.uses_leads, *self.sync.version)


def _portal(conn: Connection, portal_id: int) -> PortalRow:
    found = load_portal(conn, portal_id)
    if found is None:
        raise Refused(Reason.NOT_INSTALLED, "the app was removed a moment ago")
    return found


@contextmanager
def looking(asking: Viewer) -> Iterator[Sight]:
    """A sight over a connection of its own, which only reads."""
    with reading(parts().engine) as conn:
        yield Sight(conn, asking)
