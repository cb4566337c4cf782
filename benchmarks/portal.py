"""The emulated portal as a process of its own, arranged and asked over its control surface."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from demo.children import Children, free_port

CLIENT_ID, CLIENT_SECRET = "local.bench", "bench-secret"
ADMIN = 1
FILL_TIMEOUT_S = 900
LIMITS = {"bucket": True, "operating": True, "request_time": True, "cost_model": True}


@dataclass(frozen=True)
class Portal:
    """One portal of the emulator. `url`: as browsers see it."""

    emulator: EmulatorProcess
    member_id: str
    url: str

    @property
    def domain(self) -> str:
        return self.url.removeprefix("http://")

    def fill(self, deals: int, now: datetime) -> dict[str, int]:
        """Give it this many deals; how many of what there are then."""
        body = {"deals": deals, "now": now.isoformat()}
        found: dict[str, int] = self.act("fill", body)
        return found

    def act(self, action: str, body: dict[str, Any]) -> Any:
        """What the action of the control surface returns."""
        return self._control("POST", f"actions/{action}", body)["result"]

    def limit(self, **switches: Any) -> None:
        """A cloud portal's limits and costs, or what `switches` say; nothing is used up yet."""
        self._control("PATCH", "limits", LIMITS | switches)
        self._control("DELETE", "limits")
        self.reset_counters()

    def counters(self) -> dict[str, Any]:
        """What has been asked of it since the last reset."""
        found: dict[str, Any] = self._control("GET", "counters")
        return found

    def reset_counters(self) -> None:
        self._control("DELETE", "counters")

    def webhook(self) -> str:
        """The address of a new inbound webhook of the admin."""
        return str(self.act("add_webhook", {"user_id": ADMIN}))

    def application_token(self) -> str:
        """The secret that the portal shows in every launch."""
        return str(self._control("GET", "app")["application_token"])

    def fault(self, kind: str, **options: Any) -> None:
        """Let requests fail in this way until `heal`."""
        self._control("POST", "faults", {"kind": kind, "times": None, **options})

    def heal(self) -> None:
        self._control("DELETE", "faults")

    def _control(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.emulator.control(verb, f"portals/{self.member_id}/{path}", body)


class EmulatorProcess:
    """`python -m emulator` among the children, with one portal; more can be added."""

    def __init__(self, children: Children, app_url: str) -> None:
        self.auth_port, portal_port = free_port(0), free_port(0)
        self.auth_url = f"http://127.0.0.1:{self.auth_port}"
        children.start(
            "emulator",
            *("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET, "--app-url", app_url),
            *("--auth-port", str(self.auth_port), "--portal-port", str(portal_port)),
        )
        children.wait_for(f"{self.auth_url}/_control/portals")
        children.wait_for(f"http://127.0.0.1:{portal_port}/")
        member_id = self.control("GET", "portals")["portals"][0]["member_id"]
        self.first = Portal(self, member_id, f"http://127.0.0.1:{portal_port}")

    def add_portal(self) -> Portal:
        """Another portal with the stock records."""
        found = self.control("POST", "portals", {})
        return Portal(self, found["member_id"], f"http://{found['domain']}")

    def control(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the control surface. Raises: RuntimeError with its words."""
        url = f"{self.auth_url}/_control/{path}"
        answer = requests.request(verb, url, json=body, timeout=FILL_TIMEOUT_S)
        if not answer.ok:
            raise RuntimeError(f"{verb} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
