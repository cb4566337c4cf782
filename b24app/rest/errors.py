"""What can go wrong on the way to a portal, named by the caller's next move.

`classify` is the only reader of error codes; it compares them case-insensitively and looks at the
HTTP status only where the portal sent no code that we know.
"""

from __future__ import annotations

SHORT_WAIT_S = 1.0
LONG_WAIT_S = 900.0


class RestError(Exception):
    """A call that brought no result. `code` is lower case; `status` 0 means that no HTTP answer came."""

    def __init__(self, code: str, description: str = "", *, status: int = 0, method: str = "") -> None:
        super().__init__(code, description, status, method)
        self.code = code
        self.description = description
        self.status = status
        self.method = method

    def __str__(self) -> str:
        where = f"{self.method}: " if self.method else ""
        return (
            f"{where}{self.code or type(self).__name__} (HTTP {self.status}) {self.description[:300]}".strip()
        )


class RetryLater(RestError):
    """A passing trouble: the same call may succeed after `retry_after_s` seconds.

    `was_run` tells that the portal may have carried the call out: only a read may be repeated blindly.
    """

    def __init__(
        self,
        code: str,
        description: str = "",
        *,
        status: int = 0,
        method: str = "",
        retry_after_s: float = SHORT_WAIT_S,
        was_run: bool = True,
    ) -> None:
        super().__init__(code, description, status=status, method=method)
        self.retry_after_s = retry_after_s
        self.was_run = was_run


NO_BUDGET = "budget"
"""The code of an error of our own: what the portal allows is nearly used up, it was not even asked."""


class RateLimited(RetryLater):
    """The portal's leaky bucket is full, or our own budget says that it soon will be. Nothing was run."""


class Unreachable(RetryLater):
    """No answer: refused, timed out, cut off, or the name does not resolve."""


class TimedOut(Unreachable):
    """Asked, and no answer, or not all of it, in the time that we had."""


class GarbageAnswer(RetryLater):
    """An answer that no portal should give: HTML, half a body, a shape that nothing describes."""


class Overloaded(RestError):
    """The portal has blocked REST by hand: stop asking for a while and tell the operator."""

    retry_after_s = LONG_WAIT_S


class MethodBlocked(RestError):
    """This one method has used up its operating time; `until` is unix time. Other methods work."""

    def __init__(
        self, code: str, description: str = "", *, status: int = 0, method: str = "", until: float = 0.0
    ) -> None:
        super().__init__(code, description, status=status, method=method)
        self.until = until


class TokenExpired(RestError):
    """The access token is no longer good: refresh once, repeat once."""


class TokenDead(RestError):
    """No refresh helps: somebody with rights has to open the app on the portal again."""


class WrongClient(RestError):
    """The authorization server does not know our credentials: the operator's mistake, tokens may be fine."""


class ScopeMissing(RestError):
    """The app was not granted this scope: the source stays off until an admin grants it."""


class AccessDenied(RestError):
    """This user (or this plan) may not: asking again changes nothing."""


class RestSwitchedOff(AccessDenied):
    """The portal's plan has no REST or not this feature (ACCESS_DENIED by plan, WRONG_LICENSE)."""


class NotFound(RestError):
    """The record does not exist, or this user may not see it."""


class MethodMissing(NotFound):
    """The portal (often an on-premise one) has no such method: its source is off."""


class PaymentRequired(RestError):
    """The app's paid or trial period on this portal is over."""


class PortalGone(RestError):
    """The portal was deleted."""


class AppRemoved(PortalGone):
    """The app is no longer installed on the portal."""


class BadRequest(RestError):
    """The portal refuses the parameters: our mistake, or a field that it does not have."""


class Moved(RestError):
    """The portal answers at another address; `location` is unproven."""

    def __init__(self, location: str, *, status: int, method: str = "") -> None:
        super().__init__("moved", location, status=status, method=method)
        self.location = location


class AddressRefused(RestError):
    """An address that we will not talk to: not https, private, or not proven to be this portal's."""


_BY_CODE: dict[str, type[RestError]] = {
    "query_limit_exceeded": RateLimited,
    "overload_limit": Overloaded,
    "operation_time_limit": MethodBlocked,
    "internal_server_error": RetryLater,
    "error_unexpected_answer": RetryLater,
    # The portal could not ask the authorization server about the token: that passes.
    "authorization_error": RetryLater,
    "connection_error": RetryLater,
    "expired_token": TokenExpired,
    "invalid_token": TokenExpired,
    "no_auth_found": TokenDead,
    "invalid_grant": TokenDead,
    "invalid_credentials": TokenDead,
    "error_oauth": TokenDead,
    "wrong_auth_type": TokenDead,
    "invalid_client": WrongClient,
    "wrong_client": WrongClient,
    "insufficient_scope": ScopeMissing,
    "invalid_scope": ScopeMissing,
    "access_denied": AccessDenied,
    "access_error": AccessDenied,
    "user_access_error": AccessDenied,
    "allowed_only_intranet_user": AccessDenied,
    "method_confirm_waiting": AccessDenied,
    "method_confirm_denied": AccessDenied,
    "wrong_license": RestSwitchedOff,
    "payment_required": PaymentRequired,
    "portal_deleted": PortalGone,
    "not_installed": AppRemoved,
    "application_not_found": AppRemoved,
    "error_method_not_found": MethodMissing,
    "not_found": NotFound,
    "error_not_found": NotFound,
    "error_manifest_is_not_available": NotFound,
    "error_batch_method_not_allowed": BadRequest,
    "error_batch_length_exceeded": BadRequest,
    "invalid_request": BadRequest,
    "invalid_arg_value": BadRequest,
    "error_argument": BadRequest,
    "error_core": BadRequest,
}

_NOT_RUN = (RateLimited,)


def classify(
    code: object,
    description: object,
    *,
    status: int,
    method: str = "",
    retry_after_s: float | None = None,
    blocked_until: float = 0.0,
) -> RestError:
    """The typed error for the portal's `error` and `error_description`.

    An empty code, 0 or "0" says nothing: then the description, and last the status, decides.
    """
    name = str(code if code is not None else "").strip().lower()
    text = str(description if description is not None else "").strip()
    kind = _BY_CODE.get(name)
    if name in ("", "0"):
        kind = kind or _by_text(text)
    if kind is None:
        kind = _by_status(status)
    if kind is AccessDenied and name == "access_denied" and "commercial" in text.lower():
        kind = RestSwitchedOff
    if issubclass(kind, MethodBlocked):
        return kind(name, text, status=status, method=method, until=blocked_until)
    if issubclass(kind, RetryLater):
        return kind(
            name,
            text,
            status=status,
            method=method,
            retry_after_s=SHORT_WAIT_S if retry_after_s is None else retry_after_s,
            was_run=not issubclass(kind, _NOT_RUN),
        )
    return kind(name, text, status=status, method=method)


def _by_text(text: str) -> type[RestError] | None:
    said = text.lower()
    by_word = _BY_CODE.get(said.replace(" ", "_"))
    if by_word is not None:
        return by_word
    if "not found" in said:
        return NotFound
    if "access denied" in said:
        return AccessDenied
    return None


def _by_status(status: int) -> type[RestError]:
    if status >= 500 or status == 429:
        return RetryLater
    if status in (401, 403):  # never a reason to refresh: only the codes are
        return AccessDenied
    if status == 404:
        return NotFound
    if status == 410:
        return PortalGone
    return BadRequest
