"""KPIs of projects and activity computed the plainest way, from REST rows. Shares no code with the app.

A portal as in `tests.oracle`, with `tasks` (each with the rows of its `history`, None: not read),
`time_records`, `calls`, `activities`, `calendar`, `hours_per_day`, `projects_chosen` (ids or None) and
`budget` (None, or the entity type and its items).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import (
    _departments,
    _in_cut,
    _members,
    _piece,
    _scope,
    _staff,
    _worth,
)

Portal = dict[str, Any]
Row = dict[str, Any]

RATIOS = {
    "on_time_rate", "budget_deviation", "rework_rate", "task_rating", "resource_plan", "utilization",
    "calls_missed_rate", "email_open_rate",
}  # fmt: skip
SNAPSHOTS = {"activities_overdue", "deals_idle"}
KEYS = RATIOS | SNAPSHOTS | {
    "tasks_done", "calls_out", "calls_in", "talk_time", "meetings", "emails_sent", "activities_done",
}  # fmt: skip
"""The KPIs that are computed here."""


class Plain:
    """The plain calculation for one portal at one moment."""

    def __init__(self, portal: Portal, now: datetime) -> None:
        self.portal = portal
        self.now = now
        self.zone = ZoneInfo(portal["timezone"])

    def value(self, metric: str, scope: str, start: date, end: date) -> Row:
        """value, numerator, denominator of one KPI."""
        return self._part(metric, scope, start, end, None)

    def rows(self, metric: str, scope: str, start: date, end: date, by: str) -> dict[str, Row]:
        """The same for every part of the KPI by the key of its row."""
        found: dict[str, Row] = {}
        if by == "user":
            people = _members(self.portal, scope) if scope != "company" else None
            for user_id in people if people is not None else {u["ID"] for u in _staff(self.portal)}:
                found[f"user:{user_id}"] = self.value(metric, f"user:{user_id}", start, end)
        elif by == "department":
            for number in _departments(self.portal, scope):
                found[f"department:{number}"] = self.value(metric, f"department:{number}", start, end)
        elif by in ("day", "week", "month"):
            for key, days in self._pieces(start, end, by).items():
                found[key] = self._part(metric, scope, days[0], days[-1] + timedelta(days=1), None)
                if metric in SNAPSHOTS and self.now.astimezone(self.zone).date() not in days:
                    found[key] = {"value": None, "numerator": None, "denominator": None}
        else:
            for key in self._cut_keys(by):
                found[key] = self._part(metric, scope, start, end, (by, key))
        return found

    def _pieces(self, start: date, end: date, by: str) -> dict[str, list[date]]:
        pieces: dict[str, list[date]] = {}
        for offset in range((end - start).days):
            day = start + timedelta(days=offset)
            pieces.setdefault(_piece(day, by), []).append(day)
        return pieces

    def _cut_keys(self, by: str) -> set[str]:
        if by == "project":
            return {f"project:{number}" for number in range(4)}
        if by == "pipeline":
            return {f"pipeline:{deal['categoryId']}" for deal in self.portal["deals"]}
        if by == "stage":
            return {f"stage:{deal['categoryId']}:{deal['stageId']}" for deal in self.portal["deals"]}
        return {f"channel:{name}" for name in ("unknown", "yandex", "google", "Web site", "Call", "GONE")} | {
            f"channel:{rule['channel']}" for rule in self.portal["rules"]
        }

    def _part(self, metric: str, scope: str, start: date, end: date, only: tuple[str, str] | None) -> Row:
        top, bottom = self._collect(metric, scope, start, end, only)
        if metric not in RATIOS:
            return {"value": top, "numerator": None, "denominator": None}
        with localcontext() as exact:
            exact.prec = 80
            ratio = Decimal(top) / Decimal(bottom) if bottom else None
            if ratio is not None:
                ratio = ratio.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
        return {"value": ratio, "numerator": top, "denominator": bottom}

    def _collect(
        self, metric: str, scope: str, start: date, end: date, only: tuple[str, str] | None
    ) -> tuple[Any, Any]:
        inside = _scope(self.portal, scope)

        def dated(moment: str | None) -> bool:
            return moment is not None and start <= self._day(moment) < end

        if metric == "deals_idle":
            return self._idle(inside, only), None
        if metric in ("calls_out", "calls_in", "calls_missed_rate", "talk_time"):
            mine = [
                row
                for row in self.portal["calls"]
                if inside(int(row["PORTAL_USER_ID"])) and dated(row["CALL_START_DATE"])
            ]
            return self._calls(metric, mine)
        if metric in ("meetings", "emails_sent", "activities_done", "email_open_rate", "activities_overdue"):
            own = [row for row in self.portal["activities"] if inside(int(row["RESPONSIBLE_ID"]))]
            return self._activities(metric, own, dated)
        return self._projects(metric, scope, inside, dated, start, end, only)

    def _calls(self, metric: str, mine: list[Row]) -> tuple[Any, Any]:
        answered = [row for row in mine if row["CALL_FAILED_CODE"] == "200"]
        if metric == "calls_out":
            return len([row for row in answered if row["CALL_TYPE"] in ("1", "4")]), None
        if metric == "calls_in":
            return len([row for row in answered if row["CALL_TYPE"] in ("2", "3")]), None
        if metric == "talk_time":
            talks = [int(r["CALL_DURATION"]) for r in answered if r["CALL_TYPE"] in ("1", "2", "3", "4")]
            return sum(seconds for seconds in talks if seconds >= 0), None
        incoming = [row for row in mine if row["CALL_TYPE"] in ("2", "3")]
        return len([row for row in incoming if row["CALL_FAILED_CODE"] != "200"]), len(incoming)

    def _activities(
        self, metric: str, own: list[Row], dated: Callable[[str | None], bool]
    ) -> tuple[Any, Any]:
        if metric == "activities_overdue":
            overdue = 0
            for row in own:
                due = row["DEADLINE"]
                if row["COMPLETED"] == "N" and due and not due.startswith("9999"):
                    overdue += datetime.fromisoformat(due) < self.now
            return overdue, None
        done = [row for row in own if row["COMPLETED"] == "Y"]
        if metric == "meetings":
            return len([row for row in done if row["TYPE_ID"] == "1" and dated(row["END_TIME"])]), None
        if metric == "activities_done":
            return len([row for row in done if dated(_completed_at(row))]), None
        sent = [
            row
            for row in own
            if row["PROVIDER_ID"] == "CRM_EMAIL" and row["DIRECTION"] == "2" and dated(row["CREATED"])
        ]
        if metric == "emails_sent":
            return len(sent), None
        settings = [row["SETTINGS"] or {} for row in sent]
        opened = [one for one in settings if one.get("READ_CONFIRMED", 0) > 0]
        tracked = [one for one in settings if one in opened or one.get("IS_BATCH_EMAIL") is False]
        return len(opened), len(tracked)

    def _idle(self, inside: Callable[[Any], bool], only: tuple[str, str] | None) -> int:
        planned = set()
        for row in self.portal["activities"]:
            if row["COMPLETED"] == "N":
                bound = [(row["OWNER_TYPE_ID"], row["OWNER_ID"])]
                bound += [(one["OWNER_TYPE_ID"], one["OWNER_ID"]) for one in row["BINDINGS"]]
                planned |= {int(number) for kind, number in bound if kind == "2"}
        chosen = self.portal["pipelines"]
        return sum(
            deal["stageSemanticId"] == "P"
            and deal["isRecurring"] != "Y"
            and inside(deal["assignedById"])
            and (chosen is None or deal["categoryId"] in chosen)
            and deal["id"] not in planned
            and _in_cut(self.portal, deal, only)
            for deal in self.portal["deals"]
        )

    def _projects(
        self,
        metric: str,
        scope: str,
        inside: Callable[[Any], bool],
        dated: Callable[[str | None], bool],
        start: date,
        end: date,
        only: tuple[str, str] | None,
    ) -> tuple[Any, Any]:
        chosen = self.portal["projects_chosen"]
        projects = {row["id"]: int(row["groupId"] or 0) for row in self.portal["tasks"]}

        def counts(project: int | None) -> bool:
            if chosen is not None and project not in chosen:
                return False
            return only is None or f"project:{project or 0}" == only[1]

        tasks = [
            row
            for row in self.portal["tasks"]
            if inside(int(row["responsibleId"])) and counts(projects[row["id"]])
        ]
        closed = [row for row in tasks if row["status"] == "5" and dated(row["closedDate"])]
        logged = sum(
            int(row["SECONDS"])
            for row in self.portal["time_records"]
            if inside(int(row["USER_ID"]))
            and counts(projects.get(row["TASK_ID"]))
            and dated(row["CREATED_DATE"])
            and int(row["SECONDS"]) >= 0
        )
        if metric == "tasks_done":
            return len(closed), None
        if metric == "on_time_rate":
            due = [row for row in tasks if row["status"] != "6" and dated(row["deadline"])]
            due = [row for row in due if datetime.fromisoformat(row["deadline"]) <= self.now]
            return len([row for row in due if _is_in_time(row)]), len(due)
        if metric == "rework_rate":
            known = [row for row in closed if row["history"] is not None]
            return len([row for row in known if _was_returned(row["history"])]), len(known)
        if metric == "task_rating":
            marks = [row["mark"] for row in closed]
            return marks.count("P"), marks.count("P") + marks.count("N")
        if metric == "resource_plan":
            return logged, sum(int(row["timeEstimate"] or 0) for row in tasks if dated(row["deadline"]))
        if metric == "utilization":
            return logged, self._capacity(scope, start, end)
        assert metric == "budget_deviation", metric
        if self.portal["budget"] is not None:
            return self._money(inside, dated, only)
        estimated = [row for row in closed if int(row["timeEstimate"] or 0) > 0]
        planned = sum(int(row["timeEstimate"]) for row in estimated)
        return sum(int(row["timeSpentInLogs"] or 0) for row in estimated) - planned, planned

    def _money(
        self,
        inside: Callable[[Any], bool],
        dated: Callable[[str | None], bool],
        only: tuple[str, str] | None,
    ) -> tuple[Decimal, Decimal]:
        budget, pipelines = self.portal["budget"], self.portal["pipelines"]
        planned = actual = Decimal(0)
        for item in budget["items"]:
            if item["stageSemanticId"] == "P" or not inside(item["assignedById"]):
                continue
            limited = budget["entity_type_id"] == 2 and pipelines is not None
            if limited and item["categoryId"] not in pipelines:
                continue
            if not dated(item["movedTime"]) or (only is not None and only[1] != "project:0"):
                continue
            worths = [_worth(self.portal, {**item, "opportunity": item[f]}) for f in ("ufPlan", "ufFact")]
            planned += worths[0] or 0
            actual += worths[1] or 0
        return actual - planned, planned

    def _capacity(self, scope: str, start: date, end: date) -> int:
        inside, calendar = _scope(self.portal, scope), self.portal["calendar"]
        people = [user for user in _staff(self.portal) if user["ACTIVE"] and inside(user["ID"])]
        names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
        days = 0
        for offset in range((end - start).days):
            day = start + timedelta(days=offset)
            written = f"{day.day}.{day.month:02}"
            is_off = names[day.weekday()] in calendar["week_holidays"]
            is_off = is_off or written in calendar["year_holidays"].split(",")
            days += written in calendar["year_workdays"].split(",") or not is_off
        return int(days * len(people) * Decimal(str(self.portal["hours_per_day"])) * 3600)

    def _day(self, moment: str) -> date:
        return datetime.fromisoformat(moment).astimezone(self.zone).date()


def _completed_at(row: Row) -> str:
    if row["TYPE_ID"] in ("1", "2") or row["PROVIDER_ID"] == "IMOPENLINES_SESSION":
        return str(row["END_TIME"] or row["LAST_UPDATED"])
    return str(row["CREATED"] if row["PROVIDER_ID"] == "CRM_EMAIL" else row["LAST_UPDATED"])


def _is_in_time(task: Row) -> bool:
    if task["status"] != "5" or not task["closedDate"]:
        return False
    return datetime.fromisoformat(task["closedDate"]) <= datetime.fromisoformat(task["deadline"])


def _was_returned(history: list[Row]) -> bool:
    return any(row["value"]["from"] in ("4", "5") and row["value"]["to"] in ("2", "3") for row in history)
