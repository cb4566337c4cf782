"""Opens frames of a portal's pages over HTTP as a browser does: page, its form, the POST into the frame."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import requests

TIMEOUT_S = 60


@dataclass(frozen=True)
class Frame:
    """An opened frame of the app: its page and the session token inside it."""

    is_installer: bool
    html: str
    session: str


class Visitor:
    """A person of the emulated portal in front of its pages."""

    def __init__(self, portal_url: str, app_url: str, client_id: str, user_id: int) -> None:
        self.portal_url = portal_url
        self.app_url = app_url
        self.client_id = client_id
        self.http = requests.Session()
        self.http.trust_env = False
        self._get(f"{portal_url}/?emulator_user={user_id}")

    def open_app(self) -> Frame:
        """The app's own page: the installer until the installation is finished."""
        page = self._get(f"{self.portal_url}/marketplace/app/{self.client_id}/").text
        form = _FrameForm(self.app_url)
        form.feed(page)
        answer = self.http.post(form.action, data=form.fields, timeout=TIMEOUT_S)
        answer.raise_for_status()
        session = re.search(r'name="b24app-session" content="([^"]+)"', answer.text)
        if session is None:
            raise RuntimeError(f"the app's page at {form.action.split('?')[0]} carries no session")
        return Frame("/install" in form.action, answer.text, session[1])

    def ask(self, frame: Frame, path: str) -> dict[str, Any]:
        """A question of the frame's script to the app."""
        headers = {"Authorization": f"Bearer {frame.session}"}
        answer = self.http.get(self.app_url + path, headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def send(self, frame: Frame, verb: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A change that the frame's script asks the app for; {} where there is nothing to tell."""
        headers = {"Authorization": f"Bearer {frame.session}"}
        answer = self.http.request(verb, self.app_url + path, json=body, headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def finish_installation(self) -> None:
        """What the portal's page does when the frame says `setInstallFinish`."""
        body = json.dumps({"app": self.client_id})
        headers = {"Content-Type": "application/json"}
        url = f"{self.portal_url}/_host/installed"
        self.http.post(url, data=body, headers=headers, timeout=TIMEOUT_S).raise_for_status()

    def _get(self, url: str) -> requests.Response:
        answer = self.http.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer


def install(visitor: Visitor, say: Callable[[str], None]) -> Frame:
    """Install the app through its installation frame; returns the app's page after it."""
    frame = visitor.open_app()
    while frame.is_installer:
        progress = visitor.ask(frame, "/api/v1/install")
        say(f"installing {progress['progress']:.0%}")
        if progress["state"] == "failed":
            raise RuntimeError(f"the installation failed: {progress['error']}")
        if progress["can_finish"]:
            visitor.finish_installation()
            frame = visitor.open_app()
        else:
            time.sleep(0.3)
    return frame


def read_portal(visitor: Visitor, frame: Frame, say: Callable[[str], None]) -> None:
    """Wait until the app has read everything."""
    while True:
        state = visitor.ask(frame, "/api/v1/sync")
        say(f"reading the portal {state['progress']:.0%}")
        if state["complete"]:
            return
        time.sleep(0.3)


class _FrameForm(HTMLParser):
    """Finds the form that the portal's page posts into the app's frame."""

    def __init__(self, app_url: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._app_url = app_url
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("action", "").startswith(self._app_url):
            self.action, self._is_inside = values["action"], True
        elif tag == "input" and self._is_inside:
            self.fields[values.get("name", "")] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
