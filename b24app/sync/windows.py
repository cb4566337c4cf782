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

    @property
    def is_of_all(self) -> bool:
        """Whether rows without a moment are in it too."""
        return self.since is None and self.until is None


def windows(today: date, zone: ZoneInfo, *, may_lack_moments: bool = False) -> tuple[Window, ...]:
    """The stretches in the order of reading, newest first; together all of time.

    `may_lack_moments`: a last one is of all rows, for those that have no moment.
    """
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    recent = (
        Window(day_start(month, zone), None, month),
        Window(day_start(before, zone), day_start(month, zone), before),
    )
    if may_lack_moments:
        return (*recent, Window(None, day_start(before, zone), before), Window(None, None, date.min))
    return (*recent, Window(None, day_start(before, zone), date.min))


def progress(step: int, left: int | None, top: int) -> float:
    """0..1 of a source in its `step`, with so many ids `left` of those up to `top`; None: not begun.

    The recent past weighs little. The portal is never asked to count for this.
    """
    early = 0.05 * min(step, 2)
    if step < 2 or left is None or top <= 0:
        return 0.99 if step > 2 else early
    return min(1.0, early + (1 - early) * max(0, top - left) / top)
