"""The control surface over HTTP: `/_control/...` on the authorization server's address, JSON in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.wire import Request, Response, json_response

if TYPE_CHECKING:
    from emulator.server import Emulator


class Control:
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def answer(self, request: Request) -> Response:
        portals = [
            {"member_id": site.portal.member_id, "domain": site.portal.domain}
            for site in self.emulator.sites.values()
        ]
        return json_response({"portals": portals})
