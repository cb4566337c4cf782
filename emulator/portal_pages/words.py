"""Texts, dates and amounts of the portal's pages, in Russian or English."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

MONTHS = {
    "ru": (
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸"}


@cache
def texts(lang: str) -> dict[str, dict[str, str]]:
    """The portal's own texts by section; any language but Russian is answered in English."""
    path = Path(__file__).parent / "texts" / f"{_known(lang)}.toml"
    return tomllib.loads(path.read_text("utf-8"))


def money(amount: Decimal | None, currency: str, lang: str) -> str:
    """`1 250 000 ₽` in Russian, `1,250,000 $` in English; kopecks only where there are some."""
    amount = amount or Decimal(0)
    text = f"{amount:,.2f}" if amount % 1 else f"{amount:,.0f}"
    if _known(lang) == "ru":
        text = text.replace(",", " ").replace(".", ",")
    return f"{text} {SIGNS.get(currency, currency)}"


def day(value: date | None, lang: str) -> str:
    if value is None:
        return ""
    month = MONTHS[_known(lang)][value.month - 1]
    return (
        f"{value.day} {month} {value.year}" if _known(lang) == "ru" else f"{month} {value.day}, {value.year}"
    )


def moment(value: datetime | None, zone: ZoneInfo, lang: str) -> str:
    """Day and time in the portal's zone."""
    if value is None:
        return ""
    local = value.astimezone(zone)
    return f"{day(local.date(), lang)} {local:%H:%M}"


def full_name(user: dict[str, Any] | None, fallback: str = "—") -> str:
    """Name and last name of a user row."""
    if not user:
        return fallback
    return f"{user.get('NAME') or ''} {user.get('LAST_NAME') or ''}".strip() or fallback


def initials(name: str) -> str:
    parts = [part for part in name.split() if part[0].isalnum()]
    return "".join(part[0] for part in parts[:2]).upper()


def _known(lang: str) -> str:
    return "ru" if lang == "ru" else "en"
