"""The company's working days."""

from __future__ import annotations

from sqlalchemy import Connection, select

from b24app.metrics.work_calendar import WorkCalendar, from_stored
from b24app.tables import work_calendars


def load_calendar(conn: Connection, portal_id: int) -> WorkCalendar:
    """The company's calendar as the portal told it; Monday to Friday where it did not."""
    data = conn.execute(
        select(work_calendars.c.data).where(work_calendars.c.portal_id == portal_id)
    ).scalar_one_or_none()
    return WorkCalendar() if data is None else from_stored(data)
