"""Tables as an Excel workbook."""

from __future__ import annotations

import io
from collections.abc import Iterable
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from b24app.export.table import COLUMNS, NUMBERS, Line

SHARES = frozenset({"change", "attainment"})
MONEY_FORMAT, SHARE_FORMAT = "#,##0.00", "0.0%"
UNIT_FORMATS = {"money": MONEY_FORMAT, "ratio": SHARE_FORMAT}
WIDTHS = {"name": 34, "key_name": 28, "value": 16, "as_of": 22}
UNIT_AT = COLUMNS.index("unit")


def write(lines: Iterable[Line]) -> bytes:
    """The workbook. Numbers are numbers, texts never formulas, cells without data empty."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("KPI")
    sheet.freeze_panes = "A2"
    for place, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(column, 14)
    sheet.append([_header(sheet, column) for column in COLUMNS])
    for line in lines:
        sheet.append(
            [
                _cell(sheet, column, value, str(line[UNIT_AT]))
                for column, value in zip(COLUMNS, line, strict=True)
            ]
        )
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _header(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: WriteOnlyWorksheet, column: str, value: object, unit: str) -> Cell | None:
    if value is None:
        return None
    if column in NUMBERS:
        # Exact: openpyxl writes Decimals as they are, whatever its types say.
        cell = WriteOnlyCell(sheet, value=Decimal(str(value)))  # type: ignore[arg-type]
        if column in SHARES:
            cell.number_format = SHARE_FORMAT
        elif column in ("value", "before", "target") and unit in UNIT_FORMATS:
            cell.number_format = UNIT_FORMATS[unit]
        return cell
    if isinstance(value, bool):
        return WriteOnlyCell(sheet, value=value)
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", str(value)))
    cell.data_type = "s"  # a text that begins with "=" would become a formula
    return cell
