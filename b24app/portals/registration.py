"""Which placements and events to bind on a portal, and what was achieved. Pure.

Binding what is bound is an error on a portal, so the lists it has are compared with the manifest first; an
installation may run any number of times.
Source: api-reference/widgets/placement-bind.md, api-reference/events/event-bind.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b24app.manifest import Manifest, Place


@dataclass(frozen=True, slots=True)
class Task:
    """One call that makes the portal agree with the manifest. `subject` is what the report names."""

    kind: str  # placement, event or removal
    subject: str
    method: str
    params: Mapping[str, Any]


def missing_scopes(manifest: Manifest, granted: frozenset[str]) -> list[str]:
    """Keys of the manifest's scopes that the portal has not granted, in its order.

    An empty list means that the portal told nothing: then trying shows what works.
    """
    if not granted:
        return []
    return [scope.key for scope in manifest.scopes if not scope.is_granted(granted)]


def plan(
    manifest: Manifest,
    public_url: str,
    granted: frozenset[str],
    bound_places: Any,
    bound_events: Any,
    *,
    may_queue: bool = True,
) -> list[Task]:
    """The calls that are still needed, removals of our outdated handlers first.

    bound_places, bound_events: results of `placement.get` and `event.get`. may_queue: whether offline events
    may be bound (an admin's token).
    """
    return [
        *_places(manifest, f"{public_url}/", granted, _rows(bound_places)),
        *_online(manifest, f"{public_url}{manifest.events_path}", _rows(bound_events)),
        *(_offline(manifest, granted, _rows(bound_events)) if may_queue else ()),
    ]


def closed(manifest: Manifest, granted: frozenset[str]) -> frozenset[str]:
    """Codes of placements and names of offline events that need a scope which the portal has not granted."""
    missing = missing_scopes(manifest, granted)
    places = [place.code for place in manifest.places if not _is_open(manifest, place, granted)]
    events = [name for scope, names in manifest.offline_events.items() if scope in missing for name in names]
    return frozenset((*places, *events))


def is_already_bound(description: str) -> bool:
    """Whether an error's text says that the wanted state is there: another installation was faster."""
    return "already" in description.lower()


def _places(
    manifest: Manifest, handler: str, granted: frozenset[str], rows: Sequence[Mapping[str, Any]]
) -> Iterable[Task]:
    kept: set[str] = set()
    for row in rows:
        code, bound_to = str(row.get("placement", "")).upper(), str(row.get("handler", ""))
        place = manifest.place(code)
        if (
            place in manifest.places
            and place
            and bound_to == handler
            and code not in kept
            and not _retitled(place, row)
        ):
            kept.add(code)
        elif code:
            yield Task("removal", code, "placement.unbind", {"PLACEMENT": code, "HANDLER": bound_to})
            if bound_to == handler:
                kept.discard(code)  # the removal takes every registration of this address with it
    for place in manifest.places:
        if place.code not in kept and _is_open(manifest, place, granted):
            yield Task("placement", place.code, "placement.bind", _binding(place, handler))


def _binding(place: Place, handler: str) -> dict[str, Any]:
    return {
        "PLACEMENT": place.code,
        "HANDLER": handler,
        "TITLE": place.title["en"],
        "DESCRIPTION": place.description.get("en", ""),
        "LANG_ALL": {
            lang: {"TITLE": title, "DESCRIPTION": place.description.get(lang, ""), "GROUP_NAME": ""}
            for lang, title in place.title.items()
        },
    }


def _is_open(manifest: Manifest, place: Place, granted: frozenset[str]) -> bool:
    needed = ("placement", place.scope)
    return not any(key in needed for key in missing_scopes(manifest, granted))


def _retitled(place: Place, row: Mapping[str, Any]) -> bool:
    """Whether the portal shows titles other than ours; not when it tells none."""
    shown = row.get("langAll")
    if not isinstance(shown, Mapping):
        return False
    titles = {lang: text.get("TITLE") for lang, text in shown.items() if isinstance(text, Mapping)}
    return any(lang in titles and titles[lang] != title for lang, title in place.title.items())


def _online(manifest: Manifest, handler: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[Task]:
    kept: set[str] = set()
    for row in rows:
        if _is_offline(row):
            continue
        name, bound_to = str(row.get("event", "")).upper(), str(row.get("handler", ""))
        if name in manifest.online_events and bound_to == handler:
            kept.add(name)
        elif name:
            # Older versions and addresses of the app; the user must be named as it was bound.
            params = {"event": name, "handler": bound_to, "auth_type": row.get("auth_type", 0)}
            yield Task("removal", name, "event.unbind", params)
    for name in manifest.online_events:
        if name not in kept:
            yield Task("event", name, "event.bind", {"event": name, "handler": handler})


def _offline(
    manifest: Manifest, granted: frozenset[str], rows: Sequence[Mapping[str, Any]]
) -> Iterable[Task]:
    bound = {str(row.get("event", "")).upper() for row in rows if _is_offline(row)}
    closed = missing_scopes(manifest, granted)
    for scope, names in manifest.offline_events.items():
        for name in names:
            if scope not in closed and name not in bound:
                yield Task("event", name, "event.bind", {"event": name, "event_type": "offline"})


def _is_offline(row: Mapping[str, Any]) -> bool:
    return str(row.get("offline", 0)) not in ("0", "", "False", "None")


def _rows(result: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of an answer; none for the shapes that an empty or failed one takes."""
    if isinstance(result, Mapping):
        result = list(result.values())
    return [row for row in result if isinstance(row, Mapping)] if isinstance(result, list) else []
