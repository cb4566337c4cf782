"""Rows as portals write them, in every documented variant, become the same facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from b24app.facts import calendars, deals, leads, people, reference, stages, values
from b24app.facts.values import BadRow, Border
from b24app.metrics.work_calendar import WorkCalendar

MOSCOW = Border(ZoneInfo("Europe/Moscow"), {(2, 0, "WON"): "S", (1, 0, "CONVERTED"): "S"})

DEAL: dict[str, Any] = {
    "id": 410, "assignedById": 7, "categoryId": 0, "stageId": "NEW", "stageSemanticId": "P",
    "opportunity": 19999.99, "currencyId": "RUB", "createdTime": "2026-10-31T23:59:59+03:00",
    "movedTime": "2026-11-01T00:00:00+03:00", "updatedTime": "2026-11-02T10:00:00+03:00", "isRecurring": "N",
    "leadId": 5, "companyId": 12, "contactId": 3, "sourceId": "WEB", "utmSource": "yandex",
    "lastActivityTime": "2026-11-02T09:00:00+03:00",
}  # fmt: skip


def deal(**fields: Any) -> deals.Deal:
    return deals.parse({**DEAL, **fields}, MOSCOW)


def test_a_deal_belongs_to_the_local_day_of_its_moments() -> None:
    found = deal()
    assert (found.created_day, found.moved_day) == (date(2026, 10, 31), date(2026, 11, 1))
    assert found.amount == Decimal("19999.99")
    assert found.client == "company:12"
    assert found.lead_id == 5


def test_the_same_moment_in_another_offset_is_the_same_fact() -> None:
    assert deal(createdTime="2026-10-31T20:59:59+00:00") == deal()
    assert deal(createdTime="2026-10-31T20:59:59Z") == deal()


@pytest.mark.parametrize("nothing", [0, "0", None, "", False, []])
def test_an_empty_link_is_no_link(nothing: Any) -> None:
    found = deal(leadId=nothing, companyId=nothing, contactId=nothing)
    assert (found.lead_id, found.client) == (None, None)


def test_the_contact_buys_where_there_is_no_company() -> None:
    assert deal(companyId="0").client == "contact:3"
    without = {key: value for key, value in DEAL.items() if key != "companyId"}
    assert deals.parse(without, MOSCOW).client == "contact:3"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (1000, "1000"),
        ("1234.50", "1234.50"),
        (Decimal("0.1"), "0.1"),
        (0.1, "0.1"),
        (None, "0"),
        ("", "0"),
        ("many", "0"),
        (-5, "-5"),
    ],
)
def test_an_amount_is_exact_however_it_is_written(written: Any, amount: str) -> None:
    assert deal(opportunity=written).amount == Decimal(amount)


def test_an_impossible_amount_leaves_the_deal_without_money_not_without_being() -> None:
    found = deal(opportunity=10**15)
    assert (found.amount, found.currency) == (Decimal(0), "")


def test_strings_for_numbers_and_lower_case_codes_are_accepted() -> None:
    written = deal(id="410", assignedById="7", categoryId="0", currencyId="rub", stageSemanticId="p")
    assert written == deal()


def test_a_missing_meaning_of_the_stage_comes_from_the_stage() -> None:
    assert deal(stageId="WON", stageSemanticId=None).semantics == "S"
    assert deal(stageId="NEW", stageSemanticId="").semantics == "P"


def test_a_record_without_moved_time_moved_when_it_was_modified() -> None:
    assert deal(movedTime=None).moved_at == deal().updated_at
    assert deal(movedTime=None, updatedTime=None).moved_at == deal().created_at


@pytest.mark.parametrize("row", [{}, {"id": 0}, {"id": 7}, {"id": 7, "createdTime": "soon"}])
def test_a_row_without_id_or_moment_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(BadRow):
        deals.parse(row, MOSCOW)


def test_a_lead_is_read_likewise() -> None:
    found = leads.parse({**DEAL, "stageId": "CONVERTED", "stageSemanticId": None, "utmSource": " "}, MOSCOW)
    assert (found.lead_id, found.semantics, found.utm_source) == (410, "S", None)


def test_a_history_row_enters_a_stage() -> None:
    found = stages.parse(
        {"ID": "9", "TYPE_ID": 1, "OWNER_ID": "410", "CREATED_TIME": "2026-11-01T00:00:00+03:00",
         "CATEGORY_ID": 0, "STAGE_ID": "NEW", "STAGE_SEMANTIC_ID": "P"},
        MOSCOW,
    )  # fmt: skip
    assert (found.history_id, found.item_id, found.entered_at) == (9, 410, 1793480400)
    with pytest.raises(BadRow):
        stages.parse({"ID": 9, "OWNER_ID": 410}, MOSCOW)


@pytest.mark.parametrize(
    ("row", "is_employee", "department_ids"),
    [
        ({"USER_TYPE": "employee", "UF_DEPARTMENT": [5, "3", 5]}, True, (3, 5)),
        ({"USER_TYPE": "employee", "UF_DEPARTMENT": False}, True, ()),
        ({"USER_TYPE": "extranet", "UF_DEPARTMENT": []}, False, ()),
        ({"UF_DEPARTMENT": [1]}, True, (1,)),
        ({"UF_DEPARTMENT": {"1": 4}}, True, (4,)),
        ({}, False, ()),
    ],
)
def test_who_is_an_employee(row: dict[str, Any], is_employee: bool, department_ids: tuple[int, ...]) -> None:
    found = people.parse_user({"ID": "1", **row})
    assert (found.is_employee, found.department_ids) == (is_employee, department_ids)


def test_a_dismissed_user_keeps_the_name() -> None:
    found = people.parse_user({"ID": "4", "ACTIVE": False, "NAME": " Anna ", "LAST_NAME": None})
    assert (found.is_active, found.name, found.photo) == (False, "Anna", None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-08-30T03:00:00+03:00", date(2024, 8, 30)),
        ("2024-08-29T19:00:00-05:00", date(2024, 8, 30)),  # midnight UTC seen from the west
        ("2024-08-30T00:00:00+03:00", date(2024, 8, 30)),
        ("30.08.2024", date(2024, 8, 30)),
        ("08/30/2024", date(2024, 8, 30)),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_date_is_the_same_day_everywhere(written: Any, day: date | None) -> None:
    assert values.calendar_date(written) == day


def test_a_department_may_lack_parent_and_head() -> None:
    root = people.parse_department({"ID": "1", "NAME": "Company", "SORT": 500})
    assert (root.parent_id, root.head_id) == (None, None)
    assert people.parse_department({"ID": "2", "PARENT": "1", "UF_HEAD": "0"}).head_id is None
    assert people.parse_department({"ID": "2", "PARENT": "1", "UF_HEAD": "7"}).head_id == 7


def test_a_rate_stays_exact_and_an_unusable_one_is_refused() -> None:
    found = reference.parse_currency({"CURRENCY": "usd", "AMOUNT": "92.1234", "AMOUNT_CNT": "1", "BASE": "N"})
    assert (found.code, found.amount, found.amount_cnt, found.is_base) == ("USD", "92.1234", 1, False)
    for amount in ("0", "-1", "", "NaN"):
        with pytest.raises(BadRow):
            reference.parse_currency({"CURRENCY": "USD", "AMOUNT": amount, "AMOUNT_CNT": "1", "BASE": "N"})


def test_the_base_currency_is_told_apart_even_if_the_list_does_not() -> None:
    rates = [reference.Currency("USD", "1", 1, False), reference.Currency("EUR", "1.1", 1, False)]
    assert [c.code for c in reference.with_base(rates, "USD") if c.is_base] == ["USD"]
    assert [c.code for c in reference.with_base([], "RUB") if c.is_base] == ["RUB"]


def test_statuses_hold_stages_of_leads_and_deals_and_sources() -> None:
    found = reference.parse_statuses(
        [
            {"ENTITY_ID": "STATUS", "STATUS_ID": "NEW", "NAME": "New", "SORT": "10", "SEMANTICS": None},
            {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "WON", "SORT": "60", "SEMANTICS": "S", "EXTRA": []},
            {"ENTITY_ID": "DEAL_STAGE_3", "STATUS_ID": "C3:LOSE", "SEMANTICS": None,
             "EXTRA": {"SEMANTICS": "apology", "COLOR": "#ff0000"}},
            {"ENTITY_ID": "SOURCE", "STATUS_ID": "WEB", "NAME": "Web"},
            {"ENTITY_ID": "SMART_INVOICE_STAGE_1", "STATUS_ID": "DT31_1:N"},
            {"ENTITY_ID": "DEAL_STAGE_old"},
        ]
    )  # fmt: skip
    assert [(s.entity_type_id, s.category_id, s.stage_id, s.semantics) for s in found.stages] == [
        (1, 0, "NEW", "P"),
        (2, 0, "WON", "S"),
        (2, 3, "C3:LOSE", "F"),
    ]
    assert found.stages[2].color == "#ff0000"
    assert [(s.source_id, s.name) for s in found.lead_sources] == [("WEB", "Web")]


def test_the_default_pipeline_has_id_zero() -> None:
    assert reference.parse_pipeline({"id": 0, "name": "General", "isDefault": "Y"}).category_id == 0


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/Moscow", date(2026, 11, 1), "2026-10-31T21:00:00+00:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00"),  # midnight was skipped
    ],
)
def test_a_local_day_starts_at_its_first_moment(zone: str, day: date, start: str) -> None:
    found = values.day_start(day, ZoneInfo(zone))
    assert values.iso(found) == start
    assert Border(ZoneInfo(zone)).day(found) == day
    assert Border(ZoneInfo(zone)).day(found - 1) < day


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {
                "work_time_start": "9",
                "work_time_end": "18.30",
                "week_holidays": ["SA", "SU"],
                "year_holidays": "1.01,23.02, 8.03",
                "year_workdays": "31.12",
            },
            WorkCalendar(
                days_off=frozenset({5, 6}),
                holidays=frozenset({(1, 1), (2, 23), (3, 8)}),
                extra_days=frozenset({(12, 31)}),
                starts_s=9 * 3600,
                ends_s=18 * 3600 + 30 * 60,
            ),
        ),
        ({"week_holidays": [], "year_holidays": ""}, WorkCalendar(days_off=frozenset())),
        ({"week_holidays": "FR,SA", "work_time_end": "24"}, WorkCalendar(frozenset({4, 5}), ends_s=86_400)),
        # Mistakes of the settings: a week without a working day, days that no year has, hours no day has.
        ({"week_holidays": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]}, WorkCalendar()),
        ({"year_holidays": "32.01,1.13,x,", "work_time_start": "25", "work_time_end": None}, WorkCalendar()),
        ({"work_time_start": "9.3"}, WorkCalendar(starts_s=9 * 3600 + 30 * 60)),
        ([], WorkCalendar()),
        (None, WorkCalendar()),
    ],
)
def test_a_calendar_is_read_as_the_portal_writes_it(told: Any, expected: WorkCalendar) -> None:
    assert calendars.parse(told) == expected
