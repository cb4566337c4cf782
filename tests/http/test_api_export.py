from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine

from tests.cast import ANNA, BORIS, IVAN, SALES
from tests.http.api_portal import Company, company

QUERY = f"metric=revenue,win_rate&scope=department:{SALES}&by=user&from=2020-01-01&to=2030-01-01"


@pytest.fixture
def shop(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Company]:
    with company(engine, database_url, tmp_path) as running:
        running.add_deal(ANNA, "WON", opportunity=Decimal("100.50"))
        running.add_deal(BORIS, "WON", opportunity=Decimal(200))
        running.add_deal(BORIS, "LOSE")
        running.read()
        yield running


def test_the_files_say_what_the_api_says(shop: Company) -> None:
    kpi = shop.api.get(f"/api/v1/kpi?{QUERY}", IVAN).json()
    as_json = shop.api.get(f"/api/v1/export.json?{QUERY}", IVAN)
    assert as_json.json() == kpi
    assert "attachment" in as_json.headers["Content-Disposition"]

    told = shop.api.get(f"/api/v1/export.csv?{QUERY}", IVAN)
    assert told.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(told.content.decode())))
    values = {(row["metric"], row["key"]): row["value"] for row in rows}
    assert values["revenue", ""] == "300.50"
    assert values["revenue", f"user:{ANNA}"] == "100.50"
    assert values["win_rate", f"user:{BORIS}"] == "0.5"
    assert {row["key_name"] for row in rows} >= {"Anna Seller", "Boris Seller"}
    assert len(rows) == sum(1 + len(value["rows"]) for value in kpi["values"])

    book = load_workbook(io.BytesIO(shop.api.get(f"/api/v1/export.xlsx?{QUERY}", IVAN).content))
    lines = list(book.worksheets[0].iter_rows(values_only=True))
    assert len(lines) == len(rows) + 1
    assert lines[1][list(rows[0]).index("value")] == pytest.approx(300.5)


def test_an_export_is_refused_like_the_question(shop: Company) -> None:
    assert shop.api.get(f"/api/v1/export.csv?{QUERY}", ANNA).status_code == 403
    assert shop.api.get("/api/v1/export.csv?metric=none", ANNA).status_code == 404
    assert shop.api.get("/api/v1/export.xlsx?metric=revenue&colour=1", ANNA).status_code == 400
    assert shop.api.get("/api/v1/export.pdf", ANNA).status_code == 404


def test_an_employee_exports_only_their_own(shop: Company) -> None:
    told = shop.api.get("/api/v1/export.csv?metric=revenue&from=2020-01-01&to=2030-01-01&by=user", ANNA)
    assert "300.50" not in told.text
    assert "Boris" not in told.text
    assert "100.50" in told.text
