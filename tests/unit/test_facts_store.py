"""What is stored does not depend on the order in which pages arrived; versions move with changes only."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select, update

from b24app import store, tables
from b24app.facts.activities import CrmActivity
from b24app.facts.deals import Deal
from b24app.facts.leads import Lead
from b24app.facts.people import Department, User
from b24app.facts.reference import Stage
from b24app.facts.stages import Entry
from b24app.facts.tasks import Task
from b24app.facts.values import Border
from b24app.store.org import load_org

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = 86_400
START = 1_793_480_400  # 2026-11-01 00:00 in Moscow

STAGES = [
    Stage(2, 0, "NEW", "New", 10, "P", None),
    Stage(2, 0, "PREPARE", "Prepare", 20, "P", None),
    Stage(2, 0, "WON", "Won", 60, "S", None),
    Stage(2, 0, "LOSE", "Lost", 70, "F", None),
]


def add_portal(engine: Engine, portal_id: int = 1) -> None:
    with engine.begin() as conn:
        conn.execute(
            insert(tables.portals).values(
                portal_id=portal_id, member_id=f"{portal_id:032d}", domain="p.example", installed_at=START,
                endpoint="https://p.example/rest/", auth_server="https://oauth.example", state="active",
                timezone="Europe/Moscow", reader_id=1,
            )
        )  # fmt: skip


@pytest.fixture
def portal(engine: Engine) -> Engine:
    for portal_id in (1, 2):
        add_portal(engine, portal_id)
        with store.writing(engine, portal_id) as writer:
            writer.replace_stages(STAGES)
    return engine


def a_deal(deal_id: int, **changes: Any) -> Deal:
    made = Deal(
        deal_id=deal_id, owner_id=7, category_id=0, stage_id="NEW", semantics="P", amount=Decimal("100.5"),
        currency="RUB", created_at=START, created_day=date(2026, 11, 1), moved_at=START,
        moved_day=date(2026, 11, 1), updated_at=START, is_recurring=False, lead_id=None, client="company:1",
        source_id=None, utm_source=None, last_activity_at=None,
    )  # fmt: skip
    return replace(made, **changes)


def an_entry(history_id: int, item_id: int, stage_id: str, day: int) -> Entry:
    semantics = {"WON": "S", "LOSE": "F"}.get(stage_id, "P")
    return Entry(2, history_id, item_id, 2, 0, stage_id, semantics, START + day * DAY)


def rows(engine: Engine, table: Any, portal_id: int = 1) -> list[dict[str, Any]]:
    with engine.connect() as conn:
        found = conn.execute(select(table).where(table.c.portal_id == portal_id).order_by(*table.primary_key))
        return [dict(row._mapping) for row in found]


def version(engine: Engine, portal_id: int = 1) -> int:
    with engine.connect() as conn:
        return int(
            conn.execute(
                select(tables.portals.c.data_version).where(tables.portals.c.portal_id == portal_id)
            ).scalar_one()
        )


def test_a_change_moves_the_version_and_a_repetition_does_not(portal: Engine) -> None:
    before = version(portal)
    for expected in (before + 1, before + 1):
        with store.writing(portal, 1) as writer:
            writer.save_deals([a_deal(1), a_deal(2)])
            writer.save_entries([an_entry(1, 1, "NEW", 0)])
        assert version(portal) == expected
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(2, amount=Decimal("100.51"))])
    assert version(portal) == before + 2
    assert [row["amount"] for row in rows(portal, tables.deals)] == [Decimal("100.5"), Decimal("100.51")]


def test_an_error_stores_nothing(portal: Engine) -> None:
    before = version(portal)
    with pytest.raises(KeyError), store.writing(portal, 1) as writer:  # noqa: PT012 - one transaction
        writer.save_deals([a_deal(1)])
        raise KeyError
    assert rows(portal, tables.deals) == []
    assert version(portal) == before


def test_any_order_of_pages_gives_the_same_facts(portal: Engine) -> None:
    entries = [
        an_entry(1, 1, "NEW", 0), an_entry(2, 2, "NEW", 0), an_entry(3, 1, "PREPARE", 2),
        an_entry(4, 1, "LOSE", 5), an_entry(5, 2, "WON", 6), an_entry(6, 1, "NEW", 7),
    ]  # fmt: skip
    deals = [a_deal(1), a_deal(2, stage_id="WON", semantics="S"), a_deal(3, stage_id="PREPARE")]
    with store.writing(portal, 1) as writer:
        writer.save_deals(deals)
        writer.save_entries(entries)
    expected = {table.name: rows(portal, table) for table in (tables.deals, tables.stage_stays)}
    # 1: NEW 0–2, PREPARE 2–5, LOSE 5–7, NEW since 7; 2: NEW 0–6, WON since 6
    assert [row["left_at"] for row in expected["stage_stays"]] == [
        START + 2 * DAY, START + 6 * DAY, START + 5 * DAY, START + 7 * DAY, None, None,
    ]  # fmt: skip
    assert [row["reached_stage_id"] for row in expected["deals"]] == ["PREPARE", "NEW", "PREPARE"]
    for seed in range(5):
        chance = random.Random(seed)
        with store.writing(portal, 1) as writer:
            writer.delete_deals([1, 2, 3])
        steps: list[Any] = [*deals, *entries]
        chance.shuffle(steps)
        for step in steps:
            with store.writing(portal, 1) as writer:
                if isinstance(step, Deal):
                    writer.fill_deals([step])
                else:
                    writer.save_entries([step])
        for table in (tables.deals, tables.stage_stays):
            assert rows(portal, table) == expected[table.name], seed


def test_a_long_read_does_not_undo_what_happened_meanwhile(portal: Engine) -> None:
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1, stage_id="WON", semantics="S", updated_at=START + 60)])
    with store.writing(portal, 1) as writer:
        writer.fill_deals([a_deal(1), a_deal(2), a_deal(3)], skip={3})
    assert [(row["deal_id"], row["semantics"]) for row in rows(portal, tables.deals)] == [(1, "S"), (2, "P")]
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1)])  # what was just read is the truth, whatever its moment
    assert rows(portal, tables.deals)[0]["semantics"] == "P"


def test_deleting_a_deal_takes_its_stays_along_and_leaves_the_neighbour_alone(portal: Engine) -> None:
    for portal_id in (1, 2):
        with store.writing(portal, portal_id) as writer:
            writer.save_deals([a_deal(1), a_deal(2)])
            writer.save_entries([an_entry(1, 1, "NEW", 0), an_entry(2, 2, "NEW", 0)])
    with store.writing(portal, 1) as writer:
        writer.delete_deals([1])
    assert [row["deal_id"] for row in rows(portal, tables.deals)] == [2]
    assert [row["item_id"] for row in rows(portal, tables.stage_stays)] == [2]
    assert len(rows(portal, tables.deals, 2)) == 2
    assert len(rows(portal, tables.stage_stays, 2)) == 2


def test_a_history_that_the_portal_rewrote_is_replaced(portal: Engine) -> None:
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1, stage_id="LOSE", semantics="F"), a_deal(2)])
        writer.save_entries(
            [an_entry(1, 1, "NEW", 0), an_entry(2, 1, "PREPARE", 1), an_entry(3, 1, "LOSE", 2),
             an_entry(4, 2, "PREPARE", 0)]
        )  # fmt: skip
    with store.writing(portal, 1) as writer:
        writer.replace_history([1, 2], [an_entry(1, 1, "NEW", 0), an_entry(3, 1, "LOSE", 2)])
    assert [(row["history_id"], row["left_at"]) for row in rows(portal, tables.stage_stays)] == [
        (1, START + 2 * DAY),
        (3, None),
    ]
    assert [row["reached_stage_id"] for row in rows(portal, tables.deals)] == ["NEW", "NEW"]


def test_a_new_order_of_stages_moves_the_furthest_ones(portal: Engine) -> None:
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1, stage_id="LOSE", semantics="F")])
        writer.save_entries([an_entry(1, 1, "PREPARE", 0), an_entry(2, 1, "NEW", 1)])
    assert rows(portal, tables.deals)[0]["reached_stage_id"] == "PREPARE"
    with store.writing(portal, 1) as writer:
        assert writer.replace_stages([replace(STAGES[0], sort=30), *STAGES[1:]])
        assert writer.rederive_deals(0) is None
    assert rows(portal, tables.deals)[0]["reached_stage_id"] == "NEW"
    with store.writing(portal, 1) as writer:
        assert not writer.replace_stages([replace(STAGES[0], sort=30, name="Fresh"), *STAGES[1:]])


def test_people_are_replaced_as_a_whole(portal: Engine) -> None:
    def user(user_id: int, *department_ids: int) -> User:
        return User(user_id, f"User {user_id}", "", None, True, True, None, department_ids)

    with store.writing(portal, 1) as writer:
        writer.replace_users([user(1, 10), user(2, 10, 11), user(3)])
        writer.replace_departments([Department(10, None, 1, "Sales", 1), Department(11, 10, None, "In", 2)])
    with store.writing(portal, 1) as writer:
        writer.replace_users([user(2, 11)], drop_missing=False)
    with portal.connect() as conn:
        org = load_org(conn, 1)
    assert {u.id: u.department_ids for u in org.users.values()} == {1: (10,), 2: (11,), 3: ()}
    with store.writing(portal, 1) as writer:
        writer.replace_users([user(2, 11)])
    with portal.connect() as conn:
        org = load_org(conn, 1)
        assert load_org(conn, 2).users == {}
    assert {u.id: u.department_ids for u in org.users.values()} == {2: (11,)}
    assert org.headed_by(1) == (10,)


def test_another_time_zone_cuts_other_days(portal: Engine) -> None:
    moment = START - 60  # 31 October in Moscow, 20:59 UTC; 1 November in Vladivostok
    border = Border(MOSCOW)
    with store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1, created_at=moment, created_day=border.day(moment))])
        day = border.day(moment)
        writer.save_leads([Lead(1, 7, "NEW", "P", moment, day, moment, day, moment, None, None, None)])
        writer.save_entries([an_entry(1, 1, "NEW", 0), replace(an_entry(2, 1, "WON", 0), entered_at=moment)])
    before = version(portal)
    zone = ZoneInfo("Asia/Vladivostok")
    with portal.begin() as conn:
        store.lock(conn, 1)
        conn.execute(update(tables.portals).where(tables.portals.c.portal_id == 1).values(timezone=zone.key))
        store.recut_days(conn, 1, zone)
    assert version(portal) == before + 1
    assert rows(portal, tables.deals)[0]["created_day"] == date(2026, 11, 1)
    assert rows(portal, tables.leads)[0]["moved_day"] == date(2026, 11, 1)
    assert rows(portal, tables.stage_stays)[0]["left_day"] == date(2026, 11, 1)
    with pytest.raises(store.BorderMoved), store.writing(portal, 1, border):
        pass


@pytest.mark.parametrize("state", ["gone", "uninstalled"])
def test_nothing_is_stored_for_a_portal_that_left(portal: Engine, state: str) -> None:
    with portal.begin() as conn:
        conn.execute(update(tables.portals).where(tables.portals.c.portal_id == 1).values(state=state))
    with pytest.raises(store.PortalLeft), store.writing(portal, 1) as writer:
        writer.save_deals([a_deal(1)])
    with pytest.raises(store.PortalLeft), store.writing(portal, 99):
        pass
    assert rows(portal, tables.deals) == []


def a_task(task_id: int, **changes: Any) -> Task:
    made = Task(
        task_id=task_id, owner_id=7, status=5, project_id=0, created_at=START, closed_at=START + DAY,
        closed_day=date(2026, 11, 2), deadline_at=None, deadline_day=None, estimate_s=0, spent_s=0, mark=None,
        changed_at=START + DAY,
    )  # fmt: skip
    return replace(made, **changes)


def returned(portal: Engine) -> dict[int, bool | None]:
    return {row["task_id"]: row["was_returned"] for row in rows(portal, tables.tasks)}


def test_whether_a_task_was_returned_is_known_until_it_is_closed_anew(portal: Engine) -> None:
    with store.writing(portal, 1) as writer:
        writer.save_tasks([a_task(1), a_task(2), a_task(3)])
        # The answer for an earlier closing says nothing of this one.
        writer.set_returned({(1, START + DAY): False, (2, START + DAY): True, (3, START): True})
    assert returned(portal) == {1: False, 2: True, 3: None}
    with store.writing(portal, 1) as writer:
        writer.save_tasks([a_task(1, mark="P"), a_task(2, mark="P")])
    assert returned(portal) == {1: False, 2: True, 3: None}
    with store.writing(portal, 1) as writer:
        again = {"closed_at": None, "closed_day": None, "status": 3, "changed_at": START + 2 * DAY}
        writer.save_tasks([a_task(1, **again), a_task(2, **again)])
    assert returned(portal) == {1: None, 2: True, 3: None}
    with store.writing(portal, 1) as writer:
        writer.fill_tasks([a_task(1), a_task(2)])  # an older page of the first read
    assert returned(portal) == {1: None, 2: True, 3: None}


def an_activity(activity_id: int, *items: tuple[int, int], **changes: Any) -> CrmActivity:
    made = CrmActivity(
        activity_id=activity_id, owner_id=7, type_id=6, provider_id="CRM_TODO", direction=0,
        is_completed=False, created_at=START, created_day=date(2026, 11, 1), started_at=START, end_at=None,
        end_day=None, deadline_at=None, updated_at=START, done_at=None, done_day=None, is_trackable=False,
        is_opened=False, item_type_id=2, item_id=5, session_id=None, bindings=items,
    )  # fmt: skip
    return replace(made, **changes)


def bound(portal: Engine) -> set[tuple[int, int, int]]:
    return {
        (row["activity_id"], row["item_type_id"], row["item_id"])
        for row in rows(portal, tables.activity_bindings)
    }


def test_open_activities_are_bound_to_their_items_and_completed_ones_to_nothing(portal: Engine) -> None:
    with store.writing(portal, 1) as writer:
        writer.save_activities([an_activity(1, (2, 5), (3, 8)), an_activity(2, (2, 6))])
    assert bound(portal) == {(1, 2, 5), (1, 3, 8), (2, 2, 6)}
    before = version(portal)
    with store.writing(portal, 1) as writer:
        writer.save_activities([an_activity(1, (2, 5), (3, 8)), an_activity(2, (2, 6))])
    assert version(portal) == before
    done = {"is_completed": True, "done_at": START + 9, "updated_at": START + 9}
    with store.writing(portal, 1) as writer:
        writer.save_activities([an_activity(1, (2, 5), **done), an_activity(2, (2, 7), updated_at=START + 9)])
        writer.fill_activities([an_activity(1, (2, 5)), an_activity(2, (2, 6))])  # an older page
    assert bound(portal) == {(2, 2, 7)}
    with store.writing(portal, 1) as writer:
        writer.delete_activities({2})
    assert bound(portal) == set()
    assert [row["activity_id"] for row in rows(portal, tables.activities)] == [1]


def test_every_moment_with_a_day_is_cut_anew_in_another_zone() -> None:
    with_days = {
        table.name
        for table in tables.metadata.sorted_tables
        if any(
            f"{column.name.removesuffix('_day')}_at" in table.c for column in table.c if "_day" in column.name
        )
    }
    assert {table.name for table in store.CUT_BY_DAYS} == with_days
    assert store.days_of(tables.deals) == (("created_at", "created_day"), ("moved_at", "moved_day"))
