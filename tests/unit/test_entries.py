"""What people type and programs send, read cell by cell."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.entries import cells, kinds, sheets
from b24app.entries.cells import Known, Reading, Refused
from b24app.i18n import section
from b24app.metrics.channels import channel_of, deciding_rule
from b24app.portals.settings import ChannelRule
from b24app.store.entered import Cost

TYPED, WRITTEN = Reading(is_typed=True), Reading(is_typed=False)
NAMES = kinds.headings(kinds.COSTS, ())


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1234.5", "1234.5"),
        ("1 234,50", "1234.5"),
        ("1\u00a0234\u202f567,8901", "1234567.8901"),
        ("1.234.567,5", "1234567.5"),
        ("1,234,567.5", "1234567.5"),
        ("0", "0"),
        ("12,5", "12.5"),
        ("1'000", "1000"),
        (1234.5, "1234.5"),
        (0.1 + 0.2, "0.3"),  # a spreadsheet keeps 15 digits
        (17, "17"),
    ],
)
def test_amounts_of_spreadsheets_are_understood(written: Any, amount: str) -> None:
    assert cells.amount(written, WRITTEN) == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1,234", "ambiguous_number"),
        ("1,234,567", "ambiguous_number"),
        ("1,2,3", "no_number"),
        ("five", "no_number"),
        ("٣", "no_number"),
        ("1e5", "no_number"),
        ("--5", "no_number"),
        ("-5", "negative"),
        ("0,00001", "too_precise"),
        ("9" * 14, "too_large"),
        ("9" * 5000, "too_large"),
        (float("nan"), "no_number"),
        (float("inf"), "no_number"),
        (True, "no_number"),
        (date(2026, 11, 1), "no_number"),
    ],
)
def test_what_is_no_amount_is_refused_by_its_reason(written: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        cells.amount(written, WRITTEN)
    assert refused.value.reason == reason


def test_json_is_taken_strictly() -> None:
    for read, cell in (
        (cells.amount, "1 234"),
        (cells.amount, "12,5"),
        (cells.day, "01.11.2026"),
        (cells.day, "20261101"),
        (cells.department, "Sales"),
    ):
        with pytest.raises(Refused):
            read(cell, TYPED)


def test_departments_are_named_by_number_or_in_spreadsheets_by_name() -> None:
    known = Known({7: "Inside  Sales", 8: "Support", 9: "support"})
    sheet, typed = Reading(False, known), Reading(True, known)
    assert [cells.department(c, sheet) for c in (7, 7.0, "7", "department:7", " inside sales ")] == [7] * 5
    assert cells.department("department:8", typed) == 8
    for unclear, reason in (
        ("Support", "several_departments"),
        ("Nobody", "no_department"),
        (77, "no_department"),
    ):
        with pytest.raises(Refused) as refused:
            cells.department(unclear, sheet)
        assert refused.value.reason == reason
    # before the departments are read, any number may be one
    assert cells.department(77, Reading(True, Known())) == 77
    for cell in (0, -1, 2**31, True, 1.5, "x"):
        with pytest.raises(Refused):
            cells.department(cell, Reading(True, Known()))


COSTS = st.builds(
    Cost,
    external_id=st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20),
    channel=st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20),
    from_day=st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    to_day=st.just(date(2100, 1, 2)),
    amount=st.decimals(0, 10**12, places=4),
    currency=st.sampled_from(["RUB", "USD"]),
    department_id=st.none() | st.integers(1, 10**6),
)


@given(
    entries=st.lists(COSTS, max_size=5, unique_by=lambda c: c.external_id), separator=st.sampled_from(",;\t")
)
def test_what_is_written_is_read_back_from_json_and_csv(entries: list[Cost], separator: str) -> None:
    columns = kinds.COSTS.columns
    rows = [
        {c.name: "" if (v := getattr(entry, c.field)) is None else str(v) for c in columns}
        for entry in entries
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, [c.name for c in columns], delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    for body in (json.dumps(rows).encode(), file.getvalue().encode(), file.getvalue().encode("utf-16")):
        checked = kinds.check(kinds.COSTS, sheets.read(body, NAMES), Known())
        assert not checked.flaws
        assert list(checked.entries) == entries


@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for media_type in ("", sheets.CSV_TYPE, sheets.JSON_TYPE, sheets.XLSX_TYPE):
        try:
            sheet = sheets.read(body, NAMES, media_type, may_guess=True)
        except sheets.Unreadable:
            continue
        checked = kinds.check(kinds.COSTS, sheet, Known())
        assert len(checked.entries) + checked.bad_lines <= checked.lines


def test_lines_are_counted_as_in_the_file() -> None:
    header = "channel,from,to,amount,currency"
    text = f'{header}\n\n"a\nb",2026-11-01,2026-11-01,1,RUB\nx,2026-11-01,2026-11-01,?,RUB,9\n'
    checked = kinds.check(kinds.COSTS, sheets.read(text.encode(), NAMES), Known())
    # the second cell with a line break makes a line longer; it holds a character that no channel may have
    assert [(flaw.line, flaw.column, flaw.reason) for flaw in checked.flaws] == [
        (3, "channel", "bad_character"),
        (5, "amount", "no_number"),
        (5, None, "surplus_cells"),
    ]


def test_excel_may_say_its_separator_itself() -> None:
    text = "sep=;\r\nchannel;from;to;amount;currency\r\na;2026-11-01;2026-11-02;5;RUB\r\n"
    sheet = sheets.read(text.encode(), NAMES)
    (entry,) = kinds.check(kinds.COSTS, sheet, Known()).entries
    assert isinstance(entry, Cost)
    assert (sheet.separator, entry.to_day - entry.from_day) == (";", timedelta(days=1))


def test_a_row_without_an_id_gets_the_same_one_again() -> None:
    def ids(*amounts: int) -> list[str]:
        text = "channel,from,to,amount,currency\n" + "".join(
            f"a,2026-11-01,2026-11-02,{n},RUB\n" for n in amounts
        )
        found = kinds.check(kinds.COSTS, sheets.read(text.encode(), NAMES), Known()).entries
        return [entry.external_id for entry in found]

    assert ids(1, 2) == ids(5, 2)
    assert len(set(ids(1, 1))) == 2


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_column_has_a_heading_and_headings_differ(lang: str) -> None:
    words = section(lang, "entries")["column"]
    for kind in kinds.KINDS.values():
        assert words[kind.name].keys() == {column.name for column in kind.columns}
        assert len(set(words[kind.name].values())) == len(kind.columns)


def test_the_deciding_rule_is_the_one_that_gives_the_channel() -> None:
    rules = [
        ChannelRule("Site", source_id="WEB"),
        ChannelRule("Search", utm_source="ya"),
        ChannelRule("Search on site", utm_source="ya", source_id="WEB"),
        ChannelRule("never", utm_source="ya"),
    ]
    for utm, source, place in (("ya", "WEB", 2), ("ya", "", 1), (None, "WEB", 0), ("x", "CALL", None)):
        assert deciding_rule(utm, source, rules) == place
        if place is not None:
            assert channel_of(utm, source, rules, {}) == rules[place].channel
