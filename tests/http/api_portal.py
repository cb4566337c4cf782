"""The company of `tests.cast` on an emulated portal, read into the app, with everybody's tokens stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from b24app import clock
from b24app.oauth import tokens
from b24app.sync import first_read
from b24app.tables import portals
from emulator import crm, seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.cast import OLGA, ORG
from tests.http.api_server import MEMBER, PORTAL, Api, serving


@dataclass(frozen=True)
class Company:
    """The running app and the portal behind it."""

    api: Api
    emulator: Emulator
    portal: Portal

    def add_deal(
        self,
        owner_id: int,
        stage_id: str = "NEW",
        *,
        days_ago: float = 0,
        closed_days_ago: float = 0,
        **fields: Any,
    ) -> int:
        """A deal created and (for another stage) moved so many days ago; the id."""
        created = datetime.now(UTC) - timedelta(days=days_ago)
        deal_id = crm.add_item(
            self.portal,
            "deal",
            {"assignedById": owner_id, "currencyId": "RUB", "opportunity": Decimal(0), **fields},
            at=created,
        )
        if stage_id != "NEW":
            crm.move_deal(
                self.portal, deal_id, stage_id, at=datetime.now(UTC) - timedelta(days=closed_days_ago)
            )
        return deal_id

    def read(self) -> None:
        """Read the whole portal into the app."""
        assert first_read.run(self.api.parts, PORTAL)


@contextmanager
def company(engine: Engine, database_url: str, var_dir: Path) -> Iterator[Company]:
    """The portal and the app, until the block ends. Nothing is read yet."""
    with Emulator(client_id="local.test", client_secret="secret") as emulator:
        portal = emulator.add_portal(member_id=MEMBER)  # with the stock stages, sources and rubles
        seed.add_currency(portal, "USD", amount="80")
        for user in ORG.users.values():
            seed.add_user(
                portal,
                *user.name.split(" ", 1),
                ID=user.id,
                departments=list(user.department_ids),
                is_admin=user.id == OLGA,
                is_active=user.is_active,
                USER_TYPE="employee" if user.is_employee else "extranet",
            )
        for department in ORG.departments.values():
            portal.put(
                "department",
                {
                    "ID": department.id,
                    "NAME": department.name,
                    "SORT": department.sort,
                    "PARENT": department.parent_id,
                    "UF_HEAD": department.head_id,
                },
            )
        emulator.install(portal, OLGA)
        with serving(database_url, var_dir, oauth_urls=(emulator.auth_url,)) as api:
            _connect(engine, api, emulator, portal)
            yield Company(api, emulator, portal)


def _connect(engine: Engine, api: Api, emulator: Emulator, portal: Portal) -> None:
    """The app's rows of an installed portal that everybody has opened once."""
    with engine.begin() as conn:
        conn.execute(
            insert(portals).values(
                portal_id=PORTAL,
                member_id=MEMBER,
                domain=portal.domain,
                endpoint=f"http://{portal.domain}/rest/",
                auth_server=emulator.auth_url,
                state="active",
                scopes="crm,user,department",
                lang="en",
                timezone=portal.timezone,
                uses_leads=True,
                reader_id=OLGA,
                reader_is_admin=True,
                installed_at=clock.epoch(),
                settings={},
            )
        )
        for user in ORG.users.values():
            if user.is_active:
                pair = emulator.issue_token(portal, user.id)
                tokens.save(
                    conn,
                    api.parts.vault,
                    PORTAL,
                    user.id,
                    access=pair["access_token"],
                    refresh=pair["refresh_token"],
                    expires_at=pair["expires"],
                )
