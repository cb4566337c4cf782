"""A portal of the emulator with some history, the parts that read it, and the plain truth to compare."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update

from b24app import bootstrap, manifest, tables
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.oauth import tokens
from b24app.sync import first_read, refresh, state
from b24app.sync.state import SyncState
from emulator import crm, seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.unhurried import Unhurried

ADMIN, ANNA, BORIS = 1, 2, 3
OFFLINE = tuple(name for names in manifest.load().offline_events.values() for name in names)
PATH = ("NEW", "PREPARATION", "EXECUTING", "FINAL_INVOICE")


@dataclass
class Syncing:
    """One portal and the parts that read it."""

    emulator: Emulator
    portal: Portal
    parts: Parts
    portal_id: int = 1

    def first_read(self) -> None:
        assert first_read.run(self.parts, self.portal_id), self.state()

    def settle(self) -> None:
        """Checks until the queue holds nothing: what is told in the second of a check stays, so the portal's
        clock goes on to the next one."""
        self.emulator.clock.advance(1)
        for _ in range(2):
            assert refresh.run(self.parts, self.portal_id), self.state()

    def state(self) -> SyncState:
        with self.parts.engine.connect() as conn:
            return state.load(conn, self.portal_id)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        statement = select(table).where(table.c.portal_id == self.portal_id).order_by(*table.primary_key)
        with self.parts.engine.connect() as conn:
            return [dict(row._mapping) for row in conn.execute(statement)]

    def row(self) -> Any:
        with self.parts.engine.connect() as conn:
            return conn.execute(
                select(tables.portals).where(tables.portals.c.portal_id == self.portal_id)
            ).one()

    def set_portal(self, **values: Any) -> None:
        with self.parts.engine.begin() as conn:
            conn.execute(
                update(tables.portals).where(tables.portals.c.portal_id == self.portal_id).values(**values)
            )

    def source(self, name: str) -> Any:
        found = [row for row in self.rows(tables.sync_sources) if row["source"] == name]
        return found[0] if found else None

    def bind_offline(self) -> None:
        client = self.parts.client(self.portal_id)
        for event in OFFLINE:
            client.call("event.bind", {"event": event, "event_type": "offline"})

    def http_requests(self) -> int:
        return int(self.emulator.counters(self.portal).as_dict()["http_requests"])

    def set_token(self, user_id: int) -> None:
        """Store a token of the user and let it be the reader's."""
        pair = self.emulator.issue_token(self.portal, user_id)
        with self.parts.engine.begin() as conn:
            tokens.save(
                conn,
                self.parts.vault,
                self.portal_id,
                user_id,
                access=pair["access_token"],
                refresh=pair["refresh_token"],
                expires_at=int(pair["expires"]),
            )
        self.set_portal(reader_id=user_id)

    def check(self) -> None:
        """What is stored is what the portal holds, deal by deal, lead by lead, stay by stay."""
        assert self.stored_deals() == true_deals(self.portal)
        assert {row["lead_id"]: row["semantics"] for row in self.rows(tables.leads)} == {
            row["id"]: row["stageSemanticId"] for row in self.portal.records["lead"]
        }
        alive = {row["id"] for row in self.portal.records["deal"]}
        stored = {row["history_id"]: row for row in self.rows(tables.stage_stays) if row["item_id"] in alive}
        assert {
            key: (row["item_id"], row["stage_id"], row["entered_at"], row["left_at"])
            for key, row in stored.items()
        } == true_stays(self.portal)

    def stored_deals(self) -> dict[int, tuple[Any, ...]]:
        return {
            row["deal_id"]: (
                row["owner_id"], row["category_id"], row["stage_id"], row["semantics"], row["amount"],
                row["currency"], row["created_at"], row["moved_at"],
            )
            for row in self.rows(tables.deals)
        }  # fmt: skip


def true_deals(portal: Portal) -> dict[int, tuple[Any, ...]]:
    """The portal's deals as plain values."""
    return {
        row["id"]: (
            row["assignedById"], row["categoryId"], row["stageId"], row["stageSemanticId"],
            Decimal(row["opportunity"]), row["currencyId"], int(row["createdTime"].timestamp()),
            int(row["movedTime"].timestamp()),
        )
        for row in portal.records["deal"]
    }  # fmt: skip


def true_stays(portal: Portal) -> dict[int, tuple[Any, ...]]:
    """(deal, stage, entered, left) by history row, counted in the plainest way."""
    by_deal: dict[int, list[Any]] = {}
    for row in portal.records["stage_history"]:
        if row["ENTITY_TYPE_ID"] == 2:
            by_deal.setdefault(row["OWNER_ID"], []).append(row)
    stays: dict[int, tuple[Any, ...]] = {}
    for deal_id, rows in by_deal.items():
        rows.sort(key=lambda row: row["ID"])
        for number, row in enumerate(rows):
            following = rows[number + 1] if number + 1 < len(rows) else None
            left = int(following["CREATED_TIME"].timestamp()) if following else None
            stays[row["ID"]] = (deal_id, row["STAGE_ID"], int(row["CREATED_TIME"].timestamp()), left)
    return stays


def fill(portal: Portal, *, deals: int, leads: int = 0, days: int = 200, seed_: int = 1) -> None:
    """Deals and leads of the last `days`, moved through their stages; by Anna and Boris."""
    chance = random.Random(seed_)
    now = datetime.now(UTC).replace(microsecond=0)
    for _ in range(leads):
        at = now - timedelta(days=chance.uniform(0, days))
        lead_id = crm.add_item(portal, "lead", {"assignedById": chance.choice((ANNA, BORIS))}, at=at)
        if chance.random() < 0.4:
            crm.move_lead(portal, lead_id, "CONVERTED", at=min(now, at + timedelta(days=1)))
    for number in range(deals):
        at = now - timedelta(days=chance.uniform(0, days))
        fields = {
            "assignedById": chance.choice((ANNA, BORIS)),
            "opportunity": Decimal(chance.randrange(100, 100_000)) / 100,
            "companyId": chance.randrange(1, 30),
            "leadId": chance.randrange(1, leads + 1) if leads and number % 3 == 0 else 0,
        }
        deal_id = crm.add_item(portal, "deal", fields, at=at)
        for stage in (*PATH[1 : chance.randrange(1, 5)], chance.choice(("WON", "LOSE", None))):
            at += timedelta(days=chance.uniform(0.01, 5))
            if stage and at < now:
                crm.move_deal(portal, deal_id, stage, at=at)


@contextmanager
def syncing(
    engine: Engine, database_url: str, tmp_path: Path, *, binds: bool = True, **portal: Any
) -> Iterator[Syncing]:
    """A running emulator with one portal (Anna and Boris sell), stored as installed by its admin."""
    with Emulator() as emulator:
        made = emulator.add_portal(**portal)
        seed.add_user(made, "Anna", "Seller", departments=[1])
        seed.add_user(made, "Boris", "Seller", departments=[1])
        emulator.install(made)
        built = bootstrap.build(
            Settings(
                client_id=emulator.client_id,
                client_secret=emulator.client_secret,
                oauth_urls=(emulator.auth_url,),
                database_url=database_url,
                secret_keys=("a key of the tests",),
                var_dir=tmp_path,
                allow_private_portals=True,
            )
        )
        parts = replace(built, budgets=Unhurried())
        with engine.begin() as conn:
            conn.execute(
                insert(tables.portals).values(
                    portal_id=1,
                    member_id=made.member_id,
                    domain=made.domain,
                    endpoint=f"http://{made.domain}/rest/",
                    auth_server=emulator.auth_url,
                    state="active",
                    timezone=made.timezone,
                    installed_at=0,
                )
            )
        found = Syncing(emulator, made, parts)
        found.set_token(ADMIN)
        if binds:
            found.bind_offline()
        try:
            yield found
        finally:
            if found.parts.jobs is not None:
                found.parts.jobs.stop()
            parts.transport.close()
            parts.engine.dispose()
