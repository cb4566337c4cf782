"""Where logs go: the app's own to standard error, the journals to a file a day each, kept for a week.

No tokens and no client data are logged; the writers see to that, and `cleaned` stands behind them.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from b24app import clock, journal, meters, trace

KEPT_DAYS = 7
"""The platform's rules for published apps ask for three days at least."""

FILES = {journal.PORTALS: "rest", journal.OWN: "app"}

_SECRET = re.compile(
    r"""(?ix)
    ( \b (?: auth | auth_id | access_token | refresh_id | refresh_token | refresh | code | client_secret
           | application_token | app_sid | sign ) ["']? \s* [=:] \s* ["']?
      | \b bearer \s+ )
    [\w.~+/%=-]{8,}
    """
)


def cleaned(text: str) -> str:
    """The text without what looks like a secret: a token in an address that some library quotes, say."""
    return _SECRET.sub(r"\1***", text)


class Line(logging.Formatter):
    """A record as a JSON object (`json`) or as a readable line (`text`); both name the request."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """One line, except that a readable trace has several."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        number, text = trace.current(), cleaned(record.getMessage())
        traced = cleaned(self.formatException(record.exc_info)) if record.exc_info else None
        if self._form == "json":
            told = {
                "at": at,
                "level": record.levelname.lower(),
                "logger": record.name,
                "request": number,
                "message": text,
                "trace": traced,
            }
            told = {name: value for name, value in told.items() if value is not None}
            return json.dumps(told, ensure_ascii=False)
        line = f"{at} {record.levelname} {record.name}{f' [{number}]' if number else ''}: {text}"
        return line if traced is None else f"{line}\n{traced}"


class Counted(logging.Filter):
    """Lets every record pass and counts warnings and errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True."""
        if record.levelno >= logging.WARNING:
            meters.log_line("error" if record.levelno >= logging.ERROR else "warning")
        return True


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
            day = clock.now().date().isoformat()
            if day != self._day:
                self._day = day
                self._drop_old()
            with (self._folder / f"{self._name}-{day}.log").open("a", encoding="utf-8") as file:
                file.write(record.getMessage() + "\n")
        except OSError:
            self.handleError(record)

    def _drop_old(self) -> None:
        for old in sorted(self._folder.glob(f"{self._name}-*.log"))[: -self._kept_days - 1]:
            old.unlink(missing_ok=True)


def configure(var_dir: Path, form: str = "text") -> None:
    """Set up logging for a process of the app. `form`, of standard error: text or json."""
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(Line(form))
    shown.addFilter(Counted())
    logging.basicConfig(level=logging.INFO, handlers=[shown])
    logging.raiseExceptions = False
    for chatty in ("alembic", "huey"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for name, file in FILES.items():
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # thousands of lines during a first read
        logger.handlers = [DailyFile(var_dir / "log", file)]
