from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from sqlalchemy import Engine, update

from b24app import api_clients
from b24app.api_clients import NewClient
from b24app.tables import api_clients as table
from b24app.tables import portals
from tests.cast import ANNA, OLGA
from tests.http.api_server import MEMBER, NEIGHBOUR_MEMBER, NOW, PORTAL, Api, fill, serving

PATH = "/api/v1/api-clients"


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def client(api: Api, engine: Engine) -> NewClient:
    with engine.begin() as conn:
        return api_clients.create(conn, MEMBER, "BI tool", NOW)


def ask(api: Api, **form: str) -> requests.Response:
    return requests.post(api.url + "/oauth/token", data=form, timeout=20)


def credentials(client: NewClient) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }


def bearer(answer: requests.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_credentials_become_a_token_that_sees_what_an_admin_sees(api: Api, client: NewClient) -> None:
    answer = ask(api, **credentials(client))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    org = requests.get(api.url + "/api/v1/org", headers=bearer(answer), timeout=20).json()
    assert (org["portal"], org["me"], len(org["departments"])) == (MEMBER, None, 4)
    settings = requests.get(api.url + "/api/v1/settings", headers=bearer(answer), timeout=20)
    assert settings.status_code == 200


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_ordinary_oauth_library_gets_a_token(api: Api, client: NewClient, method: str) -> None:
    with OAuth2Session(client.client_id, client.client_secret, token_endpoint_auth_method=method) as session:
        token: dict[str, Any] = session.fetch_token(api.url + "/oauth/token", grant_type="client_credentials")
    assert token["access_token"]


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "kpi.unknown"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
    ],
)
def test_a_refusal_is_a_problem_document_that_oauth_libraries_understand(
    api: Api, client: NewClient, changed: dict[str, str], status: int, error: str
) -> None:
    answer = ask(api, **{**credentials(client), **changed})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "error_description"} <= set(answer.json())
    assert client.client_secret not in answer.text


def test_credentials_in_the_address_are_not_read(api: Api, client: NewClient) -> None:
    answer = requests.post(api.url + "/oauth/token", params=credentials(client), timeout=20)
    assert answer.status_code == 400


def test_a_revoked_client_gets_no_token_and_the_one_it_holds_ends(api: Api, client: NewClient) -> None:
    held = bearer(ask(api, **credentials(client)))
    revoked = api.call("DELETE", f"{PATH}/{client.client_id}", OLGA, is_admin=True)
    assert revoked.status_code == 204
    assert ask(api, **credentials(client)).status_code == 401
    assert requests.get(api.url + "/api/v1/org", headers=held, timeout=20).status_code == 401
    assert api.call("DELETE", f"{PATH}/{client.client_id}", OLGA, is_admin=True).status_code == 404


def test_a_client_of_a_portal_that_left_gets_no_token(api: Api, client: NewClient, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(portals).where(portals.c.portal_id == PORTAL).values(state="uninstalled"))
    assert ask(api, **credentials(client)).status_code == 401
    with engine.begin() as conn, pytest.raises(LookupError):
        api_clients.create(conn, MEMBER, "late", NOW)


def test_an_admin_makes_a_client_sees_its_secret_once_and_finds_it_listed(api: Api, engine: Engine) -> None:
    made = api.call("POST", PATH, OLGA, is_admin=True, json={"name": "Warehouse"})
    assert made.status_code == 201
    assert ask(
        api,
        grant_type="client_credentials",
        client_id=made.json()["client_id"],
        client_secret=made.json()["client_secret"],
    ).ok
    listed = api.get(PATH, OLGA, is_admin=True)
    assert [c["name"] for c in listed.json()["clients"]] == ["Warehouse"]
    assert made.json()["client_secret"] not in listed.text
    with engine.connect() as conn:
        assert made.json()["client_secret"] not in str(conn.execute(table.select()).all())


def test_only_an_admin_in_person_lets_programs_in(api: Api, client: NewClient) -> None:
    assert api.call("POST", PATH, ANNA, json={"name": "mine"}).status_code == 403
    assert api.get(PATH, ANNA).status_code == 403
    program = bearer(ask(api, **credentials(client)))
    answer = requests.post(api.url + PATH, json={"name": "child"}, headers=program, timeout=20)
    assert answer.status_code == 403
    bodies: list[Any] = [{"name": " "}, {"name": 7}, {}, [], {"name": "x" * 201}]
    for body in bodies:
        assert api.call("POST", PATH, OLGA, is_admin=True, json=body).status_code == 400


def test_a_client_reads_its_own_portal_only(api: Api, engine: Engine) -> None:
    with engine.begin() as conn:
        other = api_clients.create(conn, NEIGHBOUR_MEMBER, "Next door", NOW)
    org = requests.get(api.url + "/api/v1/org", headers=bearer(ask(api, **credentials(other))), timeout=20)
    assert (org.json()["portal"], org.json()["employees"]) == (NEIGHBOUR_MEMBER, [])
