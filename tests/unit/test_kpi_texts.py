"""Every KPI has its arithmetic in SQL and its words in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from b24app.i18n import languages, section, text
from b24app.metrics.catalog import CATALOG
from b24app.metrics.context import Context
from b24app.metrics.coverage import Reason
from b24app.metrics.kinds import NO_COST, NO_RATE
from b24app.metrics.measures import MEASURES, Table
from b24app.metrics.metric import Group, Metric
from b24app.sums.computed import COMPUTED
from b24app.sums.measured import RECORDS, VALUES
from b24app.web.present import catalogue_json

PARTS = {"name", "short", "unit", "meaning", "formula", "moment", "credit", "source", "reading"}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def test_every_measure_and_table_is_defined_in_sql_or_computed() -> None:
    assert set(VALUES) == {measure for measure in MEASURES if measure.table not in COMPUTED}
    assert (set(RECORDS) | set(COMPUTED), set(RECORDS) & set(COMPUTED)) == (set(Table), set())
    assert len({measure.key for measure in MEASURES}) == len(MEASURES)


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("metric", CATALOG, ids=lambda metric: metric.key)
def test_every_kpi_explains_itself(metric: Metric, lang: str) -> None:
    found = section(lang, "catalog")[metric.key]
    forms = {"text"} | ({"without_leads"} if metric.without_leads else set())
    forms |= {"with_budget"} if metric.with_budget else set()
    assert found.keys() == forms
    for form in forms:
        assert found[form].keys() == PARTS
        for part, words in found[form].items():
            assert words.strip() == words != "", f"{lang} {metric.key}.{form}.{part}"
            if lang == "ru" and part != "unit":
                assert CYRILLIC.search(words), f"{metric.key}.{form}.{part} is not in Russian"
            if lang == "en":
                assert not CYRILLIC.search(words), f"{metric.key}.{form}.{part} is not in English"


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_both_languages_name_groups_reasons_and_steps(lang: str) -> None:
    for key in (
        *(f"groups.{group}" for group in Group),
        *(f"reasons.{reason}" for reason in Reason),
        "steps.created",
        "steps.converted",
        *(f"rows.{row}" for row in ("no_project", "session", "call", "ticket", "ticket_of", "ticket_deals")),
    ):
        assert text(lang, f"catalog.{key}")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_explain_panel_and_list_have_words_for_every_reason(lang: str) -> None:
    reasons = {NO_RATE, NO_COST} | {reason for metric in CATALOG for reason, _ in metric.left_out}
    forms = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}}[lang]
    own = languages()[lang]["ui"]
    assert {reason: set(words) for reason, words in own["left_out"].items()} == dict.fromkeys(reasons, forms)
    assert own["records"]["left_out"].keys() == reasons


def test_there_are_no_texts_of_kpis_that_are_not_there() -> None:
    keys = {metric.key for metric in CATALOG} | {"groups", "steps", "rows", "reasons"}
    for lang in ("en", "ru"):
        assert set(section(lang, "catalog")) == keys


def test_the_catalogue_tells_what_a_lead_is_on_this_portal() -> None:
    unread = Context(today=date(2026, 11, 23))
    with_leads = {m["key"]: m for m in catalogue_json(unread, "en")}
    without = {m["key"]: m for m in catalogue_json(replace(unread, uses_leads=False), "ru")}
    assert without["leads_new"]["name"] == "Новые обращения"
    assert with_leads["leads_new"]["name"] == "New leads"
    assert with_leads["win_rate"]["unit_name"] == "%"
    assert with_leads["win_rate"]["dimensions"] == [
        "day", "week", "month", "user", "department", "pipeline", "channel",
    ]  # fmt: skip
    assert with_leads["win_rate"]["available"] is False  # nothing has been read of this portal
    assert with_leads["win_rate"]["reason"] == "not_synced"
