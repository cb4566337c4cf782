"""The time zone of a portal that names none: the most likely one by its clock and its language. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

BY_LANGUAGE = {
    "ru": (
        "Europe/Moscow", "Europe/Kaliningrad", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk",
        "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan",
        "Asia/Kamchatka",
    ),
    "kz": ("Asia/Almaty",),
    "ua": ("Europe/Kyiv",),
    "de": ("Europe/Berlin",),
    "fr": ("Europe/Paris",),
    "it": ("Europe/Rome",),
    "pl": ("Europe/Warsaw",),
    "tr": ("Europe/Istanbul",),
    "br": ("America/Sao_Paulo", "America/Manaus"),
    "la": ("America/Mexico_City", "America/Bogota", "America/Santiago", "America/Argentina/Buenos_Aires",
           "Europe/Madrid"),
    "en": (
        "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
        "Asia/Kolkata", "Australia/Sydney", "Asia/Dubai", "Asia/Singapore", "Europe/Berlin",
        "Europe/Athens", "Europe/Moscow",
    ),
    "sc": ("Asia/Shanghai",),
    "tc": ("Asia/Taipei",),
    "ja": ("Asia/Tokyo",),
    "vn": ("Asia/Ho_Chi_Minh",),
    "id": ("Asia/Jakarta",),
    "ms": ("Asia/Kuala_Lumpur",),
    "th": ("Asia/Bangkok",),
}  # fmt: skip
"""Zones by the portal's language, the commonest first. A named zone knows daylight saving."""


def guess(now: datetime, lang: str) -> str:
    """The zone of a portal whose clock shows `now` (aware, with the portal's offset).

    A zone of its language that has this offset now; else of another one; else the bare offset; else UTC.
    """
    offset = now.utcoffset() or timedelta(0)
    if not offset and lang != "en":
        return "UTC"
    for zone in (*BY_LANGUAGE.get(lang, ()), *BY_LANGUAGE["en"], *BY_LANGUAGE["ru"]):
        if now.astimezone(ZoneInfo(zone)).utcoffset() == offset:
            return zone
    hours, rest = divmod(offset, timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"  # POSIX signs: west is positive
