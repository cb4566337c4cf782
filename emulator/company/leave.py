"""Who of the invented company is away these days, and who is only busy for some hours."""

from __future__ import annotations

from datetime import timedelta

from emulator.company.year import Year
from emulator.world import Portal, Row

CHART = (
    # rows of the absence chart: user, days from now to its first and last day
    (18, -4, 9, "Отпуск"),
    (31, -1, 2, "Командировка"),
    (34, -2, 0, "Больничный"),
    (21, -20, -7, "Отпуск"),
    (12, 14, 27, "Отпуск"),
)
DAYS_OFF = ((27, 0, 4, "Отгул"), (38, -1, 1, "Отпуск за свой счёт"))
"""Whole days in people's own calendars."""
HOURS = ((22, 10, 12, "absent", "Врач"), (6, 11, 12, "busy", "Встреча"), (11, 15, 16, "busy", "Планёрка"))


def add_leave(portal: Portal, year: Year) -> None:
    """Add absences around the present day."""
    for user_id, first, last, name in CHART:
        _add(portal, user_id, name, "absent", _days(year, first, last), FROM_HR=True)
    for user_id, first, last, name in DAYS_OFF:
        _add(portal, user_id, name, "absent", _days(year, first, last))
    for user_id, first, last, kind, name in HOURS:
        span = {"DATE_FROM": year.at(year.today, first), "DATE_TO": year.at(year.today, last)}
        _add(portal, user_id, name, kind, span, TZ=portal.timezone)


def _days(year: Year, first: int, last: int) -> Row:
    return {
        "DATE_FROM": year.today + timedelta(days=first),
        "DATE_TO": year.today + timedelta(days=last),
    }


def _add(portal: Portal, user_id: int, name: str, kind: str, span: Row, **more: object) -> None:
    row = {"OWNER_ID": user_id, "NAME": name, "ACCESSIBILITY": kind, **span, **more}
    portal.put("calendar_event", row, quiet=True)
