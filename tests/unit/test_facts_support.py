"""Chats, calls and tickets: what the portal's rows tell about support cases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.facts import case_rules, sessions, tickets
from b24app.facts.case_rules import Call, Session, Timing
from b24app.facts.sessions import Talk
from b24app.facts.tickets import Course, Desk
from b24app.facts.values import BadRow, Border
from b24app.metrics.work_calendar import WorkCalendar
from tests.cast import ANNA, SVETA
from tests.crm_rows import at
from tests.support_rows import BOT, CLIENT, SYSTEM, history, ticket

MOSCOW = ZoneInfo("Europe/Moscow")
BORDER = Border(MOSCOW, {(1036, 5, "DT1036_5:DONE"): "S", (1036, 5, "DT1036_5:SPAM"): "F"})


def moment(text: str) -> int:
    return int(datetime.fromisoformat(at(text)).timestamp())


def talk(*said: tuple[int, str, dict[str, Any]]) -> Talk:
    return sessions.parse(history(said), 77, MOSCOW)


def test_the_first_reply_is_that_of_a_person_after_the_clients_first_message() -> None:
    found = talk(
        (ANNA, "2026-11-02 09:58", {}),  # before the client wrote: no reply
        (CLIENT, "2026-11-02 10:00", {}),
        (SYSTEM, "2026-11-02 10:00:01", {}),
        (BOT, "2026-11-02 10:00:02", {}),
        (CLIENT, "2026-11-02 10:05", {}),
        (SVETA, "2026-11-02 10:07", {}),
        (ANNA, "2026-11-02 10:09", {}),
    )
    assert found.replied_at == moment("2026-11-02 10:07")


def test_messages_are_read_in_the_order_of_time_and_then_of_their_numbers() -> None:
    said = history([(ANNA, "2026-11-02 10:00", {}), (CLIENT, "2026-11-02 10:00", {})])
    assert sessions.parse(said, 77, MOSCOW).replied_at is None
    said["message"] = list(reversed(said["message"].values()))  # a list, newest first
    assert sessions.parse(said, 77, MOSCOW).replied_at is None
    said = history([(CLIENT, "2026-11-02 10:00", {}), (ANNA, "2026-11-02 10:00", {})])
    said["message"] = list(reversed(said["message"].values()))
    assert sessions.parse(said, 77, MOSCOW).replied_at == moment("2026-11-02 10:00")


@pytest.mark.parametrize(
    ("params", "rating"),
    [
        ({"imolVoteSid": 77, "imolVoteUser": 5}, True),
        ({"imolVoteSid": "77", "imolVoteUser": "5"}, True),
        ({"imolVoteSid": "77", "imolVoteUser": "1"}, False),
        ({"imolVoteSid": "77", "imolVoteUser": "0"}, None),
        ({"imolVoteSid": "78", "imolVoteUser": "5"}, None),  # of another session in the same chat
        ({"imolVoteUser": 1}, False),
        ({"imolVoteSid": 77}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_clients_vote_stands_in_a_message_of_the_session(params: Any, rating: bool | None) -> None:
    said = history([(CLIENT, "2026-11-02 10:00", {}), (SYSTEM, "2026-11-02 11:00", {})])
    said["message"]["2"]["params"] = params
    assert sessions.parse(said, 77, MOSCOW).is_positive is rating


def test_the_last_rating_of_a_reopened_chat_counts_and_a_closing_without_one_takes_none_away() -> None:
    assert talk(
        (SYSTEM, "2026-11-02 11:00", {"imolVoteSid": 77, "imolVoteUser": 1}),
        (SYSTEM, "2026-11-02 12:00", {"imolVoteSid": 77, "imolVoteUser": 5}),
        (SYSTEM, "2026-11-02 13:00", {"imolVoteSid": 77, "imolVoteUser": 0}),
    ).is_positive


@pytest.mark.parametrize("empty", [[], {}])
def test_a_chat_without_messages_has_neither_reply_nor_rating(empty: Any) -> None:
    assert sessions.parse({"message": empty, "users": empty}, 77, MOSCOW) == Talk(None, None)


@pytest.mark.parametrize("answer", [None, [], "html", {"users": {}}])
def test_an_answer_of_another_shape_is_no_chat(answer: Any) -> None:
    with pytest.raises(BadRow):
        sessions.parse(answer, 77, MOSCOW)


def test_nothing_that_was_said_is_kept() -> None:
    said = history([(CLIENT, "2026-11-02 10:00", {}), (ANNA, "2026-11-02 10:01", {})])
    said["message"]["1"]["text"] = said["users"][str(CLIENT)]["name"] = "secret"
    assert "secret" not in repr(sessions.parse(said, 77, MOSCOW))


def test_a_chat_is_read_again_while_a_reply_or_a_vote_may_come_unannounced() -> None:
    now = 1_000_000
    answered, rated = Talk(now - 50, None), Talk(now - 50, False)
    assert sessions.read_again_at(Talk(None, None), None, now) == now + 60
    assert sessions.read_again_at(answered, None, now) is None  # its activity will tell
    assert sessions.read_again_at(answered, now - 10, now) == now + 300
    assert sessions.read_again_at(answered, now - 7200, now) == now + 7200
    assert sessions.read_again_at(rated, now - 10, now) is None
    assert sessions.read_again_at(answered, now - 4 * 86_400, now) is None


@pytest.mark.parametrize(
    ("value", "rating"),
    [
        ("45", True), (45, True), (45.0, True), ([44, 45], True), ("46", False), (46, False), (["46"], False),
        (None, None), ("", None), (0, None), ("0", None), (False, None), ([], None), ([""], None),
        (True, False), ("N", False),
    ],
)  # fmt: skip
def test_a_rating_is_good_when_its_value_was_chosen(value: Any, rating: bool | None) -> None:
    assert tickets.rating(value, frozenset({"45"})) is rating


def test_nought_is_a_rating_where_it_was_chosen() -> None:
    assert tickets.rating(0, frozenset({"0"})) is True


def desk(**fields: Any) -> Desk:
    return Desk(**{"entity_type_id": 1036, "category_id": 5, **fields})


def test_an_item_of_the_desk_is_a_ticket() -> None:
    item, _ = ticket(7, "2026-11-02 10:00", ("DONE", "2026-11-03 10:00"), company=12, ufCrm5_1="45")
    found = tickets.parse(
        item, BORDER, 1036, [desk(rating_field="ufCrm5_1", positive_values=frozenset({"45"}))]
    )
    assert found.is_taken
    assert (found.item_id, found.owner_id, found.client, found.is_positive) == (7, ANNA, "company:12", True)
    assert (found.created_at, found.moved_at) == (moment("2026-11-02 10:00"), moment("2026-11-03 10:00"))


def test_items_of_other_pipelines_and_templates_are_none() -> None:
    item, _ = ticket(7, "2026-11-02 10:00")
    assert not tickets.parse(item, BORDER, 1036, [desk(category_id=6)]).is_taken
    assert not tickets.parse(item, BORDER, 1036, [desk(entity_type_id=1040)]).is_taken
    assert not tickets.parse({**item, "isRecurring": "Y"}, BORDER, 1036, [desk()]).is_taken
    assert tickets.parse(item, BORDER, 1036, [desk(category_id=0)]).is_taken  # pipelines are switched off
    assert not tickets.parse({**item, "categoryId": 1}, BORDER, 2, [Desk(2, 0)]).is_taken


def test_older_field_names_have_to_be_asked_for() -> None:
    assert tickets.has_original_names([desk(rating_field="UF_CRM_5_1")])
    assert not tickets.has_original_names([desk(rating_field="ufCrm5_1"), desk()])
    assert "UF_CRM_5_1" in tickets.fields([desk(rating_field="UF_CRM_5_1")])


def test_the_first_move_is_out_of_the_stage_it_was_made_in() -> None:
    _, entries = ticket(
        7,
        "2026-11-02 10:00",
        ("NEW", "2026-11-02 10:30"),
        ("WORK", "2026-11-02 11:00"),
        ("DONE", "2026-11-03 10:00"),
    )
    assert tickets.course(reversed(entries), BORDER, 1036) == Course(moment("2026-11-02 11:00"), False)


def test_a_history_without_its_beginning_begins_with_a_move() -> None:
    _, entries = ticket(7, "2026-11-02 10:00", ("WORK", "2026-11-02 11:00"), ("DONE", "2026-11-03 10:00"))
    assert tickets.course(entries[1:], BORDER, 1036) == Course(moment("2026-11-02 11:00"), False)
    assert tickets.course(entries[:1], BORDER, 1036) == Course(None, False)
    assert tickets.course([], BORDER, 1036) == Course(None, False)


def test_a_ticket_that_left_a_final_stage_was_reopened() -> None:
    _, entries = ticket(
        7,
        "2026-11-02 10:00",
        ("DONE", "2026-11-02 11:00"),
        ("WORK", "2026-11-02 12:00"),
        ("DONE", "2026-11-03 10:00"),
    )
    assert tickets.course(entries, BORDER, 1036).was_reopened
    _, entries = ticket(7, "2026-11-02 10:00", ("DONE", "2026-11-02 11:00"), ("SPAM", "2026-11-02 12:00"))
    assert not tickets.course(entries, BORDER, 1036).was_reopened


CLIENTS = {(2, 410): "company:12", (2, 411): None, (1, 5): "contact:7", (1, 6): None}


@pytest.mark.parametrize(
    ("item", "client"),
    [
        ((4, 12), "company:12"), ((3, 7), "contact:7"), ((2, 410), "company:12"), ((2, 411), None),
        ((2, 999), None), ((1, 5), "contact:7"), ((1, 6), "lead:6"), ((1, 999), "lead:999"),
        ((1036, 3), None), (None, None),
    ],
)  # fmt: skip
def test_the_client_of_a_chat_is_behind_the_item_that_owns_it(
    item: tuple[int, int] | None, client: str | None
) -> None:
    session = Session(activity_id=1, owner_id=ANNA, opened_at=100, closed_at=None, item=item)
    assert case_rules.of_session(session, CLIENTS, Timing(MOSCOW)).client == client


def call(**fields: Any) -> Call:
    known: dict[str, Any] = {
        "call_id": 1, "owner_id": ANNA, "call_type": 2, "is_answered": True, "started_at": 100,
        "duration_s": 60, "vote": None, "client": None,
    }  # fmt: skip
    return Call(**{**known, **fields})


@pytest.mark.parametrize("kind", [1, 4, 5, 0])
def test_only_incoming_calls_are_cases(kind: int) -> None:
    assert case_rules.of_call(call(call_type=kind), CLIENTS, Timing(MOSCOW)) is None


@pytest.mark.parametrize(("vote", "rating"), [(None, None), (1, False), (3, False), (4, True), (5, True)])
def test_a_call_is_closed_when_it_ends_and_missed_ones_never(vote: int | None, rating: bool | None) -> None:
    taken = case_rules.of_call(call(call_type=3, vote=vote, client="lead:5"), CLIENTS, Timing(MOSCOW))
    assert taken is not None
    assert (taken.opened_at, taken.closed_at, taken.resolution_s) == (100, 160, 60)
    assert (taken.replied_at, taken.is_positive, taken.client) == (None, rating, "contact:7")
    missed = case_rules.of_call(call(is_answered=False), CLIENTS, Timing(MOSCOW))
    assert missed is not None
    assert (missed.closed_at, missed.closed_day, missed.resolution_s) == (None, None, None)


def test_durations_are_calendar_time_or_working_time() -> None:
    opened, closed = moment("2026-11-06 17:00"), moment("2026-11-09 10:30")  # Friday to Monday
    by_calendar, by_work = Timing(MOSCOW), Timing(MOSCOW, WorkCalendar())
    assert by_calendar.seconds(opened, closed) == int(timedelta(days=2, hours=17.5).total_seconds())
    # an hour until 18:00 on Friday, one and a half from 9:00 on Monday
    assert by_work.seconds(opened, closed) == 9000
    assert by_work.seconds(opened, None) is None
    # at night no work is done, but a clock that runs backwards is still a mistake
    night = moment("2026-11-07 02:00")
    assert by_work.seconds(night, night - 60) == -60


@given(
    opened=st.integers(0, 2 * 10**9), reply=st.integers(-(10**6), 10**6), length=st.integers(-(10**6), 10**6)
)
def test_a_case_stands_on_its_local_days_and_may_be_followed_for_a_while(
    opened: int, reply: int, length: int
) -> None:
    session = Session(
        activity_id=1,
        owner_id=ANNA,
        opened_at=opened,
        closed_at=opened + length,
        item=None,
        replied_at=opened + reply,
    )
    found = case_rules.of_session(session, {}, Timing(MOSCOW, None, 3600))
    assert found.opened_day == datetime.fromtimestamp(opened, MOSCOW).date()
    assert found.closed_day == datetime.fromtimestamp(opened + length, MOSCOW).date()
    assert (found.reply_s, found.resolution_s) == (reply, length)
    assert found.follow_up_until == opened + length + 3600


def test_a_day_ends_at_the_portals_midnight() -> None:
    timing = Timing(MOSCOW)
    assert timing.day(moment("2026-11-30 23:59:59")) == date(2026, 11, 30)
    assert timing.day(moment("2026-12-01 00:00:00")) == date(2026, 12, 1)
