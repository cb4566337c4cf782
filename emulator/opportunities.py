"""Loads the CRM sales opportunities data set (accounts, teams, pipeline: CSV files) into a portal.

The file knows days only. Fixed rules for what it leaves open: a deal begins at 10:00 of its `engage_date` in
the portal's zone (without one: of the last day that the file names), is engaged a minute later and closes at
16:00 of its `close_date`; deals still open have no amount.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from emulator import rows
from emulator.world import Portal, Row

STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "Prospecting", None, "#39A8EF"),
    ("PREPARATION", "Engaging", None, "#55D0E0"),
    ("WON", "Won", "S", "#7BD500"),
    ("LOSE", "Lost", "F", "#FF5752"),
)
ADMIN_ID = 1
TITLE = "Opportunities"
"""What a portal with the data set is called."""

OPENED_AT, CLOSED_AT = time(10), time(16)


def load(portal: Portal, folder: Path | str) -> None:
    """Fill an empty portal with the data set; FileNotFoundError if a file of it is missing."""
    folder = Path(folder)
    teams = _read(folder / "sales_teams.csv")
    pipeline = _read(folder / "sales_pipeline.csv")
    accounts = _read(folder / "accounts.csv")
    portal.uses_leads = False
    portal.put("currency", rows.currency("USD", "1", base=True, name="US Dollar"), quiet=True)
    rows.add_pipeline(portal, 0, "Sales", STAGES, sort=100)
    portal.calendar = {
        "work_time_start": "9",
        "work_time_end": "18",
        "week_holidays": ["SA", "SU"],
        "week_start": "MO",
        "year_holidays": "1.01,4.07,25.12",
        "year_workdays": "",
    }
    users = _add_people(portal, teams)
    companies = _add_companies(portal, accounts, (row["account"] for row in pipeline))
    _add_deals(portal, pipeline, users, companies)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _add_people(portal: Portal, teams: list[dict[str, str]]) -> dict[str, int]:
    """Company → office → manager's team → agents; returns the user id of every name."""
    root = portal.put(
        "department", {"NAME": portal.title, "SORT": 500, "PARENT": None, "UF_HEAD": ADMIN_ID}, quiet=True
    )
    admin = rows.user("Portal", "Administrator", departments=[root], IS_ADMIN=True, ID=ADMIN_ID)
    portal.put("user", admin, quiet=True)
    offices: dict[str, int] = {}
    team_of: dict[str, int] = {}
    users: dict[str, int] = {}
    for row in teams:
        office, manager = row["regional_office"], row["manager"]
        if office not in offices:
            offices[office] = portal.put(
                "department", {"NAME": office, "SORT": 500, "PARENT": root, "UF_HEAD": None}, quiet=True
            )
        if manager not in team_of:
            head_id = portal.records["user"].next_id()
            team = {"NAME": f"Team {manager}", "SORT": 500, "PARENT": offices[office], "UF_HEAD": head_id}
            team_of[manager] = portal.put("department", team, quiet=True)
            users[manager] = _add_user(portal, manager, "Sales manager", team_of[manager])
        users[row["sales_agent"]] = _add_user(portal, row["sales_agent"], "Sales agent", team_of[manager])
    return users


def _add_user(portal: Portal, full_name: str, position: str, department: int) -> int:
    name, _, last_name = full_name.partition(" ")
    return portal.put(
        "user", rows.user(name, last_name, position=position, departments=[department]), quiet=True
    )


def _add_companies(portal: Portal, accounts: list[dict[str, str]], named: Iterable[str]) -> dict[str, int]:
    created = datetime(2016, 1, 1, tzinfo=UTC)
    facts = {row["account"]: row for row in accounts}
    found: dict[str, int] = {}
    for name in [*facts, *named]:
        if name and name not in found:
            revenue = facts.get(name, {}).get("revenue") or "0"
            company = rows.client(name, created=created, owner=ADMIN_ID, revenue=Decimal(revenue) * 1_000_000)
            found[name] = portal.put("company", company, quiet=True)
    return found


def _add_deals(
    portal: Portal, pipeline: list[dict[str, str]], users: dict[str, int], companies: dict[str, int]
) -> None:
    zone = ZoneInfo(portal.timezone)
    last_day = max(day for row in pipeline for day in (row["engage_date"], row["close_date"]) if day)
    history: list[Row] = []
    for row in sorted(pipeline, key=lambda row: row["engage_date"] or last_day):
        opened = _moment(row["engage_date"] or last_day, OPENED_AT, zone)
        stay = [(rows.CREATED, "NEW", "P", opened)]
        if row["deal_stage"] != "Prospecting":
            stay.append((rows.MOVED, "PREPARATION", "P", opened + timedelta(minutes=1)))
        if row["deal_stage"] in ("Won", "Lost"):
            stage, semantic = ("WON", "S") if row["deal_stage"] == "Won" else ("LOSE", "F")
            stay.append((rows.FINISHED, stage, semantic, _moment(row["close_date"], CLOSED_AT, zone)))
        _, stage, semantic, moved = stay[-1]
        deal = rows.deal(
            f"{row['product']} {row['opportunity_id']}",
            created=opened,
            owner=users[row["sales_agent"]],
            stage=stage,
            semantic=semantic,
            amount=Decimal(row["close_value"] or 0),
            currency_code="USD",
            moved=moved,
            closed_on=date.fromisoformat(row["close_date"]) if row["close_date"] else None,
            companyId=companies.get(row["account"]),
        )
        deal_id = portal.put("deal", deal, quiet=True)
        history += [
            rows.stay(rows.DEAL, deal_id, kind, at, stage, semantic) for kind, stage, semantic, at in stay
        ]
    for entry in sorted(
        history, key=lambda entry: entry["CREATED_TIME"]
    ):  # ids grow with time, as on a portal
        portal.put("stage_history", entry, quiet=True)


def _moment(day: str, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(day), at, zone).astimezone(UTC)
