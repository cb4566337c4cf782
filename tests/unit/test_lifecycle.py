from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.portals.launch import Reason, Refused
from b24app.portals.lifecycle import Intent, Notice, decide, nested

MEMBER = "0123456789abcdef0123456789abcdef"


def notice(event: str, *, posted: str | None = "right", access: str | None = None, **data: str) -> Notice:
    return Notice(event=event, member_id=MEMBER, application_token=posted, data=data, access=access)


def test_an_event_is_read_from_bracket_fields() -> None:
    found = Notice.parse(
        [
            ("event", "ONAPPUNINSTALL"),
            ("data[CLEAN]", "1"),
            ("ts", "1714649632"),
            ("auth[member_id]", MEMBER.upper()),
            ("auth[application_token]", "right"),
            ("auth[server_endpoint]", "https://oauth.bitrix.info/rest/"),
        ]
    )
    assert (found.event, found.member_id, found.application_token) == ("ONAPPUNINSTALL", MEMBER, "right")
    assert found.wants_cleaning


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("event", "ONAPPINSTALL")],
        [("auth[member_id]", MEMBER)],
        [("event", "X"), ("auth", MEMBER)],
        [("event", "X"), ("auth[member_id][x]", MEMBER)],
        [("event[]", "X"), ("auth[member_id]", MEMBER)],
        [("event", "X"), ("auth[member_id]", "../x")],
    ],
)
def test_what_is_no_event_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        Notice.parse(pairs)
    assert refused.value.reason is Reason.NOT_A_LAUNCH


@given(st.lists(st.tuples(st.text("abd[]ert", max_size=14), st.text(max_size=5)), max_size=10))
def test_any_fields_make_a_tree(pairs: list[tuple[str, str]]) -> None:
    assert isinstance(nested(pairs), dict)


@pytest.mark.parametrize(
    ("event", "data", "intent"),
    [
        ("ONAPPUNINSTALL", {"CLEAN": "1"}, Intent.PURGE),
        ("ONAPPUNINSTALL", {"CLEAN": "0"}, Intent.REMOVE),
        ("ONAPPUNINSTALL", {}, Intent.REMOVE),
        ("ONAPPPAYMENT", {"PAYMENT_EXPIRED": "Y"}, Intent.SUSPEND),
        ("ONAPPPAYMENT", {"PAYMENT_EXPIRED": "N"}, Intent.RESUME),
        ("ONAPPPAYMENT", {}, Intent.CHECK),
        ("ONCRMDEALUPDATE", {}, Intent.LOOK),
        ("ONOFFLINEEVENT", {}, Intent.LOOK),
        ("ONAPPTEST", {}, Intent.NOTHING),
    ],
)
def test_events_with_the_right_secret(event: str, data: dict[str, str], intent: Intent) -> None:
    assert decide(notice(event, **data), known=True, secret="right") is intent


@pytest.mark.parametrize("event", ["ONAPPUNINSTALL", "ONAPPPAYMENT", "ONCRMDEALUPDATE", "ONAPPINSTALL"])
def test_events_with_a_wrong_secret_are_refused(event: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(notice(event, posted="wrong"), known=True, secret="right")
    assert (refused.value.reason, refused.value.status) == (Reason.WRONG_SECRET, 403)


@pytest.mark.parametrize("event", ["ONAPPINSTALL", "ONAPPUPDATE"])
def test_a_new_secret_has_to_be_proven_by_the_token_that_came_with_it(event: str) -> None:
    assert decide(notice(event, posted="new", access="token"), known=True, secret="right") is Intent.ENROL
    assert decide(notice(event, posted="new", access="token"), known=False, secret=None) is Intent.ENROL


def test_a_removal_is_never_believed_for_its_token() -> None:
    with pytest.raises(Refused):
        decide(notice("ONAPPUNINSTALL", posted="wrong", access="token"), known=True, secret="right")


@pytest.mark.parametrize("event", ["ONAPPUNINSTALL", "ONAPPPAYMENT"])
@pytest.mark.parametrize(("posted", "stored"), [(None, "right"), ("any", None), (None, None)])
def test_events_that_nothing_proves_make_us_ask_the_portal(
    event: str, posted: str | None, stored: str | None
) -> None:
    assert decide(notice(event, posted=posted, CLEAN="1"), known=True, secret=stored) is Intent.CHECK


def test_other_events_without_a_secret_are_refused() -> None:
    with pytest.raises(Refused):
        decide(notice("ONCRMDEALUPDATE", posted=None), known=True, secret="right")


@pytest.mark.parametrize("event", ["ONAPPUNINSTALL", "ONAPPPAYMENT", "ONCRMDEALUPDATE"])
def test_an_unknown_portal_can_only_install(event: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(notice(event), known=False, secret=None)
    assert refused.value.reason is Reason.FOREIGN_PORTAL
