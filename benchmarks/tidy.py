"""Nothing that a measurement started outlives it."""

from __future__ import annotations

import signal


def end_tidily() -> None:
    """Let SIGTERM end this process as Ctrl-C does: through every block that stops children."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
