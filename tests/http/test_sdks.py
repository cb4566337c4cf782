"""The official Python SDK and the popular fast_bitrix24 read the emulated portal as they read a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from b24pysdk import BitrixApp, BitrixToken, Client
from b24pysdk.api.requesters.bitrix_oauth_requester import BitrixOAuthRequester
from b24pysdk.errors import BitrixAPIError
from fast_bitrix24 import Bitrix

from tests.http.demo_portals import Reader, invented_company
from tests.http.tls_front import make_certificate, tls_front


@pytest.fixture(scope="module")
def admin() -> Iterator[Reader]:
    with invented_company() as reader:
        yield reader


@dataclass(frozen=True)
class Official:
    """The official SDK as an admin; it speaks https only, so a TLS socket stands before the portal."""

    token: BitrixToken
    client: Client
    reader: Reader


@pytest.fixture
def official(admin: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Official]:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    auth_address = admin.emulator.auth_url.removeprefix("http://")
    with tls_front(admin.portal.domain, certificate) as portal, tls_front(auth_address, certificate) as auth:
        monkeypatch.setattr(BitrixOAuthRequester, "_OAUTH_TOKEN_URL", f"https://{auth}/oauth/token/")
        monkeypatch.setattr(BitrixOAuthRequester, "_APP_INFO_URL", f"https://{auth}/rest/app.info/")
        pair = admin.emulator.issue_token(admin.portal, 1)
        token = BitrixToken(
            domain=portal,
            auth_token=pair["access_token"],
            refresh_token=pair["refresh_token"],
            bitrix_app=BitrixApp(client_id=admin.emulator.client_id, client_secret="secret"),
        )
        yield Official(token, Client(token), admin)


def ids(reader: Reader, kind: str) -> list[int]:
    return [row["id"] for row in reader.portal.records[kind]]


def test_official_sdk_reads_all_deals_by_offset_and_by_keyset(official: Official) -> None:
    request = official.client.crm.item.list(entity_type_id=2, select=["id"])
    assert request.response.total == len(ids(official.reader, "deal"))
    assert sorted(row["id"] for row in request.as_list().result) == ids(official.reader, "deal")
    assert [row["id"] for row in request.as_list_fast().result] == ids(official.reader, "deal")


def test_official_sdk_reads_stage_history_and_old_deals(official: Official) -> None:
    history = official.token.call_list_fast(
        "crm.stagehistory.list",
        params={"entityTypeId": 1, "filter": {">CREATED_TIME": "2026-11-01T00:00:00"}},
    )
    assert {row["STATUS_SEMANTIC_ID"] for row in history["result"]} == {"P", "S", "F"}
    deal = official.client.crm.deal.get(1).result
    stored = official.reader.portal.records["deal"].get(1)
    assert stored is not None
    assert (deal["ID"], deal["CATEGORY_ID"]) == ("1", str(stored["categoryId"]))


def test_official_sdk_batches_and_sees_the_error_of_one_command(official: Official) -> None:
    answer = official.token.call_batch(
        {
            "profile": ("profile", {}),
            "deal": ("crm.item.get", {"entityTypeId": 2, "id": 1}),
            "nothing": ("crm.item.get", {"entityTypeId": 2, "id": 10**6}),
        }
    )["result"]
    assert answer["result"]["profile"]["ADMIN"] is True
    assert answer["result"]["deal"]["item"]["id"] == 1
    assert answer["result_error"]["nothing"]["error"] == "NOT_FOUND"


def test_official_sdk_understands_errors_by_code(official: Official) -> None:
    with pytest.raises(BitrixAPIError, match="Method not found"):
        official.token.call_method("crm.no.such.method")


def test_official_sdk_asks_the_authorization_server_and_renews_an_expired_token(official: Official) -> None:
    info = official.token.get_app_info().result
    assert info.client_id == official.reader.emulator.client_id
    assert info.install.member_id == official.reader.portal.member_id
    before = official.token.auth_token
    official.reader.emulator.expire_tokens(official.reader.portal)
    assert official.token.call_method("profile")["result"]["ID"] == "1"
    assert official.token.auth_token != before


def apart(work: Callable[[Bitrix], Any], admin: Reader) -> Any:
    """What `work` does with a client in a thread without an event loop: beside one it answers with tasks."""
    webhook = admin.emulator.add_webhook(admin.portal, 1)
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(lambda: work(Bitrix(webhook, verbose=False))).result(timeout=60)


def test_fast_bitrix24_reads_whole_lists_over_a_webhook(admin: Reader) -> None:
    def read(client: Bitrix) -> tuple[Any, ...]:
        return (
            client.get_all("crm.deal.list", {"select": ["ID", "OPPORTUNITY"]}),
            client.get_all("crm.item.list", {"entityTypeId": 1, "select": ["id"]}),
            client.get_all("user.get"),
            client.get_all("tasks.task.list", {"select": ["ID"]}),
        )

    deals, leads, users, tasks = apart(read, admin)
    assert sorted(int(deal["ID"]) for deal in deals) == ids(admin, "deal")
    assert all(isinstance(deal["OPPORTUNITY"], str) for deal in deals)
    assert sorted(lead["id"] for lead in leads) == ids(admin, "lead")
    assert len(users) == 41
    assert len(tasks) == len(admin.portal.records["task"])


def test_fast_bitrix24_reads_by_id_in_batches(admin: Reader) -> None:
    found = apart(lambda client: client.get_by_ID("crm.deal.get", list(range(1, 121))), admin)
    assert len(found) == 120
    assert found["7"]["ID"] == "7"
