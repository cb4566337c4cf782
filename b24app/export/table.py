"""A KPI answer as one flat table: a line for every value and for every row of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "metric", "name", "scope", "from", "to", "key", "key_name", "value", "unit", "currency", "numerator",
    "denominator", "before", "change", "target", "attainment", "reason", "provisional", "few_data", "as_of",
)  # fmt: skip
"""The same in every export; a cell without data is empty."""

NUMBERS = frozenset({"value", "numerator", "denominator", "before", "change", "target", "attainment"})

Line = tuple[Any, ...]


def lines(answer: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Line]:
    """The lines below the header, in the order of the answer; `names` are those of the metrics.

    A value comes before its rows; its `key` is empty.
    """
    for value in answer["values"]:
        shared = {
            "metric": value["metric"],
            "name": names.get(value["metric"], ""),
            "scope": answer["scope"],
            "from": answer["from"],
            "to": answer["to"],
            "unit": value["unit"],
            "currency": answer["currency"] if value["unit"] == "money" else None,
            "as_of": answer["as_of"],
        }
        yield _line({**value, **shared, "key": None, "key_name": None})
        for row in value.get("rows", ()):
            named = answer.get("names", {}).get(row["key"])
            yield _line({**row, **shared, "key_name": named})


def _line(cells: Mapping[str, Any]) -> Line:
    return tuple(cells.get(column) for column in COLUMNS)
