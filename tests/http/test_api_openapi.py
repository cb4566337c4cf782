from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from sqlalchemy import Engine

from b24app.metrics.catalog import CATALOG
from b24app.portals.settings import PortalSettings, to_json
from emulator import crm
from tests.cast import ANNA, OLGA
from tests.http.api_portal import company
from tests.http.api_server import Api, fill, serving

DOORS_OF_PROGRAMS = ("/api/v1/", "/oauth/", "/openapi.json")


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def described(api: Api) -> dict[str, Any]:
    answer = requests.get(api.url + "/openapi.json", timeout=20)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_every_door_for_programs_is_described_and_nothing_else(api: Api) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in api.flask.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(DOORS_OF_PROGRAMS)
    }
    told = {(path, method) for path, item in described(api)["paths"].items() for method in item}
    assert told == served


def test_every_reference_leads_somewhere(api: Api) -> None:
    document = described(api)
    references = re.findall(r"'\$ref': '#/([^']+)'", str(document))
    assert references
    for reference in references:
        node = document
        for part in reference.split("/"):
            node = node[part]


def closed(schema: Any) -> Any:
    """The schema, with members that it does not name refused."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(inner.get("properties"), dict) else inner


def check(body: Any, schema: str, document: dict[str, Any]) -> None:
    """Fail unless the body is what the named schema says, no more and no less."""
    components = closed(document["components"]["schemas"])
    whole = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": components}}
    Draft202012Validator(whole).validate(body)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/api/v1/org", "Org"),
        ("/api/v1/sync", "Sync"),
        ("/api/v1/settings", "Settings"),
        ("/api/v1/settings/functions", "Functions"),
    ],
)
def test_answers_look_as_described(api: Api, path: str, schema: str) -> None:
    check(api.get(path, OLGA, is_admin=True).json(), schema, described(api))


def test_numbers_and_records_look_as_described(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with company(engine, database_url, tmp_path) as shop:
        client = crm.add_item(shop.portal, "company", {"title": "Romashka", "assignedById": ANNA})
        shop.add_deal(ANNA, "WON", companyId=client, currencyId="XXX")
        shop.read()
        document = described(shop.api)
        period = "from=2020-01-01&to=2030-01-01&scope=company"
        asked = f"{period}&compare=year&metric={','.join(metric.key for metric in CATALOG)}"
        check(shop.api.get("/api/v1/metrics", OLGA, is_admin=True).json()["metrics"][0], "Metric", document)
        check(shop.api.get(f"/api/v1/kpi?{asked}", OLGA, is_admin=True).json(), "Kpi", document)
        for by in ("user", "month"):
            rows = f"/api/v1/kpi?{period}&compare=previous&metric=revenue,win_rate&by={by}"
            check(shop.api.get(rows, OLGA, is_admin=True).json(), "Kpi", document)
        for metric in CATALOG:
            behind = f"/api/v1/kpi/records?{period}&metric={metric.key}"
            check(shop.api.get(behind, OLGA, is_admin=True).json(), "Records", document)


def test_all_settings_are_described(api: Api) -> None:
    properties = described(api)["components"]["schemas"]["Settings"]["properties"]
    assert set(properties) == set(to_json(PortalSettings(), None))


def test_errors_look_as_described(api: Api) -> None:
    body = api.get("/api/v1/settings", ANNA).json()
    check(body, "Problem", described(api))
    assert body["status"] == 403
