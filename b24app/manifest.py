"""What the app asks of a portal and where it stands there: `manifest/*.toml` as typed values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from b24app.config import ROOT

FOLDER = ROOT / "manifest"
VIEWS = (
    "deal", "lead", "contact", "company", "process", "task", "project", "employee", "self",
    "home", "calls", "link",
)  # fmt: skip
OBJECT = "*"
"""In a code: the number of a smart process. Such a place exists for each one that an admin has chosen."""


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

    @property
    def key(self) -> str:
        """The name of the place in texts; places of all smart processes share one."""
        return re.sub(r"_(\d+|\*)_", "_", self.code.lower())

    @property
    def object_id(self) -> int | None:
        """The number of the smart process in the code; None for other places."""
        found = re.search(r"_(\d+)_", self.code)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Manifest:
    scopes: tuple[Scope, ...]
    places: tuple[Place, ...]
    object_places: tuple[Place, ...]  # as `places`, for any smart process
    online_events: tuple[str, ...]
    offline_events: Mapping[str, tuple[str, ...]]  # by the scope they need
    events_path: str

    def place(self, code: str) -> Place | None:
        """The entry of a placement code; None for codes that the app does not stand in."""
        wanted = code.upper()
        found = next((place for place in self.places if place.code == wanted), None)
        number = re.search(r"_(\d+)_", wanted)
        if found is not None or number is None or len(number[1]) > 9:
            return found
        return next((place for place in self._of_object(int(number[1])) if place.code == wanted), None)

    def with_objects(self, numbers: Iterable[int]) -> Manifest:
        """The same with the places of these smart processes."""
        more = [place for number in sorted(set(numbers)) for place in self._of_object(number)]
        return replace(self, places=(*self.places, *more))

    def _of_object(self, number: int) -> list[Place]:
        return [replace(place, code=place.code.replace(OBJECT, str(number))) for place in self.object_places]


@cache
def load(folder: Path = FOLDER) -> Manifest:
    """The manifest. Raises: KeyError or ValueError naming what is wrong with the files."""
    app = tomllib.loads((folder / "app.toml").read_text("utf-8"))
    places = tomllib.loads((folder / "placements.toml").read_text("utf-8"))["placements"]
    listed = tuple(Place(**row) for row in places)
    manifest = Manifest(
        scopes=tuple(Scope(row["key"], tuple(row["any_of"])) for row in app["scopes"]),
        places=tuple(place for place in listed if OBJECT not in place.code),
        object_places=tuple(place for place in listed if OBJECT in place.code),
        online_events=tuple(app["events"]["online"]),
        offline_events={scope: tuple(names) for scope, names in app["events"]["offline"].items()},
        events_path=app["events"]["handler"],
    )
    keys = {scope.key for scope in manifest.scopes}
    for place in listed:
        if place.view not in VIEWS:
            raise ValueError(f"placement {place.code}: unknown view {place.view!r}")
        if place.scope is not None and place.scope not in keys:
            raise ValueError(f"placement {place.code}: scope {place.scope!r} is not asked for in app.toml")
        if "en" not in place.title:
            raise ValueError(f"placement {place.code}: no English title")
    return manifest
