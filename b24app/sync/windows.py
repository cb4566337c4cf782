"""In which order the past is read: the running month, the one before, the rest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from b24app.facts.values import day_start


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the past in epoch seconds, `until` exclusive; None: without an end on that side."""

    since: int | None
    until: int | None
    covers_from: date
    """Once read, everything since this local day is known."""


def windows(today: date, zone: ZoneInfo) -> tuple[Window, ...]:
    """The stretches in the order of reading, newest first; together all of time."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    return (
        Window(day_start(month, zone), None, month),
        Window(day_start(before, zone), day_start(month, zone), before),
        Window(None, day_start(before, zone), date.min),
    )


def progress(step: int, steps: int, last: int | None, top: int) -> float:
    """0..1 of a source read from its highest id `top` downwards; the windows before the last weigh little.

    The portal is never asked to count for this.
    """
    early = 0.05 * step
    if step < steps - 1 or last is None or top <= 0:
        return early
    return min(1.0, max(early, early + (1 - early) * (top - last) / top))
