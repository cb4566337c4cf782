from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from b24app.deal_norms import Contact, Norm, count_returns, first_response_s, norm, stage_since

ORDER = {(0, "NEW"): 10, (0, "TALK"): 20, (0, "OFFER"): 30, (4, "C4:NEW"): 10}
DAY = 86_400


@dataclass(frozen=True)
class Entry:
    category_id: int
    stage_id: str
    entered_at: int


def walk(*stages: str) -> list[Entry]:
    return [Entry(4 if name.startswith("C4") else 0, name, at * DAY) for at, name in enumerate(stages, 1)]


def test_a_norm_is_the_median_and_the_third_quartile() -> None:
    # 1, 2, 3, 4, 10 days: the middle one is 3, three quarters of the way (place 3 of 0..4) is 4
    assert norm([10 * DAY, DAY, 3 * DAY, 2 * DAY, 4 * DAY], won_deals=20) == Norm(3 * DAY, 4 * DAY, 5)


def test_there_is_no_norm_before_twenty_won_deals() -> None:
    assert norm([DAY] * 40, won_deals=19) is None
    assert norm([DAY] * 40, won_deals=20) == Norm(DAY, DAY, 40)
    assert norm([], won_deals=20) is None


def test_negative_durations_are_left_out() -> None:
    assert norm([-DAY, 5, -1], won_deals=20) == Norm(5, 5, 1)


@given(st.lists(st.integers(0, 10**8), min_size=1))
def test_half_of_the_times_lie_at_or_below_the_median_and_the_quartile_is_not_below_it(
    times: list[int],
) -> None:
    found = norm(times, won_deals=20)
    assert found is not None
    assert min(times) <= found.median_s <= found.p75_s <= max(times)


def test_a_deal_stands_in_its_stage_since_it_last_entered_it() -> None:
    assert stage_since(walk("NEW", "TALK", "NEW", "TALK"), 0, "TALK", 99 * DAY) == 4 * DAY
    assert stage_since(walk("NEW", "TALK", "TALK"), 0, "TALK", 99 * DAY) == 2 * DAY  # a repeated row


def test_without_a_fitting_history_the_last_move_counts() -> None:
    assert stage_since([], 0, "TALK", 7 * DAY) == 7 * DAY
    assert stage_since(walk("NEW", "OFFER"), 0, "TALK", 7 * DAY) == 7 * DAY


def test_steps_back_and_reopenings_are_returns() -> None:
    assert count_returns(walk("NEW", "TALK", "OFFER", "WON"), ORDER) == 0
    assert count_returns(walk("NEW", "OFFER", "TALK", "OFFER"), ORDER) == 1
    assert count_returns(walk("NEW", "OFFER", "LOSE", "OFFER", "NEW"), ORDER) == 2  # reopened, then back
    assert count_returns(walk("OFFER", "C4:NEW"), ORDER) == 0  # another pipeline
    assert count_returns(walk("LOSE", "WON"), ORDER) == 0
    assert count_returns([], ORDER) == 0


def test_the_first_response_is_our_first_call_message_or_meeting_after_the_first_contact() -> None:
    contacts = [
        Contact(at=50, is_outgoing=True),  # before the client came: another matter
        Contact(at=110, is_outgoing=False),  # the client wrote again
        Contact(at=400, is_outgoing=True),
        Contact(at=300, is_outgoing=False, is_held=True),
    ]
    assert first_response_s(100, contacts) == 200
    assert first_response_s(100, contacts[:2]) is None
