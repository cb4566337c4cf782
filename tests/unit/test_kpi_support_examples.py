"""A hand-computed example of every support KPI, through the store and SQL, with the sum beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, update

from b24app import store
from b24app.facts import activities, leads
from b24app.facts.reference import SmartProcess
from b24app.facts.tickets import Desk
from b24app.portals import settings
from b24app.store import support_cases
from b24app.sync.sources import chosen, tickets
from b24app.tables import cases, portals
from tests import stored, support_rows
from tests.cast import ANNA, BORIS, COMPANY, GUEST, SUPPORT, SVETA
from tests.crm_rows import PORTAL, at, deal, lead
from tests.stored import rows, value
from tests.support_rows import Chat, call, chat, stages_of_desk, ticket

Make = Callable[..., int]

NOVEMBER = "from=2026-11-01&to=2026-12-01"
LATER = datetime(2026, 12, 20, 12, tzinfo=UTC)
HOUR = 3600
DESK = {"entity_type_id": 1036, "category_id": 5, "rating_field": "ufScore", "positive_values": ["good"]}
RATED_DESK = Desk(1036, 5, "ufScore", frozenset({"good"}))


@pytest.fixture
def make(engine: Engine) -> Make:
    """Makes a portal with these support records; everything of it is read."""

    def portal(
        chats: list[Chat] | None = None,
        *,
        calls: list[Any] | None = None,
        tickets_: list[Any] | None = None,
        crm: dict[str, Any] | None = None,
        support: dict[str, Any] | None = None,
        **how: Any,
    ) -> int:
        portal_id = stored.new_portal(engine)
        if support is not None:
            how["support"] = support
        stored.choose(engine, portal_id, **how)
        stages = [*PORTAL["stages"], *stages_of_desk()]
        stored.save(engine, portal_id, {**PORTAL, "stages": stages, **(crm or {})})
        with engine.begin() as conn:
            for name in (tickets.name_of(1036), tickets.history_name_of(1036)):
                stored.set_source(conn, portal_id, name, state="ready")
        support_rows.save(
            engine,
            portal_id,
            chats=chats or (),
            calls_=calls or (),
            tickets_=tickets_ or (),
            desks=(RATED_DESK,),
        )
        return portal_id

    return portal


ALL = {"sessions": True, "calls": True, "tickets": [DESK]}


def test_cases_are_counted_by_the_day_they_were_opened(engine: Engine, make: Make) -> None:
    portal = make(
        [
            chat(1, "2026-11-01 00:00:00"),  # the first second of the month: in
            chat(2, "2026-11-30 23:59:59", owner=SVETA),  # the last: in
            chat(3, "2026-10-31 23:59:59", closed="2026-11-02 10:00"),  # October
            chat(4, "2026-12-01 00:00:00"),  # December
            chat(5, "2026-11-05 10:00", owner=GUEST),  # nobody's: of the company only
        ],
        calls=[call(1, "2026-11-05 10:00")],  # calls are off out of the box
    )
    # 1, 2, 5
    found = value(engine, portal, f"metric=cases&scope=company&{NOVEMBER}")
    assert (found["value"], found["unit"], found["reason"]) == (3, "count", None)
    # Sveta 2, Anna 1
    by_user = rows(engine, portal, f"metric=cases&scope=company&{NOVEMBER}&by=user")
    assert {key: row["value"] for key, row in by_user.items() if row["value"]} == {
        f"user:{ANNA}": 1,
        f"user:{SVETA}": 1,
    }
    by_department = rows(engine, portal, f"metric=cases&scope=company&{NOVEMBER}&by=department")
    assert (
        by_department[f"department:{SUPPORT}"]["value"]
        == by_department[f"department:{COMPANY}"]["value"]
        == 2
    )


def test_cases_come_from_the_sources_that_were_switched_on(engine: Engine, make: Make) -> None:
    records: dict[str, Any] = {
        "calls": [
            call(1, "2026-11-05 10:00"),
            call(2, "2026-11-05 11:00", code="304"),
            call(3, "2026-11-05 12:00", kind=1),  # made by us: no case
        ],
        "tickets_": [
            ticket(1, "2026-11-06 10:00"),
            ticket(2, "2026-11-06 10:00", category=6),  # another pipeline
        ],
    }
    chats = [chat(1, "2026-11-04 10:00")]
    question = f"metric=cases&scope=company&{NOVEMBER}"
    # the chat, calls 1 and 2, ticket 1
    assert value(engine, make(chats, **records, support=ALL), question)["value"] == 4
    only_calls = {"sessions": False, "calls": True, "tickets": []}
    assert value(engine, make(chats, **records, support=only_calls), question)["value"] == 2
    only_desk = {"sessions": False, "calls": False, "tickets": [DESK]}
    assert value(engine, make(chats, **records, support=only_desk), question)["value"] == 1
    nothing = value(engine, make(chats, **records, support={"sessions": False}), question)
    assert (nothing["value"], nothing["reason"]) == (None, "source_off")


def test_support_kpis_are_split_by_where_requests_come_from(engine: Engine, make: Make) -> None:
    portal = make(
        [chat(1, "2026-11-04 10:00", closed="2026-11-04 11:00"), chat(2, "2026-10-04 10:00")],
        calls=[call(1, "2026-11-05 10:00", seconds=60), call(2, "2026-11-05 11:00", code="304")],
        tickets_=[ticket(1, "2026-11-06 10:00", ("DONE", "2026-11-06 12:00"), ufScore="good")],
        support=ALL,
    )

    def split(metric: str) -> dict[str, Any]:
        question = f"metric={metric}&scope=company&by=support_source&{NOVEMBER}"
        answer = stored.ask(engine, portal, question)
        names = answer["names"]
        return {names[row["key"]]: row["value"] for row in answer["values"][0]["rows"]}

    assert rows(engine, portal, f"metric=cases&scope=company&by=support_source&{NOVEMBER}").keys() == {
        "support_source:session", "support_source:call", "support_source:ticket:1036",
    }  # fmt: skip
    assert split("cases") == {"Open channel chats": 1, "Incoming calls": 2, "Tickets of object 1036": 1}
    # the call that nobody answered is not closed
    assert split("resolution_time") == {
        "Open channel chats": "3600", "Incoming calls": "60", "Tickets of object 1036": "7200",
    }  # fmt: skip
    assert split("csat")["Tickets of object 1036"] == "1"
    with store.writing(engine, portal) as writer:
        writer.save_smart_processes([SmartProcess(1036, "Complaints"), SmartProcess(1040, "Returns")])
    assert split("cases") == {"Open channel chats": 1, "Incoming calls": 2, "Tickets: Complaints": 1}
    with engine.begin() as conn:
        conn.execute(update(cases).where(cases.c.source == "ticket").values(entity_type_id=2))
    assert split("cases")["Tickets in deals"] == 1


def test_first_response_time_is_the_mean_over_answered_cases(engine: Engine, make: Make) -> None:
    portal = make(
        [
            chat(1, "2026-11-02 10:00", reply="2026-11-02 10:10"),
            chat(2, "2026-11-02 10:00", reply="2026-11-02 10:20", owner=SVETA),
            chat(3, "2026-11-30 23:50", reply="2026-12-01 00:20"),  # opened in November
            chat(4, "2026-11-02 10:00"),  # not answered
            chat(5, "2026-11-02 10:00", is_read=False),
            chat(6, "2026-10-02 10:00", reply="2026-11-02 10:10"),
        ],
        calls=[call(1, "2026-11-05 10:00")],
        tickets_=[
            ticket(1, "2026-11-06 10:00", ("WORK", "2026-11-06 12:00"), ("DONE", "2026-11-07 12:00")),
            ticket(2, "2026-11-06 10:00"),
        ],
        support=ALL,
    )
    found = value(engine, portal, f"metric=first_response_time&scope=company&{NOVEMBER}")
    # 600 + 1200 + 1800 + 7200 = 10800 s over 4 cases
    assert (found["value"], found["numerator"], found["denominator"]) == ("2700", 10_800, 4)
    assert {row["reason"]: row["count"] for row in found["left_out"]} == {
        "no_reply": 2,
        "no_delay": 1,
        "case_not_read": 1,
    }
    assert found["provisional"] is True  # a chat is still to be read
    sveta = value(engine, portal, f"metric=first_response_time&scope=user:{SVETA}&{NOVEMBER}")
    assert (sveta["value"], sveta["provisional"]) == ("1200", False)


def test_response_before_the_opening_is_left_out(engine: Engine, make: Make) -> None:
    early = chat(1, "2026-11-02 10:00", reply="2026-11-02 10:10")
    early.row["START_TIME"] = at("2026-11-02 11:00")  # the clocks disagree
    portal = make([early, chat(2, "2026-11-02 10:00", reply="2026-11-02 10:20")])
    found = value(engine, portal, f"metric=first_response_time&scope=company&{NOVEMBER}")
    assert (found["numerator"], found["denominator"]) == (1200, 1)
    assert found["left_out"] == [{"reason": "negative_duration", "count": 1}]


def test_csat_is_positive_ratings_over_all_ratings_of_closed_cases(engine: Engine, make: Make) -> None:
    portal = make(
        [
            chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", vote=5),
            chat(2, "2026-11-02 10:00", closed="2026-11-02 11:00", vote=1),
            chat(3, "2026-11-02 10:00", closed="2026-11-02 11:00", vote=0),
            chat(4, "2026-11-02 10:00", closed="2026-12-01 11:00", vote=1),  # closed in December
            chat(5, "2026-10-30 10:00", closed="2026-11-01 00:00", vote=5),
            chat(6, "2026-11-02 10:00", closed="2026-11-02 11:00", is_read=False),
        ],
        calls=[
            call(1, "2026-11-05 10:00", vote=4),
            call(2, "2026-11-05 10:00", vote=3),
            call(3, "2026-11-05 10:00", vote=0),
            call(4, "2026-11-05 10:00", code="304", vote=5),  # missed: never closed
        ],
        tickets_=[
            ticket(1, "2026-11-06 10:00", ("DONE", "2026-11-06 12:00"), ufScore="good"),
            ticket(2, "2026-11-06 10:00", ("SPAM", "2026-11-06 12:00"), ufScore="bad"),
            ticket(3, "2026-11-06 10:00", ("WORK", "2026-11-06 12:00"), ufScore="good"),  # open
        ],
        support=ALL,
    )
    found = value(engine, portal, f"metric=csat&scope=company&{NOVEMBER}")
    # good: chats 1, 5, call 1, ticket 1; bad: chat 2, call 2, ticket 2
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.5714285714", 4, 7)
    # chat 3 and call 3; chat 6
    assert {row["reason"]: row["count"] for row in found["left_out"]} == {"no_rating": 2, "case_not_read": 1}


def test_fcr_looks_for_another_case_of_the_client_within_the_days(engine: Engine, make: Make) -> None:
    company, contact = (4, 1), (3, 1)
    portal = make(
        [
            # closed on the 2nd at 11:00, the next one a second after seven days: resolved
            chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", item=company),
            # followed within seven days (by 3): not resolved
            chat(2, "2026-11-09 11:00:01", closed="2026-11-09 12:00", item=company),
            # opened exactly seven days after the second one was closed: that one is not resolved; 3 itself is
            chat(3, "2026-11-16 12:00", closed="2026-11-16 13:00", item=company),
            # opened when the one before was closed, not later: 4 is resolved, 5 is too
            chat(4, "2026-11-02 10:00", closed="2026-11-02 11:00", item=contact),
            chat(5, "2026-11-02 11:00", closed="2026-11-02 12:00", item=contact),
            # nobody's: they count as resolved
            chat(6, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(2, 999)),
            chat(7, "2026-11-02 12:00", closed="2026-11-02 13:00", item=(2, 999)),
        ]
    )
    found = value(engine, portal, f"metric=fcr&scope=company&{NOVEMBER}", now=LATER)
    # all seven but 2
    assert (found["value"], found["numerator"], found["denominator"]) == ("0.8571428571", 6, 7)
    assert found["provisional"] is False


def test_fcr_knows_clients_across_sources(engine: Engine, make: Make) -> None:
    portal = make(
        [
            chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(2, 410)),  # a deal of company 12
            chat(2, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(1, 5)),  # a lead of contact 7
            chat(3, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(1, 6)),  # a lead of nobody
            chat(4, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(4, 13)),
        ],
        calls=[
            call(1, "2026-11-03 10:00", code="304", client=("CONTACT", 7)),
            call(2, "2026-11-03 10:00", client=("LEAD", 6)),
        ],
        tickets_=[ticket(1, "2026-11-04 10:00", company=12)],
        crm={
            "deals": [deal(410, company=12)],
            "leads": [
                {**lead(5, "2026-11-01 10:00"), "contactId": 7},
                {**lead(6, "2026-11-01 10:00"), "contactId": None, "companyId": 0},
            ],
        },
        support=ALL,
    )
    found = value(engine, portal, f"metric=fcr&scope=company&{NOVEMBER}", now=LATER)
    # closed: chats 1 to 4, call 2. 1 is followed by the ticket, 2 by the missed call, 3 by call 2
    assert (found["numerator"], found["denominator"]) == (2, 5)


def test_fcr_is_provisional_while_the_days_are_running(engine: Engine, make: Make) -> None:
    portal = make([chat(1, "2026-11-20 10:00", closed="2026-11-20 12:00")])
    question = f"metric=fcr&scope=company&{NOVEMBER}"

    def is_provisional(moment: str) -> bool:
        return bool(value(engine, portal, question, now=datetime.fromisoformat(at(moment)))["provisional"])

    assert is_provisional("2026-11-27 11:59:59")
    assert not is_provisional("2026-11-27 12:00:00")


def test_fcr_days_can_be_chosen(engine: Engine, make: Make) -> None:
    chats = [
        chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00"),
        chat(2, "2026-11-05 10:00", closed="2026-11-05 11:00"),
    ]
    question = f"metric=fcr&scope=company&{NOVEMBER}"
    # within seven days the second followed the first, within two it did not
    assert value(engine, make(chats), question, now=LATER)["numerator"] == 1
    assert value(engine, make(chats, fcr_days=2), question, now=LATER)["numerator"] == 2


def test_a_reopened_case_was_not_resolved_at_first_contact(engine: Engine, make: Make) -> None:
    back = [("DONE", "2026-11-02 11:00"), ("WORK", "2026-11-02 12:00"), ("DONE", "2026-11-02 13:00")]
    portal = make(
        [chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00")],
        tickets_=[
            ticket(1, "2026-11-02 10:00", *back),
            ticket(2, "2026-11-02 10:00", ("DONE", "2026-11-02 11:00"), ("SPAM", "2026-11-02 12:00")),
        ],
        support=ALL,
    )
    question = f"metric=fcr&scope=company&{NOVEMBER}"
    # the chat and ticket 2 of three
    assert value(engine, portal, question, now=LATER)["numerator"] == 2
    _take(engine, portal, chat(1, "2026-11-02 10:00", updated="2026-11-02 11:30"))  # opened once more
    found = value(engine, portal, question, now=LATER)
    assert (found["numerator"], found["denominator"]) == (1, 2)
    _take(engine, portal, chat(1, "2026-11-02 10:00", closed="2026-11-02 12:00"))
    found = value(engine, portal, question, now=LATER)
    assert (found["numerator"], found["denominator"]) == (1, 3)


def test_a_chat_that_was_closed_later_than_it_was_seen_closed_was_open_in_between(
    engine: Engine, make: Make
) -> None:
    portal = make([chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00")])
    _take(engine, portal, chat(1, "2026-11-02 10:00", closed="2026-11-02 12:00"))
    found = value(engine, portal, f"metric=fcr&scope=company&{NOVEMBER}", now=LATER)
    assert (found["numerator"], found["denominator"]) == (0, 1)


def test_resolution_time_is_the_mean_over_closed_cases(engine: Engine, make: Make) -> None:
    portal = make(
        [
            chat(1, "2026-10-31 23:00", closed="2026-11-01 01:00"),  # closed in November: 2 h
            chat(2, "2026-11-02 10:00", closed="2026-11-02 11:00"),  # 1 h
            chat(3, "2026-11-02 10:00", closed="2026-11-02 09:00"),  # backwards
            chat(4, "2026-11-02 10:00"),
        ],
        calls=[
            call(1, "2026-11-05 10:00", seconds=600),
            call(2, "2026-11-05 10:00", seconds=5, code="304"),  # missed: never closed
        ],
        tickets_=[ticket(1, "2026-11-06 10:00", ("WORK", "2026-11-06 11:00"), ("DONE", "2026-11-06 13:00"))],
        support=ALL,
    )
    found = value(engine, portal, f"metric=resolution_time&scope=company&{NOVEMBER}")
    # 7200 + 3600 + 600 + 10800 = 22200 s over 4 cases
    assert (found["value"], found["numerator"], found["denominator"]) == ("5550", 22_200, 4)
    assert found["left_out"] == [{"reason": "negative_duration", "count": 1}]


def test_working_time_counts_only_the_companys_hours(engine: Engine, make: Make) -> None:
    # Friday 17:00 to Monday 10:30: an hour on Friday, one and a half on Monday (9:00 to 18:00 by default)
    weekend = chat(1, "2026-11-06 17:00", reply="2026-11-06 17:30", closed="2026-11-09 10:30")
    night = chat(2, "2026-11-10 20:00", reply="2026-11-11 09:10", closed="2026-11-11 09:30")
    portal = make([weekend, night], working_hours_for_support=True)
    reply = value(engine, portal, f"metric=first_response_time&scope=company&{NOVEMBER}")
    # 1800 + 600
    assert (reply["numerator"], reply["denominator"]) == (2400, 2)
    resolution = value(engine, portal, f"metric=resolution_time&scope=company&{NOVEMBER}")
    # 9000 + 1800
    assert (resolution["numerator"], resolution["denominator"]) == (10_800, 2)
    # the company works until 20:00 and not on Mondays: three hours on Friday, and none on Monday;
    # of the other one half an hour in the morning
    stored.save(
        engine,
        portal,
        {
            **PORTAL,
            "calendar": {"work_time_start": "9", "work_time_end": "20", "week_holidays": ["SA", "SU", "MO"]},
        },
    )
    resolution = value(engine, portal, f"metric=resolution_time&scope=company&{NOVEMBER}")
    assert (resolution["numerator"], resolution["denominator"]) == (3 * HOUR + 1800, 2)


def test_changed_settings_make_all_cases_anew(engine: Engine, make: Make) -> None:
    portal = make(
        [chat(1, "2026-11-06 17:00", reply="2026-11-09 09:30", closed="2026-11-09 10:30", vote=5)],
        calls=[call(1, "2026-11-05 10:00")],
    )

    def answer(metric: str) -> Any:
        return value(engine, portal, f"metric={metric}&scope=company&{NOVEMBER}")["value"]

    def choose(**chosen_: Any) -> None:
        stored.choose(engine, portal, **chosen_)
        with engine.begin() as conn:
            support_cases.rederive(conn, portal)

    assert (answer("cases"), answer("first_response_time")) == (1, str(64 * HOUR + 1800))
    choose(working_hours_for_support=True)
    assert answer("first_response_time") == str(HOUR + 1800)
    choose(support={"sessions": True, "calls": True})
    assert answer("cases") == 2
    choose(support={"sessions": False, "calls": True})
    assert (answer("cases"), answer("csat")) == (1, None)
    choose(support={"sessions": True, "calls": False})
    # what was read of the chat is still known
    assert (answer("cases"), answer("csat")) == (1, "1")


def test_a_chat_follows_its_activity_and_the_client_behind_it(engine: Engine, make: Make) -> None:
    chats = [
        chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(2, 410)),
        chat(2, "2026-11-03 10:00", closed="2026-11-03 11:00", item=(2, 411)),
    ]
    portal = make(chats, crm={"deals": [deal(410, company=12), deal(411, company=13)]})
    question = f"metric=fcr&scope=company&{NOVEMBER}"
    assert value(engine, portal, question, now=LATER)["numerator"] == 2
    stored.save(engine, portal, {**PORTAL, "deals": [deal(411, company=12)]})  # the same client after all
    assert value(engine, portal, question, now=LATER)["numerator"] == 1
    _take(engine, portal, chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(2, 410), owner=BORIS))
    by_user = rows(engine, portal, f"metric=cases&scope=company&{NOVEMBER}&by=user")
    assert (by_user[f"user:{ANNA}"]["value"], by_user[f"user:{BORIS}"]["value"]) == (1, 1)
    with store.writing(engine, portal) as writer:
        writer.delete_activities([2])
    assert value(engine, portal, question, now=LATER)["denominator"] == 1


def test_a_lead_behind_a_call_tells_its_client_later(engine: Engine, make: Make) -> None:
    calls = [
        call(1, "2026-11-02 10:00", client=("LEAD", 5)),
        call(2, "2026-11-03 10:00", client=("CONTACT", 7)),
    ]
    portal = make(calls=calls, support={"sessions": False, "calls": True})
    question = f"metric=fcr&scope=company&{NOVEMBER}"
    assert value(engine, portal, question, now=LATER)["numerator"] == 2
    with engine.connect() as conn:
        border = store.load_border(conn, portal)
    with store.writing(engine, portal) as writer:
        writer.save_leads([leads.parse({**lead(5, "2026-11-01 10:00"), "contactId": 7}, border)])
    assert value(engine, portal, question, now=LATER)["numerator"] == 1


def test_another_portals_clients_are_strangers(engine: Engine, make: Make) -> None:
    portal = make([chat(1, "2026-11-02 10:00", closed="2026-11-02 11:00", item=(4, 1))])
    make([chat(2, "2026-11-03 10:00", closed="2026-11-03 11:00", item=(4, 1))])
    found = value(engine, portal, f"metric=fcr&scope=company&{NOVEMBER}", now=LATER)
    assert (found["numerator"], found["denominator"]) == (1, 1)


@pytest.mark.parametrize(
    ("source", "reason", "silent"),
    [
        ("activities", "missing_scope", {"cases", "fcr", "resolution_time", "csat", "first_response_time"}),
        ("session_history", "missing_scope", {"csat", "first_response_time"}),
        ("calls", None, set()),
    ],
)
def test_a_source_that_cannot_be_read_takes_along_what_is_made_of_it(
    engine: Engine, make: Make, source: str, reason: str | None, silent: set[str]
) -> None:
    portal = make([chat(1, "2026-11-02 10:00", reply="2026-11-02 10:01", closed="2026-11-02 11:00", vote=5)])
    with engine.begin() as conn:
        stored.set_source(conn, portal, source, state="off", reason="missing_scope")
    for metric in ("cases", "fcr", "resolution_time", "csat", "first_response_time"):
        found = value(engine, portal, f"metric={metric}&scope=company&{NOVEMBER}")
        assert found["reason"] == (reason if metric in silent else None), metric
        assert (found["value"] is None) == (metric in silent), metric


def test_unread_tickets_are_no_nought(engine: Engine, make: Make) -> None:
    portal = make([chat(1, "2026-11-02 10:00")], support=ALL)
    with engine.begin() as conn:
        stored.set_source(conn, portal, tickets.name_of(1036), state="reading")
    found = value(engine, portal, f"metric=cases&scope=company&{NOVEMBER}")
    assert (found["value"], found["reason"]) == (None, "not_synced")


def test_another_help_desk_is_read_from_the_beginning(engine: Engine, make: Make) -> None:
    portal = make(tickets_=[ticket(1, "2026-11-06 10:00")], support=ALL)
    _choose(engine, portal, {**ALL, "tickets": [{**DESK, "positive_values": ["fine"]}]})
    found = value(engine, portal, f"metric=cases&scope=company&{NOVEMBER}")
    assert (found["value"], found["reason"]) == (None, "not_synced")
    _choose(engine, portal, {"sessions": True, "calls": False, "tickets": []})
    assert value(engine, portal, f"metric=cases&scope=company&{NOVEMBER}")["value"] == 0


def _choose(engine: Engine, portal_id: int, support: dict[str, Any]) -> None:
    """An admin changes where cases come from."""
    with engine.begin() as conn:
        before = settings.load(conn, portal_id)
        changed = {"support": support}
        conn.execute(update(portals).where(portals.c.portal_id == portal_id).values(settings=changed))
        chosen.follow(conn, portal_id, before, settings.load(conn, portal_id))
        support_cases.rederive(conn, portal_id)


def _take(engine: Engine, portal_id: int, one: Chat) -> None:
    """The portal tells of a change of the chat."""
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id) as writer:
        writer.save_activities([activities.parse(one.row, border)])
