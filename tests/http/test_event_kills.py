"""A web process killed at any moment of an event: no event comes twice, so the app must heal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from b24app import manifest
from b24app.portals import registry
from b24app.sync import first_read
from b24app.tables import portals, tokens
from emulator.world import Portal
from tests.http.live import Live, eventually, living
from tests.http.victims import Victim

PLACES = sorted(place.code for place in manifest.load().places)
MANY = 200
"""More points than any event has."""


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


def dies_at(live: Live, body: dict[str, str], point: int) -> bool:
    """Whether the process was killed at that point; False: it had done everything before."""
    return not Victim(live.parts.settings, "event", point=point, given=body).is_finished()


def restart(live: Live) -> None:
    """What every process begins with."""
    registry.purge_marked(live.parts.engine)


def count_tokens(live: Live, portal_id: int) -> int:
    with live.parts.engine.connect() as conn:
        mine = tokens.c.portal_id == portal_id
        return int(conn.scalar(select(func.count()).select_from(tokens).where(mine)) or 0)


def test_a_removal_with_cleaning_is_finished_after_a_restart(live: Live) -> None:
    neighbour = live.emulator.add_portal()
    live.install(neighbour)
    live.settle(neighbour)
    kept = live.row(neighbour)
    assert kept is not None
    untouched = live.rows_of(kept.portal_id)
    for point in range(1, MANY):
        portal = live.emulator.add_portal()
        live.install(portal)
        live.settle(portal)
        row = live.row(portal)
        assert row is not None
        body = live.event_body(portal, "ONAPPUNINSTALL", data_CLEAN="1")
        live.emulator.uninstall(portal, is_silent=True)
        died = dies_at(live, body, point)
        restart(live)
        left = live.row(portal)
        if left is not None:  # killed before anything was stored: the portal itself says that we were removed
            assert died
            first_read.run(live.parts, row.portal_id)
            left = live.row(portal)
            assert left is not None
            assert left.state in ("gone", "uninstalled")
        else:
            assert live.rows_of(row.portal_id) == 0
            assert count_tokens(live, row.portal_id) == 0
        if not died:
            break
    assert point > 4
    assert live.rows_of(kept.portal_id) == untouched


def test_an_installation_is_finished_by_whoever_opens_the_app_next(live: Live) -> None:
    def is_whole(portal: Portal) -> bool:
        row = live.row(portal)
        report = (row.install_report or {}) if row is not None else {}
        return live.bound(portal)[0] == PLACES and report.get("state") == "done"

    for point in range(1, MANY, 3):
        portal = live.emulator.add_portal()
        body = live.event_body(portal, "ONAPPINSTALL", **install_fields(live, portal))
        died = dies_at(live, body, point)
        restart(live)
        assert live.install(portal).status_code == 200
        assert eventually(partial(is_whole, portal)), point
        with live.parts.engine.connect() as conn:
            same = select(func.count()).select_from(portals).where(portals.c.member_id == portal.member_id)
            assert conn.scalar(same) == 1
        if not died:
            break
    assert point > 10


def install_fields(live: Live, portal: Portal) -> dict[str, str]:
    """The tokens that an installation brings."""
    pair = live.emulator.issue_token(portal, 1)
    return {
        "access_token": pair["access_token"],
        "refresh_token": pair["refresh_token"],
        "expires_in": "3600",
        "data_VERSION": "1",
    }
