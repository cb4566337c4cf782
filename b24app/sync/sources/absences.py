"""Who is away these days. No event tells of it, so it is asked again with the reference data.

Asked are three days only: an absence that touches them comes with its whole length.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from b24app import clock
from b24app.facts import absences
from b24app.facts.absences import Absence
from b24app.facts.people import User
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.sync.sources.kinds import OfPeople
from b24app.sync.sources.pages import reply_of

METHOD = "calendar.accessibility.get"
PEOPLE_AT_ONCE = 50


def _read(client: PortalClient, users: Sequence[User]) -> list[Absence]:
    today = clock.now().date()
    days = {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))}
    ids = [user.user_id for user in users if user.is_active and user.is_employee]
    calls = {
        f"absences_{place}": Call(METHOD, {"users": ids[place : place + PEOPLE_AT_ONCE], **days})
        for place in range(0, len(ids), PEOPLE_AT_ONCE)
    }
    answers = client.batch(calls) if calls else {}
    return [one for answer in answers.values() for one in absences.parse(reply_of(answer).result)]


ABSENCES = OfPeople(
    name="absences",
    method=METHOD,
    read=_read,
    store=lambda writer, facts, sees_all: writer.replace_absences(facts),
)
