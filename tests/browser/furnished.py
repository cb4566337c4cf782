"""What an admin would have entered by now: a help desk, channels, grants, and the demo's plans and costs."""

from __future__ import annotations

from datetime import date
from typing import Any

import requests

from demo import figures
from demo.program import Program
from emulator.company.cast import RETAIL
from emulator.company.tickets import HELP_DESK, PROJECTS
from emulator.world import Portal
from tests.browser.stage import Stage
from tests.http.live import token

ADMIN = 1
ACCOUNTANT, PERSONNEL = 37, 38
PLANNED_MONTHS = 6


def furnish(stage: Stage, portal: Portal) -> None:
    """The invented company, set up through the API that the screens use."""
    headers = _headers(stage, portal)
    choices = _send(stage, headers, "GET", "/api/v1/settings/choices")
    _send(stage, headers, "PATCH", "/api/v1/settings", _settings(choices))
    stage.read(portal)
    figures.enter(_program(stage, headers), _today(stage, headers))


def plan(stage: Stage, portal: Portal) -> None:
    """Targets of half a year as history proposes them, and nothing else."""
    headers = _headers(stage, portal)
    today = _today(stage, headers)
    months = [_month(today, step) for step in range(1 - PLANNED_MONTHS, 1)]
    program = _program(stage, headers)
    program.put("/api/v1/targets", figures.targets(program, months))


def _settings(choices: dict[str, Any]) -> dict[str, Any]:
    objects = {one["id"]: one for one in choices["objects"]}
    desk, jobs = objects[HELP_DESK], objects[PROJECTS]
    rating = next(one for one in desk["fields"] if one["values"])
    planned, actual = [one["id"] for one in jobs["fields"] if one["type"] == "double"][:2]
    ticket = {
        "entity_type_id": HELP_DESK,
        "category_id": desk["pipelines"][0]["id"],
        "rating_field": rating["id"],
        "positive_values": [value["id"] for value in rating["values"][:2]],
    }
    return {
        "support": {"sessions": True, "calls": True, "tickets": [ticket]},
        "budget": {"entity_type_id": PROJECTS, "planned_field": planned, "actual_field": actual},
        "channels": [{"channel": name, "utm_source": name} for name, _ in figures.CHANNELS],
        "grants": [
            {"user": ACCOUNTANT, "scope": "company"},
            {"user": PERSONNEL, "scope": f"department:{RETAIL}"},
        ],
    }


def _headers(stage: Stage, portal: Portal) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(stage.live.open(portal, ADMIN))}"}


def _program(stage: Stage, headers: dict[str, str]) -> Program:
    made = _send(stage, headers, "POST", "/api/v1/api-clients", {"name": "Power BI"})
    return Program(stage.live.url, made["client_id"], made["client_secret"])


def _today(stage: Stage, headers: dict[str, str]) -> date:
    told = _send(stage, headers, "GET", "/api/v1/kpi?metric=revenue&scope=company")
    return date.fromisoformat(told["today"])


def _send(stage: Stage, headers: dict[str, str], verb: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = requests.request(verb, stage.live.url + path, json=body, headers=headers, timeout=30)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _month(day: date, steps: int) -> date:
    index = day.year * 12 + day.month - 1 + steps
    return date(index // 12, index % 12 + 1, 1)
