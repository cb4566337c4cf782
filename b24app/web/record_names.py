"""What the portal calls records and clients, asked with the viewer's own token.

Whether the viewer may see one is the portal's decision: what it does not name is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import AccessDenied, ScopeMissing
from b24app.sums.kinds import Kind
from b24app.sums.records import Record

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
"""Entity types of the portal."""
CLIENTS = {"contact": CONTACT, "company": COMPANY, "lead": LEAD}
FIXED_PATHS = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that the portal has a name for. `entity_type_id` of CRM items only."""

    kind: Kind
    id: int
    entity_type_id: int | None = None


Names = Mapping[Named, str]


def subject(record: Record) -> Named:
    """What names the record: itself, or for hours the task that they were logged on."""
    if record.kind is Kind.TIME_RECORD:
        return Named(Kind.TASK, record.parent_id or 0)
    if record.kind in (Kind.DEAL, Kind.LEAD, Kind.ITEM):
        return _item(record.entity_type_id or 0, record.id)
    return Named(record.kind, record.id)


def client(record: Record) -> Named | None:
    """The record's client, if it is one that the portal can name."""
    kind, _, number = (record.client or "").partition(":")
    return _item(CLIENTS[kind], int(number)) if kind in CLIENTS else None


def path(record: Record) -> str:
    """Where the record is on the portal, as the portal's own pages link to it."""
    if record.kind in (Kind.TASK, Kind.TIME_RECORD):
        return f"/company/personal/user/{record.owner_id}/tasks/task/view/{subject(record).id}/"
    if record.kind in (Kind.ACTIVITY, Kind.CALL):
        whose = client(record)
        of_client = _item_path(whose.entity_type_id, whose.id) if whose else ""
        list_page = "/crm/activity/" if record.kind is Kind.ACTIVITY else "/telephony/detail.php"
        return _item_path(record.entity_type_id, record.parent_id) or of_client or list_page
    return _item_path(record.entity_type_id, record.id)


def ask(portal: PortalClient, records: Sequence[Record]) -> Names:
    """The names that this viewer may know. Raises: RestError while the portal does not answer."""
    subjects = {subject(record) for record in records}
    clients = {found for record in records if (found := client(record)) is not None}
    groups: dict[tuple[Kind, int | None], set[int]] = {}
    for named in subjects | clients:
        if named.id:
            groups.setdefault((named.kind, named.entity_type_id), set()).add(named.id)
    if not groups:
        return {}
    needed = {(named.kind, named.entity_type_id) for named in subjects}
    answers = portal.batch({_command(*group): _call(*group, ids) for group, ids in groups.items()})
    names: dict[Named, str] = {}
    for (kind, entity_type_id), ids in groups.items():
        answer = answers[_command(kind, entity_type_id)]
        if isinstance(answer, Reply):
            for number, name in _LISTS[kind].names(answer.result):
                if number in ids:
                    names[Named(kind, number, entity_type_id)] = name
        elif (kind, entity_type_id) in needed and not isinstance(answer, AccessDenied | ScopeMissing):
            raise answer  # no right at all: all hidden
    return names


@dataclass(frozen=True)
class _List:
    """How records of a kind are asked for by ids, and where their names are in the answer."""

    call: Callable[[int | None, list[int]], Call]
    rows: str | None  # the key of the rows in the result; None: the result itself
    id: str
    title: tuple[str, ...]

    def names(self, result: Any) -> Iterable[tuple[int, str]]:
        rows = result.get(self.rows) if self.rows and isinstance(result, Mapping) else result
        entries = rows.values() if isinstance(rows, Mapping) else rows if isinstance(rows, list) else ()
        for row in entries:
            if isinstance(row, Mapping) and str(row.get(self.id, "")).isdigit():
                words = (str(row[key]) for key in self.title if row.get(key))
                yield int(row[self.id]), " ".join(words)


def _items(entity_type_id: int | None, ids: list[int]) -> Call:
    select = ["id", "name", "lastName"] if entity_type_id == CONTACT else ["id", "title"]
    return Call(
        "crm.item.list",
        {
            "entityTypeId": entity_type_id,
            "filter": {"@id": ids},
            "select": select,
            "order": {"id": "ASC"},
            "start": -1,
        },
    )


def _tasks(_type: int | None, ids: list[int]) -> Call:
    return Call(
        "tasks.task.list",
        {"filter": {"ID": ids}, "select": ["ID", "TITLE"], "order": {"ID": "asc"}, "start": -1},
    )


def _activities(_type: int | None, ids: list[int]) -> Call:
    return Call(
        "crm.activity.list",
        {"filter": {"ID": ids}, "select": ["ID", "SUBJECT"], "order": {"ID": "ASC"}, "start": -1},
    )


def _calls(_type: int | None, ids: list[int]) -> Call:
    return Call("voximplant.statistic.get", {"FILTER": {"ID": ids}, "SORT": "ID", "ORDER": "ASC"})


_ITEMS = _List(_items, "items", "id", ("title", "name", "lastName"))
_LISTS: Mapping[Kind, _List] = {
    Kind.ITEM: _ITEMS,
    Kind.TASK: _List(_tasks, "tasks", "id", ("title",)),
    Kind.ACTIVITY: _List(_activities, None, "ID", ("SUBJECT",)),
    Kind.CALL: _List(_calls, None, "ID", ("PHONE_NUMBER",)),
}


def _item(entity_type_id: int, number: int) -> Named:
    return Named(Kind.ITEM, number, entity_type_id)


def _item_path(entity_type_id: int | None, number: int | None) -> str:
    if entity_type_id is None or number is None:
        return ""
    fixed = FIXED_PATHS.get(entity_type_id)
    return f"/crm/{fixed or f'type/{entity_type_id}'}/details/{number}/"


def _command(kind: Kind, entity_type_id: int | None) -> str:
    return f"{kind}{entity_type_id or ''}"


def _call(kind: Kind, entity_type_id: int | None, ids: set[int]) -> Call:
    return _LISTS[kind].call(entity_type_id, sorted(ids))
