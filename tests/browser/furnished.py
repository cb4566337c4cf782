"""What an admin would have entered by now: a help desk, plans, costs, campaigns, a set, grants, a program."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import requests

from emulator.company.cast import MARKETING, RETAIL, SUPPORT
from emulator.company.cast import PROJECTS as PROJECT_TEAM
from emulator.company.tickets import HELP_DESK, PROJECTS
from emulator.world import Portal
from tests.browser.stage import Stage
from tests.http.live import token

ADMIN = 1
PLANNED = (
    "revenue",
    "deals_won",
    "average_check",
    "win_rate",
    "tasks_done",
    "cases",
    "csat",
    "fcr",
    "resolution_time",
)
STRETCH = {"revenue": 1.08, "deals_won": 1.05}
CHANNELS = {"yandex": 62_000, "google": 38_000, "vk": 21_000}
MONTHS = 12
HISTORY = 3  # months behind a proposal, or the plan would climb from nothing
SETS_FROM = date(2026, 1, 1)


def furnish(stage: Stage, portal: Portal) -> None:
    """Set everything up as the admin, through the API that the screens use."""
    clerk = Clerk(stage, portal)
    today = date.fromisoformat(clerk.get("/api/v1/kpi?metric=revenue&scope=company")["today"])
    months = [_month(today, -back) for back in range(MONTHS)]
    clerk.set_up_support()
    stage.read(portal)
    clerk.plan(months)
    clerk.enter_marketing(months)
    clerk.make_sets()
    clerk.send("POST", "/api/v1/api-clients", {"name": "Power BI"})
    stage.read(portal)


class Clerk:
    """The admin at work."""

    def __init__(self, stage: Stage, portal: Portal) -> None:
        self._stage, self._portal = stage, portal
        self._headers = {"Authorization": f"Bearer {token(stage.live.open(portal, ADMIN))}"}

    def get(self, path: str) -> dict[str, Any]:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        url = self._stage.live.url + path
        answer = requests.request(method, url, json=body, headers=self._headers, timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def set_up_support(self) -> None:
        choices = self.get("/api/v1/settings/choices")
        desk = next((one for one in choices["objects"] if one["id"] == HELP_DESK), None)
        changes: dict[str, Any] = {
            "channels": [{"channel": name, "utm_source": name} for name in CHANNELS],
            "grants": [{"user": 37, "scope": "company"}, {"user": 38, "scope": f"department:{RETAIL}"}],
        }
        if desk is not None:
            rating = next(one for one in desk["fields"] if one["values"])
            good = [value["id"] for value in rating["values"][:2]]
            ticket = {
                "entity_type_id": HELP_DESK,
                "category_id": desk["pipelines"][0]["id"],
                "rating_field": rating["id"],
                "positive_values": good,
            }
            changes["support"] = {"sessions": True, "calls": True, "tickets": [ticket]}
            job = next(one for one in choices["objects"] if one["id"] == PROJECTS)
            planned, actual = [one["id"] for one in job["fields"] if one["type"] == "double"][:2]
            changes["budget"] = {
                "entity_type_id": PROJECTS,
                "planned_field": planned,
                "actual_field": actual,
            }
        self.send("PATCH", "/api/v1/settings", changes)

    def plan(self, months: list[date]) -> None:
        """Every KPI of the plan as history proposes it, somewhat raised."""
        for metric in PLANNED:
            changes = []
            for month in months:
                path = f"/api/v1/targets/proposals?metric={metric}&scope=company&month={month:%Y-%m}"
                for row in self.get(path)["rows"]:
                    if row["value"] is not None and len(row["months"]) >= HISTORY:
                        value = _raised(row["value"], STRETCH.get(metric, 1))
                        cell = {"metric": metric, "scope": row["key"], "month": f"{month:%Y-%m}"}
                        changes.append({**cell, "value": value})
            if changes:
                self.send("POST", "/api/v1/targets/changes", {"changes": changes})

    def enter_marketing(self, months: list[date]) -> None:
        costs, campaigns = [], []
        for place, month in enumerate(months):
            end = _month(month, 1) - timedelta(days=1)
            for step, (channel, amount) in enumerate(CHANNELS.items()):
                key = f"{channel}-{month:%Y-%m}"
                days = {"from": str(month), "to": str(end)}
                spent = str(amount + 1_300 * ((place * 7 + step * 3) % 11))
                costs.append({
                    "external_id": key, "channel": channel, **days, "amount": spent, "currency": "RUB",
                    "department": None,
                })  # fmt: skip
                sent = 4_000 + 170 * ((place * 5 + step) % 9)
                campaigns.append({
                    "external_id": key, "channel": channel, "date": str(month),
                    "name": f"{channel} {month:%m.%Y}",
                    "delivered": sent, "opened": sent // 4, "clicked": sent // 22, "visits": sent // 3,
                    "department": None,
                })  # fmt: skip
        self.send("PUT", "/api/v1/costs", costs)
        self.send("PUT", "/api/v1/campaigns", campaigns)

    def make_sets(self) -> None:
        """The ready-made sets, each for the department that it suits."""
        suits = {"support": SUPPORT, "marketing": MARKETING, "projects": PROJECT_TEAM}
        for ready in self.get("/api/v1/sets")["ready"]:
            if ready["key"] in suits:
                self.send("POST", "/api/v1/sets", {
                    **{name: ready[name] for name in ("name", "purpose")},
                    "metrics": [{key: one[key] for key in ("metric", "weight")} for one in ready["metrics"]],
                    "owner_id": ADMIN, "starts_on": str(SETS_FROM),
                    "assigned": {"departments": [suits[ready["key"]]], "positions": [], "users": []},
                })  # fmt: skip


def _raised(value: str, factor: float) -> str:
    return value if factor == 1 else f"{float(value) * factor:.0f}"


def _month(day: date, steps: int) -> date:
    index = day.year * 12 + day.month - 1 + steps
    return date(index // 12, index % 12 + 1, 1)
