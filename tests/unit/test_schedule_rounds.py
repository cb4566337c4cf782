"""What background work asks the database at every tick, and in rounds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, insert

from b24app.sync import schedule
from b24app.sync.freshness import FRESH_S
from b24app.tables import portals, sync_sources

NOW = 1_800_000_000.0


def store(engine: Engine, *rows: dict[str, Any]) -> None:
    usual = {
        "domain": "acme.bitrix24.com",
        "endpoint": "https://acme.bitrix24.com/rest/",
        "auth_server": "https://oauth.bitrix.info",
        "state": "active",
        "installed_at": 0,
        "reader_id": 1,
        "checked_at": NOW - 60,
        "watched_at": NOW - 3600,
    }
    with engine.begin() as conn:
        for row in rows:
            conn.execute(insert(portals).values({**usual, "member_id": f"{row['portal_id']:032x}", **row}))
            for source, state, at in (("deals", "reading", {"top": 5}), ("changes", "ready", {"since": 7})):
                conn.execute(
                    insert(sync_sources).values(
                        portal_id=row["portal_id"], source=source, state=state, cursor=at
                    )
                )


def test_a_tick_looks_at_what_cannot_wait_and_at_nothing_else(engine: Engine) -> None:
    store(
        engine,
        {"portal_id": 1, "watched_at": NOW - 5},
        {"portal_id": 2, "checked_at": None, "watched_at": None},
        {"portal_id": 3},  # its first read goes on
        {"portal_id": 4},
        {"portal_id": 5, "watched_at": NOW - 5, "state": "uninstalled"},
        {"portal_id": 6, "checked_at": None, "reader_id": None},
        {"portal_id": 7, "state": "gone"},
        {"portal_id": 8, "watched_at": NOW - 5, "checked_at": NOW - FRESH_S + 0.1},
        {"portal_id": 9, "watched_at": NOW - 5, "checked_at": NOW - FRESH_S},
    )
    with engine.connect() as conn:
        found = schedule.load_urgent(conn, NOW, {3, 7})
    assert [one.portal_id for one in found] == [1, 2, 3, 9]
    assert found[0].states == {"deals": "reading", "changes": "ready"}
    assert found[0].cursors == {"changes": {"since": 7}}


def test_a_round_sees_every_open_portal_once(engine: Engine) -> None:
    store(
        engine,
        *({"portal_id": number, "state": "gone" if number == 4 else "active"} for number in range(1, 9)),
    )
    seen: list[list[int]] = []
    with engine.connect() as conn:
        while not seen or len(seen[-1]) == 3:
            after = seen[-1][-1] if seen else 0
            seen.append([one.portal_id for one in schedule.load_some(conn, after=after, limit=3)])
    assert seen == [[1, 2, 3], [5, 6, 7], [8]]


def test_many_first_reads_wait_for_their_round(engine: Engine) -> None:
    store(engine, {"portal_id": 1}, {"portal_id": 2})
    many = {1, *range(10, 10 + schedule.UNREAD_LIMIT - 1), 5_000_000}
    with engine.connect() as conn:
        assert [one.portal_id for one in schedule.load_urgent(conn, NOW, many)] == [1]
