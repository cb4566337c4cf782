"""An answer for a KPI is the same whichever other KPIs are asked for beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.http.dirty_company import ADMIN, ANNA, SALES, Company, dirty_company

pytestmark = pytest.mark.long

BACK, AHEAD = 25, 10
"""Days around today: records that are still to come (deadlines) are in the period too."""


def test_a_kpi_answers_alone_as_it_does_beside_all_others(database_url: str, tmp_path: Path) -> None:
    with dirty_company(database_url, tmp_path, 21) as company:
        bearer = company.token(ADMIN)
        metrics = company.get("/api/v1/metrics", bearer)["metrics"]
        cuts = [None, *{by: None for metric in metrics for by in metric["dimensions"]}]
        compared = 0
        for by, scope in zip(cuts, cycle(("company", f"department:{SALES}", f"user:{ANNA}"))):
            keys = [metric["key"] for metric in metrics if by is None or by in metric["dimensions"]]
            together = ask(company, bearer, keys, scope, by)
            assert [value["metric"] for value in together] == keys
            for value in together:
                assert ask(company, bearer, [value["metric"]], scope, by) == [value], f"{scope} by {by}"
                compared += len(value.get("rows", "."))
        assert compared > 1_000


def ask(company: Company, bearer: str, keys: list[str], scope: str, by: str | None) -> list[dict[str, Any]]:
    today = datetime.now(UTC).date()
    period = {"from": str(today - timedelta(days=BACK)), "to": str(today + timedelta(days=AHEAD))}
    question = {"metric": ",".join(keys), "scope": scope, "compare": "previous", **period}
    answer = company.get("/api/v1/kpi", bearer, **question, **({"by": by} if by else {}))
    values: list[dict[str, Any]] = answer["values"]
    return values
