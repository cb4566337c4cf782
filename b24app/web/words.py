"""Texts of the pages as files: the same for everybody who reads a language, so a browser keeps them."""

from __future__ import annotations

import json
from functools import cache

from b24app import i18n
from b24app.metrics.catalog import CATALOG
from b24app.web.present import metric_texts

PAGE, ADMIN = "page", "admin"


@cache
def files() -> dict[str, bytes]:
    """JSON by name (`words/ru-page.json`): `strings` as the browser looks them up, and of the page also
    `catalog`, the texts of every KPI by the `words` that its entry names."""
    found: dict[str, bytes] = {}
    for lang in i18n.languages():
        tables = {
            PAGE: {"strings": i18n.section(lang, "ui"), "catalog": _catalog(lang)},
            ADMIN: {"strings": {"admin": i18n.section(lang, "admin")}},
        }
        for part, table in tables.items():
            found[name_of(lang, part)] = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    return found


def name_of(lang: str, part: str) -> str:
    return f"words/{i18n.best(lang)}-{part}.json"


def _catalog(lang: str) -> dict[str, dict[str, dict[str, str]]]:
    written = i18n.section(lang, "catalog")
    return {
        metric.key: {
            words: dict(metric_texts(metric.key, words, lang))
            for words, texts in written[metric.key].items()
            if isinstance(texts, dict)
        }
        for metric in CATALOG
    }
