"""What a call to a portal came to, as a word out of a bounded list. Pure."""

from __future__ import annotations

from b24app.rest import errors
from b24app.rest.errors import RestError

OK = "ok"

_BY_TYPE: tuple[tuple[type[RestError], str], ...] = (
    (errors.RateLimited, "rate_limited"),  # 503 QUERY_LIMIT_EXCEEDED
    (errors.MethodBlocked, "method_blocked"),  # 429 OPERATION_TIME_LIMIT
    (errors.Overloaded, "overloaded"),
    (errors.TokenExpired, "token_expired"),
    (errors.TokenDead, "token_dead"),
    (errors.WrongClient, "wrong_client"),
    (errors.Moved, "moved"),
    (errors.TimedOut, "timeout"),
    (errors.Unreachable, "unreachable"),
    (errors.GarbageAnswer, "garbage"),
    (errors.RetryLater, "server_error"),
    (errors.ScopeMissing, "scope_missing"),
    (errors.AccessDenied, "denied"),
    (errors.NotFound, "not_found"),
    (errors.PaymentRequired, "unpaid"),
    (errors.PortalGone, "gone"),
    (errors.AddressRefused, "address_refused"),
    (errors.BadRequest, "bad_request"),
)

NAMES = (OK, *(name for _type, name in _BY_TYPE), "other")


def of(error: RestError | None) -> str:
    """One of `NAMES`; None is a success."""
    if error is None:
        return OK
    return next((name for kind, name in _BY_TYPE if isinstance(error, kind)), "other")
