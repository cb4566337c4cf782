"""When stays end and how far deals got."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from b24app.facts import derive
from b24app.facts.stages import Entry


def entry(history_id: int, stage_id: str, entered_at: int, category_id: int = 0) -> Entry:
    return Entry(2, history_id, 1, 2, category_id, stage_id, "P", entered_at)


def test_a_stay_ends_when_the_next_stage_begins() -> None:
    rows = [entry(1, "NEW", 100), entry(2, "PREPARE", 160), entry(3, "WON", 400)]
    # NEW 160 - 100 = 60 s, PREPARE 400 - 160 = 240 s, WON lasts
    assert derive.left_moments(rows) == {1: 160, 2: 400, 3: None}


def test_a_repeated_row_neither_ends_nor_begins_a_stay() -> None:
    rows = [entry(1, "NEW", 100), entry(2, "NEW", 130), entry(3, "PREPARE", 160)]
    assert derive.left_moments(rows) == {1: 160, 2: None, 3: None}


def test_a_stage_visited_twice_is_two_stays() -> None:
    rows = [entry(1, "NEW", 100), entry(2, "PREPARE", 160), entry(3, "NEW", 200), entry(4, "LOSE", 260)]
    assert derive.left_moments(rows) == {1: 160, 2: 200, 3: 260, 4: None}


def test_the_same_stage_name_in_another_pipeline_is_another_stage() -> None:
    rows = [entry(1, "NEW", 100), entry(2, "NEW", 160, category_id=3)]
    assert derive.left_moments(rows) == {1: 160, 2: None}


stay_rows = st.lists(
    st.tuples(st.integers(1, 500), st.sampled_from("ABC"), st.integers(1, 10**6)),
    unique_by=lambda row: row[0],
    max_size=12,
).map(lambda rows: [entry(*row) for row in rows])


@given(stay_rows)
def test_stays_of_one_item_follow_each_other_without_gap(rows: list[Entry]) -> None:
    ends = derive.left_moments(rows)
    assert ends.keys() == {row.history_id for row in rows}
    ordered = sorted(rows, key=lambda row: row.history_id)
    starts = {row.entered_at for row in ordered}
    ended = [(row, ends[row.history_id]) for row in ordered if ends[row.history_id] is not None]
    assert all(end in starts for _, end in ended)
    # Between first entry and last there are as many ended stays as there are changes of stage.
    changes = sum(a.stage_id != b.stage_id for a, b in pairwise(ordered))
    assert len(ended) == changes
    # Their lengths add up to the time from the first entry to the last change.
    if ended:
        last_change = max(
            index
            for index in range(1, len(ordered))
            if ordered[index].stage_id != ordered[index - 1].stage_id
        )
        total = sum(end - row.entered_at for row, end in ended if end is not None)
        gaps = sum(start.entered_at - end for (_, end), (start, _) in pairwise(ended) if end is not None)
        assert total + gaps == ordered[last_change].entered_at - ordered[0].entered_at


@given(stay_rows, st.randoms())
def test_the_order_in_which_rows_arrive_does_not_matter(rows: list[Entry], chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert derive.left_moments(shuffled) == derive.left_moments(rows)


ORDER = {(0, "NEW"): 10, (0, "PREPARE"): 20, (0, "INVOICE"): 30, (3, "C3:NEW"): 10, (3, "C3:LATE"): 90}


def test_a_deal_reached_the_highest_stage_of_its_history_and_present() -> None:
    rows = [entry(1, "NEW", 1), entry(2, "INVOICE", 2), entry(3, "LOSE", 3)]
    assert derive.furthest_stage(ORDER, 0, "LOSE", rows) == "INVOICE"
    assert derive.furthest_stage(ORDER, 0, "PREPARE", rows) == "INVOICE"
    assert derive.furthest_stage(ORDER, 0, "INVOICE", []) == "INVOICE"


def test_only_stages_of_the_present_pipeline_count() -> None:
    rows = [entry(1, "C3:LATE", 1, category_id=3), entry(2, "NEW", 2)]
    assert derive.furthest_stage(ORDER, 0, "NEW", rows) == "NEW"


def test_final_and_unknown_stages_say_nothing() -> None:
    assert derive.furthest_stage(ORDER, 0, "WON", [entry(1, "REMOVED", 1)]) is None
