"""Pipelines of deals."""

from __future__ import annotations

from b24app.facts import reference
from b24app.facts.reference import Pipeline
from b24app.rest import paging
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.sync.sources.kinds import Outcome, ShortList, parsed
from b24app.sync.sources.pages import reply_of

METHOD = "crm.category.list"


def _read(client: PortalClient, outcome: Outcome) -> list[Pipeline]:
    rows = paging.rows_at(reply_of(outcome["pipelines"]).result, ("categories",), METHOD)
    return parsed(rows, reference.parse_pipeline, "pipelines")


PIPELINES = ShortList(
    name="pipelines",
    calls={"pipelines": Call(METHOD, {"entityTypeId": 2})},
    read=_read,
    store=lambda writer, facts, sees_all: writer.replace_pipelines(facts),
)
