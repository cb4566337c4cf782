"""Where logs go: the app's own to standard error, requests to portals to a file a day, kept for a week.

No tokens and no client data are logged; the writers see to that.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from b24app import clock

KEPT_DAYS = 7
"""The platform's rules for published apps ask for three days at least."""

REST_LOG = "b24app.rest.log"


class DailyFile(logging.Handler):
    """Appends lines to `NAME-YYYY-MM-DD.log` (UTC); several processes may write to the same folder."""

    def __init__(self, folder: Path, name: str, kept_days: int = KEPT_DAYS) -> None:
        super().__init__()
        self._folder = folder
        self._name = name
        self._kept_days = kept_days
        self._day = ""
        folder.mkdir(parents=True, exist_ok=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line. A full disk must not stop the app."""
        try:
            moment = clock.now()
            day = moment.date().isoformat()
            if day != self._day:
                self._day = day
                self._drop_old()
            line = f"{moment.isoformat(timespec='milliseconds')} {record.getMessage()}\n"
            with (self._folder / f"{self._name}-{day}.log").open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError:
            self.handleError(record)

    def _drop_old(self) -> None:
        for old in sorted(self._folder.glob(f"{self._name}-*.log"))[: -self._kept_days - 1]:
            old.unlink(missing_ok=True)


def configure(var_dir: Path) -> None:
    """Set up logging for a process of the app."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.raiseExceptions = False
    for chatty in ("alembic", "huey"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    rest = logging.getLogger(REST_LOG)
    rest.setLevel(logging.INFO)
    rest.propagate = False  # thousands of lines during a first read
    rest.handlers = [DailyFile(var_dir / "log", "rest")]
