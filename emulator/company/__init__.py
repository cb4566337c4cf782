"""An invented company with more than a year behind it: people, sales, clients, support, projects.

The same seed and the same moment always give the same portal.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

from emulator.company import cast, contacts, leave, projects, sales, support, tickets
from emulator.company.year import Year
from emulator.world import Portal

TITLE = "Ладога Климат"
"""What the company calls its portal."""


def build(portal: Portal, today: date, seed: int = 7, now: datetime | None = None) -> None:
    """Fill an empty portal with the year that ends `today`; nothing is later than `now` (else noon)."""
    zone = ZoneInfo(portal.timezone)
    now = now or datetime.combine(today, time(12), zone)
    year = Year(today=today, now=now.astimezone(UTC), zone=zone, random=Random(seed))
    portal.calendar = dict(cast.CALENDAR)
    cast.add_people(portal, year)
    sales.add_reference(portal)
    sales.add_sales(portal, year)
    contacts.add_contacts(portal, year)
    support.add_sessions(portal, year)
    projects.add_projects(portal, year)
    tickets.add_tickets(portal, year)
    leave.add_leave(portal, year)
