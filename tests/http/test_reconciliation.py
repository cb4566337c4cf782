"""Records shown + hidden = number: every KPI, as an employee, a head and an admin, in three periods."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.http.dirty_company import ADMIN, ANNA, HEAD, SALES, Company, dirty_company
from tests.plain_kpis import NOT_PER_EMPLOYEE

pytestmark = pytest.mark.long

PERIODS = ("month", "last_month", "quarter")
"""Named as the API does."""
REASONS = {
    "no_rate", "negative_duration", "not_read", "no_cost", "no_reply", "no_delay", "no_rating",
    "case_not_read", "no_client", "bought_before", "no_mark", "no_estimate", "not_due", "deferred",
    "not_tracked",
}  # fmt: skip
SOURCES = {
    "average_check": "deals_won", "processing_time": "deals_won", "repeat_sales_rate": "deals_won",
    "revenue": "deals_won", "email_open_rate": "emails_sent", "first_response_time": "cases",
    "csat": "cases_closed", "fcr": "cases_closed", "resolution_time": "cases_closed",
    "on_time_rate": "tasks_with_deadline", "budget_deviation": "tasks_done", "rework_rate": "tasks_done",
    "task_rating": "tasks_done",
}  # fmt: skip
"""KPIs of one kind of record, with what `Plain` counts all of these by."""
NOT_COUNTS = {"revenue", "budget_deviation"}
"""Of those, the ones whose denominator does not count records."""
OWN_DENOMINATOR = {"utilization"}
"""Its denominator is no sum over records: working hours."""


def test_every_number_is_the_sum_of_its_records(database_url: str, tmp_path: Path) -> None:
    with dirty_company(database_url, tmp_path, 11) as company:
        hours = {"budget": None, "projects": None}
        company.settings = company.send("PATCH", "/api/v1/settings", hours)
        own = Walk(company, ANNA, "me")
        all_of_hers = Walk(company, ADMIN, f"user:{ANNA}", periods=PERIODS[-1:])
        assert all_of_hers.totals.items() <= own.totals.items()
        assert all_of_hers.hidden == 0
        assert own.listed > 100
        walked = Walk(company, ADMIN, "company")
        assert walked.hidden == 0
        assert walked.reasons.keys() >= {
            "no_rate", "negative_duration", "no_rating", "no_reply", "no_client", "no_estimate", "no_mark",
        }  # fmt: skip
        bearer = company.token(HEAD)
        # From now on the portal shows this head less than the app counts for them.
        company.portal.change("department", SALES, UF_HEAD=None)
        walked = Walk(company, HEAD, f"department:{SALES}", bearer)
        assert walked.hidden > 50
        assert walked.listed > 50


class Walk:
    """All pages of the records behind every KPI, for one viewer, added up."""

    def __init__(
        self,
        company: Company,
        viewer: int,
        scope: str,
        bearer: str | None = None,
        periods: tuple[str, ...] = PERIODS,
    ) -> None:
        self.company, self.scope = company, scope
        self.may_sum_hidden = viewer != ANNA  # heads and admins
        self.bearer = bearer or company.token(viewer)
        self.listed = self.hidden = 0
        self.reasons: Counter[str] = Counter()
        self.totals: dict[tuple[str, str], int] = {}
        keys = [metric["key"] for metric in company.get("/api/v1/metrics", self.bearer)["metrics"]]
        for period in periods:
            question = {"metric": ",".join(keys), "scope": scope, "period": period}
            answer = company.get("/api/v1/kpi", self.bearer, **question)
            for told in answer["values"]:
                self._number(told["metric"], period, told)
            days = date.fromisoformat(answer["from"]), date.fromisoformat(answer["to"])
            for told in answer["values"]:
                if told["metric"] in SOURCES:
                    self._is_all_of_the_source(told, period, *days)

    def _number(self, metric: str, period: str, told: dict[str, Any]) -> None:
        where = f"{metric} {self.scope} {period}"
        question = {"metric": metric, "scope": self.scope, "period": period}
        pages = [self._page(question, 1)]
        pages += [self._page(question, number) for number in range(2, pages[0]["pages"] + 1)]
        if metric in NOT_PER_EMPLOYEE and self.scope[:2] in ("me", "us"):
            assert (told["value"], told["reason"]) == (None, "not_per_employee"), where
            return
        records = [row for page in pages for row in page["records"]]
        shown, hidden = (sum(page[name] for page in pages) for name in ("shown", "hidden"))
        assert shown == len(records), where
        assert {page["total"] for page in pages} == {shown + hidden}, where
        self.totals[metric, period] = shown + hidden
        self.listed += shown
        self.hidden += hidden
        number = told["value"] if told["denominator"] is None else told["numerator"]
        if self.may_sum_hidden:
            sums = [Fraction(page[name]) for page in pages for name in ("shown_sum", "hidden_sum")]
            assert _same(number or 0, sum(sums, Fraction())), where
        else:
            assert {page["hidden_sum"] for page in pages} == {None}, where
        left_out = Counter(row["left_out"] for row in records if row["left_out"])
        assert left_out.keys() <= REASONS, where
        self.reasons += left_out
        for row in records:
            if row["left_out"] is None:
                assert row["counts"] or row["weighs"] is not None, (where, row)
            else:
                given = row["counts"], Fraction(row["adds"] or 0), Fraction(row["weighs"] or 0)
                assert not any(given), (where, row)
        if hidden == 0:
            self._is_whole(metric, told, records, left_out, where)

    def _is_whole(
        self, metric: str, told: dict[str, Any], records: list[dict[str, Any]], left_out: Counter[str],
        where: str,
    ) -> None:  # fmt: skip
        """Where everything is shown: denominator and the counts of what is left out are the records' too."""
        if told["denominator"] is not None and metric not in OWN_DENOMINATOR:
            weights = sum((Fraction(row["weighs"] or 0) for row in records), Fraction())
            assert _same(told["numerator"] or 0, sum(map(_added, records), Fraction())), where
            assert _same(told["denominator"], weights), (where, told, weights)
        counted: Counter[str] = Counter()
        for one in told["left_out"]:
            counted[one["reason"]] += one["count"]
        assert left_out == counted, where

    def _is_all_of_the_source(self, told: dict[str, Any], period: str, start: date, end: date) -> None:
        """Counted or left out: as many records as the portal has in the scope and period."""
        metric = told["metric"]
        plain = self.company.plain(datetime.now(UTC))
        scope = f"user:{ANNA}" if self.scope == "me" else self.scope
        source = plain.value(SOURCES[metric], scope, start, end)
        assert source is not None
        where = (metric, self.scope, period, told)
        assert self.totals[metric, period] == source[0], where
        if metric not in NOT_COUNTS:
            assert told["denominator"] + sum(one["count"] for one in told["left_out"]) == source[0], where

    def _page(self, question: dict[str, str], number: int) -> dict[str, Any]:
        return self.company.get("/api/v1/kpi/records", self.bearer, **question, page=number)


def _added(row: dict[str, Any]) -> Fraction:
    return Fraction(row["adds"] or 0)


def _same(told: Any, summed: Fraction) -> bool:
    """Money may have been rounded to ten places, page by page; all else is exact."""
    return abs(Fraction(told) - summed) <= (Fraction(1, 10**7) if isinstance(told, str) else 0)
