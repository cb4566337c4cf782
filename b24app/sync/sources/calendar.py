"""The company's working days and hours."""

from __future__ import annotations

from b24app.facts import calendars
from b24app.metrics.work_calendar import WorkCalendar, to_stored
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.sync.sources.kinds import Outcome, ShortList
from b24app.sync.sources.pages import reply_of


def _read(client: PortalClient, outcome: Outcome) -> WorkCalendar:
    return calendars.parse(reply_of(outcome["calendar"]).result)


CALENDAR = ShortList(
    name="calendar",
    calls={"calendar": Call("calendar.settings.get")},
    read=_read,
    store=lambda writer, found, sees_all: writer.replace_calendar(to_stored(found)),
    size=lambda found: 1,
)
