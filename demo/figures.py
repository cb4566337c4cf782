"""What the portal does not know of the invented company: marketing costs, campaigns, targets, KPI sets.

Entered through the API as accounting, a mailing service and a planner would do it. Everything has a key of
its own, and the same month always gets the same figures: entering them again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from statistics import median
from typing import Any

from demo.program import Program

MONTHS = 12
"""Costs and campaigns go back so far, the running month included."""
PLANNED_MONTHS = 6
QUARTERS = (1, 4, 7, 10)

SEASON = (0.7, 0.9, 1.0, 1.15, 1.25, 1.3, 1.2, 1.05, 1.0, 0.95, 0.9, 1.0)
"""Climate equipment is advertised before the summer."""

CHANNELS = (("yandex-direct", 140_000), ("vk-ads", 85_000), ("yandex", 60_000), ("google", 35_000),
            ("newsletter", 18_000))  # fmt: skip
"""What a channel costs in an ordinary month, roubles. They are the `utm_source` of leads and deals."""
FAIR, FAIR_MONTHS, FAIR_COST = "Выставка", (3, 10), 320_000

SALES, MARKETING = "Отдел продаж", "Отдел маркетинга"
SUPPORT, PROJECTS = "Служба поддержки", "Проекты и монтаж"

SETS = (
    # name, purpose, KPIs, position, department
    ("Компания", "Деньги, клиенты и сроки одним взглядом",
     ("revenue", "win_rate", "leads_new", "cac", "channel_roi", "csat", "on_time_rate"),
     "Генеральный директор", ""),
    ("Продажи", "Выигрывать больше сделок и по хорошей цене",
     ("revenue", "deals_won", "average_check", "win_rate", "funnel_conversion", "processing_time",
      "leads_new"), "", SALES),
    ("Рассылки и сайт", "Как читают рассылки и приходят на сайт",
     ("engagement_rate", "click_rate", "site_visits"), "", MARKETING),
    ("Поддержка", "Быстро отвечаем и решаем с первого раза",
     ("first_response_time", "csat", "fcr", "resolution_time", "cases"), "", SUPPORT),
    ("Проекты", "В срок, без возвратов и в рамках бюджета",
     ("on_time_rate", "tasks_done", "rework_rate", "task_rating", "budget_deviation", "resource_plan"),
     "", PROJECTS),
)  # fmt: skip

PLANNED = ("revenue", "deals_won", "win_rate", "average_check", "leads_new", "lead_conversion", "csat",
           "first_response_time", "on_time_rate", "tasks_done", "cac", "channel_roi", "engagement_rate",
           "site_visits")  # fmt: skip

SEASONAL = ("revenue", "deals_won", "leads_new", "site_visits")

Row = dict[str, Any]


def enter(program: Program, today: date) -> None:
    """Costs, campaigns, KPI sets and targets up to the running month. Raises: RuntimeError."""
    departments = {one["name"]: one["id"] for one in program.get("/api/v1/org")["departments"]}
    months = list(_months(today, MONTHS))
    program.put("/api/v1/costs", [row for month in months for row in costs(month)])
    marketing = departments.get(MARKETING)
    program.put("/api/v1/campaigns", [row for m in months for row in campaigns(m, today, marketing)])
    _add_sets(program, departments, months[-PLANNED_MONTHS])
    program.put("/api/v1/targets", targets(program, months[-PLANNED_MONTHS:]))


def costs(month: date) -> list[Row]:
    """What each channel costs in the month that begins on this day."""
    rows = [_cost(channel, month, usual * _swing(channel, month)) for channel, usual in CHANNELS]
    if month.month in FAIR_MONTHS:
        rows.append(_cost(FAIR, month, FAIR_COST))
    return rows


def campaigns(month: date, today: date, department: int | None) -> list[Row]:
    """Results of the month's mailings and adverts, as far as they have begun."""
    rows: list[Row] = []
    for number, day in enumerate((month.replace(day=5), month.replace(day=19)), start=1):
        delivered = round(4_200 * _swing(f"newsletter {number}", month))
        opened = round(delivered * (0.2 + 0.05 * _swing("opened", month)))
        clicked = round(opened * 0.13 * _swing("clicked", month))
        name = f"Рассылка «Климат», выпуск {2 * month.month - 2 + number}"
        rows.append(
            _campaign("newsletter", day, name, department, delivered, opened, clicked, clicked * 9 // 10)
        )
    for channel, visits in (("yandex-direct", 2_900), ("vk-ads", 1_700)):
        seen = round(visits * _swing(f"{channel} visits", month))
        rows.append(_campaign(channel, month, f"Объявления {channel}", department, 0, 0, 0, seen))
    return [row for row in rows if row["date"] <= today.isoformat()]


def targets(program: Program, months: list[date]) -> list[Row]:
    """A plan by quarters: what the app proposes from the half-year before, spread by the season."""
    rows: list[Row] = []
    for metric in PLANNED:
        plan: list[Row] = []
        usual = 1.0
        for month in months:
            if month == months[0] or month.month in QUARTERS:
                asked = {"metric": metric, "scope": "company", "month": f"{month:%Y-%m}", "how": "history"}
                plan = program.get("/api/v1/targets/proposals", **asked)["rows"]
                usual = median(SEASON[month.month - 1 - step] for step in range(1, 7))
            share = SEASON[month.month - 1] / usual if metric in SEASONAL else 1.0
            rows += [
                {"metric": metric, "scope": line["key"], "month": f"{month:%Y-%m}", "value": value}
                for line in plan
                if (value := _planned(line["value"], share)) is not None
            ]
    return rows


def _planned(proposed: str | None, share: float) -> str | None:
    """A share of what is proposed, to two leading digits; None where there is nothing to plan."""
    if proposed is None or float(proposed) <= 0:
        return None
    return proposed if share == 1 else f"{float(f'{float(proposed) * share:.1e}'):.0f}"


def _add_sets(program: Program, departments: dict[str, int], since: date) -> None:
    """KPI sets for the director and for the departments that do not sell; those that are there stay."""
    known = {one["name"] for one in program.get("/api/v1/sets")["sets"]}
    for name, purpose, metrics, position, department in SETS:
        if name in known or (department and department not in departments):
            continue
        assigned = {
            "departments": [departments[department]] if department else [],
            "positions": [position] if position else [],
            "users": [],
        }
        body = {
            "name": name,
            "purpose": purpose,
            "owner_id": None,
            "starts_on": since.isoformat(),
            "metrics": [{"metric": metric, "weight": 1} for metric in metrics],
            "assigned": assigned,
        }
        program.post("/api/v1/sets", body)


def _cost(channel: str, month: date, amount: float) -> Row:
    return {
        "external_id": f"demo:{channel}:{month:%Y-%m}",
        "channel": channel,
        "from": month.isoformat(),
        "to": (_next(month) - timedelta(days=1)).isoformat(),
        "amount": f"{round(amount, -2):.0f}",
        "currency": "RUB",
    }


def _campaign(
    channel: str,
    day: date,
    name: str,
    department: int | None,
    sent: int,
    opened: int,
    clicked: int,
    visits: int,
) -> Row:
    return {
        "external_id": f"demo:{channel}:{day}",
        "channel": channel,
        "date": day.isoformat(),
        "name": name,
        "delivered": sent,
        "opened": opened,
        "clicked": clicked,
        "visits": visits,
        "department": department,
    }


def _swing(what: str, month: date) -> float:
    """The season, and a chance of its own for everything in every month: around 1."""
    chance = Random(f"{what} {month:%Y-%m}").uniform(0.9, 1.1)  # noqa: S311  the same figures each time
    return SEASON[month.month - 1] * chance


def _months(today: date, number: int) -> Iterator[date]:
    """The first days of the last months, oldest first, the running one included."""
    last = today.year * 12 + today.month - 1
    for index in range(last - number + 1, last + 1):
        yield date(index // 12, index % 12 + 1, 1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
