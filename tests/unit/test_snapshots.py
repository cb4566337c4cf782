"""Daily values of KPIs without a period: taken down, kept, shown as a trend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from b24app.rest.client import PortalClient
from b24app.sync import schedule, snapshot
from b24app.sync.schedule import Standing
from b24app.tables import snapshots
from tests import stored
from tests.cast import ANNA, BORIS, INSIDE
from tests.crm_rows import PORTAL, Row, deal, won

TREND = "from=2026-11-19&to=2026-11-24"


@dataclass(frozen=True)
class Parts:
    """What taking down needs of the app: no portal."""

    engine: Engine

    def client(
        self, portal_id: int, user_id: int | None = None, *, background: bool = True, ahead: bool = False
    ) -> PortalClient:
        raise AssertionError("the portal is not asked")


def at(day: int, hour: int = 12) -> float:
    return datetime(2026, 11, day, hour, tzinfo=UTC).timestamp()


def fill(engine: Engine, portal: int, deals: list[Row]) -> None:
    stored.save(engine, portal, {**PORTAL, "deals": deals})


def trend(
    engine: Engine, portal: int, by: str = "day", period: str = TREND, scope: str = "company"
) -> Mapping[str, Any]:
    found = stored.value(engine, portal, f"metric=pipeline_open&scope={scope}&by={by}&{period}")
    return {row["key"]: row["value"] for row in found["rows"]}


@pytest.fixture
def portal(engine: Engine) -> int:
    """The open pipeline was 150 on the 20th, 350 on the 21st and nobody looked on the 22nd; now it is 400."""
    portal = stored.new_portal(engine)
    fill(engine, portal, [deal(1, amount=100), deal(2, owner=BORIS, amount=50)])
    snapshot.run(Parts(engine), portal, at(20, 6))
    fill(engine, portal, [deal(3, amount=200)])
    snapshot.run(Parts(engine), portal, at(21, 6))
    fill(engine, portal, [deal(4, owner=BORIS, amount=50)])
    return portal


def test_the_trend_has_the_days_that_were_taken_down_and_today(engine: Engine, portal: int) -> None:
    assert trend(engine, portal) == {
        "2026-11-19": None,
        "2026-11-20": "150.00",
        "2026-11-21": "350.00",
        "2026-11-22": None,
        "2026-11-23": "400.00",  # now
    }
    assert trend(engine, portal, scope=f"user:{BORIS}")["2026-11-20"] == "50.00"
    assert trend(engine, portal, scope=f"user:{ANNA}")["2026-11-21"] == "300.00"
    assert trend(engine, portal, scope=f"department:{INSIDE}")["2026-11-21"] == "350.00"


def test_weeks_and_months_show_how_they_ended(engine: Engine, portal: int) -> None:
    weeks = trend(engine, portal, "week", "from=2026-11-09&to=2026-11-30")
    assert weeks == {"2026-11-09": None, "2026-11-16": "350.00", "2026-11-23": "400.00"}
    assert trend(engine, portal, "month", "from=2026-10-01&to=2026-12-01") == {
        "2026-10": None,
        "2026-11": "400.00",
    }


def test_the_number_itself_is_of_now(engine: Engine, portal: int) -> None:
    found = stored.value(engine, portal, f"metric=pipeline_open&scope=company&by=day&{TREND}")
    assert found["value"] == "400.00"


def test_nothing_in_progress_is_kept_as_nothing(engine: Engine) -> None:
    portal = stored.new_portal(engine)
    fill(engine, portal, [won(1, "2026-11-10 10:00")])
    snapshot.run(Parts(engine), portal, at(20))
    assert trend(engine, portal)["2026-11-20"] == "0.00"


def test_the_last_take_of_a_day_stays(engine: Engine, portal: int) -> None:
    snapshot.run(Parts(engine), portal, at(20, 20))  # 23:00 in Moscow, with all four deals
    assert trend(engine, portal)["2026-11-20"] == "400.00"
    snapshot.run(Parts(engine), portal, at(20, 22))  # the 21st already
    assert trend(engine, portal)["2026-11-20"] == "400.00"


def test_what_is_not_read_whole_is_not_taken_down(engine: Engine) -> None:
    portal = stored.new_portal(engine)
    fill(engine, portal, [deal(1, amount=100)])
    with engine.begin() as conn:
        stored.set_source(conn, portal, "deals", state="reading", covered_from=date(2026, 11, 1))
    snapshot.run(Parts(engine), portal, at(20))
    with engine.connect() as conn:
        kept = conn.execute(
            select(func.count()).select_from(snapshots).where(snapshots.c.measure == "open_amount")
        ).scalar_one()
    assert kept == 0
    with engine.begin() as conn:
        stored.set_source(conn, portal, "deals", state="ready")
    assert trend(engine, portal)["2026-11-20"] is None


def test_portals_keep_their_own(engine: Engine, portal: int) -> None:
    other = stored.new_portal(engine)
    fill(engine, other, [deal(1, amount=7)])
    snapshot.run(Parts(engine), other, at(20))
    assert trend(engine, other)["2026-11-20"] == "7.00"
    assert trend(engine, portal)["2026-11-20"] == "150.00"


@pytest.mark.parametrize(
    ("cursor", "now", "is_due"),
    [
        ({}, at(23), True),
        ({"taken_at": at(23), "day": "2026-11-23"}, at(23) + 3599, False),
        ({"taken_at": at(23), "day": "2026-11-23"}, at(23) + 3600, True),
        ({"taken_at": at(23, 20), "day": "2026-11-23"}, at(23, 21), True),  # midnight in Moscow
    ],
)
def test_the_state_is_taken_down_hourly_and_on_every_day(
    cursor: dict[str, Any], now: float, is_due: bool
) -> None:
    one = Standing(1, "Europe/Moscow", None, None, {}, {"changes": {"since": 1}, "snapshot": cursor})
    assert schedule.is_snapshot_due(one, now) is is_due


def test_before_the_first_read_has_begun_there_is_no_state() -> None:
    assert not schedule.is_snapshot_due(Standing(1, "Europe/Moscow", None, None), at(23))
