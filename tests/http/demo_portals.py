"""The two ready-made portals, and reading them as a client of REST does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests

from emulator import company
from emulator.server import Emulator
from emulator.world import Portal

TODAY = date(2026, 11, 23)
DATA = Path(
    os.environ.get("B24APP_TEST_DATA")
    or Path(__file__).parents[3] / "shared" / "data" / "crm-sales-opportunities"
)
"""The sales opportunities data set: beside the project, or where the environment says."""


@dataclass(frozen=True)
class Reader:
    """REST of one portal with the token of one user."""

    emulator: Emulator
    portal: Portal
    user_id: int = 1

    def call(self, method: str, params: Any = None) -> dict[str, Any]:
        """The whole answer; positional parameters are a list."""
        token = self.emulator.issue_token(self.portal, self.user_id)["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://{self.portal.domain}/rest/{method}"
        answer: dict[str, Any] = requests.post(url, json=params or {}, headers=headers, timeout=120).json()
        return answer

    def items(self, entity_type_id: int, select: list[str], **filters: Any) -> list[dict[str, Any]]:
        """All leads or deals, by keyset pages without counting."""
        found: list[dict[str, Any]] = []
        while True:
            last = found[-1]["id"] if found else 0
            params = {
                "entityTypeId": entity_type_id,
                "select": select,
                "filter": {**filters, ">id": last},
                "order": {"id": "ASC"},
                "start": -1,
            }
            page = self.call("crm.item.list", params)["result"]["items"]
            found += page
            if len(page) < 50:
                return found


@contextmanager
def invented_company(seed: int = 7) -> Iterator[Reader]:
    """The invented company on a listening portal, read by its admin."""
    with Emulator() as emulator:
        portal = emulator.add_portal(title=company.TITLE, is_empty=True)
        company.build(portal, TODAY, seed)
        emulator.install(portal, 1)
        yield Reader(emulator, portal)
