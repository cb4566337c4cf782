"""The doctor's rules, one state of things at a time; and what it sees of an emulated portal in trouble."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from b24app import manifest
from b24app.doctor import answers, report, rules
from b24app.doctor.facts import Answer, Installation, Load, Patient, Source, Token, Work
from b24app.rest import outcomes

NOW = 1_800_000_000.0
DAY = 86_400.0

WELL = Patient(
    member_id="a" * 32,
    number=7,
    domain="acme.bitrix24.com",
    state="active",
    installed_at=NOW - 30 * DAY,
    token=Token(NOW + 1800),
    checked_at=NOW - 600,
    watched_at=NOW - 5000,
    sources=(Source("deals", "ready", read_at=NOW - 600), Source("calls", "off", "missing_scope")),
    reconciled_day_age=0,
    load=Load(0.1, {"crm.item.list": 0.2}),
    answer=Answer("ok", seconds=0.4, is_admin=True),
)
SOUND = Installation("https://kpi.example.com", True, "postgresql", 10**11, auth_servers={"https://o": None})


def codes(one: Patient) -> list[str]:
    return [finding.code for finding in rules.of_portal(one, NOW)]


def test_a_portal_that_is_well_has_no_findings() -> None:
    assert codes(WELL) == []
    assert list(report.of_portal(WELL, []))[-1] == "ok    nothing is wrong"


READING = (Source("deals", "reading", progress=0.4, read_at=NOW - 30), Source("leads", "pending"))
STUCK = (Source("deals", "reading", progress=0.4, read_at=NOW - 3000), Source("leads", "pending"))


@pytest.mark.parametrize(
    ("changes", "code", "is_note"),
    [
        ({"state": "uninstalled"}, "uninstalled", False),
        ({"state": "purging"}, "purging", False),
        ({"state": "gone"}, "gone", False),
        ({"state": "unpaid"}, "unpaid", False),
        ({"token": None}, "no_token", False),
        ({"has_reader": False}, "no_token", False),
        ({"token": Token(NOW, "invalid_grant")}, "token_dead", False),
        ({"token": Token(NOW, is_readable=False)}, "token_unreadable", False),
        ({"token": Token(NOW - 2 * DAY)}, "token_unused", False),
        ({"token": Token(NOW - 181 * DAY)}, "token_too_old", False),
        ({"is_admin": False}, "reader_no_admin", False),
        ({"missing_scopes": ("crm",)}, "scope:crm", False),
        ({"missing_scopes": ("telephony",)}, "scope:telephony", True),
        ({"unbound": ("CRM_DEAL_DETAIL_TAB",)}, "unbound", True),
        ({"load": Load(0.95)}, "bucket_full", True),
        ({"load": Load(0.1, {"crm.item.list": 0.8})}, "operating:crm.item.list", True),
        ({"load": Load(0.1, {}, {"crm.item.list": NOW + 60})}, "blocked:crm.item.list", False),
        ({"works": {"changes": Work("unreachable", 3, NOW + 60)}}, "failing:changes", False),
        ({"sources": (Source("deals", "ready", error="x"),)}, "failing:deals", False),
        ({"sources": (Source("calls", "off", "access_denied"),)}, "off:calls", True),
        ({"sources": READING}, "first_read", True),
        ({"sources": STUCK}, "first_read_stuck", False),
        ({"sources": (Source("deals", "pending"),)}, "first_read_stuck", False),
        ({"checked_at": None}, "never_asked", False),
        ({"checked_at": NOW - 3700}, "late", False),
        ({"checked_at": NOW - 40, "watched_at": NOW - 5}, "late", False),
        ({"reconciled_day_age": 3}, "not_compared", False),
        ({"answer": Answer("ok", seconds=11)}, "portal_slow", False),
        ({"answer": Answer("ok", skew_s=-40)}, "clock:the portal", False),
        ({"answer": Answer("ok", is_admin=False)}, "reader_no_admin", False),
        ({"answer": Answer("ok", missing_scopes=("crm",))}, "scope:crm", False),
        ({"answer": Answer("ok", operating={"profile": 0.9})}, "operating:profile", True),
        (
            {"answer": Answer("ok", refused={"crm.item.list": "method_blocked"})},
            "blocked:crm.item.list",
            False,
        ),
        ({"answer": Answer("ok", refused={"profile": "denied"})}, "method_denied", False),
        ({"answer": Answer("other", "odd")}, "portal_other", False),
    ],
)
def test_one_trouble_has_one_finding(changes: dict[str, Any], code: str, is_note: bool) -> None:
    (finding,) = rules.of_portal(replace(WELL, **changes), NOW)
    assert (finding.code, finding.is_note) == (code, is_note)


@pytest.mark.parametrize(
    "changes",
    [
        {"load": Load(0.9, {"crm.item.list": 0.79}, {"crm.item.list": NOW - 1})},
        {"load": None, "answer": None},
        {"token": Token(NOW - 3600)},
        {"checked_at": NOW - 3500},
        {"checked_at": NOW - 20, "watched_at": NOW - 5},
        {"checked_at": None, "installed_at": NOW - 60},
        {"reconciled_day_age": None},
        {"answer": Answer("ok", skew_s=29, operating={"profile": 0.5})},
    ],
)
def test_what_is_usual_is_no_finding(changes: dict[str, Any]) -> None:
    assert codes(replace(WELL, **changes)) == []


def test_what_store_and_portal_both_say_is_told_once() -> None:
    both = replace(WELL, missing_scopes=("crm",), answer=Answer("ok", missing_scopes=("crm",)))
    assert codes(both) == ["scope:crm"]


def test_a_first_read_that_fails_is_told_by_its_failure_not_as_stuck() -> None:
    failing = replace(WELL, sources=STUCK, works={"first_read": Work("unreachable", 9, NOW + 60)})
    assert codes(failing) == ["failing:first_read", "first_read"]


@pytest.mark.parametrize("outcome", [name for name in outcomes.NAMES if name not in ("ok", "other")])
def test_every_refusal_of_a_portal_has_words(outcome: str) -> None:
    if outcome in ("not_found", "bad_request"):
        assert outcome not in answers.BY_OUTCOME  # our own mistakes: the log tells more
        return
    what, do = answers.BY_OUTCOME[outcome]
    (finding,) = rules.of_portal(replace(WELL, answer=Answer(outcome, "code")), NOW)
    assert finding.what == f"{what} (code)."
    assert finding.do == do


def test_every_scope_can_be_told_as_missing() -> None:
    everything = tuple(scope.key for scope in manifest.load().scopes)
    assert len(codes(replace(WELL, missing_scopes=everything))) == len(everything)


@pytest.mark.parametrize(
    ("changes", "code", "is_note"),
    [
        ({"database_error": "OperationalError"}, "database_away", False),
        ({"missing_migrations": ("0002",)}, "not_migrated", False),
        ({"queue_error": "ConnectionError"}, "queue_away", False),
        ({"queues": {"now": (3, 61.0)}}, "queue_stands", False),
        ({"auth_servers": {"https://o": "timeout"}}, "auth_server_away", False),
        ({"database_skew_s": 31.0}, "clock:the database", False),
        ({"var_free_bytes": 10}, "little_space", False),
        ({"unwell": ("a",), "unwell_count": 1}, "portals_unwell", False),
        ({"public_url": "http://kpi.example.com"}, "not_https", True),
        ({"database": "sqlite"}, "sqlite_shared", True),
    ],
)
def test_an_installation_has_a_finding_for_each_trouble(
    changes: dict[str, Any], code: str, is_note: bool
) -> None:
    assert rules.of_installation(SOUND) == []
    (finding,) = rules.of_installation(replace(SOUND, **changes))
    assert (finding.code, finding.is_note) == (code, is_note)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours"), (30 * DAY, "30 days")],
)
def test_lengths_of_time_are_told_in_a_unit_that_fits(seconds: float, words: str) -> None:
    assert rules.ago(seconds) == words


def test_trouble_comes_before_notes_and_each_says_what_to_do() -> None:
    ill = replace(WELL, missing_scopes=("telephony",), is_admin=False)
    lines = list(report.of_portal(ill, rules.of_portal(ill, NOW)))
    assert [line[:4] for line in lines] == ["port", "ok  ", "FAIL", "    ", "note", "    "]
