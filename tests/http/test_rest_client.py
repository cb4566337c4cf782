"""The client against an emulated portal: retries, refresh, batches, moves, damage, limits, the log."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from b24app import journal
from b24app.rest import errors as e
from b24app.rest.budget import Budgets
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.token_source import FixedToken
from b24app.rest.transport import CA_VARIABLES, Answer, Transport
from emulator.seed import add_user
from emulator.server import Emulator
from tests.http.reading import ADMIN, Reading
from tests.http.tls_front import make_certificate, tls_front

NEW_DEAL = {"entityTypeId": 2, "fields": {"title": "New"}}


@pytest.fixture
def reading(engine: Engine) -> Iterator[Reading]:
    with Emulator() as emulator:
        yield Reading(emulator, emulator.add_portal(), engine)


def fail(reading: Reading, kind: str, **options: Any) -> None:
    reading.emulator.faults(reading.portal).add(kind, **options)


def test_a_call_brings_its_result_and_times(reading: Reading) -> None:
    reply = reading.client().call("profile")
    assert (reply.result["ID"], reply.result["ADMIN"]) == ("1", True)
    assert reply.operating_s is not None
    assert reading.clock.slept == []


def test_the_token_travels_in_the_body_only(reading: Reading) -> None:
    seen: list[tuple[str, set[str]]] = []

    class Watching(Transport):
        def post_json(self, url: str, body: Mapping[str, Any], *, timeout_s: float) -> Answer:
            seen.append((url, set(body)))
            return super().post_json(url, body, timeout_s=timeout_s)

    reading.transport = Watching(allow_private=True)
    reading.client().call("profile")
    assert seen == [(f"http://{reading.portal.domain}/rest/profile", {"auth"})]


@pytest.mark.one_database
@pytest.mark.parametrize(
    "kind", ["503", "500", "unexpected", "unconfirmed", "html500", "502", "504", "html403", "garbage",
             "half_body", "empty", "null", "close", "lost_answer"],
)  # fmt: skip
def test_a_passing_trouble_is_survived(reading: Reading, kind: str) -> None:
    fail(reading, kind, times=2)
    assert reading.client().call("profile").result["ID"] == "1"
    assert [round(wait, 1) for wait in reading.clock.slept if wait >= 0.9][:2] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "error", "tries"),
    [
        ("503", e.RateLimited, 6),
        ("html500", e.GarbageAnswer, 3),
        ("close", e.Unreachable, 3),
        ("500", e.RetryLater, 3),
    ],
)
def test_a_trouble_that_stays_becomes_a_typed_error(
    reading: Reading, kind: str, error: type[e.RestError], tries: int
) -> None:
    fail(reading, kind, times=None)
    before = reading.emulator.counters(reading.portal).http_requests
    with pytest.raises(error):
        reading.client().call("profile")
    assert reading.emulator.counters(reading.portal).http_requests - before == tries


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overload", e.Overloaded),
        ("401", e.TokenDead),
        ("no_app", e.AppRemoved),
        ("unpaid", e.PaymentRequired),
        ("403", e.AccessDenied),
        ("scope", e.ScopeMissing),
        ("user_access", e.AccessDenied),
        ("license", e.RestSwitchedOff),
        ("404", e.MethodMissing),
        ("400", e.BadRequest),
        ("deleted", e.PortalGone),
        ("200_error", e.BadRequest),
        ("zero_code", e.BadRequest),
        ("empty_code", e.BadRequest),
    ],
)
def test_what_no_waiting_helps_is_told_at_once(reading: Reading, kind: str, error: type[e.RestError]) -> None:
    fail(reading, kind)
    before = reading.emulator.counters(reading.portal).http_requests
    with pytest.raises(e.RestError) as caught:
        reading.client().call("profile")
    assert type(caught.value) is error
    assert caught.value.method == "profile"
    assert reading.emulator.counters(reading.portal).http_requests - before == 1
    assert reading.clock.slept == []
    assert reading.emulator.auth.refreshes == 0


def test_a_portal_that_is_overloaded_by_hand_is_not_hammered(reading: Reading) -> None:
    fail(reading, "overload")
    with pytest.raises(e.Overloaded):
        reading.client().call("profile")
    before = reading.emulator.counters(reading.portal).http_requests
    with pytest.raises(e.RateLimited) as caught:
        reading.client(background=False).call("server.time")
    assert 800 < caught.value.retry_after_s <= 900
    assert reading.emulator.counters(reading.portal).http_requests == before
    reading.clock.sleep(901)
    assert reading.client().call("profile").result["ID"] == "1"


def test_a_write_whose_fate_is_unknown_is_not_repeated(reading: Reading) -> None:
    fail(reading, "lost_answer", times=None)
    with pytest.raises(e.Unreachable):
        reading.client().call("crm.item.add", NEW_DEAL)
    assert len(reading.portal.records["deal"]) == 1


def test_a_write_that_was_surely_not_run_is_repeated(reading: Reading) -> None:
    fail(reading, "503", times=1)
    reading.client().call("crm.item.add", NEW_DEAL)
    assert len(reading.portal.records["deal"]) == 1


def test_a_hanging_portal_is_left_after_the_patience_of_the_caller(reading: Reading) -> None:
    fail(reading, "hang", times=None, seconds=3)
    with pytest.raises(e.Unreachable):
        reading.client(background=False, deadline_s=0.3).call("profile")


def test_a_portal_that_is_away_is_unreachable_and_comes_back(reading: Reading) -> None:
    reading.emulator.close_portal(reading.portal)
    with pytest.raises(e.Unreachable) as caught:
        reading.client().call("crm.item.add", NEW_DEAL)
    assert caught.value.was_run is False
    assert len(reading.clock.slept) == 2  # never arrived: even a write is tried again
    reading.emulator.open_portal(reading.portal)
    assert reading.client().call("profile").result["ID"] == "1"


def test_an_expired_token_is_refreshed_once_and_the_call_repeated(reading: Reading) -> None:
    reading.emulator.expire_tokens(reading.portal)
    assert reading.client().call("profile").result["ID"] == "1"
    assert reading.emulator.auth.refreshes == 1
    assert reading.client().call("profile").result["ID"] == "1"
    assert reading.emulator.auth.refreshes == 1


def test_a_portal_that_never_likes_the_token_is_given_up(reading: Reading) -> None:
    fail(reading, "expired", times=None)
    with pytest.raises(e.TokenDead):
        reading.client().call("profile")
    assert reading.emulator.auth.refreshes == 2
    assert reading.token_row().dead_reason is None  # the authorization server never refused it


def test_a_batch_answers_every_command_by_itself(reading: Reading) -> None:
    calls = {
        "me": Call("profile"),
        "nothing": Call("no.such.method"),
        "time": Call("server.time"),
    }
    outcome = reading.client().batch(calls)
    assert list(outcome) == ["me", "nothing", "time"]
    assert isinstance(outcome["me"], Reply)
    assert isinstance(outcome["nothing"], e.MethodMissing)
    assert isinstance(outcome["time"], Reply)


def test_any_number_of_commands_goes_fifty_a_request(reading: Reading) -> None:
    outcome = reading.client().batch({f"c{i}": Call("server.time") for i in range(120)})
    assert len(outcome) == 120
    assert all(isinstance(answer, Reply) for answer in outcome.values())
    assert reading.emulator.counters(reading.portal).http_requests == 3


def test_a_command_that_failed_in_passing_is_repeated_alone(reading: Reading) -> None:
    fail(reading, "500", method="server.time")
    outcome = reading.client().batch({"a": Call("profile"), "b": Call("server.time")})
    assert all(isinstance(answer, Reply) for answer in outcome.values())
    assert reading.requests_of("profile") == 1
    assert reading.emulator.counters(reading.portal).http_requests == 2


def test_a_command_that_depends_on_another_is_not_repeated_alone(reading: Reading) -> None:
    fail(reading, "500", method="server.time")
    outcome = reading.client().batch(
        {"a": Call("profile"), "b": Call("server.time", {"x": "$result[a][ID]"})}
    )
    assert isinstance(outcome["b"], e.RetryLater)
    assert reading.emulator.counters(reading.portal).http_requests == 1


def test_a_token_that_ends_within_a_batch_is_refreshed_and_the_batch_repeated(reading: Reading) -> None:
    fail(reading, "expired", method="server.time")
    outcome = reading.client().batch({"a": Call("profile"), "b": Call("server.time")})
    assert all(isinstance(answer, Reply) for answer in outcome.values())
    assert reading.emulator.auth.refreshes == 1


def test_a_blocked_command_blocks_its_method_for_everybody(reading: Reading) -> None:
    fail(reading, "429", method="server.time")
    outcome = reading.client().batch({"a": Call("profile"), "b": Call("server.time")})
    assert isinstance(outcome["a"], Reply)
    assert isinstance(outcome["b"], e.MethodBlocked)
    requests = reading.emulator.counters(reading.portal).http_requests
    with pytest.raises(e.RateLimited) as caught:
        reading.client(background=False).call("server.time")
    assert 50 < caught.value.retry_after_s <= 60
    assert reading.client().call("profile").result["ID"] == "1"
    assert reading.emulator.counters(reading.portal).http_requests - requests == 1  # the other was not asked


def test_a_blocked_call_says_until_when(reading: Reading) -> None:
    fail(reading, "429")
    with pytest.raises(e.MethodBlocked) as caught:
        reading.client().call("profile")
    assert caught.value.until > 0
    assert reading.clock.slept == []


def test_a_renamed_portal_is_followed_with_a_post_and_remembered(reading: Reading) -> None:
    old = reading.portal.domain
    new = reading.emulator.rename(reading.portal)
    assert reading.client().call("profile").result["ID"] == "1"
    assert reading.portal_row().domain == new != old
    assert reading.portal_row().endpoint == f"http://{new}/rest/"
    before = reading.emulator.counters(reading.portal).http_requests
    reading.client().call("profile")
    assert reading.emulator.counters(reading.portal).http_requests - before == 1


def test_a_renamed_portal_is_followed_though_the_token_ran_out_as_well(reading: Reading) -> None:
    new = reading.emulator.rename(reading.portal)
    reading.emulator.expire_tokens(reading.portal)
    assert reading.client().batch({"me": Call("profile")})["me"].result["ID"] == "1"  # type: ignore[union-attr]
    assert reading.portal_row().domain == new


def test_a_redirect_to_a_stranger_is_refused_before_the_token_goes_there(reading: Reading) -> None:
    stranger = reading.emulator.add_portal(title="Stranger")
    fail(reading, "redirect", times=None, location=f"http://{stranger.domain}/rest/profile")
    with pytest.raises(e.AddressRefused):
        reading.client().call("profile")
    assert reading.emulator.counters(stranger).http_requests == 0
    assert reading.portal_row().domain == reading.portal.domain


@pytest.mark.parametrize("location", ["", "/login/", "https://example.com/login/", "javascript:alert(1)"])
def test_a_redirect_that_is_no_other_rest_is_garbage(reading: Reading, location: str) -> None:
    fail(reading, "redirect", times=None, location=location)
    with pytest.raises(e.GarbageAnswer):
        reading.client().call("profile")


def test_a_private_portal_is_refused_unless_allowed(reading: Reading) -> None:
    client = PortalClient(
        tokens=FixedToken(f"http://{reading.portal.domain}/rest/", "token"),
        budget=reading.budgets.for_portal(1),
        transport=Transport(),
    )
    with pytest.raises(e.AddressRefused):
        client.call("profile")
    assert reading.emulator.counters(reading.portal).http_requests == 0


def test_a_name_that_resolves_to_a_private_address_is_refused_at_connection(reading: Reading) -> None:
    port = reading.portal.domain.rpartition(":")[2]
    with pytest.raises(e.AddressRefused):
        Transport().post_json(f"http://localhost:{port}/rest/profile", {}, timeout_s=2)
    assert reading.emulator.counters(reading.portal).http_requests == 0


def test_a_name_that_changes_between_two_looks_is_refused_as_well(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(reading.portal.domain.rpartition(":")[2])
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def resolve(host: str, *_rest: Any, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(e.AddressRefused):
        Transport().post_json(f"http://portal.example:{port}/rest/profile", {}, timeout_s=2)
    assert reading.emulator.counters(reading.portal).http_requests == 0


@pytest.fixture
def secured(reading: Reading, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The portal's REST address over TLS, and the authority that vouches for it."""
    certificate = make_certificate(tmp_path)
    with tls_front(reading.portal.domain, certificate) as address:
        yield f"https://{address}/rest/profile", certificate


def test_a_certificate_that_nobody_vouches_for_is_refused(secured: tuple[str, Path]) -> None:
    with pytest.raises(e.Unreachable, match="SSLError"):
        Transport(allow_private=True).post_json(secured[0], {}, timeout_s=2)


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_an_operator_can_vouch_for_a_portal_of_his_own(
    secured: tuple[str, Path], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(secured[1]))
    assert Transport(allow_private=True).post_json(secured[0], {}, timeout_s=2).status == 401


def test_rights_are_those_of_the_token(reading: Reading) -> None:
    clerk = add_user(reading.portal, "Nina", "Clerk", departments=[1])
    reading.store(clerk)
    profile = reading.client(clerk).call("profile").result
    assert (profile["ID"], profile["ADMIN"]) == (str(clerk), False)


def test_threads_share_a_client(reading: Reading) -> None:
    client = reading.client()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(client.call("profile").result["ID"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["1"] * 8


def test_a_long_reading_meets_no_503(reading: Reading) -> None:
    reading.emulator.limits(reading.portal, bucket=True)
    client, looker = reading.client(), reading.client(background=False)
    for _ in range(90):
        client.call("server.time")
    waited = sum(reading.clock.slept)
    assert 20 < waited < 40  # 35 at once, then two a second
    looker.call("server.time")
    assert sum(reading.clock.slept) == waited  # there was room for the one who looks
    assert reading.emulator.counters(reading.portal).refused_503 == 0


def test_a_portal_whose_bucket_others_fill_is_waited_for(reading: Reading) -> None:
    reading.emulator.limits(reading.portal, bucket=True, capacity=5, drain_per_s=0.1)
    other = reading.client(budget=Budgets().for_portal(1, rate=None))
    for _ in range(5):
        other.call("server.time")
    assert reading.client().call("profile").result["ID"] == "1"
    assert 5 < sum(reading.clock.slept) < 30  # it takes ten seconds to make room for one


def test_the_log_tells_what_was_asked_but_no_token_and_no_value(
    reading: Reading, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pair = reading.store(ADMIN)
    reading.emulator.expire_tokens(reading.portal)
    reading.client().batch(
        {"a": Call("profile", {"filter": {"phone": "+79161234567"}}), "b": Call("no.such.method")}
    )
    lines = [json.loads(r.message) for r in caplog.records if r.name == journal.PORTALS]
    calls = [line for line in lines if line["event"] == "rest.call"]
    assert [(line["method"], line["status"], line.get("code")) for line in calls] == [
        ("batch", 401, "expired_token"),
        ("batch", 200, None),
    ]
    assert [(line["outcome"], line["attempt"], line["for"]) for line in calls] == [
        ("token_expired", 1, "background"),
        ("ok", 2, "background"),
    ]
    assert calls[1]["portal"] == "portal-1"
    assert calls[1]["commands"] == {"profile": 1, "no.such.method": 1}
    assert calls[1]["ms"] >= 0
    assert [line["errors"] for line in lines if line["event"] == "rest.batch_errors"] == [
        {"no.such.method error_method_not_found": 1}
    ]
    everything = "\n".join(record.getMessage() for record in caplog.records)
    for secret in (
        "79161234567",
        pair["access_token"],
        pair["refresh_token"],
        reading.emulator.client_secret + "&",
    ):
        assert secret not in everything
