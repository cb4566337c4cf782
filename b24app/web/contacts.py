"""What was done for a client, read live with the viewer's own rights: the basis of a first response."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from b24app import clock
from b24app.deal_norms import Contact
from b24app.facts import values
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError, ScopeMissing

MEETING = 1
"""Activity type of a meeting."""


def call(owner_type_id: int, owner_id: int) -> Call:
    """The question for the activities of a CRM item."""
    return Call(
        "crm.activity.list",
        {
            "filter": {"OWNER_TYPE_ID": owner_type_id, "OWNER_ID": owner_id},
            "order": {"ID": "ASC"},  # the first page is enough to find the first answer
            "select": ["ID", "TYPE_ID", "DIRECTION", "COMPLETED", "CREATED", "START_TIME"],
            "start": -1,
        },
    )


def read(answer: Reply | RestError | None, zone: ZoneInfo) -> tuple[list[Contact], str | None]:
    """The contacts in its answer, and why they are not known, if they are not.

    A call that is only planned answers nobody: what lies ahead is left out.
    """
    if isinstance(answer, RestError):
        return [], "missing_scope" if isinstance(answer, ScopeMissing) else "not_synced"
    contacts: list[Contact] = []
    for row in answer.result if answer is not None and isinstance(answer.result, list) else ():
        at = values.moment(row.get("START_TIME"), zone) or values.moment(row.get("CREATED"), zone)
        if at is not None and at <= clock.epoch():
            is_meeting = values.whole(row.get("TYPE_ID")) == MEETING
            contacts.append(
                Contact(
                    at=at,
                    is_outgoing=values.whole(row.get("DIRECTION")) == 2 and not is_meeting,
                    is_held=is_meeting and values.yes(row.get("COMPLETED")),
                )
            )
    return contacts, None
