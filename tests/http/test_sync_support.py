"""Chats, calls and tickets of a portal: read once, then by what changes, and nothing said in them kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from b24app import tables
from b24app.portals import settings
from b24app.store import support_cases
from b24app.sync import reconcile, refresh, sources
from b24app.sync.sources import chosen
from emulator import activities, crm, seed
from tests.http.syncing import ADMIN, ANNA, BORIS, Syncing, syncing
from tests.http.working import add_call

HISTORY = "imopenlines.session.history.get"
CLIENT = 5001
COMPANY, CONTACT, DEAL, LEAD = 4, 3, 2, 1
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def portal(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Syncing]:
    with syncing(engine, database_url, tmp_path) as found:
        yield found


def ago(days: float = 0, *, minutes: float = 0) -> datetime:
    return NOW - timedelta(days=days, minutes=minutes)


def add_chat(
    portal: Syncing,
    session_id: int,
    opened: datetime,
    *,
    owner: int = ANNA,
    item: tuple[int, int] = (COMPANY, 7),
    reply_s: int | None = 60,
    closed_s: int | None = None,
    vote: int = 0,
) -> int:
    """A chat of a client, answered and closed so many seconds after it began; the id of its activity."""
    say(portal, session_id, CLIENT, opened)
    if reply_s is not None:
        say(portal, session_id, owner, opened + timedelta(seconds=reply_s))
    fields: dict[str, Any] = {
        "PROVIDER_ID": "IMOPENLINES_SESSION",
        "ASSOCIATED_ENTITY_ID": session_id,
        "SUBJECT": "a secret of the client",
        "RESPONSIBLE_ID": owner,
        "START_TIME": opened,
        "END_TIME": opened,
    }
    moment = opened
    if closed_s is not None:
        moment = opened + timedelta(seconds=closed_s)
        fields |= {"END_TIME": moment, "COMPLETED": True}
        say(portal, session_id, 0, moment, imolVoteSid=session_id, imolVoteUser=vote)
    return activities.add_activity(portal.portal, *item, fields, at=moment)


def say(portal: Syncing, session_id: int, sender: int, at: datetime, **params: int) -> int:
    return portal.portal.put(
        "session_message",
        {
            "SESSION_ID": session_id, "CHAT_ID": 20_000 + session_id, "SENDER_ID": sender, "DATE": at,
            "TEXT": "a secret of the client", "PARAMS": params,
        },
        quiet=True,
    )  # fmt: skip


def cases(portal: Syncing, source: str = "session") -> dict[int, tuple[Any, ...]]:
    """(owner, reply, resolution, rating, was it reopened) by case."""
    return {
        row["case_id"]: (
            row["owner_id"], row["reply_s"], row["resolution_s"], row["is_positive"], row["was_reopened"],
        )
        for row in portal.rows(tables.cases)
        if row["source"] == source
    }  # fmt: skip


def asked(portal: Syncing, method: str = HISTORY) -> int:
    return int(portal.emulator.counters(portal.portal).as_dict()["by_method"].get(method, 0))


def choose(portal: Syncing, **chosen_: Any) -> None:
    """Change settings as the settings page does."""
    with portal.parts.engine.begin() as conn:
        before = settings.load(conn, 1)
        conn.execute(update(tables.portals).values(settings=chosen_))
        chosen.follow(conn, 1, before, settings.load(conn, 1))
        support_cases.rederive(conn, 1)


def known_details(portal: Syncing) -> dict[str, int]:
    with portal.parts.engine.connect() as conn:
        return sources.known_details(conn, 1, sources.long_lists(conn, 1))


def change_cursor(portal: Syncing, **values: Any) -> None:
    cursor = {**portal.source("changes")["cursor"], **values}
    with portal.parts.engine.begin() as conn:
        conn.execute(
            update(tables.sync_sources).where(tables.sync_sources.c.source == "changes").values(cursor=cursor)
        )


def test_every_chat_is_looked_into_once(portal: Syncing) -> None:
    made = {
        add_chat(portal, 100 + n, ago(n * 1.5 + 4), closed_s=600, vote=(0, 1, 5)[n % 3]): (
            ANNA, 60, 600, (None, False, True)[n % 3], False,
        )
        for n in range(70)
    }  # fmt: skip
    waiting = add_chat(portal, 300, ago(minutes=5), reply_s=None, owner=BORIS)
    portal.first_read()
    assert cases(portal) == {**made, waiting: (BORIS, None, None, None, False)}
    assert asked(portal) == 71
    assert known_details(portal)["session_history"] == 71
    assert portal.state().source("session_history").state == "ready"
    assert portal.state().complete
    for _ in range(2):
        assert refresh.run(portal.parts, 1)
    assert asked(portal) == 71


def test_nothing_that_was_said_is_stored_or_logged(
    portal: Syncing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        add_chat(portal, 101, ago(1), closed_s=600, vote=5)
        portal.first_read()
    assert "secret" not in caplog.text
    for table in tables.metadata.sorted_tables:
        if "portal_id" in table.c and table.name not in ("portals", "tokens"):
            assert "secret" not in repr(portal.rows(table)), table.name


def test_a_chat_that_goes_on_is_read_again_with_its_next_change(portal: Syncing) -> None:
    activity_id = add_chat(portal, 101, ago(minutes=30), reply_s=None)
    portal.first_read()
    assert refresh.run(portal.parts, 1)
    opened = ago(minutes=30)
    say(portal, 101, ANNA, opened + timedelta(seconds=90))
    activities.update_activity(portal.portal, activity_id, {"RESULT_STATUS": 2})
    requests, before = portal.http_requests(), portal.row().data_version
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 2  # the batch of all lists, and the one of histories
    assert portal.row().data_version > before
    assert cases(portal) == {activity_id: (ANNA, 90, None, None, False)}
    closed = opened + timedelta(seconds=900)
    say(portal, 101, 0, closed, imolVoteSid=101, imolVoteUser=5)
    activities.update_activity(portal.portal, activity_id, {"COMPLETED": True, "END_TIME": closed})
    assert refresh.run(portal.parts, 1)
    assert cases(portal) == {activity_id: (ANNA, 90, 900, True, False)}
    requests = portal.http_requests()
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 1


def test_a_reopened_chat_is_open_and_remembered(portal: Syncing) -> None:
    activity_id = add_chat(portal, 101, ago(1), closed_s=600)
    portal.first_read()
    activities.update_activity(portal.portal, activity_id, {"COMPLETED": False, "END_TIME": ago(0.9)})
    assert refresh.run(portal.parts, 1)
    assert cases(portal) == {activity_id: (ANNA, 60, None, None, True)}
    activities.update_activity(portal.portal, activity_id, {"COMPLETED": True, "END_TIME": ago(0.5)})
    assert refresh.run(portal.parts, 1)
    assert cases(portal) == {activity_id: (ANNA, 60, 43_200, None, True)}


def test_a_reply_or_a_vote_that_nothing_tells_of_is_found_in_time(portal: Syncing) -> None:
    opened = ago(minutes=30)
    silent = add_chat(portal, 101, opened, reply_s=None)
    unrated = add_chat(portal, 102, opened, closed_s=600)
    portal.first_read()
    assert refresh.run(portal.parts, 1)
    say(portal, 101, ANNA, opened + timedelta(seconds=120))
    row = next(r for r in portal.portal.records["session_message"] if r["PARAMS"].get("imolVoteSid") == 102)
    portal.portal.put(
        "session_message", {**row, "PARAMS": {"imolVoteSid": 102, "imolVoteUser": 1}}, quiet=True
    )
    assert refresh.run(portal.parts, 1)
    assert cases(portal)[silent][1] is None
    due = tables.sessions.c.read_again_at
    with portal.parts.engine.begin() as conn:  # the time comes
        assert [bool(at) for at in conn.execute(tables.sessions.select().with_only_columns(due)).scalars()]
        conn.execute(update(tables.sessions).values(read_again_at=int(NOW.timestamp()) - 1))
    requests = portal.http_requests()
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 2
    assert cases(portal) == {
        silent: (ANNA, 120, None, None, False),
        unrated: (ANNA, 60, 600, False, False),
    }


def test_without_the_scope_of_chats_they_are_counted_but_not_looked_into(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    scopes = {"crm", "user", "department", "task", "telephony", "calendar", "sonet_group"}
    with syncing(engine, database_url, tmp_path, binds=False, scopes=scopes) as portal:
        activity_id = add_chat(portal, 101, ago(1), closed_s=600, vote=5)
        portal.first_read()
        found = portal.state().source("session_history")
        assert (found.state, found.reason) == ("off", "missing_scope")
        assert portal.state().complete  # of what may be read
        assert cases(portal) == {activity_id: (ANNA, None, 600, None, False)}
        requests = portal.http_requests()
        assert refresh.run(portal.parts, 1)
        assert portal.http_requests() == requests + 1
        portal.emulator.app(portal.portal).scopes |= {"imopenlines"}
        portal.set_token(ADMIN)
        change_cursor(portal, reference_at=0)
        assert refresh.run(portal.parts, 1)
        portal.first_read()
        assert cases(portal) == {activity_id: (ANNA, 60, 600, True, False)}


def test_chats_are_not_looked_into_while_they_do_not_count(portal: Syncing) -> None:
    activity_id = add_chat(portal, 101, ago(1), closed_s=600, vote=5)
    choose(portal, support={"sessions": False})
    portal.first_read()
    assert (asked(portal), cases(portal)) == (0, {})
    choose(portal, support={"sessions": True})
    assert not portal.state().complete
    assert cases(portal) == {activity_id: (ANNA, None, 600, None, False)}
    portal.first_read()
    assert cases(portal) == {activity_id: (ANNA, 60, 600, True, False)}
    assert portal.state().complete


def test_calls_of_clients_are_cases_when_chosen(portal: Syncing) -> None:
    taken = add_call(portal.portal, ANNA, at=ago(1), vote=4)
    portal.first_read()
    assert cases(portal, "call") == {}
    choose(portal, support={"sessions": True, "calls": True})
    assert cases(portal, "call") == {taken: (ANNA, None, 60, True, False)}
    later = add_call(portal.portal, BORIS, vote=2)
    assert refresh.run(portal.parts, 1)
    assert cases(portal, "call")[later] == (BORIS, None, 60, False, False)


@pytest.fixture
def desk(portal: Syncing) -> tuple[Syncing, int, int, str]:
    """A portal with a smart process as help desk: it, the entity type, its pipeline and the rating field."""
    entity_type_id = seed.add_smart_process(portal.portal, "Tickets")
    field = seed.add_custom_field(
        portal.portal, f"dynamic_{entity_type_id}", "Score", "enumeration", choices=("good", "bad")
    )
    category_id = next(
        row["id"] for row in portal.portal.records["item_category"] if row["entityTypeId"] == entity_type_id
    )
    return portal, entity_type_id, category_id, field


def seconds_of(item: dict[str, Any]) -> int:
    """From the creation of an item to its last move."""
    return int((item["movedTime"] - item["createdTime"]).total_seconds())


def desk_settings(entity_type_id: int, category_id: int, **more: Any) -> dict[str, Any]:
    ticket = {"entity_type_id": entity_type_id, "category_id": category_id, **more}
    return {"sessions": True, "calls": False, "tickets": [ticket]}


def test_tickets_are_read_with_their_courses(desk: tuple[Syncing, int, int, str]) -> None:
    portal, entity_type_id, category_id, field = desk
    made, kind = portal.portal, f"dynamic_{entity_type_id}"
    stage = f"DT{entity_type_id}_{category_id}:"
    good = next(r for r in made.records["user_field"])["enum"][0]["ID"]
    for n in range(60):
        item = crm.add_item(
            made, kind, {"assignedById": ANNA, "companyId": 7, field: good + n % 2}, at=ago(60 - n)
        )
        crm.move_item(made, kind, item, f"{stage}CLIENT", at=ago(60 - n, minutes=-10))
        crm.move_item(made, kind, item, f"{stage}SUCCESS", at=ago(60 - n, minutes=-20))
    still_new = crm.add_item(made, kind, {"assignedById": BORIS}, at=ago(0.5))
    choose(
        portal,
        support=desk_settings(entity_type_id, category_id, rating_field=field, positive_values=[str(good)]),
    )
    portal.first_read()
    found = cases(portal, "ticket")
    assert found.pop(still_new) == (BORIS, None, None, None, False)
    assert len(found) == 60
    assert set(found.values()) == {(ANNA, 600, 1200, True, False), (ANNA, 600, 1200, False, False)}
    assert portal.state().complete
    assert known_details(portal)[f"tickets_{entity_type_id}_history"] == 61
    assert {row["client"] for row in portal.rows(tables.cases) if row["case_id"] != still_new} == {
        "company:7"
    }
    portal.settle()
    requests = portal.http_requests()
    reply_s = seconds_of(crm.move_item(made, kind, still_new, f"{stage}CLIENT"))
    assert refresh.run(portal.parts, 1)
    assert portal.http_requests() == requests + 2  # the batch of all lists, and the one of histories
    assert cases(portal, "ticket")[still_new] == (BORIS, reply_s, None, None, False)


def titles(portal: Syncing) -> dict[int, str]:
    return {row["entity_type_id"]: row["title"] for row in portal.rows(tables.smart_processes)}


def test_the_title_of_a_help_desk_is_kept_and_follows_the_portal(desk: tuple[Syncing, int, int, str]) -> None:
    portal, entity_type_id, category_id, _field = desk
    seed.add_smart_process(portal.portal, "Not a help desk")
    portal.first_read()
    assert titles(portal) == {}
    choose(portal, support=desk_settings(entity_type_id, category_id))
    portal.first_read()
    assert titles(portal) == {entity_type_id: "Tickets"}
    (row,) = (r for r in portal.portal.records["type"] if r["entityTypeId"] == entity_type_id)
    portal.portal.change("type", row["id"], title="Complaints")
    change_cursor(portal, reference_at=0)
    assert refresh.run(portal.parts, 1)
    assert titles(portal) == {entity_type_id: "Complaints"}
    portal.emulator.faults(portal.portal).add(kind="403", times=None, method="crm.type.list")
    change_cursor(portal, reference_at=0)
    assert refresh.run(portal.parts, 1)
    assert titles(portal) == {entity_type_id: "Complaints"}
    assert portal.state().problems == ()


@pytest.mark.parametrize("rewrites_history", [False, True])
def test_a_ticket_may_come_back_leave_the_desk_or_be_deleted(
    desk: tuple[Syncing, int, int, str], rewrites_history: bool
) -> None:
    portal, entity_type_id, category_id, _ = desk
    made, kind = portal.portal, f"dynamic_{entity_type_id}"
    made.rewrites_history = rewrites_history
    stage = f"DT{entity_type_id}_{category_id}:"
    other = seed.add_item_pipeline(made, entity_type_id, "Other")
    items = [crm.add_item(made, kind, {"assignedById": ANNA}, at=ago(5)) for _ in range(3)]
    for item in items:
        crm.move_item(made, kind, item, f"{stage}SUCCESS", at=ago(4))
    choose(portal, support=desk_settings(entity_type_id, category_id))
    portal.first_read()
    day = 86_400
    assert cases(portal, "ticket") == dict.fromkeys(items, (ANNA, day, day, None, False))
    crm.move_item(made, kind, items[0], f"{stage}CLIENT")
    crm.move_item(made, kind, items[1], f"DT{entity_type_id}_{other}:NEW")
    crm.delete_item(made, kind, items[2])
    assert refresh.run(portal.parts, 1)
    assert cases(portal, "ticket") == {items[0]: (ANNA, day, None, None, True)}
    length_s = seconds_of(crm.move_item(made, kind, items[0], f"{stage}FAIL"))
    crm.move_item(made, kind, items[1], f"{stage}NEW")  # and into the desk again
    assert refresh.run(portal.parts, 1)
    found = cases(portal, "ticket")
    assert found[items[0]] == (ANNA, day, length_s, None, True)
    assert found.keys() == set(items[:2])
    assert reconcile.run(portal.parts, 1) == {}


def test_two_desks_do_not_mix_up_their_items(desk: tuple[Syncing, int, int, str]) -> None:
    portal, entity_type_id, category_id, _ = desk
    made = portal.portal
    other_type = seed.add_smart_process(made, "Complaints")
    other_category = next(
        row["id"] for row in made.records["item_category"] if row["entityTypeId"] == other_type
    )
    first = [
        crm.add_item(made, f"dynamic_{entity_type_id}", {"assignedById": ANNA}, at=ago(3)) for _ in range(3)
    ]
    second = [
        crm.add_item(made, f"dynamic_{other_type}", {"assignedById": BORIS}, at=ago(2)) for _ in range(2)
    ]
    both = desk_settings(entity_type_id, category_id)
    both["tickets"].append({"entity_type_id": other_type, "category_id": other_category})
    choose(portal, support=both)
    portal.first_read()

    def stored() -> list[tuple[int, int]]:
        rows = portal.rows(tables.cases)
        return sorted((row["entity_type_id"], row["case_id"]) for row in rows if row["source"] == "ticket")

    expected = sorted([(entity_type_id, n) for n in first] + [(other_type, n) for n in second])
    assert stored() == expected
    crm.delete_item(made, f"dynamic_{other_type}", second[0])
    assert refresh.run(portal.parts, 1)
    assert reconcile.run(portal.parts, 1) == {}
    assert stored() == sorted(set(expected) - {(other_type, second[0])})
    choose(portal, support=desk_settings(entity_type_id, category_id))
    assert stored() == [(entity_type_id, n) for n in first]
    assert {row["entity_type_id"] for row in portal.rows(tables.tickets)} == {entity_type_id}


def test_a_pipeline_of_deals_can_be_the_help_desk(portal: Syncing) -> None:
    made = portal.portal
    category = seed.add_pipeline(made, "Help")
    sold = crm.add_item(made, "deal", {"assignedById": ANNA}, at=ago(5))
    asked_for = [
        crm.add_item(made, "deal", {"assignedById": ANNA, "categoryId": category, "contactId": 9}, at=ago(5))
        for _ in range(3)
    ]
    crm.move_deal(made, asked_for[0], f"C{category}:WON", at=ago(4))
    choose(portal, support=desk_settings(DEAL, category))
    portal.first_read()
    day = 86_400
    assert cases(portal, "ticket") == {
        asked_for[0]: (ANNA, day, day, None, False),
        asked_for[1]: (ANNA, None, None, None, False),
        asked_for[2]: (ANNA, None, None, None, False),
    }
    crm.move_deal(made, asked_for[1], "NEW")  # sold after all
    crm.delete_item(made, "deal", asked_for[2])
    crm.move_deal(made, sold, f"C{category}:NEW")
    assert refresh.run(portal.parts, 1)
    assert cases(portal, "ticket").keys() == {asked_for[0], sold}
    assert reconcile.run(portal.parts, 1) == {}


def test_a_smart_process_that_is_gone_switches_its_desk_off(desk: tuple[Syncing, int, int, str]) -> None:
    portal, entity_type_id, category_id, _ = desk
    choose(portal, support=desk_settings(entity_type_id + 100, category_id))
    portal.first_read()
    found = portal.state().source(f"tickets_{entity_type_id + 100}")
    assert (found.state, found.reason) == ("off", "source_off")
    assert portal.state().source("deals").state == "ready"
