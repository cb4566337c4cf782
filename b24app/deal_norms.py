"""One deal beside the won deals of its pipeline: how long it stands, how often it went back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import Protocol

WON_NEEDED = 20
"""A pipeline has no norm before so many deals were won in it."""


@dataclass(frozen=True, slots=True)
class Norm:
    """How long won deals took, in seconds, and how many times that rests on."""

    median_s: int
    p75_s: int
    sample: int


class StageEntry(Protocol):
    """A deal entered a stage."""

    @property
    def category_id(self) -> int: ...
    @property
    def stage_id(self) -> str: ...
    @property
    def entered_at(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Contact:
    """A CRM activity, as far as it may answer a client. Moments in epoch seconds."""

    at: int
    is_outgoing: bool  # a call or a message of ours
    is_held: bool = False  # a meeting that took place


def norm(durations_s: Iterable[int], won_deals: int) -> Norm | None:
    """The median and the 75th percentile; None before `WON_NEEDED` deals were won or without a time.

    Negative durations (hand-edited dates) are left out.
    """
    times = sorted(duration for duration in durations_s if duration >= 0)
    if won_deals < WON_NEEDED or not times:
        return None
    p75 = times[0] if len(times) == 1 else quantiles(times, n=4, method="inclusive")[2]
    return Norm(round(median(times)), round(p75), len(times))


def stage_since(entries: Sequence[StageEntry], category_id: int, stage_id: str, moved_at: int) -> int:
    """When the deal entered the stage that it is in, in epoch seconds; entries in the order of the portal.

    Rows that repeat the stage begin no new stay. Without a fitting history the deal's own last move counts.
    """
    since: int | None = None
    for entry in entries:
        if (entry.category_id, entry.stage_id) != (category_id, stage_id):
            since = None
        elif since is None:
            since = entry.entered_at
    return moved_at if since is None else since


def count_returns(entries: Sequence[StageEntry], order: Mapping[tuple[int, str], int]) -> int:
    """How often the deal went back: to an earlier stage of the same pipeline, or out of a final one.

    `order` is the place of in-progress stages by (pipeline, stage); what is not in it is final. A move to
    another pipeline is no return.
    """
    returns = 0
    for before, after in pairwise(entries):
        if before.category_id != after.category_id or before.stage_id == after.stage_id:
            continue
        place = order.get((after.category_id, after.stage_id))
        place_before = order.get((before.category_id, before.stage_id))
        if place is not None and (place_before is None or place < place_before):
            returns += 1
    return returns


def first_response_s(first_contact_at: int, contacts: Iterable[Contact]) -> int | None:
    """Seconds from the client's first contact to our first call, message or meeting; None before it."""
    answers = [
        contact.at - first_contact_at
        for contact in contacts
        if (contact.is_outgoing or contact.is_held) and contact.at >= first_contact_at
    ]
    return min(answers, default=None)
