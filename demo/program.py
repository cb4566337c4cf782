"""An outside program: let in by an admin, it asks the app's API with a token of its own."""

from __future__ import annotations

from typing import Any

import requests

from demo.frames import Frame, Visitor

NAME = "Бухгалтерия и реклама (пример)"
CLIENTS = "/api/v1/api-clients"
TIMEOUT_S = 60


class Program:
    """The API of one portal, seen with a program's credentials."""

    def __init__(self, app_url: str, client_id: str, client_secret: str) -> None:
        self.app_url = app_url
        self.http = requests.Session()
        self.http.trust_env = False
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        token = self._ask("POST", "/oauth/token", data=form)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """The answer to a question. Raises: RuntimeError with what the app says is wrong."""
        return self._ask("GET", path, params=params)

    def put(self, path: str, rows: list[dict[str, Any]]) -> None:
        """Rows stored, all or none; those with the same key again replace. Raises: RuntimeError."""
        self._ask("PUT", path, json=rows)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Something new. Raises: RuntimeError."""
        self._ask("POST", path, json=body)

    def _ask(self, verb: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.http.request(verb, self.app_url + path, timeout=TIMEOUT_S, **options)
        if not answer.ok:
            raise RuntimeError(f"{verb} {path} is answered with {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found


def let_in(admin: Visitor, frame: Frame) -> Program:
    """The program with new credentials: the secret of an earlier start is not kept anywhere."""
    for client in admin.ask(frame, CLIENTS)["clients"]:
        if client["name"] == NAME:
            admin.send(frame, "DELETE", f"{CLIENTS}/{client['client_id']}")
    made = admin.send(frame, "POST", CLIENTS, {"name": NAME})
    return Program(admin.app_url, made["client_id"], made["client_secret"])
