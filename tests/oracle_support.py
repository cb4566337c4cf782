"""Support KPIs computed the plainest way, from REST rows. Shares no code with the app.

A portal as `tests.random_support` makes it. Slow on purpose: every question walks over everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import _departments, _members, _piece, _scope, _staff

Portal = dict[str, Any]
Row = dict[str, Any]

RATIOS = {"first_response_time", "csat", "fcr", "resolution_time"}
KEYS = RATIOS | {"cases"}
"""The KPIs that are computed here."""


@dataclass
class Request:
    """One support request. Moments are aware; `is_read` False: whether there was a reply is not known."""

    owner: int
    opened: datetime
    replied: datetime | None = None
    closed: datetime | None = None
    client: tuple[str, int] | None = None
    rating: bool | None = None
    reopened: bool = False
    is_read: bool = True
    is_call: bool = False


class Plain:
    """The plain calculation for one portal at one moment."""

    def __init__(self, portal: Portal, now: datetime) -> None:
        self.portal = portal
        self.now = now
        self.zone = ZoneInfo(portal["timezone"])
        self.requests = [*self._chats(), *self._calls(), *self._tickets()]

    def value(self, metric: str, scope: str, start: date, end: date) -> Row:
        """value, numerator, denominator of one KPI."""
        top, bottom = self._collect(metric, _scope(self.portal, scope), start, end)
        if metric == "cases":
            return {"value": top, "numerator": None, "denominator": None}
        with localcontext() as exact:
            exact.prec = 80
            ratio = Decimal(top) / Decimal(bottom) if bottom else None
            if ratio is not None:
                ratio = ratio.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
        return {"value": ratio, "numerator": top, "denominator": bottom}

    def rows(self, metric: str, scope: str, start: date, end: date, by: str) -> dict[str, Row]:
        """The same for every part of the KPI by the key of its row."""
        if by == "user":
            people = {u["ID"] for u in _staff(self.portal)} if scope == "company" else None
            people = _members(self.portal, scope) if people is None else people
            return {f"user:{n}": self.value(metric, f"user:{n}", start, end) for n in people}
        if by == "department":
            keys = [f"department:{n}" for n in _departments(self.portal, scope)]
            return {key: self.value(metric, key, start, end) for key in keys}
        pieces: dict[str, list[date]] = {}
        for offset in range((end - start).days):
            day = start + timedelta(days=offset)
            pieces.setdefault(_piece(day, by), []).append(day)
        return {
            key: self.value(metric, scope, days[0], days[-1] + timedelta(days=1))
            for key, days in pieces.items()
        }

    def is_provisional(self, metric: str, scope: str, start: date, end: date) -> bool:
        """Whether the figure may still change without anything new being opened or answered."""
        inside = _scope(self.portal, scope)
        days = timedelta(seconds=self.portal["fcr_days"] * 86_400)
        if self.value(metric, scope, start, end)["value"] is None:
            return False
        for one in self.requests:
            if not inside(one.owner):
                continue
            is_closed = one.closed is not None and start <= self._day(one.closed) < end
            if metric == "fcr" and is_closed and one.closed is not None and one.closed + days > self.now:
                return True
            if metric == "csat" and is_closed and not one.is_read and one.rating is None:
                return True
            is_opened = start <= self._day(one.opened) < end
            if metric == "first_response_time" and is_opened and not one.is_read:
                return True
        return False

    def _collect(
        self, metric: str, inside: Callable[[Any], bool], start: date, end: date
    ) -> tuple[int, int | None]:
        mine = [one for one in self.requests if inside(one.owner)]
        opened = [one for one in mine if start <= self._day(one.opened) < end]
        closed = [one for one in mine if one.closed and start <= self._day(one.closed) < end]
        if metric == "cases":
            return len(opened), None
        if metric == "first_response_time":
            return self._mean([(one.opened, one.replied) for one in opened if one.replied])
        if metric == "resolution_time":
            return self._mean([(one.opened, one.closed) for one in closed])
        if metric == "csat":
            rated = [one.rating for one in closed if one.rating is not None]
            return rated.count(True), len(rated)
        return len([one for one in closed if self._is_resolved(one)]), len(closed)

    def _is_resolved(self, one: Request) -> bool:
        if one.reopened:
            return False
        if one.client is None:
            return True
        assert one.closed is not None
        until = one.closed + timedelta(seconds=self.portal["fcr_days"] * 86_400)
        return not any(
            other is not one and other.client == one.client and one.closed < other.opened <= until
            for other in self.requests
        )

    def _mean(self, spans: list[tuple[datetime, datetime | None]]) -> tuple[int, int]:
        total = count = 0
        for begin, end in spans:
            assert end is not None
            if end >= begin:
                total += self._seconds(begin, end)
                count += 1
        return total, count

    def _seconds(self, begin: datetime, end: datetime) -> int:
        if not self.portal["working"]:
            return int((end - begin).total_seconds())
        worked = 0.0
        day = begin.astimezone(self.zone).date()
        while day <= end.astimezone(self.zone).date():
            if day.weekday() < 5:  # the calendar was not read: Monday to Friday, 9 to 18
                opens = datetime.combine(day, time(9), self.zone).astimezone(UTC)
                closes = datetime.combine(day, time(18), self.zone).astimezone(UTC)
                worked += max(0.0, (min(end, closes) - max(begin, opens)).total_seconds())
            day += timedelta(days=1)
        return int(worked)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _chats(self) -> list[Request]:
        found = []
        for row in self.portal["chats"] if self.portal["support"]["sessions"] else ():
            one = Request(int(row["RESPONSIBLE_ID"]), datetime.fromisoformat(row["START_TIME"]))
            if row["COMPLETED"] == "Y":
                one.closed = datetime.fromisoformat(row["END_TIME"])
            one.client = self._client_behind(int(row["OWNER_TYPE_ID"]), int(row["OWNER_ID"]))
            history = row["history"]
            one.is_read = history is not None
            if history is not None and history["message"]:
                self._listen(one, row, history)
            found.append(one)
        return found

    def _listen(self, one: Request, row: Row, history: Row) -> None:
        messages = list(history["message"].values())
        messages.sort(key=lambda m: (datetime.fromisoformat(m["date"]), int(m["id"])))
        client_spoke = False
        for message in messages:
            who = history["users"].get(message["senderid"]) if history["users"] else None
            if who and who["connector"]:
                client_spoke = True
            elif who and not who["bot"] and client_spoke and one.replied is None:
                one.replied = datetime.fromisoformat(message["date"])
            params = message["params"] or {}
            if str(params.get("imolVoteSid")) == row["ASSOCIATED_ENTITY_ID"]:
                vote = str(params["imolVoteUser"])
                one.rating = {"5": True, "1": False}.get(vote, one.rating)

    def _calls(self) -> list[Request]:
        found = []
        for row in self.portal["calls"] if self.portal["support"]["calls"] else ():
            if row["CALL_TYPE"] not in ("2", "3"):
                continue
            one = Request(
                int(row["PORTAL_USER_ID"]), datetime.fromisoformat(row["CALL_START_DATE"]), is_call=True
            )
            if row["CALL_FAILED_CODE"] == "200":
                one.closed = one.opened + timedelta(seconds=int(row["CALL_DURATION"]))
            if row["CRM_ENTITY_TYPE"]:
                kind = {"LEAD": 1, "CONTACT": 3, "COMPANY": 4}[row["CRM_ENTITY_TYPE"]]
                one.client = self._client_behind(kind, row["CRM_ENTITY_ID"])
            if row["CALL_VOTE"] in ("1", "2", "3", "4", "5"):
                one.rating = row["CALL_VOTE"] in ("4", "5")
            found.append(one)
        return found

    def _tickets(self) -> list[Request]:
        found = []
        for desk in self.portal["support"]["tickets"]:
            for item in self.portal["tickets"]:
                if item["categoryId"] == desk["category_id"]:
                    found.append(self._ticket(item, desk))
        return found

    def _ticket(self, item: Row, desk: Row) -> Request:
        one = Request(item["assignedById"], datetime.fromisoformat(item["createdTime"]))
        one.client = self._client(item)
        finals = (":DONE", ":SPAM")
        if item["stageId"].endswith(finals):
            one.closed = datetime.fromisoformat(item["movedTime"])
        was_final = False
        for entry in item["course"]:
            if one.replied is None and entry["STAGE_ID"] != item["course"][0]["STAGE_ID"]:
                one.replied = datetime.fromisoformat(entry["CREATED_TIME"])
            is_final = entry["STAGE_ID"].endswith(finals)
            one.reopened = one.reopened or (was_final and not is_final)
            was_final = is_final
        if "rating_field" in desk:
            given = item[desk["rating_field"]]
            given = given if isinstance(given, list) else [given]
            texts = [str(value) for value in given if value not in (None, "", 0)]
            one.rating = any(text in desk["positive_values"] for text in texts) if texts else None
        return one

    def _client_behind(self, entity_type_id: int, number: int) -> tuple[str, int] | None:
        if entity_type_id == 4:
            return ("company", number)
        if entity_type_id == 3:
            return ("contact", number)
        rows = {1: self.portal["leads"], 2: self.portal["deals"]}.get(entity_type_id, [])
        for row in rows:
            if row["id"] == number and self._client(row):
                return self._client(row)
        return ("lead", number) if entity_type_id == 1 else None

    @staticmethod
    def _client(row: Row) -> tuple[str, int] | None:
        if row.get("companyId"):
            return ("company", row["companyId"])
        return ("contact", row["contactId"]) if row.get("contactId") else None
