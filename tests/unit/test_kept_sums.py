"""The sums kept beside the facts equal the sums of the facts, whatever was written in whatever order."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, select, update

from b24app import store, sums, tables
from b24app.facts.deals import Deal
from b24app.facts.leads import Lead
from b24app.facts.reference import Stage
from b24app.facts.stages import Entry
from b24app.facts.values import Border
from b24app.metrics.measures import Cut, Table
from b24app.metrics.periods import Period
from b24app.metrics.sums import SumsQuery
from b24app.store import kept_sums
from b24app.sums.kept import KEPT, parts
from tests import stored

pytestmark = pytest.mark.long

ZONES = ("Europe/Moscow", "America/New_York", "Asia/Kathmandu")
DAY = 86_400
START = 1_790_802_000  # 2026-10-01 00:00 in Moscow
STAGES = [
    Stage(2, category, f"{category}:{name}", name, sort, semantics, None)
    for category in (0, 1)
    for name, sort, semantics in (("NEW", 10, "P"), ("TALK", 20, "P"), ("WON", 30, "S"), ("LOST", 40, "F"))
]


@given(seed=st.integers(0, 10**9))
@settings(max_examples=20)
def test_kept_sums_equal_the_sums_of_the_facts_after_any_changes(engine: Engine, seed: int) -> None:
    dice = random.Random(seed)
    portal_id, neighbour = stored.new_portal(engine), stored.new_portal(engine)
    for one in (portal_id, neighbour):
        with store.writing(engine, one) as writer:
            writer.replace_stages(STAGES)
    others = _everything_kept(engine, neighbour)
    for _ in range(dice.randint(2, 6)):
        if dice.random() < 0.15:
            _move_to_another_zone(engine, portal_id, dice)
        else:
            _change(engine, portal_id, dice)
        kept = _everything_kept(engine, portal_id)
        assert kept_sums_differ(engine, portal_id) == []
        with engine.begin() as conn:
            store.lock(conn, portal_id)
            kept_sums.make_anew(conn, portal_id)
        assert _everything_kept(engine, portal_id) == kept
        _assert_derived(engine, portal_id)
        _assert_questions(engine, portal_id, dice)
    assert _everything_kept(engine, neighbour) == others


def test_sums_of_an_older_app_are_not_asked_and_are_made_anew_by_the_next_write(engine: Engine) -> None:
    portal_id = stored.new_portal(engine)
    with store.writing(engine, portal_id) as writer:
        writer.replace_stages(STAGES)
        writer.save_deals([_deal(random.Random(1), 1, Border(ZoneInfo(ZONES[0])), semantics="S")])
    whole = SumsQuery(
        Table.WON_LOST,
        frozenset(KEPT[Table.WON_LOST].measures),
        Period(date(2026, 1, 1), date(2028, 1, 1)),
    )
    with engine.begin() as conn:
        right = sums.read(conn, portal_id, whole)
        conn.execute(update(tables.sums_won_lost).values(deals_won=77))
        assert sums.read(conn, portal_id, whole) != right
        conn.execute(update(tables.portals).values(sums_version=0))
        assert sums.read(conn, portal_id, whole) == right
    with store.writing(engine, portal_id):
        pass
    with engine.connect() as conn:
        assert sums.read(conn, portal_id, whole) == right
        assert kept_sums.differing(conn, portal_id) == []


def test_a_difference_is_found(engine: Engine) -> None:
    portal_id = stored.new_portal(engine)
    with store.writing(engine, portal_id) as writer:
        writer.save_deals([_deal(random.Random(1), 1, Border(ZoneInfo(ZONES[0])), semantics="S")])
    with engine.begin() as conn:
        conn.execute(delete(tables.sums_cohort).where(tables.sums_cohort.c.level == "month"))
        assert kept_sums.differing(conn, portal_id) == ["sums_cohort"]


@pytest.mark.parametrize(
    ("start", "end", "levels", "facts"),
    [
        ("2026-01-01", "2027-01-01", ["month"], 0),
        ("2026-01-15", "2026-03-10", ["month", "day", "day"], 0),
        ("2026-01-15", "2026-02-10", ["day"], 0),
        ("2026-02-01", "2026-02-20", ["day"], 0),
    ],
)
def test_periods_of_the_company_are_put_together_from_months_and_days(
    start: str, end: str, levels: list[str], facts: int
) -> None:
    measures = frozenset(KEPT[Table.LEADS].measures)
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    kept, left = parts(SumsQuery(Table.LEADS, measures, period))
    assert ([level.value for level, _ in kept], len(left)) == (levels, facts)
    assert sum(part.period.days for _, part in kept) == period.days


def kept_sums_differ(engine: Engine, portal_id: int) -> list[str]:
    with engine.connect() as conn:
        return kept_sums.differing(conn, portal_id)


def _everything_kept(engine: Engine, portal_id: int) -> dict[str, set[Any]]:
    with engine.connect() as conn:
        return {
            kept.table.name: {
                tuple(row)
                for row in conn.execute(select(kept.table).where(kept.table.c.portal_id == portal_id))
                if any(row[-len(kept.columns) :])
            }
            for kept in KEPT.values()
        }


def _change(engine: Engine, portal_id: int, dice: random.Random) -> None:
    with engine.connect() as conn:
        border = store.load_border(conn, portal_id)
    with store.writing(engine, portal_id, border) as writer:
        for _ in range(dice.randint(1, 5)):
            ids = dice.sample(range(1, 25), dice.randint(1, 9))
            match dice.randint(0, 7):
                case 0 | 1:
                    writer.save_deals(_deal(dice, deal_id % 6, border) for deal_id in ids)
                case 2:
                    writer.fill_deals((_deal(dice, deal_id % 6, border) for deal_id in ids), skip=ids[:1])
                case 3:
                    writer.save_leads(_lead(dice, lead_id % 4, border) for lead_id in ids)
                case 4:
                    writer.save_entries(_entry(dice, history_id) for history_id in ids)
                case 5:
                    writer.delete_deals({deal_id % 6 for deal_id in ids[:2]})
                case 6:
                    writer.delete_leads({lead_id % 4 for lead_id in ids[:2]})
                    writer.delete_entries(ids)
                case _:
                    entries = [_entry(dice, history_id) for history_id in ids]
                    writer.replace_history({entry.item_id for entry in entries} | set(ids[:2]), entries)
        if dice.random() < 0.2:
            order = [10, 20]
            dice.shuffle(order)
            moved = [Stage(s.entity_type_id, s.category_id, s.stage_id, s.name, order[s.sort // 10 - 1],
                           s.semantics, None) if s.semantics == "P" else s for s in STAGES]  # fmt: skip
            if writer.replace_stages(moved):
                writer.rederive_deals(0)


def _move_to_another_zone(engine: Engine, portal_id: int, dice: random.Random) -> None:
    zone = dice.choice(ZONES)
    with engine.begin() as conn:
        store.lock(conn, portal_id)
        conn.execute(
            update(tables.portals).where(tables.portals.c.portal_id == portal_id).values(timezone=zone)
        )
        store.recut_days(conn, portal_id, ZoneInfo(zone))


def _deal(dice: random.Random, deal_id: int, border: Border, semantics: str | None = None) -> Deal:
    created, moved = (START + dice.randint(0, 70 * DAY) // 3600 * 3600 for _ in range(2))
    category, found = dice.randint(0, 1), semantics or dice.choice("PSSF")
    stage = {"P": dice.choice(("NEW", "TALK")), "S": "WON", "F": "LOST"}[found]
    return Deal(
        deal_id=deal_id,
        owner_id=dice.randint(0, 3),
        category_id=category,
        stage_id=f"{category}:{stage}",
        semantics=found,
        amount=Decimal(dice.choice(["0", "-5.5", "100.0001", "9999999999999"])),
        currency=dice.choice(["RUB", "EUR", ""]),
        created_at=created,
        created_day=border.day(created),
        moved_at=moved,
        moved_day=border.day(moved),
        updated_at=dice.randint(0, 3),
        is_recurring=dice.random() < 0.1,
        lead_id=dice.choice([None, 1, 2, 3]),
        client=dice.choice([None, "company:1", "company:2", "contact:1"]),
        source_id=None,
        utm_source=None,
        last_activity_at=None,
    )


def _lead(dice: random.Random, lead_id: int, border: Border) -> Lead:
    created = START + dice.randint(-10 * DAY, 70 * DAY)
    return Lead(
        lead_id=lead_id, owner_id=dice.randint(0, 3), stage_id="NEW", semantics=dice.choice("PSF"),
        created_at=created, created_day=border.day(created), moved_at=created, moved_day=border.day(created),
        updated_at=dice.randint(0, 3), client=None, source_id=None, utm_source=None,
    )  # fmt: skip


def _entry(dice: random.Random, history_id: int) -> Entry:
    category, stage = dice.randint(0, 1), dice.choice(["NEW", "TALK", "WON", "LOST"])
    return Entry(
        history_id=history_id, item_id=history_id % 5 + 1, type_id=2, category_id=category,
        stage_id=f"{category}:{stage}", semantics={"WON": "S", "LOST": "F"}.get(stage, "P"),
        entity_type_id=2, entered_at=START + dice.randint(0, 70 * DAY),
    )  # fmt: skip


def _assert_derived(engine: Engine, portal_id: int) -> None:
    """What deals derive from others, by the plainest code."""
    with engine.connect() as conn:
        deals, leads, stays = (_rows(conn, table, portal_id) for table in
                               (tables.deals, tables.leads, tables.stage_stays))  # fmt: skip
    created = {row["lead_id"]: row["created_at"] for row in leads}
    won = [row for row in deals if row["semantics"] == "S" and row["client"] and not row["is_recurring"]]
    for row in deals:
        earlier = [o for o in won if o["client"] == row["client"] and
                   (o["moved_at"], o["deal_id"]) < (row["moved_at"], row["deal_id"])]  # fmt: skip
        assert row["is_first"] == (row in won and not earlier)
        assert row["first_contact_at"] == min(row["created_at"], created.get(row["lead_id"], 10**12))
    owners = {row["deal_id"]: row["owner_id"] for row in deals if not row["is_recurring"]}
    assert all(row["owner_id"] == owners.get(row["item_id"]) for row in stays)


def _rows(conn: Connection, table: Any, portal_id: int) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in conn.execute(select(table).where(table.c.portal_id == portal_id))]


def _assert_questions(engine: Engine, portal_id: int, dice: random.Random) -> None:
    """Random questions have the same answers with the kept sums and without."""
    for table, kept in KEPT.items():
        start = date(2026, 9, 25) + timedelta(days=dice.randint(0, 60))
        cuts = [Cut.OWNER, *kept.apart, *([Cut.DAY, Cut.MONTH] if kept.has_days else [])]
        query = SumsQuery(
            table,
            frozenset(kept.measures),
            Period(start, start + timedelta(days=dice.randint(1, 90))),
            owners=dice.choice([None, frozenset({1}), frozenset({1, 2})]),
            categories=dice.choice([None, frozenset({1})]) if Cut.CATEGORY in kept.apart else None,
            cuts=frozenset(dice.sample(cuts, dice.randint(0, 2))),
        )
        with engine.connect() as conn:
            found = (read(conn, portal_id, query) for read in (sums.read, sums.read_facts))
            assert _folded(next(found), query) == _folded(next(found), query), query


def _folded(cells: list[Any], query: SumsQuery) -> dict[Any, int]:
    """Cells added up, months by their first day and nothing reached as nothing."""
    found: dict[Any, int] = {}
    for cell in cells:
        day = cell.day and (cell.day.replace(day=1) if Cut.DAY not in query.cuts else cell.day)
        for measure, value in cell.sums.items():
            key = (measure.key, cell.owner, day, cell.category, cell.stage, cell.reached or "", cell.currency)
            found[key] = found.get(key, 0) + int(value)
    return {key: value for key, value in found.items() if value}
