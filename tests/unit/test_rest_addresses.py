"""Which addresses we talk to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.rest.addresses import check_endpoint, host_of, is_private_ip
from b24app.rest.errors import AddressRefused


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("https://acme.bitrix24.ru/rest/", "https://acme.bitrix24.ru/rest/"),
        ("https://ACME.bitrix24.ru", "https://acme.bitrix24.ru/rest/"),
        ("https://acme.bitrix24.ru:443/rest/crm.item.list?x=1", "https://acme.bitrix24.ru/rest/"),
        ("https://portal.example:8443/rest/", "https://portal.example:8443/rest/"),
        ("acme.bitrix24.ru", "https://acme.bitrix24.ru/rest/"),
        ("https://8.8.8.8/rest/", "https://8.8.8.8/rest/"),
    ],
)
def test_public_addresses_are_written_in_one_way(address: str, endpoint: str) -> None:
    assert check_endpoint(address) == endpoint


PRIVATE = [
    "http://acme.bitrix24.ru/rest/",
    "https://localhost/rest/",
    "https://intranet/rest/",
    "https://portal.local/rest/",
    "https://x.internal/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://10.0.0.8/",
    "https://172.16.4.4/",
    "https://192.168.1.1/",
    "https://169.254.169.254/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://224.0.0.1/",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_only_where_they_are_allowed(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_endpoint(address)
    assert check_endpoint(address, allow_private=True).endswith("/rest/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://",
        "ftp://acme.bitrix24.ru/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:secret@acme.bitrix24.ru/",
        "https://acme.bitrix24.ru\\@evil.example/",
        "https://acme.bitrix24.ru:port/",
        "https://acme.bitrix24.ru:99999/",
        "https://[::1/",
    ],
)
def test_malformed_ones_never(address: str) -> None:
    for allow_private in (False, True):
        with pytest.raises(AddressRefused):
            check_endpoint(address, allow_private=allow_private)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Acme.bitrix24.ru:443/rest/", "acme.bitrix24.ru"),
        ("http://acme.bitrix24.ru:80", "acme.bitrix24.ru"),
        ("http://127.0.0.1:8080/rest/", "127.0.0.1:8080"),
        ("acme.bitrix24.ru", "acme.bitrix24.ru"),
        ("acme.bitrix24.ru.", "acme.bitrix24.ru"),
        ("acme.bitrix24.ru:80", "acme.bitrix24.ru"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://[::1]:8443/", "[::1]:8443"),
    ],
)
def test_a_host_carries_its_port_unless_it_is_the_usual_one(address: str, host: str) -> None:
    assert host_of(address) == host


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with contextlib.suppress(AddressRefused):
        endpoint = check_endpoint(text)
        assert endpoint.startswith("https://")
        assert check_endpoint(endpoint) == endpoint


@given(st.ip_addresses())
def test_an_address_literal_is_public_or_refused(ip: object) -> None:
    literal = f"[{ip}]" if ":" in str(ip) else str(ip)
    with contextlib.suppress(AddressRefused):
        check_endpoint(f"https://{literal}/")
        assert not is_private_ip(str(ip))
