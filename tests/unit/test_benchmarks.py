"""What the benchmarks compare with must be right: the truth, the bound, the filled store, the report."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, func, select

from b24app import sums, tables
from b24app.metrics import measures
from b24app.metrics.periods import Period
from b24app.metrics.sums import SumsQuery
from benchmarks.chart import line_chart
from benchmarks.filling import fill
from benchmarks.first_read import ZONE, bound_s, truth_of
from benchmarks.load import _share
from benchmarks.report import Section, markdown
from benchmarks.times import percentile
from emulator import large as large_portals
from emulator import seed
from emulator.large import Large
from emulator.world import Portal

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_the_truth_is_what_the_records_of_the_portal_say() -> None:
    portal = Portal("portal.example")
    seed.stock(portal)
    large = large_portals.fill(portal, 3_000, NOW)
    truth = truth_of(large)
    month = datetime(2026, 11, 1, tzinfo=ZONE)
    won = [
        row for row in portal.records["deal"] if row["stageSemanticId"] == "S" and row["movedTime"] >= month
    ]
    assert len(won) > 5
    assert truth.deals_won == len(won)
    assert truth.revenue == sum(row["opportunity"] * (80 if row["currencyId"] == "USD" else 1) for row in won)
    assert truth.leads_new == sum(row["createdTime"] >= month for row in portal.records["lead"])
    assert truth.rows == {
        "deals": 3_000,
        "leads": 1_200,
        "history": len(portal.records["stage_history"]),
        "users": len(portal.records["user"]),
    }


@pytest.mark.parametrize(
    ("deals", "leads", "history", "parallel", "seconds"),
    [
        (2_000, 0, 0, 1, 40 * 0.07),
        (2_000, 0, 0, 8, 40 * 0.07 / 8),
        (100_000, 0, 352_000, 8, 600 + (7_040 * 0.07 - 480) / 8),  # more than ten minutes allow a method
        (50_000, 50_000, 50_000, 8, (2_000 + 1_000) * 0.07 / 8),
    ],
)
def test_the_bound_counts_pages_and_the_operating_time_of_each_method(
    deals: int, leads: int, history: int, parallel: int, seconds: float
) -> None:
    class Portal(Large):
        def __init__(self) -> None:
            self.deals, self.leads = deals, leads

        @property
        def history(self) -> int:
            return history

    assert bound_s(Portal(), parallel) == pytest.approx(seconds)


def test_a_filled_store_answers_as_the_portal_would(engine: Engine) -> None:
    large = Large(1_500, NOW, people=40)
    fill(engine, 1, large)
    truth = truth_of(large)
    month = Period(truth.month, truth.month.replace(month=12))
    query = SumsQuery(
        table=measures.DEALS_WON.table,
        measures=frozenset({measures.DEALS_WON, measures.WON_AMOUNT}),
        period=month,
    )
    with engine.connect() as conn:
        cells = list(sums.read(conn, 1, query))
        stays = conn.execute(select(func.count()).select_from(tables.stage_stays)).scalar_one()
        open_stays = conn.execute(
            select(func.count()).select_from(tables.stage_stays).where(tables.stage_stays.c.left_at.is_(None))
        ).scalar_one()
    assert sum(cell.sums[measures.DEALS_WON] for cell in cells) == truth.deals_won
    amounts = {cell.currency: Fraction(cell.sums[measures.WON_AMOUNT]) / 10_000 for cell in cells}
    assert sum(amount * (80 if code == "USD" else 1) for code, amount in amounts.items()) == truth.revenue
    assert stays == large.history
    assert open_stays == large.deals


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([5.0], 0.95) == 5
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2
    assert _share(Counter({10.0: 98, 500.0: 2}), 0.98) == 10
    assert _share(Counter({10.0: 98, 500.0: 2}), 0.99) == 500


def test_a_section_is_a_table_with_its_date_and_machine() -> None:
    section = Section(
        "x", "Title", ["a", "b"], [["1", "2"]], ["Why."], at="then", machine="box", commit="abc"
    )
    assert markdown(section).splitlines() == [
        "## Title", "", "| a | b |", "| --- | ---: |", "| 1 | 2 |", "", "- Why.", "",
        "_then, commit abc; box._",
    ]  # fmt: skip


def test_a_chart_has_a_line_for_each_name_and_a_colour_for_each_pair() -> None:
    text = line_chart(
        "T & t", "x", "ms", {"one": [(10, 1), (100, 5)], "one, SQLite": [(10, 2), (100, 9)]}, dashed="SQLite"
    )
    drawing = ElementTree.fromstring(text)  # noqa: S314  our own
    lines = [one for one in drawing.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 2
    assert lines[0].get("stroke") == lines[1].get("stroke")
    assert [one.get("stroke-dasharray") for one in lines] == [None, "6 4"]
