"""The real data set in the emulated portal: what the file says is what REST counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator import opportunities
from emulator.server import Emulator
from tests.http.demo_portals import DATA, Reader


@pytest.fixture(scope="module")
def portal() -> Iterator[Reader]:
    with Emulator() as emulator:
        portal = emulator.add_portal(title=opportunities.TITLE, lang="en", is_empty=True)
        opportunities.load(portal, DATA)
        emulator.install(portal, 1)
        yield Reader(emulator, portal)


@pytest.mark.parametrize(
    ("filters", "count"),
    [({}, 8_800), ({"stageSemanticId": "S"}, 4_238), ({"stageSemanticId": "F"}, 2_473)],
)
def test_the_portal_counts_as_the_file_does(portal: Reader, filters: dict[str, Any], count: int) -> None:
    params = {"entityTypeId": 2, "select": ["id"], "filter": filters}
    assert int(portal.call("crm.item.list", params)["total"]) == count
