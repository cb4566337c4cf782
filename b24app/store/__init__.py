"""What is kept of a portal: facts are written through `writing` alone, the other modules read them."""

from b24app.store.days import CUT_BY_DAYS, days_of, recut_days
from b24app.store.writing import (
    CLOSED,
    LOCK_SOURCE,
    SUMMED,
    BorderMoved,
    PortalLeft,
    Writer,
    bump,
    close_portal,
    load_border,
    lock,
    writing,
)

__all__ = [
    "CLOSED",
    "CUT_BY_DAYS",
    "LOCK_SOURCE",
    "SUMMED",
    "BorderMoved",
    "PortalLeft",
    "Writer",
    "bump",
    "close_portal",
    "days_of",
    "load_border",
    "lock",
    "recut_days",
    "writing",
]
