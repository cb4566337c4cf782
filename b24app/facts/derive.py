"""What follows from facts: when a stay in a stage ended, how far a deal got. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class StageEntry(Protocol):
    """An item entered a stage (`stages.Entry`, or a stored row of it)."""

    @property
    def history_id(self) -> int: ...
    @property
    def category_id(self) -> int: ...
    @property
    def stage_id(self) -> str: ...
    @property
    def entered_at(self) -> int: ...


def left_moments(entries: Iterable[StageEntry]) -> dict[int, int | None]:
    """By history id, when each stay of **one item** ended, in epoch seconds; None while it lasts.

    The order is that in which the portal wrote the rows. A row that repeats the stage of the row before
    is no new stay: the stay lasts from the first of them to the next other stage, and the repeating row
    has no end of its own. An end before the beginning (edited dates) is kept: the reader counts it as a
    data problem.
    """
    ordered = sorted(entries, key=lambda entry: entry.history_id)
    ends: dict[int, int | None] = {}
    current: StageEntry | None = None
    for entry in ordered:
        ends[entry.history_id] = None
        if current is not None and (current.category_id, current.stage_id) == (
            entry.category_id,
            entry.stage_id,
        ):
            continue
        if current is not None:
            ends[current.history_id] = entry.entered_at
        current = entry
    return ends


def furthest_stage(
    order: Mapping[tuple[int, str], int],
    category_id: int,
    current_stage_id: str,
    entries: Iterable[StageEntry],
) -> str | None:
    """The in-progress stage of the deal's pipeline with the highest sort order that the deal has seen.

    `order` is the sort order of in-progress stages by (pipeline, stage). Stages of other pipelines, final
    and unknown stages say nothing. None when no in-progress stage is known.
    """
    seen = {entry.stage_id for entry in entries if entry.category_id == category_id} | {current_stage_id}
    known = [
        (order[category_id, stage_id], stage_id) for stage_id in seen if (category_id, stage_id) in order
    ]
    return max(known)[1] if known else None
