"""What the portal's pages show, as plain values made from its records. No HTTP, no HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from emulator.portal_pages import words
from emulator.world import Portal, Row

PAGE = 20
COLUMN = 15  # cards shown in a kanban column
AVATAR_COLORS = ("#56d1e0", "#8bc34a", "#f7a04a", "#ba68c8", "#7986cb", "#e57373", "#4db6ac", "#90a4ae")
ACTIVITY_ICONS = {"call": "☎", "email": "✉", "meeting": "⚑", "todo": "✓", "chat": "✎", "moved": "⇢"}


@dataclass(frozen=True)
class Face:
    """A person as a page names them."""

    id: int
    name: str
    position: str
    initials: str
    color: str
    is_active: bool
    photo: str | None

    @property
    def url(self) -> str:
        return f"/company/personal/user/{self.id}/"


@dataclass(frozen=True)
class Book:
    """One portal, read in one language."""

    portal: Portal
    lang: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.portal.timezone)

    def face(self, user_id: int) -> Face:
        user = self.portal.records["user"].get(user_id)
        name = words.full_name(user, f"#{user_id}")
        return Face(
            user_id,
            name,
            (user or {}).get("WORK_POSITION") or "",
            words.initials(name),
            AVATAR_COLORS[user_id % len(AVATAR_COLORS)],
            bool((user or {}).get("ACTIVE")),
            (user or {}).get("PERSONAL_PHOTO"),
        )

    def money(self, amount: Decimal | None, currency: str) -> str:
        return words.money(amount, currency, self.lang)

    def moment(self, value: datetime | None) -> str:
        return words.moment(value, self.zone, self.lang)

    def base_currency(self) -> str:
        return next((row["CURRENCY"] for row in self.portal.records["currency"] if row.get("BASE")), "RUB")

    def pipelines(self) -> list[Row]:
        return sorted(self.portal.records["category"], key=lambda row: row["sort"])

    def stages(self, category: int) -> list[Row]:
        """Stages of a deal pipeline in their order."""
        entity = f"DEAL_STAGE_{category}" if category else "DEAL_STAGE"
        return self.statuses(entity)

    def statuses(self, entity: str) -> list[Row]:
        rows = [row for row in self.portal.records["status"] if row["ENTITY_ID"] == entity]
        return sorted(rows, key=lambda row: row["SORT"])

    def client(self, item: Mapping[str, Any]) -> Row | None:
        """The company of a record, else its contact: {title, url}."""
        for key, kind in (("companyId", "company"), ("contactId", "contact")):
            found = self.portal.records[kind].get(item.get(key) or 0)
            if found:
                return {"title": found["title"], "url": f"/crm/{kind}/details/{found['id']}/"}
        return None

    def deal_line(self, deal: Row) -> Row:
        """A deal as lists and kanban cards show it."""
        stages = {row["STATUS_ID"]: row for row in self.stages(deal["categoryId"])}
        stage = stages.get(deal["stageId"], {})
        return {
            "id": deal["id"],
            "title": deal["title"],
            "url": f"/crm/deal/details/{deal['id']}/",
            "amount": self.money(deal["opportunity"], deal["currencyId"]),
            "stage": stage.get("NAME", deal["stageId"]),
            "stage_color": stage.get("COLOR") or "#ace9fb",
            "progress": _progress(list(stages.values()), deal["stageId"]),
            "client": self.client(deal),
            "owner": self.face(deal["assignedById"]),
            "created": words.day(deal["createdTime"].astimezone(self.zone).date(), self.lang),
            "moved": self.moment(deal["movedTime"]),
        }


def deals(portal: Portal, owners: frozenset[int] | None, category: int | None = None) -> Iterator[Row]:
    """Deals of these owners (None: of everybody), newest first, without templates."""
    for deal in portal.records["deal"].reversed():
        is_seen = owners is None or deal["assignedById"] in owners
        if is_seen and not deal.get("isRecurring") and category in (None, deal["categoryId"]):
            yield deal


def page_of(rows: Iterable[Row], number: int) -> tuple[list[Row], int, int]:
    """(rows of a page, its number put in range, number of pages)."""
    everything = list(rows)
    pages = max(1, -(-len(everything) // PAGE))
    number = min(max(1, number), pages)
    return everything[(number - 1) * PAGE : number * PAGE], number, pages


def kanban(book: Book, category: int, owners: frozenset[int] | None) -> list[Row]:
    """A column for each stage: name, colour, count, sum in the base currency's records, first cards."""
    by_stage: dict[str, list[Row]] = {}
    for deal in deals(book.portal, owners, category):
        by_stage.setdefault(deal["stageId"], []).append(deal)
    base = book.base_currency()
    columns = []
    for stage in book.stages(category):
        found = sorted(by_stage.get(stage["STATUS_ID"], ()), key=lambda deal: deal["movedTime"], reverse=True)
        total = sum((deal["opportunity"] for deal in found if deal["currencyId"] == base), Decimal(0))
        columns.append(
            {
                "id": stage["STATUS_ID"],
                "name": stage["NAME"],
                "color": stage["COLOR"] or "#ace9fb",
                "count": len(found),
                "sum": book.money(total, base),
                "cards": [book.deal_line(deal) for deal in found[:COLUMN]],
                "is_final": stage["SEMANTICS"] is not None,
            }
        )
    return columns


def deal_card(book: Book, deal: Row) -> Row:
    """Everything on a deal's card but its timeline."""
    pipeline = book.portal.records["category"].get(deal["categoryId"]) or {
        "name": "",
        "id": deal["categoryId"],
    }
    sources = {row["STATUS_ID"]: row["NAME"] for row in book.statuses("SOURCE")}
    lead_id = deal.get("leadId")
    return {
        **book.deal_line(deal),
        "pipeline": pipeline,
        "stages": _stage_bar(book.stages(deal["categoryId"]), deal["stageId"]),
        "finals": [row for row in book.stages(deal["categoryId"]) if row["SEMANTICS"] is not None],
        "is_closed": deal["stageSemanticId"] != "P",
        "closing": words.day(deal.get("closedate"), book.lang),
        "source": sources.get(deal.get("sourceId") or "", ""),
        "created_at": book.moment(deal["createdTime"]),
        "returning": bool(deal.get("isReturnCustomer")),
        "probability": deal.get("probability"),
        "lead": {"id": lead_id, "url": f"/crm/lead/details/{lead_id}/"} if lead_id else None,
    }


def timeline(book: Book, owner_type: int, item: Row, limit: int = 30) -> tuple[list[Row], list[Row]]:
    """(planned, done) entries of a record: activities and stages; planned by date, done newest first."""
    planned: list[Row] = []
    done: list[Row] = []
    activities = book.portal.records["activity"]
    for activity_id in activities.ids_where("OWNER_ID", [item["id"]]):
        activity = activities.get(activity_id)
        if activity is None or activity["OWNER_TYPE_ID"] != owner_type:
            continue
        entry = _activity_entry(book, activity)
        (done if activity["COMPLETED"] else planned).append(entry)
    done += _stage_entries(book, owner_type, item)
    planned.sort(key=lambda entry: (entry["at"] is None, entry["at"]))
    done.sort(key=lambda entry: entry["at"], reverse=True)
    return planned, done[:limit]


def org(book: Book) -> list[Row]:
    """Departments as a tree flattened in drawing order: id, name, level, head, people."""
    rows = {row["ID"]: row for row in book.portal.records["department"]}
    members: dict[int, list[int]] = {}
    for user in book.portal.records["user"]:
        if user["USER_TYPE"] == "employee" and user["ACTIVE"]:
            for department in user.get("UF_DEPARTMENT") or ():
                members.setdefault(department, []).append(user["ID"])
    found: list[Row] = []

    def walk(parent: int | None, level: int) -> None:
        children = [
            row
            for row in rows.values()
            if (row.get("PARENT") if row.get("PARENT") in rows else None) == parent
        ]
        for row in sorted(children, key=lambda row: (row["SORT"], row["ID"])):
            if any(entry["id"] == row["ID"] for entry in found):
                continue
            head = row.get("UF_HEAD")
            found.append(
                {
                    "id": row["ID"],
                    "name": row["NAME"],
                    "level": level,
                    "head": book.face(head) if head else None,
                    "people": [
                        book.face(user_id) for user_id in members.get(row["ID"], ()) if user_id != head
                    ],
                }
            )
            walk(row["ID"], level + 1)

    walk(None, 0)
    return found


def heads_of(portal: Portal) -> dict[int, list[str]]:
    """Names of the departments that each head heads."""
    heads: dict[int, list[str]] = {}
    for row in portal.records["department"]:
        if row.get("UF_HEAD"):
            heads.setdefault(row["UF_HEAD"], []).append(row["NAME"])
    return heads


def person_card(book: Book, user: Row) -> Row:
    """An employee's card: face, contacts, departments, head, subordinates."""
    departments = [book.portal.records["department"].get(n) for n in user.get("UF_DEPARTMENT") or ()]
    named = [row for row in departments if row]
    head_ids = [row["UF_HEAD"] for row in named if row.get("UF_HEAD") and row["UF_HEAD"] != user["ID"]]
    headed = {row["ID"] for row in book.portal.records["department"] if row.get("UF_HEAD") == user["ID"]}
    below = [
        row["ID"]
        for row in book.portal.records["user"]
        if headed.intersection(row.get("UF_DEPARTMENT") or ()) and row["ID"] != user["ID"] and row["ACTIVE"]
    ]
    return {
        "face": book.face(user["ID"]),
        "is_active": user["ACTIVE"],
        "is_online": user.get("IS_ONLINE") == "Y",
        "departments": [row["NAME"] for row in named],
        "email": user.get("EMAIL") or "",
        "phone": user.get("WORK_PHONE") or "",
        "hired": words.day(user.get("UF_EMPLOYMENT_DATE"), book.lang),
        "zone": user.get("TIME_ZONE") or book.portal.timezone,
        "head": book.face(head_ids[0]) if head_ids else None,
        "subordinates": [book.face(user_id) for user_id in below[:12]],
    }


def tasks(book: Book, user_id: int, is_admin: bool) -> list[Row]:
    """Unfinished tasks of a person (of everybody for an admin), nearest deadline first."""
    groups = {row["ID"]: row["NAME"] for row in book.portal.records["group"]}
    found = [
        row
        for row in book.portal.records["task"]
        if row["STATUS"] != 5 and (is_admin or user_id in (row["RESPONSIBLE_ID"], row["CREATED_BY"]))
    ]
    found.sort(key=lambda row: (row["DEADLINE"] is None, row["DEADLINE"] or row["CREATED_DATE"]))
    return [
        {
            "title": row["TITLE"],
            "url": f"/company/personal/user/{row['RESPONSIBLE_ID']}/tasks/task/view/{row['ID']}/",
            "project_url": f"/workgroups/group/{row['GROUP_ID']}/",
            "status": row["STATUS"],
            "deadline": book.moment(row["DEADLINE"]),
            "project": groups.get(row["GROUP_ID"] or 0, ""),
            "owner": book.face(row["RESPONSIBLE_ID"]),
        }
        for row in found[:60]
    ]


def _progress(stages: list[Row], stage_id: str) -> list[str]:
    """Colours of the small stage bar of a list row: filled up to the current stage."""
    working = [row for row in stages if row["SEMANTICS"] is None]
    current = next((row for row in stages if row["STATUS_ID"] == stage_id), None)
    if current is None:
        return []
    color = current["COLOR"] or "#2fc6f6"
    if current["SEMANTICS"] is not None:
        return [color] * (len(working) + 1)
    reached = working.index(current) + 1
    return [color] * reached + ["#e4e8eb"] * (len(working) + 1 - reached)


def _stage_bar(stages: list[Row], stage_id: str) -> list[Row]:
    """In-progress stages and one closing step, each with whether the deal has come that far."""
    current = next((row for row in stages if row["STATUS_ID"] == stage_id), None)
    is_final = bool(current and current["SEMANTICS"] is not None)
    steps = []
    reached = True
    for row in (row for row in stages if row["SEMANTICS"] is None):
        steps.append({"id": row["STATUS_ID"], "name": row["NAME"], "reached": reached})
        reached = reached and (is_final or row["STATUS_ID"] != stage_id)
    color = (current or {}).get("COLOR") or "#2fc6f6"
    steps.append(
        {
            "id": stage_id if is_final else "",
            "name": current["NAME"] if is_final and current else "",
            "reached": is_final,
        }
    )
    return [{**step, "color": color if step["reached"] else "#e4e8eb"} for step in steps]


def _activity_entry(book: Book, activity: Row) -> Row:
    text = words.texts(book.lang)["activity"]
    kind, word = _activity_kind(activity)
    note = ""
    if (activity.get("SETTINGS") or {}).get("READ_CONFIRMED"):
        note = text["email_read"]
    return {
        "kind": kind,
        "icon": ACTIVITY_ICONS[kind],
        "word": text[word],
        "subject": activity["SUBJECT"],
        "at": activity["DEADLINE"] if not activity["COMPLETED"] else activity["START_TIME"],
        "when": book.moment(activity["DEADLINE"] if not activity["COMPLETED"] else activity["START_TIME"]),
        "face": book.face(activity["RESPONSIBLE_ID"]),
        "note": note,
    }


def _activity_kind(activity: Row) -> tuple[str, str]:
    provider, direction = activity["PROVIDER_ID"], activity["DIRECTION"]
    if provider == "VOXIMPLANT_CALL":
        is_missed = bool((activity.get("SETTINGS") or {}).get("MISSED_CALL"))
        return "call", "call_missed" if is_missed else "call_in" if direction == 1 else "call_out"
    if provider == "CRM_EMAIL":
        return "email", "email_in" if direction == 1 else "email_out"
    if provider == "CRM_MEETING":
        return "meeting", "meeting"
    return ("chat", "chat") if provider == "IMOPENLINES_SESSION" else ("todo", "todo")


def _stage_entries(book: Book, owner_type: int, item: Row) -> list[Row]:
    text = words.texts(book.lang)["deal"]
    names = {
        row["STATUS_ID"]: row["NAME"] for row in book.portal.records["status"] if row["ENTITY_ID"] != "SOURCE"
    }
    history = book.portal.records["stage_history"]
    entries: list[Row] = []
    before = ""
    for row_id in history.ids_where("OWNER_ID", [item["id"]]):
        row = history.get(row_id)
        if row is None or row["ENTITY_TYPE_ID"] != owner_type:
            continue
        stage = str(row.get("STAGE_ID") or row.get("STATUS_ID") or "")
        after = str(names.get(stage, stage))
        first = text["entered"] if owner_type == 2 else text["lead_created"]
        entries.append(
            {
                "kind": "moved",
                "icon": ACTIVITY_ICONS["moved"],
                "word": text["moved"] if before else first,
                "subject": text["from_stage"].format(before=before, after=after) if before else after,
                "at": row["CREATED_TIME"],
                "when": book.moment(row["CREATED_TIME"]),
                "face": book.face(item["assignedById"]),
                "note": "",
            }
        )
        before = after
    return entries
