"""Departments: a list without usable filters, paged by offset."""

from __future__ import annotations

from b24app.facts import people
from b24app.facts.people import Department
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.sync.sources.kinds import Outcome, ShortList, parsed
from b24app.sync.sources.pages import rest_by_offset


def _read(client: PortalClient, outcome: Outcome) -> list[Department]:
    rows = rest_by_offset(client, "department.get", {}, outcome["departments"])
    return parsed(rows, people.parse_department, "departments")


DEPARTMENTS = ShortList(
    name="departments",
    calls={"departments": Call("department.get", {"start": 0})},
    read=_read,
    store=lambda writer, facts, sees_all: writer.replace_departments(facts),
)
