from __future__ import annotations

import csv as reader
import io
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from b24app.export import csv, xlsx
from b24app.export.table import COLUMNS, lines

ANSWER: dict[str, Any] = {
    "scope": "department:12",
    "from": "2026-11-01",
    "to": "2026-12-01",
    "currency": "RUB",
    "as_of": "2026-11-23T10:15:02Z",
    "names": {"user:7": "=HYPERLINK(1)", "user:8": "@cmd", "user:9": "Иван\x00 Петров"},
    "values": [
        {
            "metric": "revenue",
            "value": "1234567890123.45",
            "numerator": None,
            "denominator": None,
            "unit": "money",
            "reason": None,
            "provisional": False,
            "few_data": False,
            "before": "0.10",
            "change": "-0.05",
            "target": None,
            "attainment": None,
            "rows": [
                {"key": "user:7", "value": "1.00", "numerator": None, "denominator": None, "few_data": False},
                {
                    "key": "user:8",
                    "value": "-2.00",
                    "numerator": None,
                    "denominator": None,
                    "few_data": False,
                },
                {"key": "user:9", "value": "0.00", "numerator": None, "denominator": None, "few_data": False},
            ],
        },
        {
            "metric": "win_rate",
            "value": None,
            "numerator": 0,
            "denominator": 0,
            "unit": "ratio",
            "reason": "no_records",
            "provisional": False,
            "few_data": False,
            "before": None,
            "change": None,
            "target": None,
            "attainment": None,
        },
    ],
}


def table() -> list[dict[str, str]]:
    data = csv.write(lines(ANSWER, {"revenue": "Won amount"}))
    return list(reader.DictReader(io.StringIO(data.decode())))


def test_a_value_and_each_of_its_rows_is_a_line() -> None:
    assert [(row["metric"], row["key"], row["value"]) for row in table()] == [
        ("revenue", "", "1234567890123.45"),
        ("revenue", "user:7", "1.00"),
        ("revenue", "user:8", "-2.00"),
        ("revenue", "user:9", "0.00"),
        ("win_rate", "", ""),
    ]
    first = table()[0]
    assert (first["name"], first["scope"], first["currency"]) == ("Won amount", "department:12", "RUB")


def test_no_data_is_an_empty_cell_with_its_reason_beside_it() -> None:
    row = table()[-1]
    assert (row["value"], row["change"], row["currency"]) == ("", "", "")
    assert row["reason"] == "no_records"


def test_names_never_become_formulas_but_negative_numbers_stay_numbers() -> None:
    rows = table()
    assert rows[1]["key_name"] == "'=HYPERLINK(1)"
    assert rows[2]["key_name"] == "'@cmd"
    assert (rows[0]["change"], rows[2]["value"]) == ("-0.05", "-2.00")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_start_of_a_formula_is_led_by_an_apostrophe(start: str) -> None:
    answer = {**ANSWER, "names": {"user:7": f"{start}1"}}
    data = csv.write(lines(answer, {})).decode()
    row = list(reader.DictReader(io.StringIO(data, newline="")))[1]
    assert row["key_name"] == f"'{start}1"


def test_the_workbook_has_exact_numbers_and_plain_texts() -> None:
    sheet = load_workbook(io.BytesIO(xlsx.write(lines(ANSWER, {})))).worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert header == list(COLUMNS)
    at = {name: number for number, name in enumerate(header)}
    rows = list(sheet.iter_rows(min_row=2))
    assert Decimal(str(rows[0][at["value"]].value)) == Decimal("1234567890123.45")
    assert rows[0][at["change"]].value == pytest.approx(-0.05)
    assert (rows[1][at["key_name"]].value, rows[1][at["key_name"]].data_type) == ("=HYPERLINK(1)", "s")
    assert rows[3][at["key_name"]].value == "Иван Петров"  # no control characters
    assert rows[4][at["value"]].value is None
    assert sheet.freeze_panes == "A2"
