"""`GET /api/v1/kpi` against the plainest calculation of every KPI, on random companies with all the dirt."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from emulator import activities, crm, tasks
from tests.http.dirty_company import (
    ADMIN,
    ANNA,
    BORIS,
    NADIA,
    NOBODY,
    NORTH,
    SALES,
    STAFF,
    Company,
    dirty_company,
)
from tests.plain_kpis import KEYS, NOT_PER_EMPLOYEE, RATIOS, SNAPSHOTS, Part, Plain, piece

pytestmark = pytest.mark.long

QUESTIONS = 50
"""Random ones to every company, before and again after the changes; on the second database a few."""
FEW = 10

NAMED = ("day", "week", "month", "quarter", "year")
SPREAD = {"cac", "channel_roi"}
COMPANIES = ((1, "Europe/Berlin", True), (2, "America/New_York", True), (3, "Asia/Kolkata", False))


@pytest.mark.parametrize(("seed", "timezone", "uses_leads"), COMPANIES)
def test_every_answer_is_the_plain_one_also_after_changes_and_a_restart(
    database_url: str, tmp_path: Path, seed: int, timezone: str, uses_leads: bool
) -> None:
    with dirty_company(database_url, tmp_path, seed, timezone=timezone, uses_leads=uses_leads) as company:
        is_first = database_url.startswith("sqlite")
        questions = QUESTIONS if is_first else FEW
        asking = Asking(company, seed)
        assert asking.catalogue.keys() == KEYS
        if is_first or seed == COMPANIES[0][0]:
            asking.ask_all_once()
        for _ in range(questions):
            asking.ask_one()
        change(company)
        company.stop()
        company.start()
        company.let_short_lists_come_due()
        asking.token = company.token(ADMIN)
        company.catch_up(asking.token)
        asking.ask_all_at_once()
        for _ in range(questions):
            asking.ask_one()
        assert asking.compared > 20 * questions


class Asking:
    """Random questions to one company, and the comparison of answers."""

    def __init__(self, company: Company, seed: int) -> None:
        self.company, self.pick = company, random.Random(1_000 + seed)
        self.token = company.token(ADMIN)
        metrics = company.get("/api/v1/metrics", self.token)["metrics"]
        self.catalogue = {metric["key"]: metric["dimensions"] for metric in metrics}
        self.compared = 0

    def ask_all_once(self) -> None:
        """Every KPI of the company, this quarter and this year, by each of its dimensions in turn."""
        for metric, dimensions in self.catalogue.items():
            for by in (None, *dimensions):
                period = "month" if by == "day" else "quarter"
                self.ask([metric], "company", {"period": period}, by, "previous")
            self.ask([metric], "company", {"period": "year"}, None, "year")

    def ask_all_at_once(self) -> None:
        """Every KPI of the company, of every department and employee, this quarter."""
        scopes = [f"user:{number}" for number in STAFF]
        scopes += [f"department:{row['ID']}" for row in self.company.portal.records["department"]]
        for scope in ("company", *scopes):
            self.ask([*self.catalogue], scope, {"period": "quarter"}, None, "previous")

    def ask_one(self) -> None:
        pick = self.pick
        departments = [row["ID"] for row in self.company.portal.records["department"]]
        scope = pick.choice(
            ["company", *(f"department:{number}" for number in departments), *(f"user:{u}" for u in STAFF)]
        )
        by = pick.choice((None, "day", "week", "month", "user", "department", "pipeline", "stage", "channel",
                          "project", "support_source"))  # fmt: skip
        can = [key for key, dimensions in self.catalogue.items() if by is None or by in dimensions]
        metrics = pick.sample(can, min(len(can), pick.randint(1, 6)))
        self.ask(metrics, scope, self._period(by), by, pick.choice((None, "previous", "year")))

    def _period(self, by: str | None) -> dict[str, str]:
        name = self.pick.choice(NAMED[:3] if by == "day" else NAMED)
        if self.pick.random() < 0.5:
            return {"period": self.pick.choice((name, f"last_{name}"))}
        start = self.company.dirt.day()
        return {"from": str(start), "to": str(start + timedelta(days=self.pick.randint(1, 50)))}

    def ask(
        self, metrics: list[str], scope: str, period: dict[str, str], by: str | None, compare: str | None
    ) -> None:
        """One question, answered twice."""
        params = {"metric": ",".join(metrics), "scope": scope, **period}
        params |= {name: value for name, value in (("by", by), ("compare", compare)) if value}
        while True:
            now = datetime.now(UTC).replace(microsecond=0)  # as exactly as moments are stored
            answer = self.company.get("/api/v1/kpi", self.token, **params)
            plain = self.company.plain(now)
            if datetime.now(UTC).replace(microsecond=0) == now:
                break  # else something may have fallen due, or midnight have come, between the two
        assert answer["complete"]
        assert answer["timezone"] == self.company.portal.timezone
        start, end = date.fromisoformat(answer["from"]), date.fromisoformat(answer["to"])
        if "from" in period:
            assert period == {"from": str(start), "to": str(end)}
        else:
            assert (start, end) == _named(period["period"], plain.today)
        for metric, value in zip(metrics, answer["values"], strict=True):
            where = f"{metric} {params} by {by}"
            self._check(plain, metric, scope, start, end, value, where, compare)
            if by or metric == "funnel":
                rows = {row["key"]: row for row in value["rows"]}
                assert len(rows) == len(value["rows"]), where
                self._check_rows(plain, metric, scope, start, end, by or "stage", rows, where)

    def _check(
        self, plain: Plain, metric: str, scope: str, start: date, end: date, value: dict[str, Any],
        where: str, compare: str | None,
    ) -> None:  # fmt: skip
        expected = plain.value(metric, scope, start, end)
        self._same(metric, value, expected, where)
        if expected is None:
            assert value["reason"] == "not_per_employee", where
            return
        assert value["reason"] == ("no_records" if value["value"] is None else None), (where, value)
        few = plain.is_few(metric, expected)
        assert few is None or value["value"] is None or value["few_data"] == few, where
        days = plain.before(start, end, compare) if compare else None
        if days is None or metric in SNAPSHOTS:
            assert (value["before"], value["change"]) == (None, None), where
            return
        earlier = plain.value(metric, scope, *days)
        before = _value(metric, earlier)
        assert value["before"] == _written(metric, before, value["before"]), (where, days, before)
        after = _value(metric, expected)
        change = (after - before) / abs(before) if before and after is not None else None
        assert value["change"] is None if change is None else _is_rounded(value["change"], change), where
        self.compared += 1

    def _check_rows(
        self, plain: Plain, metric: str, scope: str, start: date, end: date, by: str,
        rows: dict[str, dict[str, Any]], where: str,
    ) -> None:  # fmt: skip
        expected = plain.rows(metric, scope, start, end, by)
        if metric in NOT_PER_EMPLOYEE and scope.startswith("user:"):
            assert rows == {}, where
            return
        must = set(expected) if by == "department" or metric == "funnel" else set()
        if by in ("day", "week", "month"):
            must = {key for key in expected if key <= piece(plain.today, by)}
        assert must <= rows.keys(), where
        for key in rows.keys() | expected.keys():
            part = expected.get(key)
            if key not in rows:
                assert not any(part or ()), f"{where}: {key} is missing, plainly {part}"
            elif key not in expected:
                assert not rows[key]["value"], f"{where}: {key} {rows[key]}"
                assert not rows[key]["denominator"], f"{where}: {key} {rows[key]}"
            else:
                self._same(metric, rows[key], part, f"{where}: {key}")

    def _same(self, metric: str, answer: dict[str, Any], part: Part | None, where: str) -> None:
        self.compared += 1
        found = (answer["value"], answer["numerator"], answer["denominator"])
        if part is None:
            assert found == (None, None, None), (where, found)
            return
        if metric not in RATIOS:
            assert part[1] is None
            assert found == (_written(metric, part[0], found[0]), None, None), (where, found, part)
            return
        told = f"{where}: {found}, plainly {part}"
        if part[1] is None:  # the leads that a funnel begins with
            assert found == (None, part[0], None), told
            return
        assert found[0] == _written(metric, part[0] / part[1] if part[1] else None, found[0]), told
        for number, mine in zip(found[1:], part, strict=True):
            assert number is not None, told
            if metric in SPREAD:
                assert _is_rounded(number, Fraction(mine or 0)), told
            else:
                assert _is_exact(number, Fraction(mine or 0)), told


def change(company: Company) -> None:
    """What may happen on a portal: everything that a number can follow."""
    made, dirt = company.portal, company.dirt
    pick = dirt.pick
    deals = [row["id"] for row in made.records["deal"] if not row["isRecurring"]]
    pick.shuffle(deals)
    for number in deals[:8]:
        crm.delete_item(made, "deal", number)
    for number in deals[8:16]:
        prefix = "C3:" if _row(company, "deal", number)["categoryId"] else ""
        crm.move_deal(made, number, prefix + pick.choice(("NEW", "WON", "LOSE")))
    for number in deals[16:22]:
        crm.update_item(made, "deal", number, {"assignedById": pick.choice((ANNA, BORIS, NADIA, NOBODY))})
    for number in deals[22:28]:
        crm.update_item(made, "deal", number, {"opportunity": 777, "currencyId": pick.choice(("USD", "XXX"))})
    for number in deals[28:32]:
        crm.move_deal(made, number, pick.choice(("C3:MIDDLE", "EXECUTING")))
    for number in deals[32:36]:
        crm.update_item(made, "deal", number, {"companyId": 3, "utmSource": "yandex"})
    leads = [row["id"] for row in made.records["lead"]]
    for number in leads[:5]:
        crm.delete_item(made, "lead", number)
    for number in leads[5:12]:
        crm.move_lead(made, number, pick.choice(("CONVERTED", "JUNK", "NEW")))
    tickets = [row["id"] for row in made.records[f"dynamic_{dirt.desk}"]]
    stage = f"DT{dirt.desk}_{dirt.desk_category}:"
    for number in tickets[:3]:
        crm.delete_item(made, f"dynamic_{dirt.desk}", number)
    for number in tickets[3:9]:
        crm.move_item(made, f"dynamic_{dirt.desk}", number, stage + pick.choice(("NEW", "SUCCESS", "CLIENT")))
    chats = [row for row in made.records["activity"] if row["PROVIDER_ID"] == "IMOPENLINES_SESSION"]
    for row in [row for row in chats if row["COMPLETED"]][:3]:
        activities.update_activity(made, row["ID"], {"COMPLETED": False})
        company.entered.reopened.add(row["ID"])
    others = [row for row in made.records["activity"] if row["PROVIDER_ID"] != "IMOPENLINES_SESSION"]
    for row in others[:6]:
        made.remove("activity", row["ID"])
    for row in others[6:16]:
        activities.update_activity(made, row["ID"], {"COMPLETED": not row["COMPLETED"]})
    works = [row["ID"] for row in made.records["task"]]
    for number in works[:3]:
        made.remove("task", number)
    for number in works[3:12]:
        tasks.update_task(made, number, {"STATUS": pick.choice((2, 5)), "RESPONSIBLE_ID": pick.choice(STAFF)})
    for number in works[12:15]:
        tasks.log_time(made, number, pick.choice(STAFF), 1_800)
    made.change("user", BORIS, UF_DEPARTMENT=[SALES], ACTIVE=False)
    made.change("department", NORTH, PARENT=1)
    made.change("currency", 2, AMOUNT="80")
    for _ in range(4):
        for make in (dirt.deal, dirt.lead, dirt.ticket, dirt.chat, dirt.call, dirt.task, dirt.activity):
            make(datetime.now(UTC).replace(microsecond=0))
    costs = [{**company.entered.costs[0], "amount": "5"}]
    company.send("PUT", "/api/v1/costs", costs)
    company.entered.costs[:1] = costs


def _row(company: Company, kind: str, number: int) -> dict[str, Any]:
    row = company.portal.records[kind].get(number)
    assert row is not None
    return row


def _named(name: str, today: date) -> tuple[date, date]:
    plain = name.removeprefix("last_")
    start = {
        "day": today,
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year": date(today.year, 1, 1),
    }[plain]
    if plain != name:
        return _named(plain, start - timedelta(days=1))
    long = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[plain]
    end = start + timedelta(days=long)
    return start, end if plain in ("day", "week") else end.replace(day=1)


def _value(metric: str, part: Part | None) -> Fraction | None:
    if part is None or metric not in RATIOS:
        return part[0] if part else None
    return part[0] / part[1] if part[1] else None


def _written(metric: str, value: Fraction | None, told: Any) -> Any:
    """`told` where it says the value as exactly as it must, else the value."""
    if value is None or told is None:
        return value
    if metric in RATIOS:
        return told if isinstance(told, str) and _is_rounded(told, value) else value
    is_money = metric in ("revenue", "pipeline_open")
    return told if isinstance(told, str) == is_money and _is_exact(told, value) else value


def _is_exact(told: Any, value: Fraction) -> bool:
    """Whether the number is told exactly; one whose decimals never end, to ten places."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return Fraction(told) == value if rest == 1 else _is_rounded(told, value)


def _is_rounded(told: Any, value: Fraction) -> bool:
    return Fraction(told) == Fraction(round(value * 10**10), 10**10)
