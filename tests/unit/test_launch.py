from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.portals.launch import Launch, Reason, Refused, check_secret, confirm, is_same_host, origin

MEMBER = "0123456789abcdef0123456789abcdef"
FORM = {"AUTH_ID": "token", "REFRESH_ID": "refresh", "AUTH_EXPIRES": "3600", "member_id": MEMBER}
QUERY = {"DOMAIN": "portal.example", "PROTOCOL": "1", "LANG": "ru", "APP_SID": "1" * 32}


@dataclass(frozen=True)
class Info:
    client_id: str = "local.demo"
    member_id: str = MEMBER
    domain: str = "portal.example"
    endpoint: str = "https://portal.example/rest/"


def parse(**fields: str) -> Launch:
    return Launch.parse({**FORM, **fields}, QUERY)


def test_a_launch_is_read_from_body_and_query() -> None:
    launch = parse(PLACEMENT="CRM_DEAL_DETAIL_TAB", PLACEMENT_OPTIONS='{"ID":"410"}')
    assert (launch.domain, launch.lang, launch.placement) == ("portal.example", "ru", "CRM_DEAL_DETAIL_TAB")
    assert launch.number("ID") == 410


def test_fields_count_wherever_they_stand() -> None:
    launch = Launch.parse({"auth_id": "token"}, {"MEMBER_ID": MEMBER.upper(), "PLACEMENT": "left_menu"})
    assert (launch.member_id, launch.placement, launch.lang) == (MEMBER, "LEFT_MENU", "en")


@pytest.mark.parametrize("text", ["", "[]", "null", "17", '"ID"', "{", '{"ID":', "[{}]", "ID=410"])
def test_odd_placement_options_are_no_options(text: str) -> None:
    assert parse(PLACEMENT_OPTIONS=text).options == {}


@pytest.mark.parametrize(
    "value", ['"0"', "0", "null", '""', '"abc"', '"-5"', '"1.5"', "[]", '"' + "9" * 30 + '"']
)
def test_an_id_that_is_none_is_no_record(value: str) -> None:
    assert parse(PLACEMENT_OPTIONS=f'{{"ID":{value}}}').number("ID") is None


@pytest.mark.parametrize("missing", ["AUTH_ID", "member_id"])
def test_without_token_or_portal_it_is_no_launch(missing: str) -> None:
    with pytest.raises(Refused) as refused:
        Launch.parse({name: value for name, value in FORM.items() if name != missing}, QUERY)
    assert (refused.value.reason, refused.value.status) == (Reason.NOT_A_LAUNCH, 400)


@pytest.mark.parametrize("member_id", ["../../etc", "a b", "'; --", "x" * 33])
def test_a_member_id_is_letters_and_digits(member_id: str) -> None:
    with pytest.raises(Refused):
        parse(member_id=member_id)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=8))
def test_whatever_is_posted_is_read_or_refused(fields: dict[str, str]) -> None:
    try:
        launch = Launch.parse({**FORM, **fields}, QUERY)
    except Refused:
        return
    assert launch.member_id.isalnum()
    assert launch.expires_in >= 0


def test_secrets_do_not_show_in_a_launch() -> None:
    shown = repr(parse(APPLICATION_TOKEN="secret-of-portal"))
    assert "token" not in shown.replace("application_token", "").replace("access", "")
    assert "secret-of-portal" not in shown
    assert "refresh'" not in shown


def test_the_servers_answer_confirms_a_launch() -> None:
    confirm(parse(), Info(), "local.demo")


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (Info(client_id="local.other"), Reason.FOREIGN_APP),
        (Info(client_id=""), Reason.FOREIGN_APP),
        (Info(member_id="f" * 32), Reason.FOREIGN_PORTAL),
        (Info(member_id=""), Reason.FOREIGN_PORTAL),
        (Info(domain="other.example", endpoint="https://other.example/rest/"), Reason.FOREIGN_DOMAIN),
    ],
)
def test_a_contradiction_is_refused(info: Info, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        confirm(parse(), info, "local.demo")
    assert (refused.value.reason, refused.value.status) == (reason, 403)


def test_a_launch_without_domain_goes_by_the_answer() -> None:
    confirm(Launch(member_id=MEMBER, access="token"), Info(), "local.demo")


@pytest.mark.parametrize(
    ("claimed", "proven", "same"),
    [
        ("portal.example", "https://portal.example/rest/", True),
        ("PORTAL.example", "https://portal.example:443/rest/", True),
        ("portal.example:443", "portal.example", True),
        ("127.0.0.1:9001", "http://127.0.0.1:9001/rest/", True),
        ("127.0.0.1:9001", "http://127.0.0.1:9002/rest/", False),
        ("portal.example.evil.example", "https://portal.example/rest/", False),
        ("evil.example/portal.example", "https://portal.example/rest/", False),
        ("portal.example@evil.example", "https://portal.example/rest/", False),
        ("evil.example#portal.example", "https://portal.example/rest/", False),
        ("", "https://portal.example/rest/", False),
        (":::", "https://portal.example/rest/", False),
    ],
)
def test_hosts_are_compared_as_hosts(claimed: str, proven: str, same: bool) -> None:
    assert is_same_host(claimed, proven) is same


def test_a_portals_secret_is_right_wrong_or_unknown() -> None:
    assert check_secret("same", "same") is True
    assert check_secret(None, "stored") is False
    assert check_secret("posted", None) is False
    with pytest.raises(Refused) as refused:
        check_secret("posted", "stored")
    assert refused.value.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://portal.example/rest/", "https://portal.example"),
        ("https://portal.example:443/rest/", "https://portal.example"),
        ("http://127.0.0.1:9001/rest/", "http://127.0.0.1:9001"),
        ("http://[::1]:9001/rest/", "http://[::1]:9001"),
    ],
)
def test_an_origin_is_what_browsers_compare(endpoint: str, expected: str) -> None:
    assert origin(endpoint) == expected
