"""The only reader of a portal's replies: (status, headers, body) becomes a result or a typed error. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from b24app.rest.calls import Call
from b24app.rest.errors import GarbageAnswer, Moved, PortalGone, RestError, classify

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. Numbers with a fraction are Decimal: money is read from its literal."""

    result: Any
    total: int | None = None
    next: int | None = None
    time: Mapping[str, Any] = field(default_factory=dict)

    @property
    def operating_s(self) -> float | None:
        """Seconds of operating time that the method has used in its window, if the portal tells."""
        return to_float(self.time.get("operating"))

    @property
    def operating_reset_at(self) -> float | None:
        """Unix time at which part of it is released, if the portal tells."""
        return to_unix_time(self.time.get("operating_reset_at"))


def decipher(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str = "", now: float = 0.0
) -> Reply:
    """The reply in an HTTP answer. `headers` has lower-case names; `now` is unix time.

    Raises:
        RestError: whatever the answer says instead of a result.
    """
    if status in REDIRECTS:
        raise Moved(headers.get("location", ""), status=status, method=method)
    answer = _parse_json(body)
    if not isinstance(answer, dict):
        raise _no_object(status, headers, body, method, now)
    time = to_map(answer.get("time"))
    if "error" in answer or status >= 400:
        raise _error(answer, status=status, headers=headers, time=time, method=method, now=now)
    if "result" not in answer:
        raise GarbageAnswer("no_result", "an answer without a result", status=status, method=method)
    return Reply(
        result=answer["result"],
        total=to_int(answer.get("total")),
        next=to_int(answer.get("next")),
        time=time,
    )


def decipher_batch(
    reply: Reply, calls: Mapping[str, Call], *, now: float = 0.0
) -> dict[str, Reply | RestError]:
    """What became of each command, in the order of `calls`.

    Raises:
        GarbageAnswer: the answer is not that of a batch.
    """
    if not isinstance(reply.result, dict):
        raise GarbageAnswer("no_batch_result", "an answer that is not a batch's", status=200, method="batch")
    results, errors, totals, nexts, times = (
        to_map(reply.result.get(name))
        for name in ("result", "result_error", "result_total", "result_next", "result_time")
    )
    outcome: dict[str, Reply | RestError] = {}
    for name, call in calls.items():
        time = to_map(times.get(name))
        if name in errors:
            outcome[name] = _error(
                _as_error(errors[name]), status=200, headers={}, time=time, method=call.method, now=now
            )
        elif name in results:
            outcome[name] = Reply(results[name], to_int(totals.get(name)), to_int(nexts.get(name)), time)
        else:
            outcome[name] = GarbageAnswer(
                "no_answer", "the batch has no answer for this command", status=200, method=call.method
            )
    return outcome


def to_map(value: Any) -> dict[str, Any]:
    """The value as a map with text keys: PHP writes an empty one, and one with keys 0, 1, …, as a list."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def to_int(value: Any) -> int | None:
    """The value as a whole number, None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None


def to_float(value: Any) -> float | None:
    """The value as a float, None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def to_unix_time(value: Any) -> float | None:
    """Unix seconds of a number or an ISO 8601 text (portals send either)."""
    number = to_float(value)
    if number is not None:
        return number
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _no_object(status: int, headers: Mapping[str, str], body: bytes, method: str, now: float) -> RestError:
    if status == 410 or b"PORTAL_DELETED" in body:
        return PortalGone("portal_deleted", "the portal was deleted", status=status, method=method)
    what = "an empty answer" if not body.strip() else "an answer that is not a JSON object"
    return GarbageAnswer(
        "no_json", what, status=status, method=method, retry_after_s=_retry_after(headers, now) or 1.0
    )


def _error(
    answer: Mapping[str, Any],
    *,
    status: int,
    headers: Mapping[str, str],
    time: Mapping[str, Any],
    method: str,
    now: float,
) -> RestError:
    code: Any = answer.get("error")
    description = answer.get("error_description")
    if isinstance(code, dict):  # REST v3
        code, description = code.get("code"), code.get("message")
    reset_at = to_unix_time(time.get("operating_reset_at")) or to_unix_time(answer.get("operating_reset_at"))
    wait = _retry_after(headers, now)
    return classify(
        code,
        description,
        status=status,
        method=method,
        retry_after_s=wait,
        # A blocked portal does not always say until when: its smallest unit is a minute.
        blocked_until=reset_at if reset_at and reset_at > now else now + (wait or 60.0),
    )


def _as_error(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"error": value}


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    number = to_float(value)
    if number is not None:
        return min(max(number, 0.0), 3600.0)
    try:
        return min(max(parsedate_to_datetime(value).timestamp() - now, 0.0), 3600.0)
    except (TypeError, ValueError):
        return None
