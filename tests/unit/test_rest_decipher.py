"""From an HTTP answer to a result or a typed error."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.rest import errors as e
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply, decipher, decipher_batch, to_int, to_unix_time

NOW = 1_790_000_000.0


def read(status: int, body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return decipher(status, names, raw, method="crm.item.list", now=NOW)


def failure(status: int, body: Any, **headers: str) -> e.RestError:
    with pytest.raises(e.RestError) as caught:
        read(status, body, **headers)
    return caught.value


def test_a_result_with_its_siblings() -> None:
    reply = read(200, {"result": {"items": []}, "total": "120", "next": 50, "time": {"operating": 1.5}})
    assert (reply.result, reply.total, reply.next, reply.operating_s) == ({"items": []}, 120, 50, 1.5)


def test_missing_totals_and_an_empty_time_are_nothing_special() -> None:
    reply = read(200, {"result": False, "time": []})
    assert (reply.result, reply.total, reply.next, reply.time, reply.operating_s) == (
        False,
        None,
        None,
        {},
        None,
    )


def test_money_is_read_from_its_literal() -> None:
    assert read(200, b'{"result": 19999.10}').result == Decimal("19999.10")
    assert str(read(200, b'{"result": 0.1000000000000000055}').result) == "0.1000000000000000055"


def test_null_is_a_result_and_no_result_is_none() -> None:
    assert read(200, {"result": None}).result is None
    assert isinstance(failure(200, {"something": 1}), e.GarbageAnswer)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "QUERY_LIMIT_EXCEEDED", e.RateLimited),
        (503, "OVERLOAD_LIMIT", e.Overloaded),
        (429, "OPERATION_TIME_LIMIT", e.MethodBlocked),
        (500, "INTERNAL_SERVER_ERROR", e.RetryLater),
        (500, "ERROR_UNEXPECTED_ANSWER", e.RetryLater),
        (401, "expired_token", e.TokenExpired),
        (401, "EXPIRED_TOKEN", e.TokenExpired),
        (403, "expired_token", e.TokenExpired),
        (200, "expired_token", e.TokenExpired),
        (401, "invalid_token", e.TokenExpired),
        (401, "NO_AUTH_FOUND", e.TokenDead),
        (400, "invalid_grant", e.TokenDead),
        (200, "WRONG_CLIENT", e.WrongClient),
        (401, "insufficient_scope", e.ScopeMissing),
        (403, "insufficient_scope", e.ScopeMissing),
        (401, "ACCESS_DENIED", e.AccessDenied),
        (401, "user_access_error", e.AccessDenied),
        (403, "WRONG_LICENSE", e.RestSwitchedOff),
        (401, "authorization_error", e.RetryLater),
        (401, "NOT_INSTALLED", e.AppRemoved),
        (401, "PAYMENT_REQUIRED", e.PaymentRequired),
        (500, "PORTAL_DELETED", e.PortalGone),
        (410, "PORTAL_DELETED", e.PortalGone),
        (403, "portal_deleted", e.PortalGone),
        (404, "ERROR_METHOD_NOT_FOUND", e.MethodMissing),
        (400, "NOT_FOUND", e.NotFound),
        (400, "INVALID_ARG_VALUE", e.BadRequest),
        (400, "ERROR_CORE", e.BadRequest),
        # codes that nobody described: the status has the last word, and is never a reason to refresh
        (401, "SOMETHING_NEW", e.AccessDenied),
        (403, "SOMETHING_NEW", e.AccessDenied),
        (404, "SOMETHING_NEW", e.NotFound),
        (500, "SOMETHING_NEW", e.RetryLater),
        (429, "SOMETHING_NEW", e.RetryLater),
        (400, "SOMETHING_NEW", e.BadRequest),
        (200, "SOMETHING_NEW", e.BadRequest),
    ],
)
def test_errors_are_told_apart_by_their_code(status: int, code: str, kind: type[e.RestError]) -> None:
    error = failure(status, {"error": code, "error_description": "…"})
    assert type(error) is kind
    assert (error.code, error.status, error.method) == (code.lower(), status, "crm.item.list")


@pytest.mark.parametrize("code", ["", 0, "0", None])
def test_without_a_code_the_description_decides(code: object) -> None:
    assert type(failure(400, {"error": code, "error_description": "Not found"})) is e.NotFound
    assert type(failure(400, {"error": code, "error_description": "Access denied."})) is e.AccessDenied
    assert type(failure(400, {"error": code, "error_description": "Order by X"})) is e.BadRequest
    assert type(failure(200, {"error": code, "error_description": "expired_token"})) is e.TokenExpired


def test_rest_switched_off_by_plan_is_not_a_matter_of_rights() -> None:
    body = {"error": "ACCESS_DENIED", "error_description": "REST is available only on commercial plans"}
    assert type(failure(403, body)) is e.RestSwitchedOff


def test_the_error_of_the_third_version_is_an_object() -> None:
    error = failure(400, {"error": {"code": "BITRIX_REST_V3_EXCEPTION_X", "message": "no"}})
    assert (type(error), error.code, error.description) == (e.BadRequest, "bitrix_rest_v3_exception_x", "no")


def test_a_blocked_method_says_until_when() -> None:
    body = {"error": "OPERATION_TIME_LIMIT", "time": {"operating_reset_at": NOW + 240}}
    error = failure(429, body)
    assert isinstance(error, e.MethodBlocked)
    assert error.until == NOW + 240


def test_a_blocked_method_that_says_nothing_waits_a_minute() -> None:
    error = failure(429, {"error": "OPERATION_TIME_LIMIT"})
    assert isinstance(error, e.MethodBlocked)
    assert error.until == NOW + 60


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7.0), ("", 1.0), ("soon", 1.0), ("99999", 3600.0), ("-3", 0.0)]
)
def test_retry_after_is_heeded(header: str, wait: float) -> None:
    error = failure(503, {"error": "QUERY_LIMIT_EXCEEDED"}, retry_after=header)
    assert isinstance(error, e.RateLimited)
    assert (error.retry_after_s, error.was_run) == (wait, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_move_whatever_its_body(status: int) -> None:
    error = failure(status, b"<html>moved</html>", location="https://new.example/rest/crm.item.list")
    assert isinstance(error, e.Moved)
    assert error.location == "https://new.example/rest/crm.item.list"


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b'{"result": [1', b"[]", b"7", b"\xff\xfe", b"NaN"]
)
@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 502, 503])
def test_whatever_is_no_json_object_is_garbage_that_may_pass(status: int, body: bytes) -> None:
    assert type(failure(status, body)) is e.GarbageAnswer


def test_a_deleted_portal_may_answer_in_html() -> None:
    assert type(failure(403, b"<html>PORTAL_DELETED</html>")) is e.PortalGone
    assert type(failure(410, b"<html>gone</html>")) is e.PortalGone


@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_bytes_end_in_a_reply_or_a_typed_error(status: int, body: bytes) -> None:
    with contextlib.suppress(e.RestError):
        decipher(status, {}, body, now=NOW)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.integers(100, 599),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("result", "error", "error_description", "time", "total", "next"), JSON)
    ),
)
def test_any_shape_ends_in_a_reply_or_a_typed_error(status: int, answer: dict[str, Any]) -> None:
    try:
        reply = decipher(status, {"retry-after": "x"}, json.dumps(answer).encode(), now=NOW)
        decipher_batch(reply, {"a": Call("m.list"), "b": Call("m.list")}, now=NOW)
    except e.RestError:
        pass


CALLS = {"a": Call("crm.item.list"), "b": Call("crm.item.get"), "c": Call("user.get")}


def batch(**parts: Any) -> dict[str, Reply | e.RestError]:
    return decipher_batch(Reply(parts), CALLS, now=NOW)


def test_every_command_of_a_batch_has_its_own_fate() -> None:
    outcome = batch(
        result={"a": [1], "c": []},
        result_error={"b": {"error": "", "error_description": "Not found"}},
        result_total={"a": 1},
        result_next=[],
        result_time={"a": {"operating": 0.5}},
    )
    assert list(outcome) == ["a", "b", "c"]
    assert outcome["a"] == Reply([1], 1, None, {"operating": 0.5})
    assert isinstance(outcome["b"], e.NotFound)
    assert outcome["b"].method == "crm.item.get"
    assert outcome["c"] == Reply([])


def test_all_failed_means_an_empty_list_instead_of_an_object() -> None:
    failed = {name: {"error": "insufficient_scope", "error_description": ""} for name in CALLS}
    outcome = batch(result=[], result_error=failed, result_total=[], result_next=[], result_time=[])
    assert [type(one) for one in outcome.values()] == [e.ScopeMissing] * 3


def test_a_command_without_any_answer_is_garbage_of_its_own() -> None:
    outcome = batch(result={"a": 1, "c": None}, result_error=[])
    assert isinstance(outcome["b"], e.GarbageAnswer)
    assert outcome["c"] == Reply(None)


def test_a_batch_answered_by_something_else_is_garbage() -> None:
    with pytest.raises(e.GarbageAnswer):
        decipher_batch(Reply([]), CALLS)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", 5),
        (5, 5),
        (Decimal("5.0"), 5),
        (None, None),
        ("", None),
        (True, None),
        ([], None),
        ("x", None),
        (Decimal("NaN"), None),
    ],
)
def test_whole_numbers_come_in_many_forms(value: object, number: int | None) -> None:
    assert to_int(value) == number


def test_moments_come_as_numbers_and_as_texts() -> None:
    assert to_unix_time(1722345678) == to_unix_time("1722345678") == 1722345678.0
    assert to_unix_time("2024-08-30T14:29:00+02:00") == 1725020940.0
    assert to_unix_time("soon") is None
    assert to_unix_time(None) is None
