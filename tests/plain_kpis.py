"""Every KPI of the catalogue from the raw records of an emulated portal, the plainest way: slow loops.

Shares no code with the app, and none of the other plain calculations of the tests. Numbers are exact
fractions; a KPI is (numerator, denominator) with None for the denominator of a count or a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo

from emulator.world import Portal

Row = dict[str, Any]
Part = tuple[Fraction, Fraction | None]
Inside = Callable[[Any], bool]
Client = tuple[str, int]

MEANS = {"average_check", "processing_time", "stage_time", "first_response_time", "resolution_time"}
SHARES = {
    "win_rate", "funnel_conversion", "repeat_sales_rate", "lead_conversion", "csat", "fcr", "on_time_rate",
    "rework_rate", "task_rating", "calls_missed_rate", "email_open_rate",
}  # fmt: skip
OTHER_RATIOS = {
    "funnel", "cac", "engagement_rate", "click_rate", "channel_roi", "budget_deviation", "resource_plan",
    "utilization",
}  # fmt: skip
RATIOS = MEANS | SHARES | OTHER_RATIOS
SNAPSHOTS = {"pipeline_open", "activities_overdue", "deals_idle"}
NOT_PER_EMPLOYEE = {"cac", "channel_roi", "engagement_rate", "click_rate", "site_visits"}
KEYS = RATIOS | SNAPSHOTS | {
    "deals_won", "revenue", "deals_lost", "leads_new", "site_visits", "cases", "tasks_done", "calls_out",
    "calls_in", "talk_time", "meetings", "emails_sent", "activities_done",
}  # fmt: skip
MIN_SHARE, MIN_MEAN = 10, 5


@dataclass
class Case:
    """One support case; moments are aware. `source`: session, call or ticket:ENTITY_TYPE_ID."""

    source: str
    owner: int
    opened: datetime
    replied: datetime | None = None
    closed: datetime | None = None
    client: Client | None = None
    rating: bool | None = None
    reopened: bool = False


@dataclass
class Entered:
    """What admins sent to the API; `reopened`: activities of chats that were open again once seen closed."""

    costs: list[Row] = field(default_factory=list)
    campaigns: list[Row] = field(default_factory=list)
    reopened: set[int] = field(default_factory=set)


class Plain:
    """The plain calculation for a portal at one moment. `settings` as `GET /api/v1/settings` shows them."""

    def __init__(self, portal: Portal, settings: Row, entered: Entered, now: datetime) -> None:
        self.portal, self.settings, self.entered, self.now = portal, settings, entered, now
        self.zone = ZoneInfo(settings["timezone"])
        self.today = now.astimezone(self.zone).date()
        self._days: dict[datetime, date] = {}
        self._channels: dict[tuple[Any, Any], str] = {}
        self._earlier_won: dict[int, bool] = {}
        self._rates = {
            row["CURRENCY"]: Fraction(str(row["AMOUNT"])) / row["AMOUNT_CNT"]
            for row in portal.records["currency"]
        }
        self._histories: dict[tuple[int, int], list[Row]] = {}
        for kind in ("stage_history", "item_stage_history"):
            for row in sorted(portal.records[kind], key=lambda row: int(row["ID"])):
                self._histories.setdefault((row["ENTITY_TYPE_ID"], row["OWNER_ID"]), []).append(row)
        self.deals = [row for row in portal.records["deal"] if not row.get("isRecurring")]
        self.cases = [*self._chats(), *self._calls_of_clients(), *self._tickets()]

    # ---- the questions

    def value(self, metric: str, scope: str, start: date, end: date, cut: str | None = None) -> Part | None:
        """(numerator, denominator) of a KPI, of the part called `cut` if any; None: not for this scope."""
        if metric in NOT_PER_EMPLOYEE and scope.startswith("user:"):
            return None
        inside = self._inside(scope)

        def dated(moment: datetime | None) -> bool:
            return moment is not None and start <= self.day(moment) < end

        top, bottom = self._collect(metric, scope, inside, dated, start, end, cut)
        return Fraction(top), None if bottom is None else Fraction(bottom)

    def rows(self, metric: str, scope: str, start: date, end: date, by: str) -> dict[str, Part | None]:
        """The parts of a KPI by the keys of their rows."""
        if metric == "funnel":
            return cast("dict[str, Part | None]", self._funnel(self._inside(scope), start, end))
        if by == "user":
            people = self._members(scope)
            return {f"user:{number}": self.value(metric, f"user:{number}", start, end) for number in people}
        if by == "department":
            keys = [f"department:{number}" for number in self._departments(scope)]
            return {key: self.value(metric, key, start, end) for key in keys}
        if by in ("day", "week", "month"):
            pieces: dict[str, list[date]] = {}
            for number in range((end - start).days):
                day = start + timedelta(days=number)
                pieces.setdefault(piece(day, by), []).append(day)
            return {
                key: None
                if metric in SNAPSHOTS and self.today not in days
                else self.value(metric, scope, days[0], days[-1] + timedelta(days=1))
                for key, days in pieces.items()
            }
        return {key: self.value(metric, scope, start, end, key) for key in self._cut_keys(by)}

    def before(self, start: date, end: date, compare: str) -> tuple[date, date] | None:
        """The days that a period is compared with; None: it has not begun."""
        if self.today < start:
            return None
        last = min(self.today, end - timedelta(days=1))
        is_running = self.today < end
        if compare == "year":
            if not is_running and (start.day, end.day) == (1, 1):
                return _earlier(start, 12), _earlier(end, 12)
            return _earlier(start, 12), _earlier(last, 12) + timedelta(days=1)
        if (start.day, end.day) == (1, 1):
            months = (end.year - start.year) * 12 + end.month - start.month
            first = _earlier(start, months)
            return (first, _earlier(last, months) + timedelta(days=1)) if is_running else (first, start)
        length = end - start
        return start - length, last - length + timedelta(days=1)

    def is_few(self, metric: str, part: Part) -> bool | None:
        """Whether a ratio rests on few records; None where its denominator does not tell."""
        if metric not in MEANS | SHARES or part[1] is None:
            return None
        return part[1] < (MIN_MEAN if metric in MEANS else MIN_SHARE)

    def employees(self) -> list[int]:
        """Everybody who is an employee, dismissed ones too."""
        users = self.portal.records["user"]
        return [row["ID"] for row in users if row["USER_TYPE"] == "employee"]

    def day(self, moment: datetime) -> date:
        """The local day."""
        if moment not in self._days:
            self._days[moment] = moment.astimezone(self.zone).date()
        return self._days[moment]

    # ---- whose number

    def _inside(self, scope: str) -> Inside:
        if scope == "company":
            return lambda owner: True
        people = set(self._members(scope))
        return lambda owner: owner in people

    def _members(self, scope: str) -> list[int]:
        if scope == "company":
            return self.employees()
        if scope.startswith("user:"):
            return [int(scope[5:])]
        below = set(self._departments(scope))
        users = self.portal.records["user"]
        return [u for u in self.employees() if below & set(_found(users.get(u))["UF_DEPARTMENT"] or [])]

    def _departments(self, scope: str) -> list[int]:
        rows = list(self.portal.records["department"])
        if scope == "company":
            return [row["ID"] for row in rows]
        if scope.startswith("user:"):
            return []
        found = {int(scope[11:])}
        for _ in rows:
            found |= {row["ID"] for row in rows if row.get("PARENT") in found}
        return sorted(found)

    # ---- the catalogue

    def _collect(
        self, metric: str, scope: str, inside: Inside, dated: Callable[[datetime | None], bool],
        start: date, end: date, cut: str | None,
    ) -> tuple[Any, Any]:  # fmt: skip
        if metric in ("leads_new", "lead_conversion") and self.portal.uses_leads:
            leads = [
                row
                for row in self.portal.records["lead"]
                if inside(row["assignedById"]) and dated(row["createdTime"]) and self._is_cut(row, cut)
            ]
            converted = [row for row in leads if row["stageSemanticId"] == "S"]
            return (len(leads), None) if metric == "leads_new" else (len(converted), len(leads))
        if metric == "stage_time":
            return self._stage_time(inside, dated, cut)
        if metric in ("engagement_rate", "click_rate", "site_visits"):
            return self._campaigns(metric, scope, start, end, cut)
        if metric in ("cases", "cases_closed", "first_response_time", "csat", "fcr", "resolution_time"):
            return self._support(metric, inside, dated, cut)
        if metric in ("calls_out", "calls_in", "calls_missed_rate", "talk_time"):
            return self._calls(metric, inside, dated)
        if metric in ("meetings", "emails_sent", "activities_done", "activities_overdue", "email_open_rate"):
            return self._activities(metric, inside, dated)
        if metric in (
            "on_time_rate", "tasks_done", "tasks_with_deadline", "rework_rate", "task_rating",
            "resource_plan", "utilization", "budget_deviation",
        ):  # fmt: skip
            return self._projects(metric, inside, dated, start, end, cut)

        deals = [
            deal
            for deal in self.deals
            if inside(deal["assignedById"]) and self._is_chosen(deal) and self._is_cut(deal, cut)
        ]
        won = [deal for deal in deals if deal["stageSemanticId"] == "S" and dated(deal["movedTime"])]
        lost = [deal for deal in deals if deal["stageSemanticId"] == "F" and dated(deal["movedTime"])]
        created = [deal for deal in deals if dated(deal["createdTime"])]
        still_open = [deal for deal in deals if deal["stageSemanticId"] == "P"]
        if metric == "deals_won":
            return len(won), None
        if metric == "deals_lost":
            return len(lost), None
        if metric == "win_rate":
            return len(won), len(won) + len(lost)
        if metric in ("revenue", "average_check"):
            worths = self._worths(won)
            return sum(worths, Fraction()), None if metric == "revenue" else len(worths)
        if metric == "pipeline_open":
            return sum(self._worths(still_open), Fraction()), None
        if metric == "leads_new":
            return len(created), None
        if metric in ("funnel", "funnel_conversion", "lead_conversion"):
            return len([deal for deal in created if deal["stageSemanticId"] == "S"]), len(created)
        if metric == "processing_time":
            return self._processing_time(won)
        if metric == "repeat_sales_rate":
            known = [deal for deal in won if _client(deal)]
            return len([deal for deal in known if self._bought_before(deal)]), len(known)
        if metric == "deals_idle":
            planned = self._with_a_next_step()
            return len([deal for deal in still_open if deal["id"] not in planned]), None
        spent = self._spent(scope, start, end, cut)
        if metric == "cac":
            new = [deal for deal in won if _client(deal) and not self._bought_before(deal)]
            return sum(spent.values(), Fraction()), len(new)
        assert metric == "channel_roi", metric
        paid = {channel for channel, cost in spent.items() if cost}
        back = self._worths(deal for deal in won if self.channel(deal) in paid)
        cost = sum(spent.values(), Fraction())
        return sum(back, Fraction()) - cost, cost

    def _is_chosen(self, row: Row) -> bool:
        chosen = self.settings["pipelines"]
        return chosen is None or row["categoryId"] in chosen

    def _worths(self, deals: Iterable[Row]) -> list[Fraction]:
        worths = [self._worth(deal["opportunity"], deal["currencyId"]) for deal in deals]
        return [worth for worth in worths if worth is not None]

    def _worth(self, amount: Any, code: str) -> Fraction | None:
        if code not in self._rates:
            return None
        report: str = self.settings["currency"]
        worth: Fraction = Fraction(str(amount)) * self._rates[code] / self._rates[report]
        return worth

    def _processing_time(self, won: list[Row]) -> tuple[int, int]:
        spans = []
        for deal in won:
            first = deal["createdTime"]
            lead = self.portal.records["lead"].get(deal.get("leadId") or 0)
            if lead is not None:
                first = min(first, lead["createdTime"])
            spans.append(_seconds(first, deal["movedTime"]))
        spans = [span for span in spans if span >= 0]
        return sum(spans), len(spans)

    def _bought_before(self, deal: Row) -> bool:
        if deal["id"] not in self._earlier_won:
            self._earlier_won[deal["id"]] = any(
                other["stageSemanticId"] == "S"
                and _client(other) == _client(deal)
                and (other["movedTime"], other["id"]) < (deal["movedTime"], deal["id"])
                for other in self.deals
            )
        return self._earlier_won[deal["id"]]

    def _with_a_next_step(self) -> set[int]:
        found = set()
        for row in self.portal.records["activity"]:
            if not row["COMPLETED"]:
                bound = [row, *row["BINDINGS"]]
                found |= {one["OWNER_ID"] for one in bound if one["OWNER_TYPE_ID"] == 2}
        return found

    def _history(self, entity_type: int, number: int) -> list[Row]:
        return self._histories.get((entity_type, number), [])

    def _stage_time(
        self, inside: Inside, dated: Callable[[datetime | None], bool], cut: str | None
    ) -> tuple[int, int]:
        spans = []
        for deal in self.deals:
            if not inside(deal["assignedById"]):
                continue
            for entered, left in pairwise(self._history(2, deal["id"])):
                place = {**deal, "categoryId": entered["CATEGORY_ID"], "stageId": entered["STAGE_ID"]}
                if (
                    entered["STAGE_SEMANTIC_ID"] == "P"
                    and dated(left["CREATED_TIME"])
                    and self._is_chosen(place)
                    and self._is_cut(place, cut)
                ):
                    spans.append(_seconds(entered["CREATED_TIME"], left["CREATED_TIME"]))
        spans = [span for span in spans if span >= 0]
        return sum(spans), len(spans)

    def _funnel(self, inside: Inside, start: date, end: date) -> dict[str, Part]:
        found: dict[str, Part] = {}
        if self.portal.uses_leads:
            leads = self._collect("lead_conversion", "", inside, lambda m: self._in(m, start, end),
                                  start, end, None)  # fmt: skip
            found["lead:created"] = (Fraction(leads[1]), None)
            found["lead:converted"] = (Fraction(leads[0]), Fraction(leads[1]))
        for category in self.portal.records["category"]:
            number = category["id"]
            if not self._is_chosen({"categoryId": number}):
                continue
            cohort = [
                deal
                for deal in self.deals
                if deal["categoryId"] == number
                and inside(deal["assignedById"])
                and self._in(deal["createdTime"], start, end)
            ]
            stages = self._stages(number)
            before = Fraction(len(cohort))
            for stage in (row for row in stages if not row.get("SEMANTICS")):
                later = {
                    r["STATUS_ID"] for r in stages if not r.get("SEMANTICS") and r["SORT"] >= stage["SORT"]
                }
                reached = Fraction(0)
                for deal in cohort:
                    history = self._history(2, deal["id"])
                    shown = {deal["stageId"], *(row["STAGE_ID"] for row in history)}
                    reached += deal["stageSemanticId"] == "S" or bool(shown & later)
                found[f"stage:{number}:{stage['STATUS_ID']}"] = (reached, before)
                before = reached
            won = Fraction(len([deal for deal in cohort if deal["stageSemanticId"] == "S"]))
            name = next(row["STATUS_ID"] for row in stages if row.get("SEMANTICS") == "S")
            found[f"stage:{number}:{name}"] = (won, before)
        return found

    def _stages(self, category: int) -> list[Row]:
        entity = f"DEAL_STAGE_{category}" if category else "DEAL_STAGE"
        rows = [row for row in self.portal.records["status"] if row["ENTITY_ID"] == entity]
        return sorted(rows, key=lambda row: int(row["SORT"]))

    def _in(self, moment: datetime | None, start: date, end: date) -> bool:
        return moment is not None and start <= self.day(moment) < end

    # ---- cuts

    def channel(self, row: Row) -> str:
        """The channel of a lead or deal."""
        origin = (row.get("utmSource") or None, row.get("sourceId") or None)
        if origin not in self._channels:
            self._channels[origin] = self._channel(*origin)
        return self._channels[origin]

    def _channel(self, utm: str | None, source: str | None) -> str:
        rules = self.settings["channels"]
        both = [r for r in rules if r.get("utm_source") and r.get("source_id")]
        for rule in both:
            if (rule["utm_source"], rule["source_id"]) == (utm, source):
                return str(rule["channel"])
        for name, mine in (("utm_source", utm), ("source_id", source)):
            for rule in rules:
                if rule not in both and mine and rule.get(name) == mine:
                    return str(rule["channel"])
        if utm:
            return str(utm)
        names = [
            row["NAME"]
            for row in self.portal.records["status"]
            if row["ENTITY_ID"] == "SOURCE" and row["STATUS_ID"] == source
        ]
        return str(names[0]) if names else "unknown"

    def _is_cut(self, row: Row, cut: str | None) -> bool:
        if cut is None:
            return True
        if cut.startswith("pipeline:"):
            return cut == f"pipeline:{row['categoryId']}"
        if cut.startswith("stage:"):
            return cut == f"stage:{row['categoryId']}:{row['stageId']}"
        return cut == f"channel:{self.channel(row)}"

    def _cut_keys(self, by: str) -> set[str]:
        if by == "pipeline":
            return {f"pipeline:{row['id']}" for row in self.portal.records["category"]}
        if by == "stage":
            return {
                f"stage:{category['id']}:{row['STATUS_ID']}"
                for category in self.portal.records["category"]
                for row in self._stages(category["id"])
            }
        if by == "project":
            return {f"project:{number}" for number in (0, *(r["ID"] for r in self.portal.records["group"]))}
        if by == "support_source":
            desks = [f"ticket:{desk['entity_type_id']}" for desk in self.settings["support"]["tickets"]]
            return {f"support_source:{source}" for source in ("session", "call", *desks)}
        rows = [*self.portal.records["lead"], *self.deals]
        entered = [*self.entered.costs, *self.entered.campaigns]
        return {f"channel:{self.channel(row)}" for row in rows} | {f"channel:{r['channel']}" for r in entered}

    # ---- marketing

    def _is_tagged(self, row: Row, scope: str) -> bool:
        return scope == "company" or row.get("department") in self._departments(scope)

    def _spent(self, scope: str, start: date, end: date, cut: str | None) -> dict[str, Fraction]:
        spent: dict[str, Fraction] = {}
        for row in self.entered.costs:
            if not self._is_tagged(row, scope) or cut not in (None, f"channel:{row['channel']}"):
                continue
            first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
            worth = self._worth(row["amount"], row["currency"])
            if worth is not None:
                inside = min(end, last + timedelta(days=1)) - max(start, first)
                share = Fraction(max(0, inside.days), (last - first).days + 1)
                spent[row["channel"]] = spent.get(row["channel"], Fraction()) + worth * share
        return spent

    def _campaigns(
        self, metric: str, scope: str, start: date, end: date, cut: str | None
    ) -> tuple[int, int | None]:
        rows = [
            row
            for row in self.entered.campaigns
            if start <= date.fromisoformat(row["date"]) < end
            and self._is_tagged(row, scope)
            and cut in (None, f"channel:{row['channel']}")
        ]
        if metric == "site_visits":
            return sum(row["visits"] for row in rows), None
        top = "opened" if metric == "engagement_rate" else "clicked"
        return sum(row[top] for row in rows), sum(row["delivered"] for row in rows)

    # ---- support

    def _support(
        self, metric: str, inside: Inside, dated: Callable[[datetime | None], bool], cut: str | None
    ) -> tuple[int, int | None]:
        cases = [case for case in self.cases if cut in (None, f"support_source:{case.source}")]
        mine = [case for case in cases if inside(case.owner)]
        opened = [case for case in mine if dated(case.opened)]
        closed = [case for case in mine if dated(case.closed)]
        if metric == "cases":
            return len(opened), None
        if metric == "cases_closed":
            return len(closed), None
        if metric == "first_response_time":
            return self._mean([(case.opened, case.replied) for case in opened])
        if metric == "resolution_time":
            return self._mean([(case.opened, case.closed) for case in closed])
        if metric == "csat":
            ratings = [case.rating for case in closed if case.rating is not None]
            return ratings.count(True), len(ratings)
        return len([case for case in closed if self._is_resolved(case)]), len(closed)

    def _is_resolved(self, case: Case) -> bool:
        if case.client is None or case.reopened or case.closed is None:
            return not case.reopened
        until = case.closed + timedelta(seconds=self.settings["fcr_days"] * 86_400)
        return not any(
            other is not case and other.client == case.client and case.closed < other.opened <= until
            for other in self.cases
        )

    def _mean(self, spans: Iterable[tuple[datetime, datetime | None]]) -> tuple[int, int]:
        known = [(begin, end) for begin, end in spans if end is not None and end >= begin]
        return sum(self._length(begin, end) for begin, end in known), len(known)

    def _length(self, begin: datetime, end: datetime) -> int:
        if not self.settings["working_hours_for_support"]:
            return _seconds(begin, end)
        worked = 0.0
        calendar = self.portal.calendar
        opens, closes = int(calendar["work_time_start"]), int(calendar["work_time_end"])
        day = self.day(begin)
        while day <= self.day(end):
            if self._is_working(day):
                since = datetime.combine(day, time(opens), self.zone).astimezone(UTC)
                until = datetime.combine(day, time(closes), self.zone).astimezone(UTC)
                worked += max(0.0, (min(until, end) - max(since, begin)).total_seconds())
            day += timedelta(days=1)
        return int(worked)

    def _is_working(self, day: date) -> bool:
        calendar = self.portal.calendar
        written = f"{day.day}.{day.month:02}"
        if written in calendar["year_workdays"].split(","):
            return True
        name = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day.weekday()]
        return name not in calendar["week_holidays"] and written not in calendar["year_holidays"].split(",")

    def _chats(self) -> list[Case]:
        if not self.settings["support"]["sessions"]:
            return []
        found = []
        for row in self.portal.records["activity"]:
            if row["PROVIDER_ID"] != "IMOPENLINES_SESSION":
                continue
            case = Case("session", row["RESPONSIBLE_ID"], row["START_TIME"])
            case.closed = row["END_TIME"] if row["COMPLETED"] else None
            case.client = self._client_behind(row["OWNER_TYPE_ID"], row["OWNER_ID"])
            case.reopened = row["ID"] in self.entered.reopened
            for message in self.portal.records["session_message"]:
                if message["SESSION_ID"] != row["ASSOCIATED_ENTITY_ID"]:
                    continue
                sender = self.portal.records["user"].get(message["SENDER_ID"])
                is_person = sender is not None and sender["USER_TYPE"] == "employee"
                if is_person and (case.replied is None or message["DATE"] < case.replied):
                    case.replied = message["DATE"]
                vote = message["PARAMS"].get("imolVoteUser")
                case.rating = {5: True, 1: False}.get(vote, case.rating)
            found.append(case)
        return found

    def _calls_of_clients(self) -> list[Case]:
        if not self.settings["support"]["calls"]:
            return []
        found = []
        for row in self.portal.records["call"]:
            if row["CALL_TYPE"] in (2, 3):
                case = Case("call", row["PORTAL_USER_ID"], row["CALL_START_DATE"])
                if row["CALL_FAILED_CODE"] == "200":
                    case.closed = case.opened + timedelta(seconds=row["CALL_DURATION"])
                kind = {"LEAD": 1, "DEAL": 2, "CONTACT": 3, "COMPANY": 4}.get(
                    row.get("CRM_ENTITY_TYPE") or ""
                )
                case.client = self._client_behind(kind, row["CRM_ENTITY_ID"]) if kind else None
                if row.get("CALL_VOTE"):
                    case.rating = row["CALL_VOTE"] >= 4
                found.append(case)
        return found

    def _tickets(self) -> list[Case]:
        found = []
        for desk in self.settings["support"]["tickets"]:
            number = desk["entity_type_id"]
            for item in self.portal.records[f"dynamic_{number}"]:
                if item["categoryId"] != desk["category_id"]:
                    continue
                case = Case(
                    f"ticket:{number}", item["assignedById"], item["createdTime"], client=_client(item)
                )
                if item["stageSemanticId"] in ("S", "F"):
                    case.closed = item["movedTime"]
                for entered, left in pairwise(self._history(number, item["id"])):
                    case.replied = case.replied or left["CREATED_TIME"]
                    was_final = entered["STAGE_SEMANTIC_ID"] in ("S", "F")
                    case.reopened |= was_final and left["STAGE_SEMANTIC_ID"] == "P"
                given = item.get(desk.get("rating_field") or "")
                if given:
                    case.rating = str(given) in [str(one) for one in desk["positive_values"]]
                found.append(case)
        return found

    def _client_behind(self, entity_type: int, number: int) -> Client | None:
        if entity_type in (3, 4):
            return ("company" if entity_type == 4 else "contact", number)
        item = self.portal.records["lead" if entity_type == 1 else "deal"].get(number)
        client = _client(item) if item else None
        return client or (("lead", number) if entity_type == 1 else None)

    # ---- projects

    def _projects(
        self, metric: str, inside: Inside, dated: Callable[[datetime | None], bool],
        start: date, end: date, cut: str | None,
    ) -> tuple[Any, Any]:  # fmt: skip
        chosen = self.settings["projects"]

        def counts(task: Row | None) -> bool:
            project = (task or {}).get("GROUP_ID") or 0
            is_chosen = chosen is None or (task is not None and project in chosen)
            return is_chosen and cut in (None, f"project:{project}")

        tasks = [row for row in self.portal.records["task"] if inside(row["RESPONSIBLE_ID"]) and counts(row)]
        closed = [row for row in tasks if row["STATUS"] == 5 and dated(row["CLOSED_DATE"])]
        if metric == "tasks_done":
            return len(closed), None
        if metric == "tasks_with_deadline":
            return len([row for row in tasks if dated(row["DEADLINE"])]), None
        if metric == "task_rating":
            marks = [row["MARK"] for row in closed]
            return marks.count("P"), marks.count("P") + marks.count("N")
        if metric == "rework_rate":
            return len([row for row in closed if self._was_returned(row)]), len(closed)
        if metric == "on_time_rate":
            due = [
                r for r in tasks if r["STATUS"] != 6 and dated(r["DEADLINE"]) and r["DEADLINE"] <= self.now
            ]
            done = [r for r in due if r["STATUS"] == 5 and r["CLOSED_DATE"]]
            return len([row for row in done if row["CLOSED_DATE"] <= row["DEADLINE"]]), len(due)
        if metric == "budget_deviation":
            if self.settings["budget"]:
                return self._money_budget(inside, dated) if cut in (None, "project:0") else (0, 0)
            estimated = [row for row in closed if row["TIME_ESTIMATE"]]
            planned = sum(row["TIME_ESTIMATE"] for row in estimated)
            return sum(row["TIME_SPENT_IN_LOGS"] or 0 for row in estimated) - planned, planned
        logged = sum(
            row["SECONDS"]
            for row in self.portal.records["time_record"]
            if inside(row["USER_ID"])
            and dated(row["CREATED_DATE"])
            and row["SECONDS"] >= 0
            and counts(self.portal.records["task"].get(row["TASK_ID"]))
        )
        if metric == "resource_plan":
            return logged, sum(row["TIME_ESTIMATE"] or 0 for row in tasks if dated(row["DEADLINE"]))
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        working = len([day for day in days if self._is_working(day)])
        users = self.portal.records["user"]
        people = [u for u in self.employees() if inside(u) and _found(users.get(u))["ACTIVE"]]
        return logged, working * len(people) * Fraction(str(self.settings["hours_per_day"])) * 3600

    def _money_budget(
        self, inside: Inside, dated: Callable[[datetime | None], bool]
    ) -> tuple[Fraction, Fraction]:
        budget = self.settings["budget"]
        planned = actual = Fraction()
        for item in self.portal.records[f"dynamic_{budget['entity_type_id']}"]:
            is_closed = item["stageSemanticId"] in ("S", "F")
            if is_closed and inside(item["assignedById"]) and dated(item["movedTime"]):
                planned += self._worth(item.get(budget["planned_field"]) or 0, item["currencyId"]) or 0
                actual += self._worth(item.get(budget["actual_field"]) or 0, item["currencyId"]) or 0
        return actual - planned, planned

    def _was_returned(self, task: Row) -> bool:
        return any(
            row["FIELD"] == "STATUS" and row["FROM"] in (4, 5) and row["TO"] in (2, 3)
            for row in self.portal.records["task_history"]
            if row["TASK_ID"] == task["ID"]
        )

    # ---- activity

    def _calls(
        self, metric: str, inside: Inside, dated: Callable[[datetime | None], bool]
    ) -> tuple[int, int | None]:
        mine = [
            row
            for row in self.portal.records["call"]
            if inside(row["PORTAL_USER_ID"]) and dated(row["CALL_START_DATE"])
        ]
        answered = [row for row in mine if row["CALL_FAILED_CODE"] == "200"]
        if metric == "calls_out":
            return len([row for row in answered if row["CALL_TYPE"] in (1, 4)]), None
        if metric == "calls_in":
            return len([row for row in answered if row["CALL_TYPE"] in (2, 3)]), None
        if metric == "talk_time":
            talks = [row["CALL_DURATION"] for row in answered if row["CALL_TYPE"] in (1, 2, 3, 4)]
            return sum(talk for talk in talks if talk >= 0), None
        incoming = [row for row in mine if row["CALL_TYPE"] in (2, 3)]
        return len([row for row in incoming if row["CALL_FAILED_CODE"] != "200"]), len(incoming)

    def _activities(
        self, metric: str, inside: Inside, dated: Callable[[datetime | None], bool]
    ) -> tuple[int, int | None]:
        mine = [row for row in self.portal.records["activity"] if inside(row["RESPONSIBLE_ID"])]
        if metric == "activities_overdue":
            waiting = [row for row in mine if not row["COMPLETED"] and row["DEADLINE"]]
            return len([row for row in waiting if row["DEADLINE"] < self.now]), None
        done = [row for row in mine if row["COMPLETED"]]
        if metric == "meetings":
            return len([row for row in done if row["TYPE_ID"] == 1 and dated(row["END_TIME"])]), None
        if metric == "activities_done":
            return len([row for row in done if dated(_done_at(row))]), None
        sent = [
            row
            for row in mine
            if row["PROVIDER_ID"] == "CRM_EMAIL" and row["DIRECTION"] == 2 and dated(row["CREATED"])
        ]
        if metric == "emails_sent":
            return len(sent), None
        opened = [row for row in sent if row["SETTINGS"].get("READ_CONFIRMED", 0) > 0]
        tracked = [row for row in sent if row in opened or row["SETTINGS"].get("IS_BATCH_EMAIL") is False]
        return len(opened), len(tracked)


def _done_at(row: Row) -> datetime:
    if row["TYPE_ID"] in (1, 2) or row["PROVIDER_ID"] == "IMOPENLINES_SESSION":
        return cast("datetime", row["END_TIME"])
    return cast("datetime", row["CREATED"] if row["PROVIDER_ID"] == "CRM_EMAIL" else row["LAST_UPDATED"])


def _client(row: Row) -> Client | None:
    if row.get("companyId"):
        return "company", row["companyId"]
    return ("contact", row["contactId"]) if row.get("contactId") else None


def _seconds(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds())


def piece(day: date, by: str) -> str:
    """What the day, week or month of a day is called."""
    if by == "month":
        return f"{day:%Y-%m}"
    return str(day - timedelta(days=day.weekday() if by == "week" else 0))


def _earlier(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    for last in range(day.day, 0, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(day)


def _found(row: Row | None) -> Row:
    assert row is not None
    return row
