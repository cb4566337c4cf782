"""Stages of leads and deals, and the names of sources: all in one list."""

from __future__ import annotations

from b24app.facts import reference
from b24app.facts.reference import Statuses
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.store import Writer
from b24app.sync.sources.kinds import Outcome, ShortList
from b24app.sync.sources.pages import rest_by_offset

METHOD = "crm.status.list"
PARAMS = {"order": {"SORT": "ASC"}}


def _read(client: PortalClient, outcome: Outcome) -> Statuses:
    return reference.parse_statuses(rest_by_offset(client, METHOD, PARAMS, outcome["statuses"]))


def _store(writer: Writer, found: Statuses, sees_all: bool) -> None:
    writer.replace_stages(found.stages)
    writer.replace_lead_sources(found.lead_sources)


STAGES = ShortList(
    name="stages",
    calls={"statuses": Call(METHOD, PARAMS)},
    read=_read,
    store=_store,
    size=lambda found: len(found.stages),
)
