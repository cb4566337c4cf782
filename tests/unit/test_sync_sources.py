"""The lists of sources agree with what KPIs ask for; how lists are asked for."""

from __future__ import annotations

import pytest

from b24app import i18n
from b24app.manifest import load
from b24app.metrics.coverage import Source
from b24app.rest.calls import flatten
from b24app.rest.paging import Chain
from b24app.sync import reference, sources, state
from b24app.sync.sources.calls import CALLS
from b24app.sync.sources.tasks import TASKS
from b24app.sync.sources.time_records import TIME_RECORDS

ENTERED = {Source.COSTS, Source.CAMPAIGNS}
"""Not read from the portal."""
DERIVED = {Source.CASES, Source.CASE_DETAILS}
"""What the app derives from several sources, each with a state of its own."""


def test_every_source_that_a_kpi_needs_is_read_under_its_name() -> None:
    needed = set(Source) - ENTERED - DERIVED
    assert {source for source in needed if source not in state.SOURCES} <= {
        source for source in needed if sources.is_chosen(source)
    }


def test_no_two_sources_share_a_name_or_a_command() -> None:
    assert len(set(sources.NAMES)) == len(sources.NAMES)
    asked = [name for source in sources.SHORT for name in source.calls]
    assert len(set(asked)) == len(asked)
    assert set(asked) < set(reference.calls(()))


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_source_has_a_name_for_people(lang: str) -> None:
    known = i18n.section(lang, "ui")["sources"]
    assert set(sources.NAMES) <= set(known)


def test_the_queue_is_asked_for_what_lists_learn_from_it() -> None:
    bound = {name for names in load().offline_events.values() for name in names}
    for source in sources.LONG:
        if source.event:
            assert {f"{source.event}{action}" for action in ("ADD", "UPDATE", "DELETE")} <= bound


def test_time_records_are_asked_for_by_position_with_nothing_left_out() -> None:
    """An empty filter would not be sent, and the fields would stand in its place."""
    for call in (
        *Chain(TIME_RECORDS.base).calls("p", 2).values(),
        *Chain(TIME_RECORDS.base, last=70, descending=True).calls("p", 2).values(),
        TIME_RECORDS.top(),
        TIME_RECORDS.base.count(),
        TIME_RECORDS.since("CREATED_DATE", 0, 5).count(),
    ):
        assert list(call.params) == ["ORDER", "FILTER", "SELECT", "PARAMS"]
        sent = [key.partition("[")[0] for key, _ in flatten(call.params)]
        assert list(dict.fromkeys(sent)) == ["ORDER", "FILTER", "SELECT", "PARAMS"]
    page = Chain(TIME_RECORDS.base, last=70, descending=True).calls("p", 1)["p_0"]
    assert dict(flatten(page.params)) == {
        "ORDER[ID]": "desc",
        "FILTER[>ID]": "0",
        "FILTER[<ID]": "70",
        **{f"SELECT[{place}]": name for place, name in enumerate(TIME_RECORDS.base.params["select"])},
        "PARAMS[NAV_PARAMS][nPageSize]": "50",
        "PARAMS[NAV_PARAMS][iNumPage]": "1",
    }


def test_a_page_of_tasks_refers_to_the_answer_by_its_own_spelling() -> None:
    first, second = Chain(TASKS.base, last=9).calls("p", 2).values()
    assert dict(first.params)["filter"] == {">ID": 9}
    assert dict(second.params)["filter"] == {">ID": "$result[p_0][tasks][49][id]"}
    assert dict(first.params)["order"] == {"ID": "ASC"}


def test_call_statistics_are_sorted_by_two_texts() -> None:
    page = CALLS.since("CALL_START_DATE", 0)
    call = page.page(beyond=None, bound=None, descending=True)
    assert dict(call.params) == {
        "FILTER": {">=CALL_START_DATE": "1970-01-01T00:00:00+00:00"},
        "SORT": "ID",
        "ORDER": "DESC",
        "start": -1,
    }
    assert dict(CALLS.base.among([3, 4]).params)["FILTER"] == {"ID": [3, 4]}
