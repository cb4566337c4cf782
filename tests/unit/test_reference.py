"""The reference page of the KPIs says what the catalogue says."""

from __future__ import annotations

import pytest

from b24app import i18n, reference
from b24app.config import ROOT
from b24app.metrics.catalog import CATALOG


@pytest.mark.parametrize("lang", sorted(i18n.languages()))
def test_the_page_is_up_to_date(lang: str) -> None:
    written = (ROOT / reference.path_of(lang)).read_text("utf-8")
    assert written == reference.page(lang), "run `make reference`"


@pytest.mark.parametrize("lang", sorted(i18n.languages()))
def test_every_kpi_is_on_the_page(lang: str) -> None:
    page = reference.page(lang)
    assert [m.key for m in CATALOG if f"\n`{m.key}` · " not in page] == []
