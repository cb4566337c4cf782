"""Many portals that are read already: one is, the others are made of its rows under their own keys."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, true, update

from b24app import tables
from b24app.crypto import Vault
from b24app.oauth import tokens
from benchmarks.portal import ADMIN, EmulatorProcess, Portal
from benchmarks.report import say

OF_ONE = frozenset({"portals", "tokens", "api_clients", "audit"})
"""Tables whose rows are a portal's very own."""


@dataclass(frozen=True)
class Member:
    """A portal of the crowd. `portal_id`: the app's number of it."""

    portal_id: int
    portal: Portal


def add_portals(
    emulator: EmulatorProcess, count: int, deals: int, now: datetime, *, is_limited: bool = True
) -> list[Portal]:
    """So many more portals of one size, with the app installed on them."""
    found = []
    for number in range(count):
        portal = emulator.add_portal()
        portal.fill(deals, now)
        if is_limited:
            portal.limit()
        portal.act("install", {"user_id": ADMIN})
        found.append(portal)
        if number % 100 == 99:
            say(f"{number + 1} of {count} portals are there")
    return found


def enrol(
    engine: Engine, vault: Vault, model_id: int, portals: Sequence[Portal], *, checked_within_s: float
) -> list[Member]:
    """Store the portals as if each had been read like `model_id`, and last checked within that time.

    All at once: a portal without rows would be read by whoever sees it first.
    """
    with engine.begin() as conn:
        members = _add_portals(conn, vault, {**_model(conn, model_id), "watched_at": None}, portals)
        ids = [member.portal_id for member in members]
        for table in tables.metadata.sorted_tables:
            if table.name in OF_ONE or "portal_id" not in table.c:
                continue
            others = [column for column in table.c if column.name != "portal_id"]
            rows = (
                select(tables.portals.c.portal_id, *others)
                .select_from(table.join(tables.portals, true()))
                .where(table.c.portal_id == model_id, tables.portals.c.portal_id.in_(ids))
            )
            names = ["portal_id", *(column.name for column in others)]
            conn.execute(insert(table).from_select(names, rows))
        now = time.time()
        for portal_id in ids:
            conn.execute(
                update(tables.portals)
                .where(tables.portals.c.portal_id == portal_id)
                .values(checked_at=now - random.uniform(0, checked_within_s))  # noqa: S311
            )
    return members


def enrol_unread(engine: Engine, vault: Vault, model_id: int, portals: Sequence[Portal]) -> list[Member]:
    """Store the portals as just installed ones, whose first read is to begin."""
    with engine.begin() as conn:
        new = dict.fromkeys(("checked_at", "watched_at", "sums_version"))
        model = {**_model(conn, model_id), **new, "data_version": 0}
        return _add_portals(conn, vault, model, portals)


def _model(conn: Connection, portal_id: int) -> dict[str, Any]:
    row = conn.execute(select(tables.portals).where(tables.portals.c.portal_id == portal_id)).one()
    return dict(row._mapping)


def _add_portals(
    conn: Connection,
    vault: Vault,
    model: dict[str, Any],
    portals: Sequence[Portal],
) -> list[Member]:
    members = []
    first = max(conn.execute(select(tables.portals.c.portal_id)).scalars()) + 1
    for portal_id, portal in enumerate(portals, first):
        own: dict[str, Any] = {
            "portal_id": portal_id,
            "member_id": portal.member_id,
            "domain": portal.domain,
            "endpoint": f"{portal.url}/rest/",
            "application_token": vault.seal(portal.application_token()),
            "checking_since": None,
        }
        conn.execute(insert(tables.portals).values({**model, **own}))
        pair = portal.act("issue_token", {"user_id": ADMIN})
        tokens.save(
            conn,
            vault,
            portal_id,
            ADMIN,
            access=pair["access_token"],
            refresh=pair["refresh_token"],
            expires_at=int(pair["expires"]),
        )
        members.append(Member(portal_id, portal))
    return members
