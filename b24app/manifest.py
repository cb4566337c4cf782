"""What the app asks of a portal and where it stands there: `manifest/*.toml` as typed values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from b24app.config import ROOT

FOLDER = ROOT / "manifest"
VIEWS = ("deal", "employee", "self", "home")


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission; granting any of its names is enough."""

    key: str
    any_of: tuple[str, ...]

    def is_granted(self, granted: frozenset[str]) -> bool:
        return not granted.isdisjoint(self.any_of)


@dataclass(frozen=True, slots=True)
class Place:
    """A widget of the app in the portal. `entity`: the option that names the record it belongs to."""

    code: str
    view: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    scope: str | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    scopes: tuple[Scope, ...]
    places: tuple[Place, ...]
    online_events: tuple[str, ...]
    offline_events: Mapping[str, tuple[str, ...]]  # by the scope they need
    events_path: str

    def place(self, code: str) -> Place | None:
        """The entry of a placement code; None for codes that the app does not stand in."""
        return next((place for place in self.places if place.code == code.upper()), None)


@cache
def load(folder: Path = FOLDER) -> Manifest:
    """The manifest. Raises: KeyError or ValueError naming what is wrong with the files."""
    app = tomllib.loads((folder / "app.toml").read_text("utf-8"))
    places = tomllib.loads((folder / "placements.toml").read_text("utf-8"))["placements"]
    manifest = Manifest(
        scopes=tuple(Scope(row["key"], tuple(row["any_of"])) for row in app["scopes"]),
        places=tuple(Place(**row) for row in places),
        online_events=tuple(app["events"]["online"]),
        offline_events={scope: tuple(names) for scope, names in app["events"]["offline"].items()},
        events_path=app["events"]["handler"],
    )
    keys = {scope.key for scope in manifest.scopes}
    for place in manifest.places:
        if place.view not in VIEWS:
            raise ValueError(f"placement {place.code}: unknown view {place.view!r}")
        if place.scope is not None and place.scope not in keys:
            raise ValueError(f"placement {place.code}: scope {place.scope!r} is not asked for in app.toml")
        if "en" not in place.title:
            raise ValueError(f"placement {place.code}: no English title")
    return manifest
