"""The platform's ways to write a value, read into ours. Pure; used by the `parse` of every fact.

Lists say the same thing in several ways: ids as numbers or strings, nothing as `0`, `"0"`, `""`, `null`,
`false` or `[]`, moments with the server's offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]


class BadRow(ValueError):
    """A row that cannot be a fact: no id, no moment. It is left out and counted, the others go on."""


@dataclass(frozen=True)
class Border:
    """What `parse` must know about the portal: its time zone and what its stages mean."""

    zone: ZoneInfo
    semantics: Mapping[tuple[int, int, str], str] = field(default_factory=dict)
    """P, S or F by (entity type, pipeline, stage)"""

    def day(self, moment: int) -> date:
        """The portal's local day of a moment in epoch seconds."""
        return datetime.fromtimestamp(moment, self.zone).date()


def whole(value: Any) -> int | None:
    """A whole number written as int, float or text; None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def link(value: Any) -> int | None:
    """The id of a linked record; None where there is none (0, null, missing, empty)."""
    found = whole(value)
    return found if found is not None and found > 0 else None


def required_id(row: Row, key: str) -> int:
    """The row's own id. Raises: BadRow."""
    found = link(row.get(key))
    if found is None:
        raise BadRow(f"no {key}")
    return found


def text(value: Any, limit: int) -> str | None:
    """Trimmed text of at most `limit` characters; None when nothing is left."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    return str(value).strip()[:limit] or None


def yes(value: Any) -> bool:
    """True for `"Y"`, `true`, `1` and `"1"`."""
    return value is True or value == 1 or (isinstance(value, str) and value.upper() in ("Y", "1", "TRUE"))


def moment(value: Any, zone: ZoneInfo) -> int | None:
    """Epoch seconds of an ISO text; a text without an offset is the portal's local time."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=zone)
    seconds = int(parsed.timestamp())
    return seconds if seconds > 0 else None


def calendar_date(value: Any) -> date | None:
    """The day of a `date` field: midnight UTC or local, seen in the server's offset, or a local format.

    Source: bitrix24 data types; cutting the text would be a day off west of Greenwich.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    cleaned = value.strip()
    try:
        parsed = datetime.fromisoformat(cleaned)
    except ValueError:
        return _local_format(cleaned)
    if parsed.tzinfo is None or parsed.time() == datetime.min.time():
        return parsed.date()
    return parsed.astimezone(UTC).date()


def amount(value: Any) -> Decimal | None:
    """An exact amount with at most four decimals; None when it is no number."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        found = Decimal(str(value).replace(" ", ""))
        return found.quantize(Decimal("0.0001")) if found.is_finite() else None
    except InvalidOperation:
        return None


def iso(moment_: int) -> str:
    """A moment as filters accept it: ISO 8601 in UTC with its offset."""
    return datetime.fromtimestamp(moment_, UTC).isoformat()


def day_start(day: date, zone: ZoneInfo) -> int:
    """Epoch seconds of the first moment of a local day, on days without a midnight too."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    found = int(start.timestamp())
    # Where clocks skip midnight, 00:00 does not exist and is read as a moment of the day before.
    if datetime.fromtimestamp(found, zone).date() < day:
        found = int((start + timedelta(hours=1)).timestamp())
    return found


def _local_format(value: str) -> date | None:
    for pattern in ("%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d"):
        try:
            return datetime.strptime(value[:10], pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
