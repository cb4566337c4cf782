"""Texts in the viewer's language. A language is one file: `translations/<code>.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "translations"
FALLBACK = "en"


@cache
def languages() -> dict[str, dict[str, Any]]:
    """All languages by their two-letter code, each a tree of texts."""
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}


def best(lang: str | None) -> str:
    """The language to answer in: the asked one if there is a file for it, else English."""
    code = (lang or "").lower()[:2]
    return code if code in languages() else FALLBACK


def text(lang: str, key: str, **values: object) -> str:
    """The text under a dotted key (`install.title`), with `{name}` filled in.

    A key that a language lacks is taken from English; a key that English lacks is a KeyError.
    """
    for code in (best(lang), FALLBACK):
        node: Any = languages()[code]
        for part in key.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, str):
            return node.format(**values) if values else node
    raise KeyError(f"no text {key!r} in translations/{FALLBACK}.toml")


def section(lang: str, name: str) -> dict[str, Any]:
    """A whole table of texts (for the browser), English filled in where the language lacks a key.

    It is the same one for everybody: not to be changed.
    """
    return _section(best(lang), name)


@cache
def _section(code: str, name: str) -> dict[str, Any]:
    return _merged(languages()[FALLBACK].get(name, {}), languages()[code].get(name, {}))


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
