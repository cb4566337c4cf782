"""Projects: names of workgroups. Which of two methods a portal has depends on its age and the scope."""

from __future__ import annotations

from b24app.facts import projects
from b24app.facts.projects import Project
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.sync.sources.kinds import Outcome, ShortList, parsed
from b24app.sync.sources.pages import rest_by_offset

OLDER, OLDER_PARAMS = "sonet_group.get", {"IS_ADMIN": "Y", "ORDER": {"ID": "ASC"}}
NEWER = "socialnetwork.api.workgroup.list"
NEWER_PARAMS = {"select": ["ID", "NAME", "CLOSED"], "order": {"ID": "ASC"}}


def _read(client: PortalClient, outcome: Outcome) -> list[Project]:
    if isinstance(outcome["groups"], Reply) or not isinstance(outcome["workgroups"], Reply):
        rows = rest_by_offset(client, OLDER, OLDER_PARAMS, outcome["groups"])
    else:
        rows = rest_by_offset(client, NEWER, NEWER_PARAMS, outcome["workgroups"], ("workgroups",))
    return parsed(rows, projects.parse, "projects")


PROJECTS = ShortList(
    name="projects",
    calls={
        "groups": Call(OLDER, {**OLDER_PARAMS, "start": 0}),
        "workgroups": Call(NEWER, {**NEWER_PARAMS, "start": 0}),
    },
    read=_read,
    store=lambda writer, facts, sees_all: writer.replace_projects(facts),
)
