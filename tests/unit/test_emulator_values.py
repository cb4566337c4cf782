"""The emulator's pure parts: PHP parameters, batch references, filters and pages, limits, dates."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import batch, params
from emulator.answers import PortalError, Result
from emulator.crm_fields import COLUMNS, FIELDS, number, writer
from emulator.filters import compile_filter, parse_order, split
from emulator.limits import Limits
from emulator.listing import PAGE, select_page
from emulator.times import date_text, moment_text, parse_date, parse_moment
from emulator.world import Rows

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.text("abcXYZ019_>=@!%", min_size=1, max_size=6)
TEXTS = st.text(max_size=8)
TREES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def as_php(value: Any) -> Any:
    """What PHP makes of a value: an object with keys 0, 1 .. is a list."""
    if isinstance(value, list):
        return [as_php(inner) for inner in value]
    if isinstance(value, dict):
        if list(value) == [str(place) for place in range(len(value))]:
            return [as_php(inner) for inner in value.values()]
        return {key: as_php(inner) for key, inner in value.items()}
    return value


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_encoding_and_parsing_parameters_changes_nothing(values: dict[str, Any]) -> None:
    assert params.parse(params.encode(values)) == {key: as_php(value) for key, value in values.items()}


def test_parameters_read_as_php_reads_them() -> None:
    assert params.parse("a[]=1&a[]=2&b[x][]=3&b[>y]=4&c=5&c=6") == {
        "a": ["1", "2"], "b": {"x": ["3"], ">y": "4"}, "c": "6",
    }  # fmt: skip
    assert params.parse("a[5]=1&a[]=2") == {"a": {"5": "1", "6": "2"}}
    numbers: list[Any] = ["12x", "x", " -3", 4.9, True, None, []]
    assert [params.as_int(value) for value in numbers] == [12, 0, -3, 4, 1, 0, 0]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("$result[a][items][1][id]", 8),
        ("$result[a][items]", [{"id": 7}, {"id": 8}]),
        ("$result[a][items][2][id]", [{"id": 7}, {"id": 8}]),  # too short a page: the whole list
        ("$result[a][nonsense]", {"items": [{"id": 7}, {"id": 8}]}),
        ("$result[b][items][0]", []),  # an empty level is an empty array
        ("x$result[a]", "x$result[a]"),
        ("$result[a] ", "$result[a] "),
    ],
)
def test_references_resolve_to_the_deepest_level_there_is(reference: str, found: Any) -> None:
    results = {"a": {"items": [{"id": 7}, {"id": 8}]}, "b": {"items": []}}
    assert batch.resolve({"filter": [reference]}, results) == {"filter": [found]}


def test_a_reference_to_a_failed_command_is_the_whole_map() -> None:
    assert batch.resolve("$result[gone][0]", {"a": 1}) == {"a": 1}
    assert batch.resolve("$result[gone][0]", {}) == []


def test_the_longest_operator_is_read() -> None:
    keys = ("id", "=id", ">=id", ">id", "!=id", "!id", "!@id", "@id", "=%id", "!=%id", "!%id", "%id", "!%=id")
    assert [split(key)[0] for key in keys] == [
        "=", "=", ">=", ">", "!=", "!", "!@", "@", "=%", "!=%", "!%", "%", "!%=",
    ]  # fmt: skip
    assert {split(key)[1] for key in keys} == {"id"}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "opportunity": st.decimals(0, 50, places=1),
            "assignedById": st.integers(0, 3),
            "sourceId": st.sampled_from([None, "WEB", "CALL"]),
            "closed": st.booleans(),
            "updatedTime": st.integers(0, 40).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
        }
    ),
    max_size=140,
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        ">id": st.integers(0, 140),
        "<=id": st.integers(0, 140),
        ">=updatedTime": st.integers(0, 40).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
        "@assignedById": st.lists(st.integers(0, 3), min_size=1, max_size=2),
        "!=sourceId": st.sampled_from(["WEB", ""]),
        "<opportunity": st.integers(0, 50),
        "closed": st.sampled_from(["Y", "N"]),
    },
)


def passes(row: dict[str, Any], conditions: dict[str, Any]) -> bool:
    """The same filter in plain Python."""
    return all(
        (
            ">id" not in conditions or row["id"] > conditions[">id"],
            "<=id" not in conditions or row["id"] <= conditions["<=id"],
            ">=updatedTime" not in conditions or row["updatedTime"] >= conditions[">=updatedTime"],
            "@assignedById" not in conditions or row["assignedById"] in conditions["@assignedById"],
            "!=sourceId" not in conditions or (row["sourceId"] or "") != conditions["!=sourceId"],
            "<opportunity" not in conditions or row["opportunity"] < conditions["<opportunity"],
            "closed" not in conditions or row["closed"] == (conditions["closed"] == "Y"),
        )
    )


def stored(rows: list[dict[str, Any]]) -> Rows:
    table = Rows()
    for number_, row in enumerate(rows, 1):
        table.store(number_, {"id": number_, **row})
    return table


def sent(conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value for key, value in conditions.items()
    }


@given(ROWS, FILTERS, st.booleans())
def test_pages_give_each_matching_row_once_in_order(
    rows: list[dict[str, Any]], conditions: dict[str, Any], descending: bool
) -> None:
    table = stored(rows)
    expected = [row["id"] for row in table if passes(row, conditions)]
    if descending:
        expected.reverse()
    query = compile_filter(sent(conditions), COLUMNS["deal"], UTC, id_key="id")
    order = parse_order({"id": "DESC" if descending else "ASC"}, COLUMNS["deal"])
    found: list[int] = []
    start: int | None = 0
    while start is not None:
        page = select_page(table, query, order, id_key="id", start=start)
        assert page.total == len(expected)
        found += [row["id"] for row in page.rows]
        start = page.next
    assert found == expected


@given(ROWS, FILTERS)
def test_keyset_pages_give_each_matching_row_once(
    rows: list[dict[str, Any]], conditions: dict[str, Any]
) -> None:
    table = stored(rows)
    expected = [row["id"] for row in table if passes(row, conditions)]
    found: list[int] = []
    last = int(conditions.pop(">id", 0))
    while True:
        query = compile_filter({**sent(conditions), ">id": last}, COLUMNS["deal"], UTC, id_key="id")
        page = select_page(table, query, [("id", False)], id_key="id", start=-1)
        found += [row["id"] for row in page.rows]
        if len(page.rows) < PAGE:
            break
        last = found[-1]
    assert found == expected


@given(ROWS, st.lists(st.tuples(st.integers(1, 140), st.integers(0, 40) | st.none()), max_size=20))
def test_indexes_follow_changes(rows: list[dict[str, Any]], changes: list[tuple[int, int | None]]) -> None:
    table = stored(rows)
    table.narrowed({"updatedTime": BEGIN}, {"assignedById": [1]})  # builds both
    for row_id, minutes in changes:
        if minutes is None:
            table.drop(row_id)
        else:
            moment = BEGIN + timedelta(minutes=minutes)
            table.store(row_id, {"id": row_id, "updatedTime": moment, "assignedById": minutes % 4})
    since = BEGIN + timedelta(minutes=39)
    narrowed = table.narrowed({"updatedTime": since}, {})
    if narrowed is not None:
        assert narrowed == [row["id"] for row in table if row["updatedTime"] >= since]
    assert table.ids_where("assignedById", [1, 2]) == [
        row["id"] for row in table if row["assignedById"] in (1, 2)
    ]
    assert [row["id"] for row in table] == sorted(row["id"] for row in table)


def test_a_keyset_page_of_a_large_table_touches_only_its_rows() -> None:
    class Counting(dict[str, Any]):
        reads = 0

        def get(self, key: str, default: Any = None) -> Any:
            Counting.reads += 1
            return super().get(key, default)

    table = Rows()
    for row_id in range(1, 20_001):
        table.store(row_id, Counting(id=row_id))
    query = compile_filter({">id": 19_000, "closed": "N"}, COLUMNS["deal"], UTC, id_key="id")
    page = select_page(table, query, [("id", False)], id_key="id", start=-1)
    assert [row["id"] for row in page.rows] == list(range(19_001, 19_051))
    query = compile_filter({"<id": 500, "closed": "N"}, COLUMNS["deal"], UTC, id_key="id")
    page = select_page(table, query, [("id", True)], id_key="id", start=-1)
    assert [row["id"] for row in page.rows] == list(range(499, 449, -1))
    assert Counting.reads == 100


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_the_bucket_never_lets_more_through_than_its_rate(pauses: list[float]) -> None:
    limits = Limits(bucket=True)
    now, passed = 0.0, []
    for pause in pauses:
        now += pause
        with suppress(PortalError):
            limits.take_drop("caller", now)
            passed.append(now)
    for first in range(len(passed)):
        window = passed[-1] - passed[first]
        assert len(passed) - first <= limits.capacity + limits.drain_per_s * window + 1


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0, 60)), min_size=1, max_size=60))
def test_operating_time_is_what_the_last_ten_minutes_cost(calls: list[tuple[float, float]]) -> None:
    limits = Limits(operating=True)
    now, spent = 1_000_000.0, []
    for pause, cost in calls:
        now += pause
        told, reset_at = limits.spend("app", "method", cost, now)
        spent.append((now, cost))
        oldest = int(now // 60) - 9
        assert told == pytest.approx(sum(c for at, c in spent if int(at // 60) >= oldest))
        assert now < reset_at <= now + 601


def test_a_time_scale_speeds_up_the_window() -> None:
    limits = Limits(operating=True, time_scale=0.1, operating_limit_s=10)
    _, reset_at = limits.spend("app", "method", 20, 1_000_000.0)
    with pytest.raises(PortalError):
        limits.check_operating("app", "method", 1_000_001.0)
    assert reset_at <= 1_000_062
    limits.check_operating("app", "method", 1_000_062.0)


def test_the_cost_of_a_call() -> None:
    limits = Limits(cost_model=True)
    assert limits.cost(Result(None, rows=50, counted=1000)) == pytest.approx(0.070 + 0.021)
    assert limits.cost(Result(None)) == pytest.approx(0.010)
    assert Limits().cost(Result(None, rows=50)) == 0


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_and_dates_survive_the_portals_zone(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    for zone in (ZoneInfo("America/New_York"), ZoneInfo("Asia/Yekaterinburg"), UTC):
        assert parse_moment(moment_text(moment, zone), zone) == moment
        assert parse_date(date_text(moment.date(), zone), zone) == moment.date()


def test_dates_are_midnight_utc_in_the_servers_offset() -> None:
    day = datetime(2024, 7, 30, tzinfo=UTC).date()
    assert date_text(day, ZoneInfo("Europe/Berlin")) == "2024-07-30T02:00:00+02:00"
    assert date_text(day, ZoneInfo("America/New_York")) == "2024-07-29T20:00:00-04:00"
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_moment("30.07.2024 10:00", berlin) == datetime(2024, 7, 30, 8, tzinfo=UTC)
    assert parse_moment("30.07.2024", berlin) == datetime(2024, 7, 29, 22, tzinfo=UTC)
    assert parse_moment("nonsense", berlin) is None


def test_amounts_are_written_as_php_does() -> None:
    assert [number(value) for value in (Decimal("19000.00"), Decimal("999.90"), None)] == [19000, 999.9, 0]
    amount = writer(FIELDS["deal"]["opportunity"], UTC, empty_links_are_null=False)
    assert amount({}) == 0
