"""What a request may ask; what is wrong is named."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest

from b24app import scope
from b24app.metrics.catalog import BY_KEY, CATALOG
from b24app.metrics.metric import By
from b24app.metrics.periods import Compare, Period
from b24app.metrics.query import DEFAULT_SET, BadParameter, KpiQuery, UnknownMetric, parse

TODAY = date(2026, 11, 23)


def asked(text: str, me: int | None = 7) -> KpiQuery:
    return parse(parse_qsl(text, keep_blank_values=True), me, TODAY)


def test_without_parameters_it_is_my_running_month_and_the_usual_kpis() -> None:
    query = asked("")
    assert [metric.key for metric in query.metrics] == list(DEFAULT_SET)
    assert query.scope == scope.user(7)
    assert query.period == Period(date(2026, 11, 1), date(2026, 12, 1))
    assert (query.compare, query.by, query.is_fresh) == (None, None, False)


def test_a_program_without_a_scope_asks_for_the_company() -> None:
    assert asked("", me=None).scope == scope.COMPANY


def test_metrics_are_repeated_or_separated_by_commas_each_once() -> None:
    query = asked("metric=revenue, win_rate&metric=deals_won,revenue,")
    assert [metric.key for metric in query.metrics] == ["revenue", "win_rate", "deals_won"]


def test_everything_said() -> None:
    query = asked(
        "metric=revenue&scope=department:12&from=2026-01-01&to=2026-02-01&compare=year&by=week&fresh=1"
    )
    assert query.scope == scope.department(12)
    assert query.period == Period(date(2026, 1, 1), date(2026, 2, 1))
    assert (query.compare, query.by, query.is_fresh) == (Compare.YEAR, By.WEEK, True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metrics=revenue", "metrics"),
        ("scope=user:x", "scope"),
        ("scope=user:0", "scope"),
        ("scope=team:1", "scope"),
        ("scope=department:-1", "scope"),
        ("scope=me&scope=me", "scope"),
        ("period=fortnight", "period"),
        ("period=month&from=2026-01-01", "from"),
        ("period=month&to=2026-01-01", "to"),
        ("from=2026-01-01", "to"),
        ("to=2026-01-01", "from"),
        ("from=2026-02-30&to=2026-03-01", "from"),
        ("from=20260201&to=2026-03-01", "from"),
        ("from=2026-W05-1&to=2026-03-01", "from"),
        ("from=2026-02-01T00:00&to=2026-03-01", "from"),
        ("from=0001-01-01&to=2026-03-01", "from"),
        ("from=2026-02-01&to=9999-12-31", "to"),
        ("from=2026-02-01&to=2026-02-01", "to"),
        ("from=2026-02-02&to=2026-02-01", "to"),
        ("compare=before", "compare"),
        ("by=hour", "by"),
        ("metric=leads_new&by=pipeline", "by"),
        ("metric=funnel&by=user", "by"),
        ("metric=revenue,win_rate&by=stage", "by"),
        ("from=1900-01-01&to=2999-01-01&by=day", "by"),
        ("fresh=yes", "fresh"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(BadParameter) as refused:
        asked(text)
    assert refused.value.name == name


def test_me_means_nothing_for_a_program() -> None:
    with pytest.raises(BadParameter, match="program"):
        asked("scope=me", me=None)


def test_an_unknown_metric_is_told_apart() -> None:
    with pytest.raises(UnknownMetric, match="profit"):
        asked("metric=revenue,profit")


def test_the_usual_kpis_are_narrowed_to_what_can_be_cut_like_that() -> None:
    assert [metric.key for metric in asked("by=pipeline").metrics] == [
        key for key in DEFAULT_SET if By.PIPELINE in BY_KEY[key].by
    ]


def test_ten_years_by_month_are_a_period_like_any_other() -> None:
    assert asked("from=2016-01-01&to=2026-12-01&by=day").period.days == 3987


def test_the_catalogue_has_the_keys_of_its_groups_in_order() -> None:
    assert [metric.key for metric in CATALOG] == [
        "deals_won", "revenue", "average_check", "deals_lost", "win_rate", "funnel", "funnel_conversion",
        "processing_time", "repeat_sales_rate", "pipeline_open", "stage_time", "leads_new", "lead_conversion",
        "cac", "engagement_rate", "email_open_rate", "click_rate", "site_visits", "channel_roi",
        "cases", "first_response_time", "csat", "fcr", "resolution_time",
        "on_time_rate", "budget_deviation", "tasks_done", "rework_rate", "task_rating", "resource_plan",
        "utilization", "calls_out", "calls_in", "calls_missed_rate", "talk_time", "meetings", "emails_sent",
        "activities_done", "activities_overdue", "deals_idle",
    ]  # fmt: skip
