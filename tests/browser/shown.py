"""Numbers as a person reads them off the screen, compared with what the API says."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from playwright.sync_api import Frame

SCALES = {"": 1, "тыс": 1_000, "млн": 1_000_000, "млрд": 1_000_000_000, "K": 1_000, "M": 1_000_000}
SECONDS = {"дн": 86_400, "day": 86_400, "ч": 3_600, "hr": 3_600, "мин": 60, "min": 60, "с": 1, "sec": 1}


def cards(frame: Frame) -> dict[str, dict[str, str]]:
    """What every KPI card shows: its name, state, number, and the same number in full (a tooltip)."""
    found: dict[str, dict[str, str]] = frame.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".card[data-metric]")].map((card) => {
            const number = card.querySelector(".card-value strong");
            const name = card.querySelector("h3").innerText;
            const shown = { name, state: card.dataset.state, number: number.innerText, full: number.title };
            return [card.dataset.metric, shown];
        }))"""
    )
    return found


def cells(frame: Frame, title: str) -> dict[str, dict[str, str]]:
    """The table of people or departments: by row (`user:7`) what is shown by the full name of a column."""
    found: dict[str, dict[str, str]] = frame.evaluate(
        """(title) => {
            const table = document.querySelector(`section.people[aria-label="${title}"] table`);
            const heads = [...table.querySelectorAll("thead th")]
                .map((head) => head.querySelector("[title]")?.title || head.innerText.trim());
            const read = (row) => [...row.children].map((cell, i) => [heads[i], cell.innerText.trim()]);
            const rows = [...table.querySelectorAll("tr[data-row]")];
            return Object.fromEntries(rows.map((row) => [row.dataset.row, Object.fromEntries(read(row))]));
        }""",
        title,
    )
    return found


def says(shown: str, value: Any, unit: str) -> bool:
    """Whether a shortened number on the screen is the API's value, to the digits that it shows."""
    if value is None:
        return shown == "—"
    exact = Decimal(str(value))
    if unit == "seconds":
        parts = re.findall(r"([\d.,]+)\s*([a-zа-я]+)", plain(shown))
        seconds = sum(number(amount) * SECONDS[name] for amount, name in parts)
        finest = min(step(amount) * SECONDS[name] for amount, name in parts)
        return abs(seconds - exact) <= finest
    if unit == "ratio":
        text = plain(shown).rstrip("% ")
        return abs(number(text) - exact * 100) <= step(text) / 2
    found = re.search(r"(-?[\d.,]+)\s*([A-Zа-я]*)", plain(shown))
    if found is None:
        return False
    scale = SCALES[found[2]]
    return abs(number(found[1]) * scale - exact) <= step(found[1]) * scale / 2


def full(shown: str) -> Decimal:
    """The number of a tooltip, with every digit."""
    found = re.search(r"-?[\d.,]+", plain(shown))
    assert found, shown
    return number(found[0])


def plain(text: str) -> str:
    """The text with a plain minus, without spaces inside of numbers and without signs of currencies."""
    text = re.sub(r"[\u00a0\u202f ]", " ", text).replace("\u2212", "-")
    return re.sub(r"(?<=\d) (?=\d{3}\b)", "", re.sub(r"[₽$€]", "", text)).strip()


def number(text: str) -> Decimal:
    """A number with a comma or a point before its decimals; three digits after a comma are thousands."""
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text):
        return Decimal(text.replace(",", ""))
    return Decimal(text.replace(",", "."))


def step(text: str) -> Decimal:
    """One unit of the last digit that is shown; of three significant ones for larger whole numbers."""
    _, point, decimals = text.replace(",", ".").partition(".")
    if point:
        return Decimal(1).scaleb(-len(decimals))
    return Decimal(1).scaleb(max(0, len(text.lstrip("-")) - 3))
