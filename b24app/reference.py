"""The reference page of all KPIs, from the catalogue: `python -m b24app.reference` writes docs/kpis.*.md."""

from __future__ import annotations

from b24app import i18n
from b24app.config import ROOT
from b24app.metrics.catalog import CATALOG
from b24app.metrics.metric import Group, Metric

PARTS = ("meaning", "formula", "moment", "credit", "source", "reading")


def path_of(lang: str) -> str:
    """The page's name in the project."""
    return f"docs/kpis.{lang}.md"


def page(lang: str) -> str:
    """The page in Markdown: groups and KPIs in the order of the catalogue."""
    lines = [f"# {_word(lang, 'title')}", "", _word(lang, "intro"), ""]
    for group in Group:
        lines += [f"## {i18n.text(lang, f'catalog.groups.{group.value}')}", ""]
        for metric in CATALOG:
            if metric.group is group:
                lines += _entry(metric, lang)
    return "\n".join(lines)


def _entry(metric: Metric, lang: str) -> list[str]:
    texts = i18n.section(lang, "catalog")[metric.key]["text"]
    facts = [
        f"`{metric.key}`",
        texts["unit"],
        _word(lang, f"better.{metric.better.value}"),
        _word(lang, f"origin.{metric.origin.value}"),
    ]
    scopes = ", ".join(f"`{scope}`" for scope in metric.rest_scopes)
    by = ", ".join(f"`{name}`" for name in sorted(by.value for by in metric.by))
    lines = [f"### {texts['name']}", "", " · ".join(facts), "", texts["meaning"], ""]
    lines += [f"- **{_word(lang, f'part.{part}')}** {texts[part]}" for part in PARTS[1:]]
    if scopes:
        lines.append(f"- **{_word(lang, 'part.scopes')}** {scopes}")
    if by:
        lines.append(f"- **{_word(lang, 'part.by')}** {by}")
    return [*lines, ""]


def _word(lang: str, key: str) -> str:
    return i18n.text(lang, f"reference.{key}")


def write() -> None:
    """Write the page of every language."""
    for lang in i18n.languages():
        (ROOT / path_of(lang)).write_text(page(lang), "utf-8")


if __name__ == "__main__":
    write()
