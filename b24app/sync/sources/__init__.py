"""What is read of a portal: one file per source, and these lists of them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from b24app.portals.settings import PortalSettings
from b24app.sync.sources import chosen
from b24app.sync.sources.absences import ABSENCES
from b24app.sync.sources.activities import ACTIVITIES
from b24app.sync.sources.calendar import CALENDAR
from b24app.sync.sources.calls import CALLS
from b24app.sync.sources.currencies import CURRENCIES
from b24app.sync.sources.deals import DEALS
from b24app.sync.sources.departments import DEPARTMENTS
from b24app.sync.sources.kinds import Details, LongList, OfPeople, ShortList
from b24app.sync.sources.leads import LEADS
from b24app.sync.sources.pipelines import PIPELINES
from b24app.sync.sources.projects import PROJECTS
from b24app.sync.sources.stage_history import HISTORY
from b24app.sync.sources.stages import STAGES
from b24app.sync.sources.tasks import TASKS
from b24app.sync.sources.time_records import TIME_RECORDS
from b24app.sync.sources.users import USERS

SHORT: tuple[ShortList, ...] = (
    USERS, DEPARTMENTS, CURRENCIES, PIPELINES, STAGES, PROJECTS, CALENDAR,
)  # fmt: skip
"""Read whole each time."""

OF_PEOPLE: tuple[OfPeople, ...] = (ABSENCES,)
"""Asked about the users who were read with the short lists."""

EACH_TIME: tuple[ShortList | OfPeople, ...] = (*SHORT, *OF_PEOPLE)
"""Everything that has no first read of its own."""

LONG: tuple[LongList, ...] = (DEALS, LEADS, HISTORY, ACTIVITIES, CALLS, TASKS, TIME_RECORDS)
"""Read page by page; in each month of the past the first of them come first."""

CHOSEN: tuple[str, ...] = chosen.NAMES
"""What the names of long lists begin with that only the settings of a portal bring."""

DETAILS: tuple[Details, ...] = tuple(details for source in LONG for details in source.details)

NAMES: tuple[str, ...] = (
    *(source.name for source in EACH_TIME),
    *(source.name for source in LONG),
    *(details.name for details in DETAILS),
)

READ_ONCE: tuple[str, ...] = NAMES[len(EACH_TIME) :]
"""The ones that have a first read on every portal."""


def is_chosen(name: str) -> bool:
    """Whether a source is there because the portal's settings choose it."""
    return name.startswith(CHOSEN)


def long_lists(
    conn: Connection, portal_id: int, wanted: PortalSettings | None = None
) -> tuple[LongList, ...]:
    """Every long list of this portal; `wanted`: its settings, where they have been read."""
    return (*LONG, *chosen.lists(conn, portal_id, wanted))


def methods(lists: Iterable[LongList]) -> dict[str, tuple[str, ...]]:
    """The REST methods that each source is read with; `lists` are the long lists of the portal."""
    found = {source.name: {call.method for call in source.calls.values()} for source in SHORT}
    found |= {source.name: {source.method} for source in OF_PEOPLE}
    for source in lists:
        found[source.name] = {source.base.method}
        found |= {details.name: {details.call(0).method} for details in source.details}
    return {name: tuple(sorted(used)) for name, used in found.items()}


def known_details(conn: Connection, portal_id: int, lists: Iterable[LongList]) -> dict[str, int]:
    """How many records have their details stored, by the source of these."""
    return {details.name: details.known(conn, portal_id) for source in lists for details in source.details}
